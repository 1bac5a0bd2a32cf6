//! An HTTP/1.1 server one can understand: one thread, one poll loop, a slab of small connection machines, a regex
//! router, and a handler for files and directory listings. This page is the guide to it.
//!
//! # An application
//!
//! From nothing, in six steps.
//!
//! ## 1. A route
//!
//! A route is a method, a regular expression for the whole path, and a function from a request to something that is a
//! response: text, bytes, a [`Response`], a [`Status`] before any of them, an [`Option`], a [`Result`].
//!
//! ```
//! use ownhands::{App, Request, Status, testing::MockClient};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut app = App::new();
//! app.route("GET", "/", |_: &Request<'_>| "Ask me for /square/7\n")?;
//! app.route("PUT", "/square/[0-9]+", |_: &Request<'_>| (Status::CREATED, "noted\n"))?;
//!
//! let mut client = MockClient::new(app); // what this is, step 6 tells
//! assert_eq!(client.get("/").text(), "Ask me for /square/7\n");
//! assert_eq!(client.get("/square/7").header("Allow"), Some("PUT, OPTIONS")); // with a 405
//! # Ok(()) }
//! ```
//!
//! ## 2. What the path says, and errors
//!
//! What a named group catches is a [parameter](Request::param). Whatever goes wrong is an [`HttpError`], and `?` makes
//! one of [every other error](HttpError#with-): a file that is not there is a 404.
//!
//! ```
//! use ownhands::{App, HttpError, Request, testing::MockClient};
//!
//! fn square(request: &Request<'_>) -> Result<String, HttpError> {
//!     let text = request.param("number").unwrap_or_default();
//!     let number: i64 = text.parse().map_err(|_| HttpError::bad_request("this is too large to be squared"))?;
//!     Ok(format!("{}\n", number.saturating_mul(number)))
//! }
//!
//! fn poem(request: &Request<'_>) -> Result<String, HttpError> {
//!     Ok(std::fs::read_to_string(format!("poems/{}.txt", request.param("name").unwrap_or_default()))?)
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut app = App::new();
//! app.route("GET", "/square/(?<number>-?[0-9]+)", square)?.route("GET", "/poem/(?<name>[a-z]+)", poem)?;
//! let mut client = MockClient::new(app);
//! assert_eq!(client.get("/square/12").text(), "144\n");
//! assert_eq!(client.get("/square/99999999999999999999").status(), 400);
//! assert_eq!(client.get("/square/twelve").text(), "404 Not Found: there is no /square/twelve here\n");
//! assert_eq!(client.get("/poem/lost").text(), "404 Not Found: there is nothing here\n");
//! # Ok(()) }
//! ```
//!
//! ## 3. A form and a cookie
//!
//! ```
//! use ownhands::{App, Cookie, HttpError, Request, Response, Status, testing::MockClient};
//!
//! fn choose(request: &Request<'_>) -> Result<Response, HttpError> {
//!     let form = request.form()?; // 415 for what is none
//!     let theme = form.get("theme").filter(|theme| ["light", "dark"].contains(theme));
//!     let theme = theme.ok_or(HttpError::unprocessable_content("the theme is light or dark"))?;
//!     Ok(Response::redirect(Status::SEE_OTHER, "/").with_cookie(Cookie::new("theme", theme).with_path("/")))
//! }
//!
//! fn home(request: &Request<'_>) -> String {
//!     format!("This page is {}.\n", request.cookie("theme").as_deref().unwrap_or("light"))
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut app = App::new();
//! app.route("POST", "/theme", choose)?.route("GET", "/", home)?;
//! let mut client = MockClient::new(app);
//! let form = client.post("/theme").header("Content-Type", "application/x-www-form-urlencoded").body("theme=dark");
//! assert_eq!(form.send().header("Set-Cookie"), Some("theme=dark; Path=/"));
//! assert_eq!(client.request("GET", "/").header("Cookie", "theme=dark").send().text(), "This page is dark.\n");
//! # Ok(()) }
//! ```
//!
//! ## 4. Files beside it, and a page for 404
//!
//! Routes go first; a path that none of them matches goes to what is [mounted](App::mount) over it. Errors of routes,
//! of mounts and of what could not be read as a request all go to the same handlers.
//!
//! ```
//! use ownhands::{App, Files, HttpError, Request, testing::MockClient};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut app = App::new();
//! app.mount("/static", Files::new("static")?)?;
//! app.on_error(404, |error: &HttpError, _: Option<&Request<'_>>| format!("Sorry, {}.\n", error.detail));
//!
//! let mut client = MockClient::new(app);
//! assert_eq!(client.get("/static/listing.css").header("Content-Type"), Some("text/css; charset=utf-8"));
//! assert_eq!(client.get("/static/cake").text(), "Sorry, there is nothing here.\n");
//! # Ok(()) }
//! ```
//!
//! ## 5. An answer that comes later, and one that comes bit by bit
//!
//! A handler that takes long would hold everybody. It [puts its answer off](Request::defer) instead, and a thread gives
//! it; or it hands out a [`Source`], which is asked for the next bit when the peer has taken the last, and may sleep
//! between.
//!
//! ```
//! use ownhands::{App, Produced, Request, Response, Source, testing::MockClient};
//! use std::{io, io::Write, thread, time::Duration};
//!
//! fn slow(request: &Request<'_>) -> Response {
//!     let (deferred, response) = request.defer();
//!     thread::spawn(move || deferred.answer("That took a while.\n"));
//!     response
//! }
//!
//! struct Countdown(u32);
//!
//! impl Source for Countdown {
//!     fn produce(&mut self, out: &mut Vec<u8>) -> io::Result<Produced> {
//!         writeln!(out, "{}", self.0)?;
//!         self.0 = self.0.saturating_sub(1);
//!         Ok(if self.0 == 0 { Produced::All } else { Produced::Later(Duration::from_secs(1)) })
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut app = App::new();
//! app.route("GET", "/slow", slow)?.route("GET", "/countdown", |_: &Request<'_>| Response::stream(Countdown(3)))?;
//! let mut client = MockClient::new(app);
//! assert_eq!(client.get("/slow").text(), "That took a while.\n");
//!
//! client.deliver("GET /countdown HTTP/1.1\r\nHost: a\r\n\r\n", &[]);
//! client.sleep(2); // on a clock of its own
//! assert_eq!(client.next_answer(false).map(|answer| answer.text()), Some("3\n2\n1\n".to_owned()));
//! # Ok(()) }
//! ```
//!
//! ## 6. Test it without a socket, and serve it
//!
//! A [`MockClient`](testing::MockClient) drives the very machine that serves sockets, without a port, a thread or a
//! clock: what it sees is what a peer sees, to the byte, however the bytes are cut on their way.
//!
//! ```
//! use ownhands::{App, Request, testing::MockClient};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut app = App::new();
//! app.route("GET", "/", |_: &Request<'_>| "hello\n")?;
//! let mut client = MockClient::new(app);
//! let answer = client.request("GET", "/").header("Accept", "*/*").send();
//! assert_eq!(client.request("GET", "/").header("Accept", "*/*").byte_by_byte().send(), answer);
//! assert!(answer.wire().starts_with(b"HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n"));
//! # Ok(()) }
//! ```
//!
//! And this serves it, on a port and on a socket in the file system, until somebody presses Ctrl-C or another thread
//! asks its [`Handle`]:
//!
//! ```no_run
//! use ownhands::{App, Config, Listener, Server};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let app = App::new();
//! let listeners = vec![Listener::tcp("127.0.0.1:8000".parse()?)?, Listener::unix("/run/hello.sock")?];
//! let mut server = Server::new(listeners, Config::default(), app)?;
//! server.stop_on_signals()?;
//! server.run()?;
//! # Ok(()) }
//! ```
//!
//! [`Files`] can be told what to [share](Files::share), what to [leave out](Files::without), which
//! [links](Files::with_links) to follow, and to say [why](Files::with_reasons) something is not to be had; a directory
//! without an index page is listed, as a page, as text or as JSON, and fetched as a whole.
//!
//! What else there is: [hooks](App::before) that are asked before a request finds its way,
//! [observers](App::add_observer) that are told when an answer is over, [request ids](App::add_request_ids),
//! [jobs](App::every), and a request as [CGI and WSGI](Request::environ) know it; [redirects](App::redirect) by
//! pattern; and the client's own address behind [proxies that are trusted](App::trust).
//!
//! # A program that stays
//!
//! [`Server::run`] serves until it is stopped. A program that has more to do between two turns of the loop
//! [attends](Server::attend) it: a signal, a [watched](Server::watch) descriptor that may be read, the end of a
//! time come as a [`Call`]; it may [replace](Server::replace) the application and the settings under the
//! connections that are there, say how things stand by [`Figures`], and [hand over](Server::hand_over) its sockets
//! to a successor. The feature `sandbox` locks the process in, once it listens. The command is such a program: its
//! verbs are all made of these.
//!
//! # Applications behind the loop
//!
//! What takes long, or is written in another language, is asked by a [gateway]: a resource to be mounted, which puts
//! its answers off. [`Wsgi`](gateway::Wsgi) runs a Python application in worker processes, [`Scgi`](gateway::Scgi) asks
//! an application server that runs already, [`Cgi`](gateway::Cgi) starts a program for each request. What stands behind
//! a gateway is an [`Upstream`](upstream::Upstream) to the loop: one more kind of slot, with a descriptor and a small
//! machine of its own. An answer comes through a bounded pipe, and what a slow peer has yet to take lies in a
//! [`Basin`](gateway::Basin), so that nobody works for him alone; and whoever does is told when he leaves. Where there
//! may be a file, [`TryFiles`](gateway::TryFiles) asks for that first. Programs are started by a
//! [`Launcher`](gateway::Launcher), which stands outside of the loop and of the sandbox's walls.
//!
//! # A full house
//!
//! Each peer costs a place, memory and time, and each of them is bounded. When all places are taken, the connection
//! that has waited longest for a request yields, then the one whose head has been on its way longest; where all are
//! busy, the next peer is answered 503 on the doorstep. No address holds more than its share. What comes slowly or is
//! taken slowly has its time used up at less than [`Timeouts::min_rate`], and what is kept for all together has its
//! bound in [`Config::max_kept`].
//!
//! # How a byte becomes an answer
//!
//! 1. [`Server`] polls. An event says that a peer may have sent something; that is all it is believed. A [`Listener`],
//!    for addresses, for paths in the file system, or handed over by whoever started the process, lets new peers in;
//!    where there are too many, they are turned away with a reason.
//! 2. The peer's [`Connection`](connection::Connection) is lent the buffers of the turn and told to
//!    [`advance`](connection::Connection::advance): a loop over its state, which fits on a screen.
//!    From a trusted proxy that says so, first comes the preamble: who its client is, by the PROXY protocol.
//! 3. *Reading*: it reads into the shared input and [decodes](http::decode). A head that is not complete is no error:
//!    how far it was read is remembered, and a request typed a byte at a time is looked at once. What is wrong is
//!    refused with a sentence.
//! 4. *Parsed*: the service is [asked](Service::admit) whether the body may come, and the body is waited for, its
//!    chunks decoded in place. Beyond [`Limits::memory`] it goes on into a file without a name.
//! 5. The complete [`Request`], a view of the bytes it came in, goes to the [`Service`]. An [`App`] asks its hooks,
//!    finds the route, the handler answers, and whatever goes wrong becomes an [`HttpError`] and leaves as a page.
//! 6. *Waiting*, if the answer was put off: the loop goes on with the other peers. Whoever holds the [`Deferred`]
//!    wakes it, from any thread or as an upstream in the same turn; the request is still there, and those behind
//!    it have kept their place.
//! 7. *Writing*: the head and a small body are appended to the shared output, behind the answers of the requests
//!    before it: a pipeline leaves with one write. Longer bodies follow in slices: from memory, from a file by the
//!    kernel, or made by a [`Source`].
//! 8. *Lingering*, after the last answer, where the peer may still be sending: closing at once would take the
//!    answer out of its hands.
//! 9. What could not be sent, or was half said, moves into the connection; in the common case nothing is left, and an
//!    idle connection owns no buffer. The loop is told when to come back, and turns to the next peer.
//!
//! # The layers
//!
//! A file uses its own folder and the layers above it in this list; a test holds it to that.
//!
//! | layer | | |
//! |---|---|---|
//! | 1 | [`http`] | words and wire: what messages are, and how they are read from and written to bytes |
//! | 2 | [`Service`], [`upstream`] | the seams between who speaks and who answers, and between the loop and who is asked in turn |
//! | 3 | [`connection`] | one peer: the machine, over any [`Transport`](connection::Transport) |
//! | 3 | [`app`] | what to answer: hooks, routes, error pages; and jobs, request ids, the access log |
//! | 3 | [`files`] | one resource: a directory on disk, or a few files and directories by their names |
//! | 4 | [`gateway`] | applications behind the loop: WSGI, SCGI, CGI, and who starts their processes |
//! | 4 | [`server`] | all peers: the loop, and the listeners that let them in |
//! | 4 | `sandbox` | locking the process in: user, root, and what the kernel keeps watch over |
//! | 4 | [`testing`] | no peers: a scripted transport, and a client without a socket |
//! | 5 | the command | options from three places to a [`Config`], an [`App`] and a [`Server`]; the daemon; the only code that prints |
//!
//! # What holds everywhere
//!
//! - **One thread.** Handlers, hooks, observers and jobs run on the loop, so they share what they like in an
//!   [`Rc`](std::rc::Rc); one that takes a second holds every peer for a second. Files and streams go out in
//!   slices, and every connection has a share of a turn, in requests and in bytes. Who wants more stands in a
//!   queue, which moves on in each turn: by one, and by more until the turn has lasted two milliseconds. New
//!   requests are served between.
//! - **A request costs a read and a write**, and its share of a poll. A connection is registered once, a file is
//!   compared with the disk once in a turn, and where files and plain routes answer nothing is allocated: a test
//!   counts. [`Turns`] tell how long the turns were.
//! - **Every bound has a name**: [`Limits`] for what a request may hold, [`Timeouts`] for how long a peer may take,
//!   [`Config`] for the rest; constants in the code where there is nothing to choose.
//! - **What two programs could read in two ways is refused**: a server may stand behind a proxy.
//! - **A refusal says why**, in a sentence, to the peer and to the log.
//! - **Nothing an application does ends the server**: a panic in a handler is a 500, and what is no header is not sent.
//! - It needs a Unix: the code is tested on Linux, where files are opened beneath their root by
//!   the kernel and sent by it.

// The examples of the README are held to the code as well.
#![cfg_attr(doctest, doc = include_str!("../README.md"))]

pub mod app;
pub mod connection;
pub mod files;
pub mod gateway;
pub mod http;
#[cfg(feature = "sandbox")]
pub mod sandbox;
pub mod server;
mod service;
pub mod testing;

pub use app::{App, Route};
pub use connection::Timeouts;
pub use files::Files;
pub use http::{
    Body, Bytes, Content, Cookie, Deferred, FileRange, Form, HeaderList, Headers, HttpError, IntoResponse, Limits,
    Method, Now, Pairs, Params, Produced, Request, Response, SameSite, Source, Status, Target, Tick, Version,
};
pub use server::{Call, Config, Figures, Handle, Listener, Server, Signal, Turns};
pub use service::{Exchange, Fragment, Handler, Resource, Service, upstream};
