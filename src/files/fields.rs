//! The header fields that go with what is served, as whoever set up the server wants them.

use std::time::Duration;

use crate::http::HeaderList;

/// Fields that follow from the file and the request: to set them by hand would be a lie about one of them.
const FOLLOWING: [&str; 8] =
    ["Accept-Ranges", "Content-Encoding", "Content-Range", "Content-Type", "ETag", "Last-Modified", "Location", "Vary"];

/// The fields beside those that follow from a file.
#[derive(Clone, Debug)]
pub(super) struct Fields {
    cache_control: String,
    more: HeaderList,
}

impl Fields {
    /// Caches may keep what they get, and ask each time whether it is still so: a reload is always true.
    pub(super) fn new() -> Self {
        Fields { cache_control: "no-cache".to_owned(), more: HeaderList::new() }
    }

    pub(super) fn set_lifetime(&mut self, lifetime: Duration) {
        self.cache_control = format!("max-age={}", lifetime.as_secs());
    }

    /// One more field.
    ///
    /// # Errors
    /// A sentence that says why it is none, or cannot be set.
    pub(super) fn push(&mut self, name: &str, value: &str) -> Result<(), String> {
        if FOLLOWING.iter().any(|following| following.eq_ignore_ascii_case(name)) {
            return Err(format!("the header {name} follows from the file that is served"));
        }
        let mut more = self.more.clone();
        more.push(name, value);
        match more.refusal() {
            Some(why) => Err(why.to_owned()),
            None => {
                self.more = more;
                Ok(())
            }
        }
    }

    /// Adds them to the fields of a file; what was set by hand goes before what we would say.
    pub(super) fn complete(&self, headers: &mut HeaderList) {
        if self.more.get("cache-control").is_none() {
            headers.push("Cache-Control", &self.cache_control);
        }
        for (name, value) in self.more.iter() {
            headers.push(name, value);
        }
    }

    /// Adds those to the fields of a page of our own that it has not set itself: it knows what it needs.
    pub(super) fn add_missing(&self, headers: &mut HeaderList) {
        let missing: Vec<_> = self.more.iter().filter(|(name, _)| headers.get(name).is_none()).collect();
        for (name, value) in missing {
            headers.push(name, value);
        }
    }
}
