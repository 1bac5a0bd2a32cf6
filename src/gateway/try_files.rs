//! Static first: a file where there is one, and an application where there is none.

use crate::files::Files;
use crate::http::{HttpError, Method, Request, Response};
use crate::service::Resource;
use crate::service::upstream::Upstream;

/// Files before another resource: what is a file is served, and all else is asked of the other. A directory is no file,
/// unless it has an index page, and then its address without the final slash leads there; whatever is asked for by
/// another method than GET and HEAD is none.
///
/// ```
/// use ownhands::gateway::TryFiles;
/// use ownhands::{App, Files, HttpError, Request, Resource, Response, testing::MockClient};
///
/// struct Greeter;
///
/// impl Resource for Greeter {
///     fn allow(&self) -> &str {
///         "*"
///     }
///     fn answer(&self, request: &Request<'_>) -> Result<Response, HttpError> {
///         Ok(Response::text(format!("{} from the application\n", request.method)))
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut app = App::new();
/// app.mount("/", TryFiles::new(Files::new("static")?, Greeter))?;
///
/// let mut client = MockClient::new(app);
/// assert_eq!(client.get("/listing.css").header("Content-Type"), Some("text/css; charset=utf-8"));
/// assert_eq!(client.get("/no/such/file").text(), "GET from the application\n");
/// assert_eq!(client.post("/listing.css").send().text(), "POST from the application\n");
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct TryFiles<R> {
    files: Files,
    resource: R,
}

impl<R: Resource> TryFiles<R> {
    /// These files first, then this resource.
    #[must_use]
    pub fn new(files: Files, resource: R) -> Self {
        // A listing would be made for nobody.
        TryFiles { files: files.without_listing(), resource }
    }
}

impl<R: Resource> Resource for TryFiles<R> {
    fn allow(&self) -> &str {
        self.resource.allow()
    }

    fn answer(&self, request: &Request<'_>) -> Result<Response, HttpError> {
        let file = match request.method {
            Method::Get | Method::Head => self.files.answer_if_file(request),
            _ => None,
        };
        file.unwrap_or_else(|| self.resource.answer(request))
    }

    fn upstream(&self) -> Option<Box<dyn Upstream>> {
        self.resource.upstream()
    }
}
