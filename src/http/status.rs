//! Status codes and their reason phrases (RFC 9110 section 15).

use std::fmt;

/// A status code: three digits, 100 to 599.
///
/// ```
/// use ownhands::Status;
///
/// assert_eq!(Status::NOT_FOUND.code(), 404);
/// assert_eq!(Status::NOT_FOUND.to_string(), "404 Not Found");
/// assert_eq!(Status::new(799), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Status(u16);

impl Status {
    /// 100
    pub const CONTINUE: Status = Status(100);
    /// 200
    pub const OK: Status = Status(200);
    /// 201
    pub const CREATED: Status = Status(201);
    /// 202
    pub const ACCEPTED: Status = Status(202);
    /// 204
    pub const NO_CONTENT: Status = Status(204);
    /// 205
    pub const RESET_CONTENT: Status = Status(205);
    /// 206
    pub const PARTIAL_CONTENT: Status = Status(206);
    /// 301
    pub const MOVED_PERMANENTLY: Status = Status(301);
    /// 302
    pub const FOUND: Status = Status(302);
    /// 303
    pub const SEE_OTHER: Status = Status(303);
    /// 304
    pub const NOT_MODIFIED: Status = Status(304);
    /// 307
    pub const TEMPORARY_REDIRECT: Status = Status(307);
    /// 308
    pub const PERMANENT_REDIRECT: Status = Status(308);
    /// 400
    pub const BAD_REQUEST: Status = Status(400);
    /// 401
    pub const UNAUTHORIZED: Status = Status(401);
    /// 403
    pub const FORBIDDEN: Status = Status(403);
    /// 404
    pub const NOT_FOUND: Status = Status(404);
    /// 405
    pub const METHOD_NOT_ALLOWED: Status = Status(405);
    /// 406
    pub const NOT_ACCEPTABLE: Status = Status(406);
    /// 408
    pub const REQUEST_TIMEOUT: Status = Status(408);
    /// 409
    pub const CONFLICT: Status = Status(409);
    /// 410
    pub const GONE: Status = Status(410);
    /// 412
    pub const PRECONDITION_FAILED: Status = Status(412);
    /// 413
    pub const CONTENT_TOO_LARGE: Status = Status(413);
    /// 414
    pub const URI_TOO_LONG: Status = Status(414);
    /// 415
    pub const UNSUPPORTED_MEDIA_TYPE: Status = Status(415);
    /// 416
    pub const RANGE_NOT_SATISFIABLE: Status = Status(416);
    /// 417
    pub const EXPECTATION_FAILED: Status = Status(417);
    /// 422
    pub const UNPROCESSABLE_CONTENT: Status = Status(422);
    /// 429
    pub const TOO_MANY_REQUESTS: Status = Status(429);
    /// 431
    pub const HEADER_FIELDS_TOO_LARGE: Status = Status(431);
    /// 500
    pub const INTERNAL_SERVER_ERROR: Status = Status(500);
    /// 501
    pub const NOT_IMPLEMENTED: Status = Status(501);
    /// 502
    pub const BAD_GATEWAY: Status = Status(502);
    /// 503
    pub const SERVICE_UNAVAILABLE: Status = Status(503);
    /// 504
    pub const GATEWAY_TIMEOUT: Status = Status(504);
    /// 505
    pub const VERSION_NOT_SUPPORTED: Status = Status(505);

    /// The status with this code, or `None` outside 100 to 599.
    #[must_use]
    pub const fn new(code: u16) -> Option<Status> {
        if code >= 100 && code <= 599 { Some(Status(code)) } else { None }
    }

    /// The three digits as a number.
    #[must_use]
    pub const fn code(self) -> u16 {
        self.0
    }

    /// The first digit: 1 to 5.
    #[must_use]
    pub const fn class(self) -> u16 {
        self.0 / 100
    }

    /// True for 4xx and 5xx.
    #[must_use]
    pub const fn is_error(self) -> bool {
        self.0 >= 400
    }

    /// True where a response never has content: 1xx, 204 and 304 (RFC 9110 section 6.4.1).
    #[must_use]
    pub const fn is_bodiless(self) -> bool {
        self.0 < 200 || self.0 == 204 || self.0 == 304
    }

    /// The registered reason phrase; for a code without one, the name of its class.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self.0 {
            100 => "Continue",
            101 => "Switching Protocols",
            103 => "Early Hints",
            200 => "OK",
            201 => "Created",
            202 => "Accepted",
            203 => "Non-Authoritative Information",
            204 => "No Content",
            205 => "Reset Content",
            206 => "Partial Content",
            300 => "Multiple Choices",
            301 => "Moved Permanently",
            302 => "Found",
            303 => "See Other",
            304 => "Not Modified",
            307 => "Temporary Redirect",
            308 => "Permanent Redirect",
            400 => "Bad Request",
            401 => "Unauthorized",
            402 => "Payment Required",
            403 => "Forbidden",
            404 => "Not Found",
            405 => "Method Not Allowed",
            406 => "Not Acceptable",
            407 => "Proxy Authentication Required",
            408 => "Request Timeout",
            409 => "Conflict",
            410 => "Gone",
            411 => "Length Required",
            412 => "Precondition Failed",
            413 => "Content Too Large",
            414 => "URI Too Long",
            415 => "Unsupported Media Type",
            416 => "Range Not Satisfiable",
            417 => "Expectation Failed",
            418 => "I'm a Teapot",
            421 => "Misdirected Request",
            422 => "Unprocessable Content",
            425 => "Too Early",
            426 => "Upgrade Required",
            428 => "Precondition Required",
            429 => "Too Many Requests",
            431 => "Request Header Fields Too Large",
            451 => "Unavailable For Legal Reasons",
            500 => "Internal Server Error",
            501 => "Not Implemented",
            502 => "Bad Gateway",
            503 => "Service Unavailable",
            504 => "Gateway Timeout",
            505 => "HTTP Version Not Supported",
            507 => "Insufficient Storage",
            511 => "Network Authentication Required",
            _ => self.class_name(),
        }
    }

    /// The three digits, written to where the caller has room for them.
    pub(crate) fn digits(self, room: &mut [u8; 3]) -> &str {
        let digit = |number: u16| b'0' | (number % 10) as u8;
        *room = [digit(self.0 / 100), digit(self.0 / 10), digit(self.0)];
        std::str::from_utf8(room).unwrap_or_default()
    }

    const fn class_name(self) -> &'static str {
        match self.class() {
            1 => "Informational",
            2 => "Success",
            3 => "Redirection",
            4 => "Client Error",
            _ => "Server Error",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0, self.reason())
    }
}
