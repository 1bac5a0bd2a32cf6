//! The fields of a response, kept in the form in which they go over the wire.
//!
//! A field is checked when it is added, so that nothing a handler passes can end a line or start another answer.
//! The usual lists are constants or shared with a cache; only a list that is changed owns memory.

use std::fmt;
use std::sync::Arc;

use super::field;

/// The header fields of a response.
///
/// `Connection`, `Content-Length`, `Date`, `Keep-Alive`, `Trailer`, `Transfer-Encoding` and `Upgrade` are the server's
/// own: they follow from the body and the connection, and cannot be set.
///
/// ```
/// use ownhands::HeaderList;
///
/// let mut headers = HeaderList::new();
/// headers.push("Cache-Control", "no-cache");
/// assert_eq!(headers.get("cache-control"), Some(&b"no-cache"[..]));
///
/// headers.push("X-Name", "a\r\nSet-Cookie: stolen");
/// assert_eq!(headers.refusal(), Some("the value of the header X-Name has the control character \\r in it"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct HeaderList {
    lines: Lines,
}

/// Field lines, each `Name: value\r\n`.
#[derive(Clone)]
enum Lines {
    Static(&'static [u8]),
    Shared(Arc<[u8]>),
    Owned(Vec<u8>),
    /// A handler tried to add what is no field; the answer will not be sent.
    Refused(Box<str>),
}

impl Default for Lines {
    fn default() -> Self {
        Lines::Static(b"")
    }
}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Lines::Refused(why) => write!(f, "Refused({why})"),
            lines => write!(f, "{:?}", String::from_utf8_lossy(lines.bytes())),
        }
    }
}

impl Lines {
    fn bytes(&self) -> &[u8] {
        match self {
            Lines::Static(bytes) => bytes,
            Lines::Shared(bytes) => bytes,
            Lines::Owned(bytes) => bytes,
            Lines::Refused(_) => b"",
        }
    }
}

/// What the server writes itself, in lower case.
const OWN_FIELDS: [&str; 7] =
    ["connection", "content-length", "date", "keep-alive", "trailer", "transfer-encoding", "upgrade"];

impl HeaderList {
    /// An empty list.
    #[must_use]
    pub const fn new() -> Self {
        HeaderList { lines: Lines::Static(b"") }
    }

    /// Lines written out in the program: `b"Content-Type: text/plain\r\n"`. They cost nothing, and are not checked.
    pub(crate) const fn from_static(lines: &'static [u8]) -> Self {
        HeaderList { lines: Lines::Static(lines) }
    }

    /// The same list, in a form whose clones share one allocation.
    #[must_use]
    pub fn shared(self) -> Self {
        match self.lines {
            Lines::Owned(bytes) => HeaderList { lines: Lines::Shared(bytes.into()) },
            lines => HeaderList { lines },
        }
    }

    /// Adds a field, after those already there. One that cannot be sent is not added, and
    /// [`refusal`](Self::refusal) says why.
    pub fn push(&mut self, name: &str, value: impl AsRef<[u8]>) {
        let value = field::trim(value.as_ref());
        if matches!(self.lines, Lines::Refused(_)) {
            return;
        }
        if let Some(why) = fault(name, value) {
            return self.refuse(why);
        }
        let mut lines = match std::mem::take(&mut self.lines) {
            Lines::Owned(lines) => lines,
            lines => lines.bytes().to_vec(),
        };
        lines.reserve(name.len() + value.len() + 4);
        lines.extend_from_slice(name.as_bytes());
        lines.extend_from_slice(b": ");
        lines.extend_from_slice(value);
        lines.extend_from_slice(b"\r\n");
        self.lines = Lines::Owned(lines);
    }

    /// Sets a field: any of that name is taken out first.
    ///
    /// ```
    /// use ownhands::HeaderList;
    ///
    /// let mut headers = HeaderList::new();
    /// headers.push("Link", "</a>");
    /// headers.push("Link", "</b>");
    /// assert_eq!(headers.iter().count(), 2);
    /// headers.set("link", "</c>");
    /// assert_eq!(headers.iter().collect::<Vec<_>>(), [("link", &b"</c>"[..])]);
    /// headers.remove("LINK");
    /// assert_eq!(headers.iter().count(), 0);
    /// ```
    pub fn set(&mut self, name: &str, value: impl AsRef<[u8]>) {
        self.remove(name);
        self.push(name, value);
    }

    /// Takes out every field of that name; upper and lower case are the same.
    pub fn remove(&mut self, name: &str) {
        if self.get(name).is_none() {
            return;
        }
        let kept = self.raw_lines().filter(|(line_name, _, _)| !line_name.eq_ignore_ascii_case(name.as_bytes()));
        let kept: Vec<u8> = kept.flat_map(|(_, _, line)| line.iter().copied()).collect();
        self.lines = Lines::Owned(kept);
    }

    /// The value of the first field of that name; upper and lower case are the same.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.iter().find(|(line_name, _)| line_name.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The fields in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.raw_lines().map(|(name, value, _)| (std::str::from_utf8(name).unwrap_or_default(), value))
    }

    /// Why the list cannot be sent, if a name or a value was refused.
    #[must_use]
    pub fn refusal(&self) -> Option<&str> {
        match &self.lines {
            Lines::Refused(why) => Some(why),
            _ => None,
        }
    }

    /// Makes the list one that cannot be sent. The first reason stays.
    pub(crate) fn refuse(&mut self, why: String) {
        if !matches!(self.lines, Lines::Refused(_)) {
            self.lines = Lines::Refused(why.into_boxed_str());
        }
    }

    /// The lines as they go over the wire.
    pub(crate) fn as_wire(&self) -> &[u8] {
        self.lines.bytes()
    }

    fn raw_lines(&self) -> impl Iterator<Item = (&[u8], &[u8], &[u8])> {
        self.lines.bytes().split_inclusive(|&byte| byte == b'\n').filter_map(|line| {
            let colon = line.iter().position(|&byte| byte == b':')?;
            let value = line.get(colon + 1..)?.strip_suffix(b"\r\n")?;
            Some((line.get(..colon)?, field::trim(value), line))
        })
    }
}

/// Why this is no field, or `None` if it is one.
fn fault(name: &str, value: &[u8]) -> Option<String> {
    if !field::is_token(name.as_bytes()) {
        return Some(format!("{name:?} is no header name: a name is letters, digits and !#$%&'*+-.^_`|~"));
    }
    if OWN_FIELDS.iter().any(|own| name.eq_ignore_ascii_case(own)) {
        return Some(format!("the header {name} is the server's own and follows from the answer"));
    }
    let control = value.iter().find(|&&byte| !field::is_value_byte(byte))?;
    Some(format!("the value of the header {name} has the control character {} in it", control.escape_ascii()))
}
