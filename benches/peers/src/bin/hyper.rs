//! `GET /hello/NAME` on hyper, for `benches/compare`: one thread, no router, as hyper has none.
//!
//! ```text
//! hello-hyper ADDRESS:PORT
//! ```

use std::convert::Infallible;
use std::error::Error;
use std::net::TcpListener;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::runtime::Builder;
use tokio::task::LocalSet;

fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).ok_or("usage: hello-hyper ADDRESS:PORT")?;
    let runtime = Builder::new_current_thread().enable_io().build()?;
    LocalSet::new().block_on(&runtime, serve(TcpListener::bind(address)?))
}

async fn serve(listener: TcpListener) -> Result<(), Box<dyn Error>> {
    rustix::net::listen(&listener, 4096)?;
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    loop {
        let (socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        tokio::task::spawn_local(async move {
            let mut server = http1::Builder::new();
            // The answers to pipelined requests go out in one write.
            server.pipeline_flush(true);
            // One that leaves in the middle is no error here.
            let _ = server.serve_connection(TokioIo::new(socket), service_fn(answer)).await;
        });
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let name = request.uri().path().strip_prefix("/hello/").filter(|_| request.method() == Method::GET);
    let (status, text) = match name {
        Some(name) if !name.is_empty() && !name.contains('/') => (StatusCode::OK, format!("Hello, {name}!")),
        _ => (StatusCode::NOT_FOUND, "Not Found".to_owned()),
    };
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    Ok(response)
}
