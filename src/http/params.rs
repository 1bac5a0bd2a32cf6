//! What the named groups of a route's pattern caught.

/// The parameters of a matched route: names from the pattern, values from the path.
///
/// ```
/// use ownhands::{App, Request, testing::MockClient};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut app = App::new();
/// app.route("GET", "/(?<year>[0-9]{4})(-(?<month>[0-9]{2}))?", |request: &Request<'_>| {
///     assert_eq!(request.params.get("year"), request.param("year"));
///     request.params.iter().map(|(name, value)| format!("{name}={value};")).collect::<String>()
/// })?;
/// let mut client = MockClient::new(app);
/// assert_eq!(client.get("/2026-11").text(), "year=2026;month=11;");
/// assert_eq!(client.get("/2026").text(), "year=2026;");
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Params<'a> {
    path: &'a str,
    names: &'a [Box<str>],
    spans: &'a [Option<(usize, usize)>],
}

impl<'a> Params<'a> {
    /// `names[i]` caught `path[spans[i]]`, or took no part in the match.
    pub(crate) fn new(path: &'a str, names: &'a [Box<str>], spans: &'a [Option<(usize, usize)>]) -> Self {
        Params { path, names, spans }
    }

    /// What the group of that name caught; `None` if the pattern has no such group or it took no part.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.iter().find(|(other, _)| *other == name).map(|(_, value)| value)
    }

    /// Names and values, in the order of the pattern, without the groups that took no part.
    pub fn iter(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.names.iter().zip(self.spans).filter_map(move |(name, span)| {
            let (start, end) = (*span)?;
            Some((&**name, self.path.get(start..end)?))
        })
    }
}
