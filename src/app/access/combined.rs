//! A line in the Combined format, with the time taken at its end.

use std::io::Write;

use super::Clock;
use crate::service::Exchange;

/// How the time is written.
pub(super) const TIME: &str = "%d/%b/%Y:%H:%M:%S %z";

pub(super) fn push(exchange: &Exchange, clock: &mut Clock, out: &mut Vec<u8>) {
    // Writing to memory does not fail.
    let _ = match exchange.client {
        Some(client) => write!(out, "{client}"),
        None => write!(out, "-"),
    };
    let _ = write!(out, " - - [{}] \"", clock.show(exchange.ended));
    push_escaped(if exchange.line.is_empty() { b"-" } else { &exchange.line }, out);
    let _ = write!(out, "\" {} {} \"", exchange.status.code(), exchange.sent);
    push_escaped(exchange.referer.as_deref().unwrap_or(b"-"), out);
    out.extend_from_slice(b"\" \"");
    push_escaped(exchange.agent.as_deref().unwrap_or(b"-"), out);
    let _ = write!(out, "\" {}.{:06}", exchange.took.as_secs(), exchange.took.subsec_micros());
}

/// Nothing that a peer sent can end the line, leave its quotes, or speak to a terminal.
fn push_escaped(bytes: &[u8], out: &mut Vec<u8>) {
    for &byte in bytes {
        match byte {
            b'"' | b'\\' | ..=0x1f | 0x7f.. => {
                let _ = write!(out, "\\x{byte:02X}");
            }
            plain => out.push(plain),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes() {
        let cases: [(&[u8], &str); 3] = [
            (b"GET /a b HTTP/1.1", "GET /a b HTTP/1.1"),
            (b"\x16\x03\x01\"\\\x7f\xff", r"\x16\x03\x01\x22\x5C\x7F\xFF"),
            (b"\x1b[31m\r\n", r"\x1B[31m\x0D\x0A"),
        ];
        for (bytes, want) in cases {
            let mut out = Vec::new();
            push_escaped(bytes, &mut out);
            assert_eq!(out, want.as_bytes());
        }
    }
}
