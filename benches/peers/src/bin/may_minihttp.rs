//! `GET /hello/NAME` on may_minihttp, for `benches/compare`: one worker, no router, as it has none.
//!
//! ```text
//! hello-may_minihttp ADDRESS:PORT
//! ```

use std::error::Error;
use std::io;

use may_minihttp::{HttpService, HttpServiceFactory, Request, Response};

struct Hello;

struct Connections;

impl HttpService for Hello {
    fn call(&mut self, request: Request, response: &mut Response) -> io::Result<()> {
        let name = request.path().strip_prefix("/hello/").filter(|_| request.method() == "GET");
        response.header("Content-Type: text/plain; charset=utf-8");
        match name {
            Some(name) if !name.is_empty() && !name.contains('/') => {
                let body = response.body_mut();
                for part in ["Hello, ", name, "!"] {
                    body.extend_from_slice(part.as_bytes());
                }
            }
            _ => response.status_code(404, "Not Found").body("Not Found"),
        }
        Ok(())
    }
}

impl HttpServiceFactory for Connections {
    type Service = Hello;

    fn new_service(&self, _: usize) -> Hello {
        Hello
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).ok_or("usage: hello-may_minihttp ADDRESS:PORT")?;
    may::config().set_workers(1);
    Connections.start(address)?.join().map_err(|_| "the server has panicked".into())
}
