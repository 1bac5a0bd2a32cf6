//! The conversation, as `curl -v` would show it from the other side: for debugging by telnet.
//!
//! `>` is what a peer sent, `<` what it is answered, `*` what the machine does about it. Control characters are
//! made visible, and a line without the usual CR LF says so. It shows what peers send to whoever reads it:
//! cookies and passwords too.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::Write;
use std::net::SocketAddr;

use regex::Regex;

use super::event::{Event, Tracer};

/// Bytes of a body that are shown; the rest is counted.
const BODY_SHOWN: usize = 256;

/// Bytes of a conversation held back until its path is known. Beyond it the beginning is dropped.
const MAX_HELD: usize = 64 * 1024;

/// Connections whose conversations are held back at one time; beyond it a conversation begins to be shown
/// where its path is known.
const MAX_CONVERSATIONS: usize = 1024;

/// Writes a transcript of every conversation, or of the requests for certain paths.
///
/// ```
/// use ownhands::{App, Request, connection::Transcript, testing::MockClient};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut app = App::new();
/// app.route("GET", "/", |_: &Request<'_>| "hello\n")?;
/// let mut client = MockClient::new(app).with_tracer(Transcript::new(std::io::stderr()));
/// client.send("GET / HTTP/1.1\r\nHost: a\n\n", &[7]);
/// // * 192.0.2.1:50000
/// // > GET / H (no line end)
/// // * reading: 7 bytes, the head is not complete
/// // * waiting for the rest of the head, at most 30.0 s
/// // > TTP/1.1
/// // > Host: a\n
/// // > \n
/// // * parsed: GET /
/// // < HTTP/1.1 200 OK
/// // ...
/// # Ok(()) }
/// ```
pub struct Transcript {
    filter: Option<Regex>,
    state: RefCell<State>,
}

struct State {
    sink: Box<dyn Write>,
    /// Whose conversation the last line was of.
    speaker: Option<Option<SocketAddr>>,
    conversations: HashMap<Option<SocketAddr>, Conversation>,
}

/// What is known of a conversation, where only some are shown.
enum Conversation {
    /// The path of the request is not known yet.
    Held(String),
    Shown,
    Hidden,
}

impl Transcript {
    /// A transcript of all conversations.
    pub fn new(sink: impl Write + 'static) -> Self {
        let state = State { sink: Box::new(sink), speaker: None, conversations: HashMap::new() };
        Transcript { filter: None, state: RefCell::new(state) }
    }

    /// A transcript of the requests whose decoded path the expression matches somewhere. What never becomes a request
    /// has no path, and is left out.
    #[must_use]
    pub fn with_filter(self, paths: Regex) -> Self {
        Transcript { filter: Some(paths), ..self }
    }
}

impl Tracer for Transcript {
    fn trace(&self, peer: Option<SocketAddr>, event: &Event<'_>) {
        // Taken only if the sink itself were traced.
        let Ok(mut state) = self.state.try_borrow_mut() else { return };
        let text = render(event);
        match &self.filter {
            None => state.show(peer, &text),
            Some(paths) => state.follow(peer, event, text, paths),
        }
        // From a proxy's word on the connection goes by its client's address.
        if matches!(event, Event::Closed | Event::Proxied(_)) {
            state.conversations.remove(&peer);
            state.speaker = None;
        }
    }
}

impl State {
    /// Shows, holds back or drops the text, as the path of the request has it.
    fn follow(&mut self, peer: Option<SocketAddr>, event: &Event<'_>, text: String, paths: &Regex) {
        if let Event::Parsed { path, .. } = event {
            let held = self.conversations.remove(&peer);
            let next = if paths.is_match(path) { Conversation::Shown } else { Conversation::Hidden };
            if let (Conversation::Shown, Some(Conversation::Held(held))) = (&next, held) {
                self.show(peer, &held);
            }
            self.conversations.insert(peer, next);
        }
        let has_place = self.conversations.len() < MAX_CONVERSATIONS;
        match self.conversations.get_mut(&peer) {
            Some(Conversation::Shown) => self.show(peer, &text),
            Some(Conversation::Hidden) => {}
            Some(Conversation::Held(held)) => {
                if held.len() > MAX_HELD {
                    held.clear();
                }
                held.push_str(&text);
            }
            None if has_place => {
                self.conversations.insert(peer, Conversation::Held(text));
            }
            None => {}
        }
        // After an answer the next request begins, whose path is not known.
        if matches!(event, Event::Waiting(super::Limit::Idle, _)) {
            self.conversations.remove(&peer);
        }
    }

    fn show(&mut self, peer: Option<SocketAddr>, text: &str) {
        if self.speaker != Some(peer) {
            self.speaker = Some(peer);
            let _ = writeln!(self.sink, "* {}", super::peer::Peer::at(peer));
        }
        // A transcript that cannot be written is nobody's loss but its reader's, who sees it.
        let _ = self.sink.write_all(text.as_bytes()).and_then(|()| self.sink.flush());
    }
}

/// The event in lines.
fn render(event: &Event<'_>) -> String {
    let mut text = String::new();
    match event {
        Event::Received(bytes) => {
            let body = end_of_head(bytes).unwrap_or(bytes.len());
            let (head, body) = bytes.split_at_checked(body).unwrap_or((bytes, b""));
            push_lines('>', head, &mut text);
            push_body('>', body, &mut text);
        }
        Event::Answered { head, body, .. } => {
            push_lines('<', head, &mut text);
            push_body('<', body, &mut text);
        }
        Event::Produced(bytes) => push_body('<', bytes, &mut text),
        _ => {}
    }
    if !matches!(event, Event::Received(_) | Event::Produced(_)) {
        text.push_str(&format!("* {event}\n"));
    }
    text
}

/// Where a head ends that ends in these bytes.
fn end_of_head(bytes: &[u8]) -> Option<usize> {
    let crlf = memchr::memmem::find(bytes, b"\n\r\n").map(|at| at + 3);
    let lf = memchr::memmem::find(bytes, b"\n\n").map(|at| at + 2);
    [crlf, lf].into_iter().flatten().min()
}

fn push_body(mark: char, body: &[u8], text: &mut String) {
    let shown = body.get(..BODY_SHOWN).unwrap_or(body);
    push_lines(mark, shown, text);
    if shown.len() < body.len() {
        text.push_str(&format!("{mark} ({} more bytes)\n", body.len() - shown.len()));
    }
}

fn push_lines(mark: char, bytes: &[u8], text: &mut String) {
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        let (line, end) = match line {
            [line @ .., b'\r', b'\n'] => (line, ""),
            [line @ .., b'\n'] => (line, "\\n"),
            line => (line, " (no line end)"),
        };
        text.push(mark);
        text.push(' ');
        for part in line.utf8_chunks() {
            part.valid().chars().for_each(|character| match character {
                '"' | '\'' | '\\' => text.push(character),
                other => text.extend(other.escape_debug()),
            });
            part.invalid().iter().for_each(|byte| text.push_str(&byte.escape_ascii().to_string()));
        }
        text.push_str(end);
        text.push('\n');
    }
}
