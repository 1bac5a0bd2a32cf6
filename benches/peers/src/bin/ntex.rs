//! `GET /hello/NAME` on ntex, for `benches/compare`: one worker.
//!
//! ```text
//! hello-ntex ADDRESS:PORT
//! ```

use std::io;

use ntex::SharedCfg;
use ntex::http::{HttpServiceConfig, KeepAlive};
use ntex::time::Seconds;
use ntex::web::types::Path;
use ntex::web::{self, App, HttpServer};

#[ntex::main]
async fn main() -> io::Result<()> {
    let address = std::env::args().nth(1).ok_or_else(|| io::Error::other("usage: hello-ntex ADDRESS:PORT"))?;
    HttpServer::new(async || App::new().route("/hello/{name}", web::get().to(hello)))
        .workers(1)
        .backlog(4096)
        .shutdown_timeout(Seconds(0))
        .config(SharedCfg::new("hello").add(HttpServiceConfig::new().set_keepalive(KeepAlive::Os)))
        .bind(address)?
        .run()
        .await
}

/// A string answers 200 and is `text/plain; charset=utf-8`.
async fn hello(name: Path<String>) -> String {
    format!("Hello, {name}!")
}
