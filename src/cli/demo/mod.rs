//! The demo: an application as one writes it with this library. This file is its table of routes; each of the others
//! answers a few of them.
//!
//! It is made to be taken apart, from a browser and by hand. It keeps nothing but the last requests, and shows nothing
//! that a stranger may not see; still, what echoes and crashes on demand belongs on no public address.

mod clients;
mod form;
mod mirror;
mod pages;
mod slow;
mod streams;

use jiff::Timestamp;
use ownhands::app::{RouteError, local_zone};
use ownhands::{App, Files, HttpError, Request, Resource, Response, Route};

use self::clients::Clients;
use self::pages::Escaped;
use self::slow::Timer;

/// Adds the demo's routes. `picture` is where `/pic` comes from, `server` what lies under `/server/`.
pub(super) fn furnish(app: &mut App, picture: Files, server: Files) -> Result<(), RouteError> {
    let clients = Clients::default();
    let table = clients.clone();
    let timer = Timer::default();
    app.route("GET", "/hello/(?<name>[^/]+)", hello)?
        .route("GET", "/pic", move |request: &Request<'_>| show_picture(request, &picture))?
        .route("GET", r"/time\.(php|asp|html)", time)?
        .route("GET", r"/my\.aspx", mirror::client)?
        .route("GET", r"/clients\.html", move |_: &Request<'_>| table.page())?
        .route(Route::ANY_METHOD, "/echo", mirror::body)?
        .route(Route::ANY_METHOD, "/headers", mirror::headers)?
        .route("GET", "/environ", mirror::environ)?
        .route("GET", "/cookie", mirror::cookies)?
        .route("GET", "/form", form::show)?
        .route("POST", "/form", form::take)?
        .route("GET", "/slow", move |request: &Request<'_>| slow::answer(request, &timer))?
        .route("GET", "/stream", |_: &Request<'_>| streams::lines())?
        .route("GET", "/events", |_: &Request<'_>| streams::events())?
        .route("GET", "/crash", crash)?
        .mount("/server", server)?;
    for status in [404, 405] {
        let clients = clients.clone();
        app.on_error(status, move |error: &HttpError, _: Option<&Request<'_>>| {
            pages::refusal(error, &clients.newest(SHOWN_WITH_ERRORS))
        });
    }
    app.add_observer(clients);
    Ok(())
}

/// Requests shown on an error page. All of them would make a scanner's every miss an answer of 100 KiB.
const SHOWN_WITH_ERRORS: usize = 50;

fn hello(request: &Request<'_>) -> String {
    format!("Hello, {}!", request.param("name").unwrap_or("world"))
}

/// The same file under another name: with its type, its validators and ranges, as fresh as the disk.
fn show_picture(request: &Request<'_>, files: &Files) -> Result<Response, HttpError> {
    let mut picture = *request;
    picture.path_bytes = b"/icon.svg";
    files.answer(&picture)
}

/// One handler, three names; the pattern takes no other.
fn time(request: &Request<'_>) -> Response {
    let now = Timestamp::now().to_zoned(local_zone());
    let now = now.strftime("%A, %-d %B %Y, %H:%M:%S %z").to_string();
    let host = request.header("Host").unwrap_or("none was named");
    let lines = [format!("Server time: {now}"), format!("Host: {}", Escaped(host))];
    Response::html(format!("{}\n", lines.join("\n<hr />\n")))
}

/// The one request gets a 500; the server, and everybody else, goes on.
#[allow(clippy::panic, reason = "it is what this route is for")]
fn crash(_: &Request<'_>) -> Response {
    panic!("somebody asked for /crash")
}
