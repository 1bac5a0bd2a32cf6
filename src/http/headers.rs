//! The fields of a request: a view of the bytes they came in.

use std::fmt;

use super::field;

/// The header fields of a request, in the order in which they were sent.
///
/// Names are compared without regard to case (RFC 9110 section 5.1). Values are bytes: a peer
/// may send what is no UTF-8.
///
/// ```
/// use ownhands::{App, Request, Route, testing::MockClient};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut app = App::new();
/// app.route("GET", "/accept", |request: &Request<'_>| {
///     let all: Vec<String> = request.headers.get_all("accept").map(|v| String::from_utf8_lossy(v).into_owned()).collect();
///     all.join(" + ")
/// })?;
/// let mut client = MockClient::new(app);
/// let answer = client.send("GET /accept HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\naccept: */*\r\n\r\n", &[]);
/// assert_eq!(answer.text(), "text/html + */*");
/// # Ok(()) }
/// ```
#[derive(Clone, Copy)]
pub struct Headers<'a> {
    fields: &'a [httparse::Header<'a>],
    /// The marks of all names. Most fields that are asked for are not there, and most of those are found missing
    /// by a look at this number.
    marks: u64,
}

/// One bit of 64, which all spellings of a name have in common.
#[inline]
fn mark(name: &str) -> u64 {
    let first = name.as_bytes().first().copied().unwrap_or(0).to_ascii_lowercase();
    1 << (name.len().wrapping_mul(5).wrapping_add(usize::from(first)) % 64)
}

impl<'a> Headers<'a> {
    pub(crate) fn new(fields: &'a [httparse::Header<'a>]) -> Self {
        Headers { fields, marks: fields.iter().fold(0, |marks, field| marks | mark(field.name)) }
    }

    /// All fields, or none if the one of that name cannot be among them.
    #[inline]
    fn where_may_be(self, name: &str) -> &'a [httparse::Header<'a>] {
        if self.marks & mark(name) == 0 { &[] } else { self.fields }
    }

    /// The value of the first field of that name.
    #[must_use]
    #[inline]
    pub fn get(&self, name: &str) -> Option<&'a [u8]> {
        let fields = self.where_may_be(name);
        fields.iter().find(|field| field.name.eq_ignore_ascii_case(name)).map(|field| field.value)
    }

    /// The values of all fields of that name, in order.
    #[inline]
    pub fn get_all(self, name: &str) -> impl DoubleEndedIterator<Item = &'a [u8]> + Clone {
        let fields = self.where_may_be(name);
        fields.iter().filter(move |field| field.name.eq_ignore_ascii_case(name)).map(|field| field.value)
    }

    /// True if a comma-separated list field of that name has this element; case is ignored.
    ///
    /// ```
    /// use ownhands::{App, Request, testing::MockClient};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut app = App::new();
    /// app.route("GET", "/", |request: &Request<'_>| request.headers.has_element("Accept-Encoding", "br").to_string())?;
    /// let mut client = MockClient::new(app);
    /// assert_eq!(client.request("GET", "/").header("Accept-Encoding", "gzip, BR").send().text(), "true");
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn has_element(self, name: &str, element: &str) -> bool {
        self.get_all(name).flat_map(field::list).any(|one| one.eq_ignore_ascii_case(element.as_bytes()))
    }

    /// Names and values, in the order in which they were sent.
    pub fn iter(self) -> impl DoubleEndedIterator<Item = (&'a str, &'a [u8])> {
        self.fields.iter().map(|header| (header.name, header.value))
    }

    /// The number of fields.
    #[must_use]
    pub fn len(self) -> usize {
        self.fields.len()
    }

    /// True if there are none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.fields.is_empty()
    }
}

impl fmt::Debug for Headers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|(name, value)| (name, String::from_utf8_lossy(value)))).finish()
    }
}
