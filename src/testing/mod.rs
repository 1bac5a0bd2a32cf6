//! Layer 4, beside the server: no peers. The same machine, driven by a script.
//!
//! [`MockClient`] talks to a service without a port, a thread or a clock; [`MockConnection`] is the transport beneath
//! it, for tests that want to say exactly how bytes come and go.

mod answer;
mod bell;
mod client;
mod connection;
mod request;

pub use answer::Answer;
pub use bell::Bell;
pub use client::MockClient;
pub use connection::MockConnection;
pub use request::MockRequest;
