//! What a handler's errors become: one table for those of io, 500 for the others, and a
//! constructor for each usual status.

use std::error::Error;
use std::fs::File;
use std::io;
use std::time::Duration;

use ownhands::testing::MockClient;
use ownhands::{App, FileRange, HttpError, IntoResponse, Produced, Request, Response, Source, Status};
use rustix::io::Errno;

type Failing = fn() -> Result<(), HttpError>;

fn io_error(kind: io::ErrorKind) -> HttpError {
    io::Error::new(kind, "the disk says so").into()
}

#[test]
fn a_question_mark_makes_a_refusal_of_every_error() {
    let cases: [(Failing, u16); 7] = [
        (|| Ok(_ = File::open("/no/such/file")?), 404),
        (|| Ok(_ = File::open("Cargo.toml/below")?), 404),
        (|| Ok(_ = FileRange::whole(File::open("src")?)?), 404),
        (|| Ok(_ = "seven".parse::<u32>()?), 500),
        (|| Ok(_ = String::from_utf8(vec![0xff])?), 500),
        (|| Ok(_ = App::new().route("GET", "/(", |_: &Request<'_>| "")?), 500),
        (|| Err(HttpError::forbidden("no"))?, 403),
    ];
    for (number, (fail, status)) in cases.into_iter().enumerate() {
        assert_eq!(fail().unwrap_err().status.code(), status, "case {number}");
    }
}

#[test]
fn one_table_for_io() {
    let cases = [
        (io::ErrorKind::NotFound, 404),
        (io::ErrorKind::NotADirectory, 404),
        (io::ErrorKind::InvalidFilename, 404),
        (io::ErrorKind::PermissionDenied, 403),
        (io::ErrorKind::StorageFull, 500),
        (io::ErrorKind::TimedOut, 500),
    ];
    for (kind, status) in cases {
        let error = io_error(kind);
        assert_eq!(error.status.code(), status, "{kind}");
        assert!(!error.to_string().contains("the disk says so"), "{error}");
        assert_eq!(error.source.unwrap().to_string(), "the disk says so");
    }
    for errno in [Errno::MFILE, Errno::NFILE] {
        let error = HttpError::from(io::Error::from(errno));
        assert_eq!((error.status.code(), error.headers.get("Retry-After")), (503, Some(&b"1"[..])), "{errno}");
    }
}

#[test]
fn the_source_is_never_shown() {
    let mut app = App::new();
    app.route("GET", "/", |_: &Request<'_>| -> Result<String, HttpError> { Ok("secret".parse::<u32>()?.to_string()) })
        .unwrap();
    let answer = MockClient::new(app).get("/");
    assert_eq!(answer.status(), 500);
    assert_eq!(answer.text(), "500 Internal Server Error: the server failed to answer this request\n");
}

#[test]
fn a_handler_may_fail_with_any_error() {
    let failed: Result<&str, std::num::ParseIntError> = "seven".parse::<u32>().map(|_| "a number");
    assert_eq!(failed.into_response().unwrap_err().status.code(), 500);
    let missing: io::Result<Response> = Err(io::ErrorKind::NotFound.into());
    assert_eq!(missing.into_response().unwrap_err().status.code(), 404);
}

#[test]
fn a_refusal_goes_into_a_box_with_its_source() {
    fn fail() -> Result<(), Box<dyn Error>> {
        Err(HttpError::not_found("no cake").with_source("eaten"))?
    }
    fn fail_elsewhere() -> Result<(), Box<dyn Error + Send + Sync>> {
        Err(HttpError::not_found("no cake"))?
    }
    let error = fail().unwrap_err();
    assert_eq!(error.to_string(), "404 Not Found: no cake");
    assert_eq!(error.source().map(ToString::to_string).as_deref(), Some("eaten"));
    assert!(fail_elsewhere().unwrap_err().source().is_none());
}

#[test]
fn each_constructor_has_its_status_and_its_field() {
    let minute = Duration::from_secs(60);
    let cases = [
        (HttpError::bad_request("x"), 400, None),
        (HttpError::unauthorized("Bearer", "x"), 401, Some(("WWW-Authenticate", "Bearer"))),
        (HttpError::forbidden("x"), 403, None),
        (HttpError::not_found("x"), 404, None),
        (HttpError::method_not_allowed("PUT"), 405, Some(("Allow", "PUT"))),
        (HttpError::conflict("x"), 409, None),
        (HttpError::gone("x"), 410, None),
        (HttpError::content_too_large("x"), 413, None),
        (HttpError::unsupported_media_type("image/png"), 415, Some(("Accept", "image/png"))),
        (HttpError::unprocessable_content("x"), 422, None),
        (HttpError::too_many_requests(minute, "x"), 429, Some(("Retry-After", "60"))),
        (HttpError::internal("x"), 500, None),
        (HttpError::service_unavailable(minute, "x"), 503, Some(("Retry-After", "60"))),
    ];
    for (error, status, field) in cases {
        assert_eq!(error.status.code(), status, "{error}");
        let fields: Vec<(&str, &[u8])> = error.headers.iter().collect();
        let wanted: Vec<(&str, &[u8])> = field.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        assert_eq!(fields, wanted, "{error}");
    }
}

#[test]
fn a_challenge_cannot_split_the_answer() {
    let error = HttpError::unauthorized("Basic\r\nSet-Cookie: a=b", "x");
    assert!(error.headers.refusal().is_some());
}

/// A page made while it is sent.
struct Written;

impl Source for Written {
    fn produce(&mut self, out: &mut Vec<u8>) -> io::Result<Produced> {
        out.extend_from_slice(b"written");
        Ok(Produced::All)
    }
}

#[test]
fn an_error_may_bring_its_page() {
    let mut app = App::new();
    app.route("GET", "/(?<what>.*)", |request: &Request<'_>| -> Result<Response, HttpError> {
        let page = match request.param("what").unwrap_or_default() {
            "other-status" => Response::html("own").with_status(Status::CREATED),
            "no-content" => Response::html("own").with_status(Status::NO_CONTENT),
            "interim" => Response::html("own").with_status(Status::new(100).unwrap()),
            "stream" => Response::stream(Written),
            "own-field" => Response::html("own").with_header("Retry-After", "7"),
            "split" => Response::html("own").with_header("X", "a\r\nb"),
            "deferred" => request.defer().1,
            "by-status" => return Err(HttpError::gone("x").with_page(Response::html("own"))),
            "by-class" => return Err(HttpError::internal("x").with_page(Response::html("own"))),
            "fails" => return Err(HttpError::conflict("x").with_page(Response::html("own"))),
            "no-error" => return Err(HttpError::new(Status::OK, "x").with_page(Response::html("own"))),
            _ => Response::html("own"),
        };
        Err(HttpError::too_many_requests(Duration::from_secs(60), "x").with_page(page))
    })
    .unwrap();
    app.on_error(410, |_: &HttpError, _: Option<&Request<'_>>| "handled");
    app.on_error(409, |_: &HttpError, _: Option<&Request<'_>>| Err::<String, _>(HttpError::forbidden("failed")));
    app.on_error_class(5, |_: &HttpError, _: Option<&Request<'_>>| "handled by class");
    let mut client = MockClient::new(app);
    for (path, status, text, after) in [
        ("/", 429, "own", Some("60")),
        ("/other-status", 429, "own", Some("60")),
        ("/no-content", 429, "own", Some("60")),
        ("/interim", 429, "own", Some("60")),
        ("/stream", 429, "written", Some("60")),
        ("/own-field", 429, "own", Some("7")),
        // What cannot be sent is not.
        ("/split", 429, "429 Too Many Requests: x\n", Some("60")),
        ("/deferred", 429, "429 Too Many Requests: x\n", Some("60")),
        // The application's own handlers go first.
        ("/by-status", 410, "handled", None),
        ("/by-class", 500, "handled by class", None),
        ("/fails", 409, "own", None),
        ("/no-error", 500, "handled by class", None),
    ] {
        let answer = client.get(path);
        assert_eq!(
            (answer.status(), answer.text().as_str(), answer.header("Retry-After")),
            (status, text, after),
            "{path}"
        );
    }
    let head = client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", &[]);
    assert_eq!((head.status(), head.header("Content-Length")), (429, Some("3")));
    assert_eq!(client.get("/").header("Content-Type"), Some("text/html; charset=utf-8"));
}

#[test]
fn an_error_with_a_page_goes_into_a_box() {
    let error: Box<dyn Error + Send + Sync> = HttpError::gone("the shop").with_page(Response::stream(Written)).into();
    assert_eq!(error.to_string(), "410 Gone: the shop");
}

#[test]
fn a_page_comes_from_a_thread_as_well() {
    let mut app = App::new();
    app.route("GET", "/", |request: &Request<'_>| {
        let (deferred, response) = request.defer();
        let error = HttpError::gone("the shop").with_page(Response::html("own"));
        std::thread::spawn(move || deferred.answer(Err::<Response, _>(error)));
        response
    })
    .unwrap();
    let answer = MockClient::new(app).get("/");
    assert_eq!((answer.status(), answer.text().as_str()), (410, "own"));
}
