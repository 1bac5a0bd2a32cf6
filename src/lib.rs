//! An HTTP/1.1 server one can understand: one thread, one poll loop, a slab of small connection machines.

pub mod connection;
pub mod http;
pub mod server;
mod service;
pub mod testing;

pub use http::{
    Body, Bytes, FileRange, HeaderList, Headers, HttpError, IntoResponse, Limits, Method, Now, Params, Produced,
    Request, Response, Source, Status, Target, Tick, Version,
};
pub use connection::Timeouts;
pub use server::{Config, Handle, Server};
pub use service::{Exchange, Handler, Resource, Service};
