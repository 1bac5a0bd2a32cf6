//! `GET /hello/NAME` on actix-web, for `benches/compare`: one worker.
//!
//! ```text
//! hello-actix-web ADDRESS:PORT
//! ```

use std::io;

use actix_web::http::KeepAlive;
use actix_web::web::{self, Path};
use actix_web::{App, HttpServer};

fn main() -> io::Result<()> {
    let address = std::env::args().nth(1).ok_or_else(|| io::Error::other("usage: hello-actix-web ADDRESS:PORT"))?;
    actix_web::rt::System::new().block_on(async {
        HttpServer::new(|| App::new().route("/hello/{name}", web::get().to(hello)))
            .workers(1)
            .backlog(4096)
            .keep_alive(KeepAlive::Os)
            .shutdown_timeout(0)
            .bind(address)?
            .run()
            .await
    })
}

/// A string answers 200 and is `text/plain; charset=utf-8`.
async fn hello(name: Path<String>) -> String {
    format!("Hello, {name}!")
}
