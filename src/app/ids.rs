//! Request ids: a name for each answer, by which a complaint is found in the log.

use std::cell::Cell;
use std::time::UNIX_EPOCH;

use super::App;
use super::asker::Asker;
use crate::http::{Now, Response};
use crate::service::REQUEST_ID;

/// Characters of an id that is taken over from a proxy: a UUID has 36, a hash in hexadecimal 64.
const LONGEST: usize = 64;

impl App {
    /// Gives every answer an `X-Request-Id`, and says it in the log beside each refusal. One that the request brings,
    /// from a proxy, is taken over if it is 1 to 64 letters, digits, `-`, `_` or `.`; else it is made of the time at
    /// which the loop began and a number, and can be guessed. One that a handler sets is kept.
    ///
    /// # Examples
    /// ```
    /// use ownhands::{App, testing::MockClient};
    ///
    /// let mut app = App::new();
    /// app.add_request_ids();
    /// let mut client = MockClient::new(app);
    /// assert_eq!(client.get("/").header("X-Request-Id"), Some("6474846204000-1"));
    /// assert_eq!(client.get("/").header("X-Request-Id"), Some("6474846204000-2"));
    /// let answer = client.request("GET", "/").header("X-Request-Id", "from-a-proxy").send();
    /// assert_eq!(answer.header("X-Request-Id"), Some("from-a-proxy"));
    /// ```
    pub fn add_request_ids(&mut self) -> &mut App {
        self.ids.get_or_insert_default();
        self
    }
}

/// Makes ids.
#[derive(Default)]
pub(super) struct RequestIds {
    /// When the loop began, in microseconds since 1970: ids of two runs differ.
    began: Cell<u128>,
    count: Cell<u64>,
}

impl RequestIds {
    /// Notes the time, in the first turn of the loop.
    pub(super) fn begin_turn(&self, now: &Now) {
        if self.began.get() == 0 {
            self.began.set(now.system_time().duration_since(UNIX_EPOCH).map_or(0, |span| span.as_micros()));
        }
    }

    /// The id for what this one asked.
    pub(super) fn id(&self, asker: Asker<'_>) -> String {
        let brought = asker.request().and_then(|request| request.header(REQUEST_ID)).filter(|id| is_sane(id));
        brought.map(str::to_owned).unwrap_or_else(|| self.make())
    }

    fn make(&self) -> String {
        self.count.set(self.count.get().wrapping_add(1));
        format!("{:x}-{:x}", self.began.get(), self.count.get())
    }
}

/// The same answer with its id.
pub(super) fn stamp(mut response: Response, id: Option<&str>) -> Response {
    if let Some(id) = id
        && response.headers.get(REQUEST_ID).is_none()
    {
        response.headers.push(REQUEST_ID, id);
    }
    response
}

fn is_sane(id: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=LONGEST).contains(&id.len()) && id.bytes().all(is_plain)
}
