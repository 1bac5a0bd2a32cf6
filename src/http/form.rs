//! Names and values as a query or a form carries them: `application/x-www-form-urlencoded`.
//!
//! Read as the WHATWG URL standard has it (section 5.1), which is what browsers write: every text can be read, so
//! nothing here is an error but too much. It knows no `multipart/form-data`, and no `a[]=1` that would make a list or a
//! map.

use std::borrow::Cow;

use memchr::memchr;
use percent_encoding::percent_decode;

use super::{HttpError, Status};

/// Names and values in the order in which they stand in the text, decoded as they are taken out.
///
/// Pairs are parted by `&`, name and value by the first `=`; a pair without one has an empty value, and empty pairs are
/// left out. `+` is a space. A `%` without two hexadecimal digits stays as it is, and what is no UTF-8 shows as U+FFFD.
///
/// ```
/// use ownhands::http::Pairs;
///
/// let pairs: Vec<_> = Pairs::new(b"a=1+2&a=%C3%BC&&flag&100%=%ff").collect();
/// let pairs: Vec<_> = pairs.iter().map(|(name, value)| (&**name, &**value)).collect();
/// assert_eq!(pairs, [("a", "1 2"), ("a", "ü"), ("flag", ""), ("100%", "\u{fffd}")]);
/// ```
#[derive(Clone, Debug)]
pub struct Pairs<'a> {
    rest: &'a [u8],
}

impl<'a> Pairs<'a> {
    /// The pairs in this text; any bytes may be in it.
    #[must_use]
    pub fn new(text: &'a [u8]) -> Self {
        Pairs { rest: text }
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (Cow<'a, str>, Cow<'a, str>);

    fn next(&mut self) -> Option<Self::Item> {
        while !self.rest.is_empty() {
            let (pair, rest) = cut(self.rest, b'&');
            self.rest = rest;
            if !pair.is_empty() {
                let (name, value) = cut(pair, b'=');
                return Some((decode(name), decode(value)));
            }
        }
        None
    }
}

/// What stands before and after the first `mark`; nothing stands after one that is missing.
fn cut(text: &[u8], mark: u8) -> (&[u8], &[u8]) {
    let at = memchr(mark, text).unwrap_or(text.len());
    (text.get(..at).unwrap_or_default(), text.get(at + 1..).unwrap_or_default())
}

fn decode(text: &[u8]) -> Cow<'_, str> {
    if !text.iter().any(|byte| matches!(byte, b'+' | b'%')) {
        return String::from_utf8_lossy(text);
    }
    // First the plus signs: one that was meant is written %2B.
    let spaced: Vec<u8> = text.iter().map(|&byte| if byte == b'+' { b' ' } else { byte }).collect();
    Cow::Owned(percent_decode(&spaced).decode_utf8_lossy().into_owned())
}

/// A form as a browser sends it, from [`Request::form`](super::Request::form).
///
/// ```
/// use ownhands::{App, HttpError, Request, testing::MockClient};
///
/// fn order(request: &Request<'_>) -> Result<String, HttpError> {
///     let form = request.form()?;
///     let toppings: Vec<&str> = form.get_all("topping").collect();
///     Ok(format!("{} with {}", form.get("dish").unwrap_or("nothing"), toppings.join(" and ")))
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut app = App::new();
/// app.route("POST", "/order", order)?;
/// let mut client = MockClient::new(app);
/// let form = client.post("/order").header("Content-Type", "application/x-www-form-urlencoded");
/// let answer = form.body("dish=p%C3%A2tes&topping=basil&topping=olive+oil").send();
/// assert_eq!(answer.text(), "pâtes with basil and olive oil");
///
/// let other = client.post("/order").header("Content-Type", "text/plain").body("dish").send();
/// assert_eq!((other.status(), other.header("Accept")), (415, Some("application/x-www-form-urlencoded")));
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form {
    pairs: Vec<(String, String)>,
}

impl Form {
    /// The media type of a form that can be read here.
    pub const MEDIA_TYPE: &'static str = "application/x-www-form-urlencoded";

    /// The most pairs in a form; beyond it 413. People fill in dozens of fields, tables send hundreds; a megabyte of
    /// `&a&a&a` would become fifty of memory.
    pub const PAIRS: usize = 1000;

    pub(crate) fn read(text: &[u8]) -> Result<Form, HttpError> {
        let mut rest = Pairs::new(text);
        let pairs = rest.by_ref().take(Form::PAIRS).map(|(name, value)| (name.into_owned(), value.into_owned()));
        let form = Form { pairs: pairs.collect() };
        match rest.next() {
            None => Ok(form),
            Some(_) => {
                let detail = format!("the form has more than {} fields", Form::PAIRS);
                Err(HttpError::new(Status::CONTENT_TOO_LARGE, detail))
            }
        }
    }

    /// The first value of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(other, _)| *other == name).map(|(_, value)| value)
    }

    /// All values of that name, in order.
    pub fn get_all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.iter().filter(move |(other, _)| *other == name).map(|(_, value)| value)
    }

    /// Names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The number of pairs.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// True if there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }
}
