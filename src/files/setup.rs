//! What is served, and how: the choices of whoever sets it up.

use std::cell::RefCell;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::absent::Absent;
use super::fields::Fields;
use super::listing::Desk;
use super::policy::Hidden;
use super::resolve::Ground;
use super::root::Root;
use super::tree::Links;
use super::{Files, Listings, Missing, Reasons};

impl Files {
    /// The files below `root`. The directory is opened here and stays open: a relative path is relative to the working
    /// directory of this moment. Of a file, that file, as its own name and as the root.
    ///
    /// # Errors
    /// If there is no such directory, or it may not be entered; the message names it.
    ///
    /// ```
    /// let error = ownhands::Files::new("/no/such/directory").unwrap_err();
    /// assert!(error.to_string().starts_with("/no/such/directory: "));
    /// ```
    pub fn new(root: impl Into<PathBuf>) -> io::Result<Files> {
        Root::open(root.into()).map(Files::of)
    }

    /// Just these files and directories, each under its name; nothing beside them can be reached. A link among them is
    /// followed here and now: what it leads to later makes no difference.
    ///
    /// # Errors
    /// If one of them is not there or may not be opened, or two have the same name; the message names it.
    ///
    /// # Examples
    /// ```
    /// use ownhands::{App, Files, testing::MockClient};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// # let root = directory.path();
    /// std::fs::create_dir(root.join("photos"))?;
    /// for name in ["photos/cat.txt", "report.txt", "diary.txt"] {
    ///     std::fs::write(root.join(name), name)?;
    /// }
    /// let mut app = App::new();
    /// app.mount("/", Files::share([root.join("report.txt"), root.join("photos")])?)?;
    /// let mut client = MockClient::new(app);
    /// assert_eq!(client.get("/report.txt").text(), "report.txt");
    /// assert_eq!(client.get("/photos/cat.txt").text(), "photos/cat.txt");
    /// assert_eq!(client.get("/diary.txt").status(), 404);
    /// # Ok(()) }
    /// ```
    pub fn share(paths: impl IntoIterator<Item = impl Into<PathBuf>>) -> io::Result<Files> {
        Root::share(paths.into_iter().map(Into::into).collect()).map(Files::of)
    }

    fn of(root: Root) -> Files {
        Files {
            ground: Ground::new(root),
            listings: Listings::Shown,
            desk: Desk::new(),
            missing: Missing::Refused,
            reasons: Reasons::Logged,
            fields: Fields::new(),
            cache: RefCell::default(),
            absent: Absent::default(),
            lacks_page: RefCell::default(),
            walks: Arc::default(),
        }
    }

    /// Another name for the page that stands for a directory, instead of `index.html`. With an empty one, no page does:
    /// every directory is listed.
    ///
    /// ```
    /// use ownhands::{App, Files, testing::MockClient};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// # let root = directory.path();
    /// std::fs::write(root.join("start.txt"), "begin here")?;
    /// let mut app = App::new();
    /// app.mount("/", Files::new(root)?.with_index("start.txt"))?;
    /// assert_eq!(MockClient::new(app).get("/").text(), "begin here");
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn with_index(mut self, name: impl Into<String>) -> Self {
        self.ground.index = name.into().into_bytes();
        self
    }

    /// Names that begin with a dot are served and listed like any other. `.git`, `.env` and `.ssh` are such names.
    ///
    /// ```
    /// use ownhands::{App, Files, testing::MockClient};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// # let root = directory.path();
    /// std::fs::write(root.join(".plan"), "world peace")?;
    /// let mut app = App::new();
    /// app.mount("/strict", Files::new(root)?)?.mount("/open", Files::new(root)?.with_hidden())?;
    /// let mut client = MockClient::new(app);
    /// assert_eq!((client.get("/strict/.plan").status(), client.get("/open/.plan").status()), (404, 200));
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn with_hidden(mut self) -> Self {
        Arc::make_mut(&mut self.ground.policy).hidden = Hidden::Served;
        self
    }

    /// What a pattern matches is neither served nor listed, and nothing below it: `*.log` in every directory, `/tmp` or
    /// `docs/*.bak` from the root. `*` and `?` do not match a slash, `**` does.
    ///
    /// # Errors
    /// If it is no pattern; the message says why.
    ///
    /// # Examples
    /// ```
    /// use ownhands::{App, Files, testing::MockClient};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// # let root = directory.path();
    /// std::fs::write(root.join("today.log"), "nothing new")?;
    /// let mut app = App::new();
    /// app.mount("/", Files::new(root)?.without("*.log")?)?;
    /// assert_eq!(MockClient::new(app).get("/today.log").status(), 404);
    /// assert!(Files::new(root)?.without("[").unwrap_err().to_string().contains("unclosed character class"));
    /// # Ok(()) }
    /// ```
    pub fn without(mut self, pattern: &str) -> io::Result<Self> {
        let wrong = |error: globset::Error| io::Error::new(io::ErrorKind::InvalidInput, error.to_string());
        Arc::make_mut(&mut self.ground.policy).hide(pattern).map_err(wrong)?;
        Ok(self)
    }

    /// What is done with symbolic links.
    ///
    /// An example stands at [`Links`].
    #[must_use]
    pub fn with_links(mut self, links: Links) -> Self {
        // Nobody shares the root yet: only a listing under way does.
        if let Some(root) = Arc::get_mut(&mut self.ground.root) {
            root.set_links(links);
        }
        self
    }

    /// A directory without an index page is answered with 404.
    ///
    /// ```
    /// use ownhands::{App, Files, testing::MockClient};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// # let root = directory.path();
    /// let mut app = App::new();
    /// app.mount("/", Files::new(root)?.without_listing())?;
    /// assert_eq!(MockClient::new(app).get("/").status(), 404);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn without_listing(self) -> Self {
        Files { listings: Listings::Withheld, ..self }
    }

    /// A style for the pages that list directories, after their own: it has the last word. What it imports or shows
    /// from elsewhere is not loaded.
    ///
    /// ```
    /// use ownhands::{App, Files, testing::MockClient};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// # let root = directory.path();
    /// let mut app = App::new();
    /// app.mount("/", Files::new(root)?.with_listing_css("body { font-family: serif }"))?;
    /// let mut client = MockClient::new(app);
    /// let page = client.get("/?format=html").text();
    /// let (_, link) = page.split_once("_ownhands/added.").ok_or("no link")?;
    /// let (hash, _) = link.split_once('"').ok_or("no end")?;
    /// assert_eq!(client.get(&format!("/_ownhands/added.{hash}")).text(), "body { font-family: serif }");
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn with_listing_css(mut self, css: impl Into<String>) -> Self {
        self.desk.add_css(css.into());
        self
    }

    /// Serves an application of one page, which reads the path itself: where there is no file, the index page of the
    /// root answers. A name with an ending is a place only to who asks for a page: a script that is missing is a 404.
    ///
    /// ```
    /// use ownhands::{App, Files, testing::MockClient};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// # let root = directory.path();
    /// std::fs::write(root.join("index.html"), "<script src=app.js></script>")?;
    /// let mut app = App::new();
    /// app.mount("/", Files::new(root)?.with_application())?;
    /// let mut client = MockClient::new(app);
    /// assert_eq!(client.get("/users/7").text(), "<script src=app.js></script>");
    /// assert_eq!(client.get("/old.js").status(), 404);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn with_application(self) -> Self {
        Files { missing: Missing::Application, ..self }
    }

    /// Caches may use a file for so long, in whole seconds, without asking whether it has changed. Otherwise they ask
    /// each time, and a reload is always true.
    ///
    /// ```
    /// use ownhands::{App, Files, testing::MockClient};
    /// use std::time::Duration;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// # let root = directory.path();
    /// std::fs::write(root.join("a.css"), "a {}")?;
    /// let mut app = App::new();
    /// app.mount("/", Files::new(root)?.with_cache(Duration::from_secs(3600)))?;
    /// assert_eq!(MockClient::new(app).get("/a.css").header("Cache-Control"), Some("max-age=3600"));
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn with_cache(mut self, lifetime: Duration) -> Self {
        self.fields.set_lifetime(lifetime);
        self
    }

    /// A field that goes with everything that is served: files, parts of them, 304, listings and redirects; not with
    /// errors. It takes the place of one that would be sent otherwise, such as `Cache-Control`; a listing keeps those
    /// it needs.
    ///
    /// # Errors
    /// If it is no field, or one that follows from the file, such as `Content-Type`; the message says why.
    ///
    /// # Examples
    /// ```
    /// use ownhands::{App, Files, testing::MockClient};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// # let root = directory.path();
    /// std::fs::write(root.join("font.woff2"), "a font")?;
    /// let mut app = App::new();
    /// app.mount("/", Files::new(root)?.with_header("Access-Control-Allow-Origin", "*")?)?;
    /// let answer = MockClient::new(app).get("/font.woff2");
    /// assert_eq!(answer.header("Access-Control-Allow-Origin"), Some("*"));
    /// # Ok(()) }
    /// ```
    pub fn with_header(mut self, name: &str, value: &str) -> io::Result<Self> {
        self.fields.push(name, value).map_err(|why| io::Error::new(io::ErrorKind::InvalidInput, why))?;
        Ok(self)
    }

    /// Tells peers on this machine why something is not to be had, as the log has it: which part of the path, which
    /// rule. The status stays the same, and so does what others are told; a request from a proxy that names itself or
    /// its client is another's. Not to be used behind a proxy on this machine that does neither.
    ///
    /// ```
    /// use ownhands::{App, Files, testing::MockClient};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = tempfile::tempdir()?;
    /// # let root = directory.path();
    /// let mut app = App::new();
    /// app.mount("/", Files::new(root)?.with_reasons())?;
    /// let mut client = MockClient::new(app).with_peer("127.0.0.1:50000".parse()?);
    /// let text = client.get("/.env").text();
    /// assert!(text.ends_with("/.env: dot-files are not served (--hidden)\n"), "{text}");
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn with_reasons(self) -> Self {
        Files { reasons: Reasons::Shown, ..self }
    }

    /// Keeps inside the root by canonical paths, as on a system without openat2. For the tests: both ways must agree.
    #[doc(hidden)]
    #[must_use]
    pub fn by_canonical_paths(mut self) -> Self {
        if let Some(root) = Arc::get_mut(&mut self.ground.root) {
            root.go_by_canonical_paths();
        }
        self
    }
}
