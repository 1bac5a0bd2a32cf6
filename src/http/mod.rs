//! Layer 1: words and wire. What HTTP/1.1 messages are, and how they are read from and written to bytes.
//!
//! Nothing here opens a file, waits for a peer or looks at a clock; every function is from values to values,
//! so all of it can be tested with tables of bytes and fuzzed as it stands.

mod accept;
mod body;
mod chunked;
mod content;
mod cookie;
mod decode;
mod disposition;
mod encode;
mod error;
mod field;
mod form;
mod forwarded;
mod framing;
mod grammar;
mod header_list;
mod headers;
mod later;
mod limits;
mod method;
mod now;
mod params;
mod proxy;
mod request;
mod response;
mod status;
mod target;
mod trust;
mod version;

pub(crate) use accept::names_html;
pub use body::{Body, Bytes, FileRange, Produced, Source};
pub(crate) use chunked::ChunkDecoder;
pub use content::{Content, ContentReader};
pub use cookie::{Cookie, SameSite};
pub use decode::{FIELD_SLOTS, Head, Progress, Slots, decode, slots};
pub(crate) use encode::{CONTINUE, Coding, Delivery, Promise, encode, encode_chunk, encode_last_chunk};
pub use error::HttpError;
pub(crate) use error::{is_out_of_descriptors, out_of_descriptors};
pub(crate) use field::is_token;
pub use form::{Form, Pairs};
pub use framing::{BodyLength, Framing};
pub use header_list::HeaderList;
pub use headers::Headers;
pub use later::{Deferred, Pending, Recall, Summons, Wake};
pub use limits::Limits;
pub use method::Method;
pub use now::{Now, Tick};
pub use params::Params;
pub use proxy::Proxied;
pub use request::Request;
pub use response::{IntoResponse, Response, Text};
pub use status::Status;
pub(crate) use target::is_authority;
pub use target::{DecodedPath, Target, decode_path};
pub use trust::Trust;
pub use version::Version;
