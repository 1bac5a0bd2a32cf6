//! An HTTP/1.1 server one can understand: one thread, one poll loop, a slab of small connection machines, a regex router,
//! and a handler for files and directory listings. This page is the guide to it.
//!
//! # An application
//!
//! A route is a method, a regular expression for the whole path, and a function from a request to something that is a response:
//!
//! ```
//! use ownhands::{App, HttpError, Request, Status, testing::MockClient};
//!
//! fn square(request: &Request<'_>) -> Result<String, HttpError> {
//!     let text = request.param("number").unwrap_or_default();
//!     let number: i64 = text.parse().map_err(|_| HttpError::bad_request("this is too large to be squared"))?;
//!     Ok(format!("{}\n", number.saturating_mul(number)))
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut app = App::new();
//! app.route("GET", "/", |_: &Request<'_>| "Ask me for /square/7\n")?;
//! app.route("GET", "/square/(?<number>-?[0-9]+)", square)?;
//! app.route("PUT", "/square/[0-9]+", |_: &Request<'_>| (Status::CREATED, "noted\n"))?;
//!
//! // No socket, no port, no thread: the very machine that serves sockets, driven by hand.
//! let mut client = MockClient::new(app);
//! assert_eq!(client.get("/square/12").text(), "144\n");
//! assert_eq!(client.get("/square/twelve").status(), 404);
//! assert_eq!(client.send("DELETE /square/1 HTTP/1.1\r\nHost: a\r\n\r\n", &[]).header("Allow"), Some("GET, HEAD, PUT, OPTIONS"));
//! # Ok(()) }
//! ```
//!
//! and this serves it, with a directory beside it, until somebody presses Ctrl-C:
//!
//! ```no_run
//! use ownhands::{App, Config, Files, Server};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut app = App::new();
//! app.mount("/", Files::new("static")?)?;
//! let mut server = Server::bind(&["127.0.0.1:8000".parse()?], Config::default(), app)?;
//! server.stop_on_signals()?;
//! server.run()?;
//! # Ok(()) }
//! ```
//!
//! # How a byte becomes an answer
//!
//! 1. [`Server`] polls. An event says that a peer may have sent something; that is all it is believed.
//! 2. The peer's [`Connection`](connection::Connection) is lent the buffers of the turn and told to
//!    [`advance`](connection::Connection::advance): a loop over its state, which fits on a screen.
//! 3. *Reading*: it reads into the shared input and [decodes](http::decode). A head that is not complete is no error: how far it
//!    was read is remembered, and a request typed a byte at a time is looked at once. What is wrong is refused with a sentence.
//! 4. *Parsed*: a body is waited for, its chunks decoded in place.
//! 5. The complete [`Request`], a view of the bytes it came in, goes to the [`Service`]. An [`App`] finds the route, the handler
//!    answers, and whatever goes wrong becomes an [`HttpError`] and leaves as a page.
//! 6. *Writing*: the head and a small body are appended to the shared output, behind the answers of the requests before it: a
//!    pipeline leaves with one write. Longer bodies follow in slices: from memory, from a file by the kernel, or made by a [`Source`].
//! 7. What could not be sent, or was half said, moves into the connection; in the common case nothing is left, and an idle
//!    connection owns no buffer. The loop is told when to come back, and turns to the next peer.
//!
//! # The layers
//!
//! A file uses its own folder and the layers above it in this list; a test holds it to that.
//!
//! | layer | | |
//! |---|---|---|
//! | 1 | [`http`] | words and wire: what messages are, and how they are read from and written to bytes |
//! | 2 | [`Service`] | the seam between who speaks and who answers |
//! | 3 | [`connection`] | one peer: the machine, over any [`Transport`](connection::Transport) |
//! | 3 | [`app`] | what to answer: routes, error pages, the access log |
//! | 3 | [`files`] | one resource: a directory on disk |
//! | 4 | [`server`] | all peers: the loop |
//! | 4 | [`testing`] | no peers: a scripted transport, and a client without a socket |
//! | 5 | the command | flags to a [`Config`], an [`App`] and a [`Server`]; the only code that prints |
//!
//! # What holds everywhere
//!
//! - **One thread.** Handlers run on the loop; one that takes a second holds every peer for a second. Files and streams go out in
//!   slices, and every connection has a share of a turn, in requests and in bytes.
//! - **Every bound has a name**: [`Limits`] for what a request may hold, [`Timeouts`] for how long a peer may take, [`Config`]
//!   for the rest; constants in the code where there is nothing to choose.
//! - **What two programs could read in two ways is refused**: a server may stand behind a proxy.
//! - **A refusal says why**, in a sentence, to the peer and to the log.
//! - It needs a Unix: the code is tested on Linux, where files are opened beneath their root by the kernel and sent by it.

// The examples of the README are held to the code as well.
#![cfg_attr(doctest, doc = include_str!("../README.md"))]

pub mod app;
pub mod connection;
pub mod files;
pub mod http;
pub mod server;
mod service;
pub mod testing;

pub use app::{App, Route};
pub use connection::Timeouts;
pub use files::Files;
pub use http::{
    Body, Bytes, FileRange, HeaderList, Headers, HttpError, IntoResponse, Limits, Method, Now, Params, Produced,
    Request, Response, Source, Status, Target, Tick, Version,
};
pub use server::{Config, Handle, Server};
pub use service::{Exchange, Fragment, Handler, Resource, Service};
