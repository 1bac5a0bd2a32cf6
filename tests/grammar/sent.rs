//! What this server says itself, by the same grammar: the status line and the Date (RFC 9112 section 4, RFC 9110
//! section 5.6.7).

use std::time::{Duration, UNIX_EPOCH};

use ownhands::testing::MockClient;
use ownhands::{Fragment, HttpError, Request, Response, Service, Status};

/// Answers with the status that the path names.
struct Answerer;

impl Service for Answerer {
    fn call(&self, request: &Request<'_>) -> Response {
        let code = request.path.trim_start_matches('/').parse().ok();
        Response::new(code.and_then(Status::new).unwrap_or(Status::OK))
    }

    fn refuse(&self, error: &HttpError, _: &Fragment<'_>) -> Response {
        Response::new(error.status)
    }
}

/// `status-line = HTTP-version SP status-code SP [ reason-phrase ]`, `status-code = 3DIGIT`
#[test]
fn status_lines() {
    let mut client = MockClient::new(Answerer);
    for code in 200..=599 {
        let answer = client.get(&format!("/{code}"));
        let head = str::from_utf8(answer.wire()).unwrap();
        let mut lines = head.split("\r\n");
        let reason = lines.next().and_then(|line| line.strip_prefix(&format!("HTTP/1.1 {code} "))).expect(head);
        assert!(!reason.is_empty() && reason.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{head}");
        // The fields behind it are field lines, and the last line is empty.
        let fields: Vec<&str> = lines.collect();
        let (fields, end) = fields.split_at(fields.len() - 2);
        assert_eq!(end, ["", ""], "{head}");
        for field in fields {
            let (name, value) = field.split_once(": ").expect(field);
            assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'), "{field}");
            assert!(value == value.trim() && value.bytes().all(|byte| matches!(byte, b' '..=b'~')), "{field}");
        }
    }
}

/// `IMF-fixdate = day-name "," SP date1 SP time-of-day SP GMT`, of seconds since 1970, by a calendar that counts years
/// and months.
fn imf_fixdate(second: u64) -> String {
    let is_leap = |year: u64| (year.is_multiple_of(4) && !year.is_multiple_of(100)) || year.is_multiple_of(400);
    let days = second / 86_400;
    let (mut year, mut day) = (1970, days);
    while day >= 365 + u64::from(is_leap(year)) {
        day -= 365 + u64::from(is_leap(year));
        year += 1;
    }
    let names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut month = 0;
    for length in [31, 28 + u64::from(is_leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if day < length {
            break;
        }
        day -= length;
        month += 1;
    }
    let weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][usize::try_from(days % 7).unwrap()];
    let (hour, minute, second) = (second / 3600 % 24, second / 60 % 60, second % 60);
    format!("{weekday}, {:02} {} {year:04} {hour:02}:{minute:02}:{second:02} GMT", day + 1, names[month])
}

/// `Date = HTTP-date`, of which only IMF-fixdate may be sent; one in every answer.
#[test]
fn dates() {
    let last = 253_402_300_799;
    let date_of = |second: u64| {
        let mut client = MockClient::new(Answerer).with_date(UNIX_EPOCH + Duration::from_secs(second));
        let answer = client.get("/");
        assert_eq!(answer.headers().filter(|(name, _)| name.eq_ignore_ascii_case("date")).count(), 1);
        answer.header("date").unwrap().to_string()
    };
    for (second, expected) in [
        (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
        (951_782_399, "Mon, 28 Feb 2000 23:59:59 GMT"),
        (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
        (1_709_164_800, "Thu, 29 Feb 2024 00:00:00 GMT"),
        (1_767_225_599, "Wed, 31 Dec 2025 23:59:59 GMT"),
        (2_147_483_648, "Tue, 19 Jan 2038 03:14:08 GMT"),
        (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
        (last, "Fri, 31 Dec 9999 23:59:59 GMT"),
        (last + 1, "Fri, 31 Dec 9999 23:59:59 GMT"),
        (last * 2, "Fri, 31 Dec 9999 23:59:59 GMT"),
    ] {
        assert_eq!(date_of(second), expected);
        if second <= last {
            assert_eq!(imf_fixdate(second), expected);
        }
    }
    // A step of some years, days, hours and seconds, to meet every month and weekday.
    for second in (0..last).step_by(86_400 * 3_217 + 3_600 * 5 + 61) {
        assert_eq!(date_of(second), imf_fixdate(second));
    }
    let mut client = MockClient::new(Answerer).with_date(UNIX_EPOCH - Duration::from_secs(1));
    assert_eq!(client.get("/").header("date"), Some("Thu, 01 Jan 1970 00:00:00 GMT"), "a clock that was never set");
    assert_eq!(
        client.send("GET\r\n\r\n", &[]).header("date"),
        Some("Thu, 01 Jan 1970 00:00:00 GMT"),
        "in refusals too"
    );
}
