//! An HTTP/1.1 server one can understand: one thread, one poll loop, a slab of small connection machines.

pub mod connection;
pub mod http;
mod service;

pub use http::{
    Body, Bytes, FileRange, HeaderList, Headers, HttpError, IntoResponse, Limits, Method, Now, Params, Produced,
    Request, Response, Source, Status, Target, Tick, Version,
};
pub use connection::Timeouts;
pub use service::{Exchange, Handler, Resource, Service};
