//! The methods that a path answers to, as an `Allow` field lists them (RFC 9110 section 10.2.1).

use std::fmt;

use crate::http::HttpError;

/// Methods, each once, in the order in which they were added.
#[derive(Debug, Default)]
pub(super) struct Allow<'a> {
    methods: Vec<&'a str>,
}

impl<'a> Allow<'a> {
    pub(super) fn add(&mut self, method: &'a str) {
        if !self.methods.contains(&method) {
            self.methods.push(method);
        }
    }

    /// Why another method is refused. Methods are case-sensitive: that tells somebody who types requests by hand
    /// (RFC 9110 section 9.1).
    #[cold]
    pub(super) fn refusal(&self, method: &str) -> HttpError {
        let refusal = HttpError::method_not_allowed(&self.to_string());
        if !self.methods.contains(&&*method.to_ascii_uppercase()) {
            return refusal;
        }
        let detail = format!("{}; methods are written in capitals (RFC 9110 9.1)", refusal.detail);
        HttpError { detail: detail.into(), ..refusal }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.methods.is_empty()
    }
}

impl<'a> Extend<&'a str> for Allow<'a> {
    fn extend<I: IntoIterator<Item = &'a str>>(&mut self, methods: I) {
        methods.into_iter().for_each(|method| self.add(method));
    }
}

impl fmt::Display for Allow<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.methods.join(", "))
    }
}
