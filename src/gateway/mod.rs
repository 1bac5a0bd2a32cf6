//! Layer 4: those who answer behind the loop: web applications and programs.
//!
//! A gateway is a [`Resource`](crate::Resource) like any other: it is mounted under a prefix, and puts its answers off.
//! Behind it stand upstreams, which the loop watches beside its connections. Nothing here waits, and nothing here knows
//! what a socket of a peer is.
//!
//! Of the status that an application gives the code is passed on, and not the phrase behind it: the peer gets the
//! registered one. Clients are to ignore it (RFC 9112 section 4), and later versions of HTTP have none.

mod address;
mod basin;
mod cgi;
mod error;
mod head;
mod launcher;
mod letter;
mod murmur;
mod opened;
mod pipe;
mod relay;
mod scgi;
mod step;
mod try_files;
mod wsgi;

pub use address::Address;
pub use basin::Basin;
pub use cgi::{Cgi, RunningCgi};
pub use error::GatewayError;
pub use launcher::{Heard, Launcher, Wire, attend};
pub use scgi::Scgi;
pub use try_files::TryFiles;
pub use wsgi::{RunningWsgi, Wsgi};
