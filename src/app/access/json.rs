//! A line as a JSON object (RFC 8259).

use std::fmt::Display;
use std::io::Write;

use super::Clock;
use crate::service::Exchange;

/// How the time is written (RFC 3339).
pub(super) const TIME: &str = "%Y-%m-%dT%H:%M:%S%:z";

pub(super) fn push(exchange: &Exchange, clock: &mut Clock, out: &mut Vec<u8>) {
    let connected = exchange.peer.map(|peer| peer.ip().to_canonical());
    // Writing to memory does not fail.
    let _ = write!(out, "{{\"time\":\"{}\"", clock.show(exchange.ended));
    push_shown("client", exchange.client, out);
    push_shown("peer", connected.filter(|_| exchange.client != connected), out);
    match words(&exchange.line) {
        Some((method, target, version)) => {
            push_text("method", Some(method), out);
            push_text("target", Some(target), out);
            push_text("version", Some(version), out);
        }
        None => push_text("line", Some(&exchange.line), out),
    }
    let _ = write!(out, ",\"status\":{},\"bytes\":{}", exchange.status.code(), exchange.sent);
    let _ = write!(out, ",\"seconds\":{}.{:06}", exchange.took.as_secs(), exchange.took.subsec_micros());
    push_text("referer", exchange.referer.as_deref(), out);
    push_text("agent", exchange.agent.as_deref(), out);
    push_text("id", exchange.id.as_deref(), out);
    out.push(b'}');
}

/// Method, target and version, if it is a request line as RFC 9112 section 3 has it.
fn words(line: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let mut words = line.split(|&byte| byte == b' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    let is_line = words.next().is_none() && version.starts_with(b"HTTP/") && !method.is_empty() && !target.is_empty();
    is_line.then_some((method, target, version))
}

/// What is made of digits, letters, dots and colons.
fn push_shown(name: &str, value: Option<impl Display>, out: &mut Vec<u8>) {
    if let Some(value) = value {
        let _ = write!(out, ",\"{name}\":\"{value}\"");
    }
}

fn push_text(name: &str, value: Option<&[u8]>, out: &mut Vec<u8>) {
    let Some(value) = value else { return };
    let _ = write!(out, ",\"{name}\":\"");
    for chunk in value.utf8_chunks() {
        chunk.valid().chars().for_each(|character| push_character(character, out));
        chunk.invalid().iter().for_each(|&byte| push_escape(byte, out));
    }
    out.push(b'"');
}

/// Nothing that a peer sent can end the string, or speak to a terminal: also not by the control
/// characters from U+0080 on.
fn push_character(character: char, out: &mut Vec<u8>) {
    match u8::try_from(character) {
        Ok(byte @ (b'"' | b'\\')) => out.extend_from_slice(&[b'\\', byte]),
        Ok(byte) if character.is_control() => push_escape(byte, out),
        _ => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
    }
}

fn push_escape(byte: u8, out: &mut Vec<u8>) {
    let _ = write!(out, "\\u00{byte:02x}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes() {
        let cases: [(&[u8], &str); 6] = [
            (b"a b/'<&", "a b/'<&"),
            (b"\"\\", r#"\"\\"#),
            (b"\0\r\n\t\x1b\x7f", r"\u0000\u000d\u000a\u0009\u001b\u007f"),
            ("é→🦀".as_bytes(), "é→🦀"),
            (b"\xff\xc3(\xe2\x82", r"\u00ff\u00c3(\u00e2\u0082"),
            ("\u{9b}31m".as_bytes(), r"\u009b31m"),
        ];
        for (bytes, want) in cases {
            let mut out = Vec::new();
            push_text("a", Some(bytes), &mut out);
            assert_eq!(String::from_utf8_lossy(&out), format!(",\"a\":\"{want}\""));
        }
    }

    #[test]
    fn request_lines() {
        let none: [&[u8]; 7] =
            [b"", b"GET", b"GET /", b"GET  / HTTP/1.1", b"GET / a HTTP/1.1", b"\x16\x03 a b", b" / HTTP/1.1"];
        for line in none {
            assert_eq!(words(line), None, "{}", line.escape_ascii());
        }
        assert_eq!(words(b"G\xff /a HTTP/9"), Some((&b"G\xff"[..], &b"/a"[..], &b"HTTP/9"[..])));
    }
}
