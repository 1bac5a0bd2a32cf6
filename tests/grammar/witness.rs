//! What a service has seen of a conversation, owned.

use std::cell::RefCell;

use ownhands::testing::MockClient;
use ownhands::{Fragment, HttpError, Request, Response, Service, Status};

/// A request that reached the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) path: Vec<u8>,
    pub(super) query: Option<String>,
    pub(super) version: String,
    pub(super) authority: Option<String>,
    pub(super) fields: Vec<(String, Vec<u8>)>,
    pub(super) body: Vec<u8>,
}

impl Seen {
    fn new(request: &Request<'_>) -> Seen {
        Seen {
            method: request.method.to_string(),
            target: request.target.to_string(),
            path: request.path_bytes.to_vec(),
            query: request.query.map(str::to_string),
            version: request.version.to_string(),
            authority: request.authority.map(str::to_string),
            fields: request.headers.iter().map(|(name, value)| (name.to_string(), value.to_vec())).collect(),
            body: request.body.bytes().unwrap().into_owned(),
        }
    }

    /// The fields but Host and what frames the message, as one text.
    pub(super) fn other_fields(&self) -> String {
        let frames = ["host", "transfer-encoding", "content-length"];
        let others = self.fields.iter().filter(|(name, _)| !frames.contains(&name.to_ascii_lowercase().as_str()));
        others.map(|(name, value)| format!("{name}={}", value.escape_ascii())).collect::<Vec<_>>().join("; ")
    }
}

/// What became of all that a client has sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Conversation {
    pub(super) seen: Vec<Seen>,
    /// Status and sentence.
    pub(super) refusal: Option<(u16, String)>,
    /// What the server has sent, without `100 Continue`, which is for peers that wait.
    pub(super) sent: Vec<u8>,
    /// True if another request could have followed.
    pub(super) is_kept: bool,
}

/// Writes down what it is asked, and answers with nothing.
#[derive(Default)]
struct Witness {
    seen: RefCell<Vec<Seen>>,
    refusal: RefCell<Option<(u16, String)>>,
}

impl Service for Witness {
    fn call(&self, request: &Request<'_>) -> Response {
        self.seen.borrow_mut().push(Seen::new(request));
        Response::new(Status::NO_CONTENT)
    }

    fn refuse(&self, error: &HttpError, _: &Fragment<'_>) -> Response {
        *self.refusal.borrow_mut() = Some((error.status.code(), error.detail.to_string()));
        Response::text(error.to_string()).with_status(error.status)
    }
}

/// Says this on a new connection, in reads that are cut at these offsets, and ends.
pub(super) fn converse(wire: &[u8], cuts: &[usize]) -> Conversation {
    let mut client = MockClient::new(Witness::default());
    client.connect();
    client.deliver(wire, cuts);
    let is_kept = client.is_open();
    client.end();
    assert!(client.is_closed(), "{}: the server waits for a peer that has ended", wire.escape_ascii());
    let sent = String::from_utf8(client.take_received()).unwrap().replace("HTTP/1.1 100 Continue\r\n\r\n", "");
    let Witness { seen, refusal } = client.service();
    Conversation { seen: seen.take(), refusal: refusal.take(), sent: sent.into_bytes(), is_kept }
}
