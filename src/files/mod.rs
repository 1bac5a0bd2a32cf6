//! Layer 3: one handler, a directory on disk.
//!
//! [`Files::answer`](crate::Resource::answer) is the pipeline, top to bottom: resolve, cache, coding, conditional,
//! range, answer. It never writes, runs nothing, and hands out nothing that lies outside its root, is a device, a pipe
//! or a socket, or begins with a dot.

mod absent;
mod archive;
mod beneath;
mod cache;
mod ceiling;
mod coding;
mod conditional;
mod directory;
mod facts;
mod fields;
mod listing;
mod mime;
mod multipart;
mod policy;
mod range;
mod resolve;
mod root;
mod setup;
mod since;
mod tree;
mod urls;
mod walk;
mod why;

use std::cell::RefCell;
use std::ffi::CString;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use absent::Absent;
use archive::Archive;
use cache::{Cache, Entry};
use coding::Coding;
use conditional::{Date, Verdict};
use fields::Fields;
use listing::Desk;
use multipart::Multipart;
use resolve::{Found, Ground, Opened};
use since::Vacant;
use urls::Urls;
use walk::Walk;

use crate::http::{Body, HttpError, Method, Request, Response, Status};
use crate::service::Resource;

pub(crate) use facts::Kind;
pub use range::{ByteRanges, Span};
pub use tree::Links;
pub(crate) use tree::Tree;

/// What a directory without an index page answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Listings {
    Shown,
    /// 404: there is no page of that address, and nothing that a permission would change.
    Withheld,
}

/// What answers for a path that is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Missing {
    /// 404.
    Refused,
    /// The index page of the root, which finds its way by itself.
    Application,
}

/// Who is told why something is not to be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reasons {
    /// The log alone.
    Logged,
    /// The page too, for peers on this machine.
    Shown,
}

/// Archives and lists of addresses under way at one time: each holds up to two descriptors, for as long as its peer
/// likes.
const MAX_ARCHIVES: usize = 64;

/// The page in the root that is shown for what is missing.
const PAGE_404: &[u8] = b"404.html";

/// The files of a directory, as a resource to be mounted in an [`App`](crate::App).
///
/// GET and HEAD, byte ranges, conditional requests, encoded forms that lie beside a file, an index page, a listing
/// where there is none: a page for browsers, lines of text for others. Where there is a listing, `?tar` is the
/// directory with all below it as one archive, and `?urls` the addresses of all files in it, one a line, for `wget -i`.
/// `/about` finds `about.html`; what is missing shows the `404.html` of the root, if there is one. Dot-files, and links
/// that lead out of the root, are answered as missing.
///
/// ```
/// use ownhands::{App, Files, testing::MockClient};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let directory = tempfile::tempdir()?;
/// # let root = directory.path();
/// std::fs::write(root.join("note.txt"), "hello")?;
///
/// let mut app = App::new();
/// app.mount("/files", Files::new(root)?)?;
/// let mut client = MockClient::new(app);
/// let answer = client.send("GET /files/note.txt HTTP/1.1\r\nHost: a\r\nRange: bytes=1-3\r\n\r\n", &[]);
/// assert_eq!((answer.status(), answer.text().as_str()), (206, "ell"));
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Files {
    ground: Ground,
    listings: Listings,
    desk: Desk,
    missing: Missing,
    reasons: Reasons,
    fields: Fields,
    cache: RefCell<Cache>,
    absent: Absent,
    /// Of when there was no page for what is missing.
    lacks_page: RefCell<Option<Vacant>>,
    /// Held by each archive that is under way.
    walks: Arc<()>,
}

impl Files {
    /// What the request is for: a file fresh from the cache or from the disk, or an answer of another kind.
    fn find(&self, request: &Request<'_>) -> Result<Subject, HttpError> {
        if self.listings == Listings::Shown
            && let Some(listing) = self.desk.again(&self.ground, request)
        {
            return Ok(Subject::Other(self.completed(listing?)));
        }
        let path = request.path_below_mount();
        if let Some(entry) = self.cache.borrow_mut().fresh(path, &self.ground.root, request.now) {
            return Ok(Subject::File(entry));
        }
        if let Some(refusal) = self.absent.refusal(path, &self.ground, request.now) {
            return Err(refusal);
        }
        Ok(match self.ground.find(request)? {
            Found::File(opened) => Subject::File(self.load(path, opened, request)),
            // Kept under its own path alone: what comes to lie under this one goes first from then on.
            Found::Page(page) => Subject::File(self.standing(page.as_bytes(), request)?.ok_or_else(gone)?),
            Found::Nothing(tried) => {
                return Err(self.absent.remember(path, &tried, &self.ground, request.now));
            }
            Found::Directory(directory) => Subject::Other(self.list(request, directory)?),
            Found::Elsewhere(location) => {
                // Not for ever: what is a directory today may be a file tomorrow.
                let redirect = Response::redirect(Status::MOVED_PERMANENTLY, &location);
                Subject::Elsewhere(self.completed(redirect.with_header("Cache-Control", "no-cache")))
            }
        })
    }

    fn list(&self, request: &Request<'_>, directory: Vec<u8>) -> Result<Response, HttpError> {
        if self.listings == Listings::Withheld {
            return Err(HttpError::not_found("this directory has no index page, and listings are switched off"));
        }
        let asks = |wanted| request.query_pairs().any(|(name, value)| name == wanted && value.is_empty());
        let response = if asks("tar") {
            Archive::into_response(self.walk(directory)?, request)
        } else if asks("urls") {
            Urls::into_response(self.walk(directory)?, request)?
        } else {
            self.desk.list(&self.ground, directory, request)?
        };
        Ok(self.completed(response))
    }

    /// Begins to walk over all below a directory.
    fn walk(&self, directory: Vec<u8>) -> Result<Walk, HttpError> {
        // One is our own.
        if Arc::strong_count(&self.walks) > MAX_ARCHIVES {
            let detail = "too many archives are being fetched just now; try again in a second";
            return Err(HttpError::service_unavailable(Duration::from_secs(1), detail));
        }
        Walk::open(&self.ground, directory, Arc::clone(&self.walks))
    }

    /// An answer of our own, with the fields that were set by hand.
    fn completed(&self, mut response: Response) -> Response {
        self.fields.add_missing(&mut response.headers);
        response
    }

    /// A file that stands for other paths than its own, such as the page for what is missing.
    fn standing(&self, path: &[u8], request: &Request<'_>) -> Result<Option<Rc<Entry>>, HttpError> {
        let key = [b"/", path].concat();
        if let Some(entry) = self.cache.borrow_mut().fresh(&key, &self.ground.root, request.now) {
            return Ok(Some(entry));
        }
        let Some(opened) = self.ground.file(path)? else { return Ok(None) };
        Ok(Some(self.load(&key, opened, request)))
    }

    fn load(&self, key: &[u8], opened: Opened, request: &Request<'_>) -> Rc<Entry> {
        let entry = Rc::new(Entry::load(opened, &self.fields, request.now));
        entry.look_beside(&self.ground, request.now);
        self.cache.borrow_mut().keep(key, &entry, request.now);
        entry
    }

    /// The encoded form of the file that the peer likes best, or the file as it is.
    ///
    /// Who says nothing of encoded forms has nobody look for one: `Vary` then tells what was last seen, and a cache in
    /// between, which asks again each time, learns better from the next that takes one.
    fn encoded(&self, request: &Request<'_>, entry: &Rc<Entry>) -> Rc<Entry> {
        let is_asked = request.headers.get("accept-encoding").is_some();
        if !is_asked || !entry.look_beside(&self.ground, request.now).is_any() {
            return Rc::clone(entry);
        }
        for coding in Coding::asked(request) {
            if entry.neighbours.get().is_there(coding)
                && let Some(encoded) = self.load_encoded(request, entry, coding)
            {
                return encoded;
            }
        }
        Rc::clone(entry)
    }

    fn load_encoded(&self, request: &Request<'_>, entry: &Entry, coding: Coding) -> Option<Rc<Entry>> {
        let path = entry.encoded_path(coding);
        // No path has a zero byte in it: this is not what a request for the encoded file itself finds.
        let key = path.to_bytes_with_nul();
        if let Some(encoded) = self.cache.borrow_mut().fresh(key, &self.ground.root, request.now) {
            return Some(encoded);
        }
        let opened = self.ground.file(path.to_bytes()).ok()??;
        let encoded = Rc::new(entry.load_encoded(opened, coding, &self.fields, request.now));
        self.cache.borrow_mut().keep(key, &encoded, request.now);
        Some(encoded)
    }

    /// The file in the coding that suits, or what its conditions come to.
    fn deliver(&self, request: &Request<'_>, entry: &Rc<Entry>) -> Result<Response, HttpError> {
        let chosen = self.encoded(request, entry);
        let response = send_on_conditions(request, &chosen)?;
        Ok(if entry.neighbours.get().is_any() { response.with_header("Vary", "Accept-Encoding") } else { response })
    }

    /// The answer to GET or HEAD for what is a file, or is a directory with an index page; `None` for what is neither.
    /// That one cannot be opened just now is an answer.
    pub(crate) fn answer_if_file(&self, request: &Request<'_>) -> Option<Result<Response, HttpError>> {
        match self.ground.refuse_encoded_slash(request).and_then(|()| self.find(request)) {
            Ok(Subject::File(entry)) => Some(self.deliver(request, &entry)),
            Ok(Subject::Elsewhere(redirect)) if self.ground.has_index(request) => Some(Ok(redirect)),
            Err(refusal) if refusal.status.class() == 5 => Some(Err(refusal)),
            Ok(Subject::Elsewhere(_) | Subject::Other(_)) | Err(_) => None,
        }
    }

    /// What answers in place of what is missing, if anything does.
    fn instead(&self, request: &Request<'_>, refusal: &HttpError) -> Option<Rc<Entry>> {
        if self.missing == Missing::Refused || refusal.status != Status::NOT_FOUND {
            return None;
        }
        // A script or a picture that is missing is missing: a page in its place would only break elsewhere.
        let last = request.path_below_mount().rsplit(|&byte| byte == b'/').next().unwrap_or_default();
        let is_place = !last.contains(&b'.') || request.wants_html();
        is_place.then(|| self.standing(&self.ground.index, request).ok()).flatten().flatten()
    }

    /// The refusal as the peer sees it: with the reason if he may know it, else with the page for what is missing.
    fn dressed(&self, request: &Request<'_>, mut refusal: HttpError) -> HttpError {
        if self.reasons == Reasons::Shown
            && is_local(request)
            && let Some(reason) = &refusal.source
        {
            refusal.detail = reason.to_string().into();
            return refusal;
        }
        match (refusal.status == Status::NOT_FOUND).then(|| self.page_for_missing(request)).flatten() {
            Some(page) => refusal.with_page(page),
            None => refusal,
        }
    }

    /// The `404.html` of the root. Whether there is one is looked up once in a turn, as for any file.
    fn page_for_missing(&self, request: &Request<'_>) -> Option<Response> {
        if self.lacks_page.borrow().as_ref().is_some_and(|page| page.holds(&self.ground, request.now)) {
            return None;
        }
        let Ok(Some(entry)) = self.standing(PAGE_404, request) else {
            let page = CString::new(PAGE_404).unwrap_or_default();
            self.lacks_page.replace(Some(Vacant::new(&self.ground, &[page], request.now)));
            return None;
        };
        let kind = entry.headers.get("content-type").unwrap_or_default();
        let page = Response::new(Status::NOT_FOUND).with_header("Content-Type", kind);
        Some(page.with_header("X-Content-Type-Options", "nosniff").with_body(entry.body(0, entry.facts.size)))
    }
}

/// True if who asks sits on this machine. A proxy here speaks for others, and says so: also one that nobody trusts.
fn is_local(request: &Request<'_>) -> bool {
    let is_proxy = ["forwarded", "via", "x-forwarded-for", "x-real-ip"];
    request.client.is_some_and(|client| client.is_loopback())
        && request.peer.is_some_and(|peer| peer.ip().to_canonical().is_loopback())
        && is_proxy.iter().all(|name| request.headers.get(name).is_none())
}

/// What a request turns out to be about.
enum Subject {
    /// A file: conditions and ranges apply.
    File(Rc<Entry>),
    /// A directory asked for without its slash.
    Elsewhere(Response),
    /// A listing: they do not.
    Other(Response),
}

impl Resource for Files {
    fn allow(&self) -> &str {
        "GET, HEAD"
    }

    fn answer(&self, request: &Request<'_>) -> Result<Response, HttpError> {
        if !matches!(request.method, Method::Get | Method::Head) {
            return Err(HttpError::method_not_allowed(self.allow()));
        }
        if self.listings == Listings::Shown
            && let Some(sheet) = self.desk.sheet(request)
        {
            return Ok(sheet);
        }
        let found = self.ground.refuse_encoded_slash(request).and_then(|()| self.find(request));
        let entry = match found {
            Ok(Subject::File(entry)) => entry,
            Ok(Subject::Elsewhere(response) | Subject::Other(response)) => return Ok(response),
            Err(refusal) => match self.instead(request, &refusal) {
                Some(entry) => return send_on_conditions(request, &entry).map(varying_by_accept),
                None => return Err(self.dressed(request, refusal)),
            },
        };
        self.deliver(request, &entry)
    }
}

/// A file was there a moment ago.
fn gone() -> HttpError {
    HttpError::not_found("there is nothing here")
}

/// Whether a path is taken for a place of the application depends on Accept.
fn varying_by_accept(response: Response) -> Response {
    response.with_header("Vary", "Accept")
}

/// The file, or what its conditions come to.
fn send_on_conditions(request: &Request<'_>, entry: &Entry) -> Result<Response, HttpError> {
    match conditional::weigh(request, &entry.tag, Some(Date::of(entry.facts.modified))) {
        Verdict::Send => send(request, entry),
        Verdict::NotModified => Ok(Response::new(Status::NOT_MODIFIED).with_headers(entry.validators.clone())),
        Verdict::Failed => Err(conditional::failed()),
    }
}

/// The file, or the parts of it that are asked for.
fn send(request: &Request<'_>, entry: &Entry) -> Result<Response, HttpError> {
    let size = entry.facts.size;
    match asked(request, entry) {
        ByteRanges::Whole => {
            Ok(Response::new(Status::OK).with_headers(entry.headers.clone()).with_body(entry.body(0, size)))
        }
        ByteRanges::One(span) => {
            let content_range = format!("bytes {}-{}/{size}", span.offset, span.last());
            Ok(Response::new(Status::PARTIAL_CONTENT)
                .with_headers(entry.headers.clone())
                .with_header("Content-Range", content_range)
                .with_body(entry.body(span.offset, span.length)))
        }
        ByteRanges::Several(spans) => {
            let content_type = entry.headers.get("Content-Type").unwrap_or_default();
            let parts = Multipart::new(entry.body(0, size), size, content_type, &entry.tag, spans);
            let parts = parts.ok_or_else(|| HttpError::internal("a file without content has no parts"))?;
            Ok(Response::new(Status::PARTIAL_CONTENT)
                .with_headers(entry.headers.clone())
                .with_header("Content-Type", parts.content_type())
                .with_body(Body::Stream(Box::new(parts))))
        }
        ByteRanges::Unsatisfiable => {
            let detail = format!("what is asked for begins behind the end of the file, which has {size} bytes");
            Err(HttpError::new(Status::RANGE_NOT_SATISFIABLE, detail)
                .with_header("Content-Range", format!("bytes */{size}")))
        }
    }
}

/// The ranges that are asked for: with GET only (RFC 9110 section 14.2), in one field, and if If-Range does not object.
fn asked(request: &Request<'_>, entry: &Entry) -> ByteRanges {
    let mut fields = request.headers.get_all("range");
    match (request.method, fields.next(), fields.next()) {
        (Method::Get, Some(range), None) if conditional::allows_range(request, &entry.facts, &entry.tag) => {
            ByteRanges::parse(range, entry.facts.size)
        }
        _ => ByteRanges::Whole,
    }
}
