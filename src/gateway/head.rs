//! The head of an answer as programs write it (RFC 3875 section 6): header fields, of which a few speak to the server.
//!
//! What cannot be understood is no answer: the program is told in the log, the peer gets a 502. Fields about the
//! connection between server and peer are no business of a program's (section 6.3.4) and are left out.

use crate::http::{HeaderList, Status};

/// Bytes of a head: cookies and policies may be long, but not without end.
pub(super) const MOST: usize = 64 * 1024;

/// Fields of a head: each costs time, and nobody has so many.
const MOST_FIELDS: usize = 1000;

/// Fields that are not passed on: those of one hop (RFC 9110 section 7.6.1), what follows from the body here, and the
/// date, which the server writes.
const NOT_PASSED_ON: [&str; 9] = [
    "connection",
    "date",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "trailers",
    "transfer-encoding",
    "upgrade",
];

/// A head, understood.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) status: Status,
    pub(super) headers: HeaderList,
    /// What Content-Length announces.
    pub(super) length: Option<u64>,
    /// The path and query whose answer is meant instead (section 6.2.2).
    pub(super) elsewhere: Option<Box<str>>,
}

/// Reads the head at the beginning of these bytes, and says where the content begins; `None` if it is not complete.
///
/// # Errors
/// What is wrong with it, in a sentence.
pub(super) fn read(bytes: &[u8]) -> Result<Option<(Head, usize)>, String> {
    let Some(end) = end(bytes) else {
        let is_too_long = bytes.len() >= MOST;
        return if is_too_long { Err(format!("its head is longer than {MOST} bytes")) } else { Ok(None) };
    };
    let mut draft = Draft::default();
    for line in bytes.get(..end).unwrap_or_default().split(|&byte| byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if !line.is_empty() {
            draft.take(line)?;
        }
    }
    draft.finish().map(|head| Some((head, end)))
}

/// Where the empty line ends. A line ends as those of the system do, or as those of the network (section 6.2, `NL`).
fn end(bytes: &[u8]) -> Option<usize> {
    let mut start = 0;
    for feed in memchr::memchr_iter(b'\n', bytes.get(..bytes.len().min(MOST)).unwrap_or_default()) {
        if matches!(bytes.get(start..feed), Some(b"" | b"\r")) {
            return Some(feed + 1);
        }
        start = feed + 1;
    }
    None
}

#[derive(Default)]
struct Draft {
    status: Option<Status>,
    location: Option<Vec<u8>>,
    length: Option<u64>,
    headers: HeaderList,
    fields: usize,
}

impl Draft {
    fn take(&mut self, line: &[u8]) -> Result<(), String> {
        let wrong = |what: &str| format!("{what}: {:?}", String::from_utf8_lossy(line.get(..SHOWN).unwrap_or(line)));
        let colon = memchr::memchr(b':', line).ok_or_else(|| wrong("a line of its head is no field"))?;
        let (name, value) = line.split_at_checked(colon).unwrap_or_default();
        let value = value.get(1..).unwrap_or_default().trim_ascii();
        let name = std::str::from_utf8(name).map_err(|_| wrong("a name in its head is no text"))?;
        let is = |other: &str| name.eq_ignore_ascii_case(other);
        self.fields = self.fields.saturating_add(1);
        if self.fields > MOST_FIELDS {
            return Err(format!("its head has more than {MOST_FIELDS} fields"));
        }
        if is("status") {
            if self.status.is_some() {
                return Err(wrong("it says Status twice"));
            }
            self.status = Some(status(value).ok_or_else(|| wrong("this is no status"))?);
        } else if is("content-length") {
            let length = std::str::from_utf8(value).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
            let length = length.and_then(|text| text.parse().ok()).ok_or_else(|| wrong("this is no length"))?;
            if self.length.replace(length).is_some_and(|other| other != length) {
                return Err(wrong("it announces two lengths"));
            }
        } else if is("location") {
            if self.location.replace(value.to_owned()).is_some() {
                return Err(wrong("it says Location twice"));
            }
        } else if !NOT_PASSED_ON.iter().any(|one| is(one)) {
            self.headers.push(name, value);
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Head, String> {
        if self.fields == 0 {
            return Err("its output begins with an empty line where its head should be".to_owned());
        }
        // A path is meant for the server, unless there is a status with it; anything else is
        // for the peer (section 6.2).
        let mut elsewhere = None;
        if let Some(place) = self.location {
            if self.status.is_none() && place.starts_with(b"/") && !place.starts_with(b"//") {
                elsewhere = Some(String::from_utf8_lossy(&place).into());
            } else {
                self.status.get_or_insert(Status::FOUND);
                self.headers.push("Location", place);
            }
        }
        match self.headers.refusal() {
            Some(why) => Err(why.to_owned()),
            None => Ok(Head {
                status: self.status.unwrap_or(Status::OK),
                headers: self.headers,
                length: self.length,
                elsewhere,
            }),
        }
    }
}

/// Bytes of a line that are shown to the log.
const SHOWN: usize = 120;

/// Three digits, and a reason that nobody needs; a final status (RFC 9110 section 15).
fn status(value: &[u8]) -> Option<Status> {
    let (digits, rest) = value.split_at_checked(3)?;
    let code = std::str::from_utf8(digits).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
    let is_apart = rest.first().is_none_or(|&byte| byte == b' ');
    Status::new(code.parse().ok()?).filter(|status| is_apart && status.class() > 1)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        match read(text.as_bytes()) {
            Ok(None) => "more".to_owned(),
            Ok(Some((head, end))) => {
                let fields: Vec<String> =
                    head.headers.iter().map(|(name, value)| format!("{name}={}", value.escape_ascii())).collect();
                let length = head.length.map(|length| format!(" length {length}")).unwrap_or_default();
                let elsewhere = head.elsewhere.map(|path| format!(" -> {path}")).unwrap_or_default();
                format!("{} [{}]{length}{elsewhere} then {:?}", head.status.code(), fields.join(" "), &text[end..])
            }
            Err(why) => format!("wrong: {why}"),
        }
    }

    #[test]
    fn heads_and_what_they_mean() {
        let cases = [
            ("Content-Type: text/plain\n\nhello", "200 [Content-Type=text/plain] then \"hello\""),
            ("Content-Type: text/plain\r\n\r\n", "200 [Content-Type=text/plain] then \"\""),
            ("Status: 404 Not Found\r\nX-A:b\r\n\r\n", "404 [X-A=b] then \"\""),
            ("status:204\n\n", "204 [] then \"\""),
            ("Content-Length: 5\nA: b\n\nhello", "200 [A=b] length 5 then \"hello\""),
            ("Set-Cookie: a=b\nSet-Cookie: c=d\n\n", "200 [Set-Cookie=a=b Set-Cookie=c=d] then \"\""),
            // Redirects: elsewhere in this server, by the peer, and by the peer though the path is local.
            ("Location: /a?b=c\n\n", "200 [] -> /a?b=c then \"\""),
            ("Location: http://a/b\n\n", "302 [Location=http://a/b] then \"\""),
            ("Location: //a/b\n\n", "302 [Location=//a/b] then \"\""),
            ("Status: 303 See Other\nLocation: /a\n\n", "303 [Location=/a] then \"\""),
            ("Location: /a\nStatus: 301 Moved\n\n", "301 [Location=/a] then \"\""),
            ("Location: http://a/b\nStatus: 301 Moved\n\n", "301 [Location=http://a/b] then \"\""),
            // Not a program's business.
            ("Connection: close\nTransfer-Encoding: chunked\nDate: now\nUpgrade: b\nA: b\n\n", "200 [A=b] then \"\""),
            // Not complete.
            ("", "more"),
            ("Content-Type: text/plain\n", "more"),
            ("Content-Type: text/plain\r\n\r", "more"),
            // Not a head.
            ("\nhello", "wrong: its output begins with an empty line where its head should be"),
            ("<p>hello\n\n", "wrong: a line of its head is no field: \"<p>hello\""),
            ("Status: soon\n\n", "wrong: this is no status: \"Status: soon\""),
            ("Status: 100 Continue\n\n", "wrong: this is no status: \"Status: 100 Continue\""),
            ("Status: 2000\n\n", "wrong: this is no status: \"Status: 2000\""),
            ("Status: 200\nStatus: 404\n\n", "wrong: it says Status twice: \"Status: 404\""),
            ("Location: /a\nLocation: /b\n\n", "wrong: it says Location twice: \"Location: /b\""),
            ("Location: /a\nLocation: http://a\n\n", "wrong: it says Location twice: \"Location: http://a\""),
            ("Location: http://a\nLocation: /b\n\n", "wrong: it says Location twice: \"Location: /b\""),
            ("Content-Length: -1\n\n", "wrong: this is no length: \"Content-Length: -1\""),
            ("Content-Length: 1\nContent-Length: 2\n\n", "wrong: it announces two lengths: \"Content-Length: 2\""),
        ];
        for (text, expected) in cases {
            assert_eq!(told(text), expected, "{text:?}");
        }
        assert!(told("A B: c\n\n").starts_with("wrong: \"A B\" is no header name"));
        assert!(told("A: b\rc\n\n").starts_with("wrong: the value of the header A has the control character"));
    }

    #[test]
    fn there_are_so_many_fields() {
        assert!(told(&format!("{}\n", "A: b\n".repeat(MOST_FIELDS))).starts_with("200 "));
        let more = format!("{}\n", "A: b\n".repeat(MOST_FIELDS + 1));
        assert_eq!(told(&more), "wrong: its head has more than 1000 fields");
    }

    #[test]
    fn a_head_without_end_is_refused() {
        let endless = "A: b\n".repeat(MOST / 5);
        assert_eq!(told(&endless), "more");
        assert_eq!(told(&format!("{endless}A: b\n")), format!("wrong: its head is longer than {MOST} bytes"));
    }
}
