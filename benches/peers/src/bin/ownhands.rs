//! `GET /hello/NAME` on ownhands, for `benches/compare`.
//!
//! ```text
//! hello-ownhands ADDRESS:PORT
//! ```

use std::error::Error;

use ownhands::{App, Config, Request, Server};

fn hello(request: &Request<'_>) -> String {
    format!("Hello, {}!", request.param("name").unwrap_or("world"))
}

fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).ok_or("usage: hello-ownhands ADDRESS:PORT")?;
    let mut app = App::new();
    app.route("GET", "/hello/(?<name>[^/]+)", hello)?;
    Ok(Server::bind(&[address.parse()?], Config::default(), app)?.run()?)
}
