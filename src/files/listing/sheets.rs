//! The style and the script of the page, each under a name that changes with its bytes: caches need never ask again.

use std::hash::{DefaultHasher, Hasher as _};
use std::sync::Arc;

use crate::http::{Body, Bytes, HeaderList, Response, Status};

const STYLE: &[u8] = include_bytes!("../../../static/listing.css");
const SCRIPT: &[u8] = include_bytes!("../../../static/listing.js");

/// Where they are, below the mount. A directory of that name on disk is hidden by no more than these few files.
const FOLDER: &str = "/_ownhands/";

const CSS: &[u8] = b"Content-Type: text/css; charset=utf-8\r\n\
    Cache-Control: public, max-age=31536000, immutable\r\n\
    X-Content-Type-Options: nosniff\r\n";

const JS: &[u8] = b"Content-Type: text/javascript; charset=utf-8\r\n\
    Cache-Control: public, max-age=31536000, immutable\r\n\
    X-Content-Type-Options: nosniff\r\n";

/// What a page loads.
#[derive(Clone, Debug)]
pub(super) struct Sheets {
    style: Sheet,
    script: Sheet,
    /// Of whoever set up the server; it comes last, and so has the last word.
    added: Option<Sheet>,
}

/// A file that is compiled in, or was given at the start.
#[derive(Clone, Debug)]
struct Sheet {
    /// Below the mount, without its first slash.
    path: String,
    headers: &'static [u8],
    content: Bytes,
}

impl Sheets {
    pub(super) fn new() -> Self {
        Sheets {
            style: Sheet::new("listing", "css", CSS, Bytes::Static(STYLE)),
            script: Sheet::new("listing", "js", JS, Bytes::Static(SCRIPT)),
            added: None,
        }
    }

    /// One more style.
    pub(super) fn add(&mut self, css: String) {
        self.added = Some(Sheet::new("added", "css", CSS, Bytes::Shared(Arc::from(css.into_bytes()))));
    }

    /// Answers for what a page loads; `path` is below the mount.
    pub(super) fn answer(&self, path: &[u8]) -> Option<Response> {
        let path = path.strip_prefix(b"/").filter(|_| path.starts_with(FOLDER.as_bytes()))?;
        let sheets = [Some(&self.style), Some(&self.script), self.added.as_ref()];
        let sheet = sheets.into_iter().flatten().find(|sheet| sheet.path.as_bytes() == path)?;
        let headers = HeaderList::from_static(sheet.headers);
        Some(Response::new(Status::OK).with_headers(headers).with_body(Body::Bytes(sheet.content.clone())))
    }

    /// The elements that load them, for a page so many directories below the mount.
    pub(super) fn links(&self, depth: usize) -> String {
        let up = "../".repeat(depth);
        let style = |sheet: &Sheet| format!("<link rel=stylesheet href=\"{up}{}\">\n", sheet.path);
        let added = self.added.as_ref().map(style).unwrap_or_default();
        format!("{}{added}<script defer src=\"{up}{}\"></script>\n", style(&self.style), self.script.path)
    }
}

impl Sheet {
    fn new(name: &str, ending: &str, headers: &'static [u8], content: Bytes) -> Self {
        let path = format!("{FOLDER}{name}.{:016x}.{ending}", hash(content.as_slice()));
        Sheet { path: path.trim_start_matches('/').to_owned(), headers, content }
    }
}

/// The same for the same bytes, in whatever process.
fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(bytes);
    hasher.finish()
}
