//! The table of an application: what answers where, to be printed.

use std::fmt;

use super::App;

/// A line of the table, from [`App::routes`]. Shown as methods and pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry<'a> {
    /// The method of a route, or `*` for any; those of a mount as `Allow` lists them: `GET, HEAD`.
    pub methods: &'a str,
    /// The pattern of a route as it was given; the prefix of a mount, with a final slash.
    pub pattern: Box<str>,
    /// True for a mount, which answers for everything below its prefix.
    pub is_mount: bool,
}

impl fmt::Display for Entry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let below = if self.is_mount { "..." } else { "" };
        write!(f, "{:<9} {}{below}", self.methods, self.pattern)
    }
}

impl App {
    /// What answers where: the routes in the order in which they are tried, then the mounts, the longest prefix first.
    ///
    /// # Examples
    /// ```
    /// use ownhands::{App, Files, Request};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut app = App::new();
    /// app.route("GET", "/item/(?<id>[0-9]+)", |_: &Request<'_>| "an item")?;
    /// app.route("DELETE", "/item/7", |_: &Request<'_>| "gone")?;
    /// app.mount("/", Files::new("static")?)?.mount("/samples", Files::new("static/samples")?)?;
    ///
    /// let table: Vec<String> = app.routes().map(|entry| entry.to_string()).collect();
    /// assert_eq!(table, [
    ///     "GET       /item/(?<id>[0-9]+)",
    ///     "DELETE    /item/7",
    ///     "GET, HEAD /samples/...",
    ///     "GET, HEAD /...",
    /// ]);
    /// # Ok(()) }
    /// ```
    pub fn routes(&self) -> impl Iterator<Item = Entry<'_>> {
        let routes = self.router.table().map(|(methods, pattern)| Entry { methods, pattern, is_mount: false });
        routes.chain(self.mounts.table().map(|(methods, pattern)| Entry { methods, pattern, is_mount: true }))
    }
}
