//! The listing for a program: an array of objects, one a line.

use std::io::Write as _;

use super::digits::{date, number};
use super::entries::{MAX_ENTRIES, Row, Shape, Summary};
use super::href;

/// One entry. A name that is no UTF-8 has U+FFFD in it; its `href` is exact.
pub(super) fn row(name: &[u8], row: &Row, is_first: bool, out: &mut Vec<u8>) {
    let kind = match row.shape {
        Shape::Directory => "directory",
        Shape::File => "file",
        Shape::Other => "other",
    };
    out.extend_from_slice(if is_first { b"[\n{\"name\":" } else { b",\n{\"name\":" });
    string(name, out);
    out.extend_from_slice(b",\"type\":\"");
    out.extend_from_slice(kind.as_bytes());
    out.push(b'"');
    if row.shape == Shape::File {
        out.extend_from_slice(b",\"size\":");
        number(row.size, out);
    }
    if let Some(date) = date(row.modified) {
        out.extend_from_slice(b",\"mtime\":\"");
        out.extend_from_slice(&date.minute_with_t());
        out.extend_from_slice(&date.second());
        out.extend_from_slice(b"Z\"");
    }
    match row.barred {
        None => {
            out.extend_from_slice(b",\"href\":\"");
            href(name, row, out);
        }
        Some(barred) => {
            out.extend_from_slice(b",\"note\":\"");
            out.extend_from_slice(barred.why().as_bytes());
        }
    }
    out.extend_from_slice(b"\"}");
}

pub(super) fn end_rows(summary: &Summary, is_empty: bool, out: &mut Vec<u8>) {
    if summary.is_cut {
        let _ = write!(out, ",\n{{\"note\":\"these are the first {MAX_ENTRIES} entries, there are more\"}}");
    }
    out.extend_from_slice(if is_empty { b"[]\n" } else { b"\n]\n" });
}

/// A string as RFC 8259 section 7 has it.
fn string(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    if text.iter().all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\')) {
        out.extend_from_slice(text);
        return out.push(b'"');
    }
    for char in String::from_utf8_lossy(text).chars() {
        match char {
            '"' | '\\' => out.extend_from_slice(&[b'\\', if char == '"' { b'"' } else { b'\\' }]),
            '\0'..='\x1f' | '\x7f'..='\u{9f}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(char));
            }
            char => out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out.push(b'"');
}
