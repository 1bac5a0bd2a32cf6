//! Conditional requests (RFC 9110 section 13): what the peer has already, and what it insists on.

use std::time::{Duration, UNIX_EPOCH};

use super::facts::{Facts, Moment};
use crate::http::{HttpError, Now, Request, Status};

/// What the conditions of a request come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Answer as if there were no conditions.
    Send,
    /// 304: the peer has it.
    NotModified,
    /// 412: what the peer insists on is not so.
    Failed,
}

/// The entity tag of a file: strong, as every change of content changes the time of change, down to the nanosecond.
///
/// What it cannot see is two writes of the same length within one tick of the file system's clock, with a request
/// between them. Linux 6.13 closed that gap: once a time was looked at, the next change gets another.
pub(super) fn entity_tag(facts: &Facts) -> String {
    let (modified, changed) = (facts.modified, facts.changed);
    format!(
        "\"{:x}-{:x}-{:x}.{:x}-{:x}.{:x}\"",
        facts.inode, facts.size, modified.seconds, modified.nanos, changed.seconds, changed.nanos
    )
}

/// The value of Last-Modified. A time in the future becomes now (RFC 9110 section 8.8.2.1).
pub(super) fn last_modified(facts: &Facts, now: &Now) -> String {
    httpdate::fmt_http_date(UNIX_EPOCH + seconds_of(facts).min(Duration::from_secs(now.unix_seconds())))
}

/// Weighs the conditions in the order of section 13.2.2. The method is GET or HEAD. What has no date is neither too new
/// nor known by one.
pub(super) fn weigh(request: &Request<'_>, tag: &str, modified: Option<Date>) -> Verdict {
    let headers = request.headers;
    if headers.get("if-match").is_some() {
        if !headers.get_all("if-match").any(|field| names(field, tag, Comparison::Strong)) {
            return Verdict::Failed;
        }
    } else if modified.zip(date(request, "if-unmodified-since")).is_some_and(|(Date(modified), date)| modified > date) {
        return Verdict::Failed;
    }
    let is_known = if headers.get("if-none-match").is_some() {
        headers.get_all("if-none-match").any(|field| names(field, tag, Comparison::Weak))
    } else {
        modified.zip(date(request, "if-modified-since")).is_some_and(|(Date(modified), date)| modified <= date)
    };
    if is_known { Verdict::NotModified } else { Verdict::Send }
}

/// 412: what If-Match or If-Unmodified-Since asks for is not what is here.
pub(super) fn failed() -> HttpError {
    HttpError::new(Status::PRECONDITION_FAILED, "this is not what If-Match or If-Unmodified-Since asks")
}

/// The time of the last change as HTTP has it: in whole seconds since 1970, and no later than the year 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Date(Duration);

impl Date {
    pub(super) fn of(moment: Moment) -> Self {
        const LAST_HTTP_SECOND: u64 = 253_402_300_799;
        Date(Duration::from_secs(moment.unix_seconds().min(LAST_HTTP_SECOND)))
    }
}

impl std::fmt::Display for Date {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&httpdate::fmt_http_date(UNIX_EPOCH + self.0))
    }
}

/// True if a Range may be heeded: If-Range is absent, or names just this content (section 13.1.5).
pub(super) fn allows_range(request: &Request<'_>, facts: &Facts, tag: &str) -> bool {
    let Some(validator) = request.headers.get("if-range") else { return true };
    if validator.starts_with(b"\"") || validator.starts_with(b"W/") {
        return validator == tag.as_bytes();
    }
    // A date of whole seconds says little of a file that was written just now (section 8.8.2.2).
    date(request, "if-range") == Some(seconds_of(facts)) && facts.is_settled(request.now.system_time())
}

#[derive(Clone, Copy)]
enum Comparison {
    Strong,
    Weak,
}

/// True if the list of tags has this one, or is `*`. Our tags have no comma in them, so none is torn apart by the
/// splitting, and no piece of another can look like one.
fn names(field: &[u8], tag: &str, comparison: Comparison) -> bool {
    if field == tag.as_bytes() {
        return true; // who comes back brings just what he was given
    }
    field.split(|&byte| byte == b',').map(<[u8]>::trim_ascii).any(|element| {
        let element = match comparison {
            Comparison::Strong => element,
            Comparison::Weak => element.strip_prefix(b"W/").unwrap_or(element),
        };
        element == tag.as_bytes() || element == b"*"
    })
}

/// Seconds since 1970; `None` for what is no date, which is then ignored (section 13.1.3).
fn date(request: &Request<'_>, name: &str) -> Option<Duration> {
    let date = httpdate::parse_http_date(request.header(name)?).ok()?;
    date.duration_since(UNIX_EPOCH).ok()
}

/// The time of the last writing.
fn seconds_of(facts: &Facts) -> Duration {
    Date::of(facts.modified).0
}
