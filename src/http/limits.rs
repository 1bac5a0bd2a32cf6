//! How much of a request this server is willing to hold. Every number is an option with a default and a status.

use super::FIELD_SLOTS;

/// The bounds on a request, and on how many may follow each other.
///
/// ```
/// use ownhands::Limits;
///
/// let limits = Limits { body: 10 << 20, ..Limits::default() }; // uploads of up to 10 MiB
/// assert_eq!(limits.head, Limits::HEAD);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the whole head, request line and fields; beyond it 431.
    pub head: usize,
    /// Bytes of the request target; beyond it 414.
    pub target: usize,
    /// Number of fields in the head; beyond it 431. Never more than [`FIELD_SLOTS`](crate::http::FIELD_SLOTS).
    pub fields: usize,
    /// Bytes of the decoded body; beyond it 413.
    pub body: u64,
    /// Bytes of a chunked body's trailer section; beyond it 431.
    pub trailers: usize,
    /// Requests answered on one connection; the last of them says `Connection: close`.
    pub requests: u64,
}

impl Limits {
    /// Default for [`head`](Limits::head): what browsers with many cookies send stays well under it.
    pub const HEAD: usize = 16 * 1024;
    /// Default for [`target`](Limits::target): RFC 9112 section 3 asks for at least 8000.
    pub const TARGET: usize = 8 * 1024;
    /// Default for [`fields`](field@Limits::fields): a browser sends about 15, proxies add a few.
    pub const FIELDS: usize = 100;
    /// Default for [`body`](Limits::body): a form, a small upload.
    pub const BODY: u64 = 1024 * 1024;
    /// Default for [`trailers`](Limits::trailers): checksums and signatures fit.
    pub const TRAILERS: usize = 8 * 1024;
    /// Default for [`requests`](Limits::requests): without end.
    pub const REQUESTS: u64 = u64::MAX;
}

impl Limits {
    /// The number of fields in force.
    pub(crate) fn fields(&self) -> usize {
        self.fields.min(FIELD_SLOTS)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            head: Limits::HEAD,
            target: Limits::TARGET,
            fields: Limits::FIELDS,
            body: Limits::BODY,
            trailers: Limits::TRAILERS,
            requests: Limits::REQUESTS,
        }
    }
}
