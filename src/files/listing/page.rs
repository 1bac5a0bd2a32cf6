//! The listing for a browser: one table, complete without scripts, the same at the width of a phone and of a desk.

use std::io::Write as _;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use super::date;
use super::entries::{Row, Shape, Summary};
use crate::http::Request;

/// Nothing is loaded and nothing runs; a name that slipped through the escaping would still do nothing.
pub(super) const HEADERS: &[u8] = b"Content-Type: text/html; charset=utf-8\r\n\
    Cache-Control: no-cache\r\n\
    Vary: Accept\r\n\
    X-Content-Type-Options: nosniff\r\n\
    Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; base-uri 'none'; \
    form-action 'none'\r\n";

const STYLE: &str = include_str!("../../../static/listing.css");

/// All but the unreserved characters (RFC 3986 section 2.3). A colon is encoded too: `a:b` would be an absolute
/// reference.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Everything above the table.
pub(super) fn begin(request: &Request<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(
        b"<!doctype html>\n<html lang=en>\n<meta charset=utf-8>\n\
        <meta name=viewport content=\"width=device-width,initial-scale=1\">\n<title>",
    );
    escape(request.path_bytes, out);
    let _ = write!(out, "</title>\n<style>\n{STYLE}</style>\n<h1>");
    crumbs(request.mount.as_bytes(), request.path_below_mount(), out);
    out.extend_from_slice(b"</h1>\n");
}

/// The path, each directory above a link to it; relative, so that they hold behind any prefix.
fn crumbs(mount: &[u8], below: &[u8], out: &mut Vec<u8>) {
    let below = below.strip_prefix(b"/").unwrap_or(below);
    let count = below.split_inclusive(|&byte| byte == b'/').count();
    let root = [mount, b"/"].concat();
    let names = std::iter::once(&root[..]).chain(below.split_inclusive(|&byte| byte == b'/'));
    for (index, name) in names.enumerate() {
        let above = count - index;
        if above == 0 {
            escape(name, out);
        } else {
            let _ = write!(out, "<a href=\"{}\">", "../".repeat(above));
            escape(name, out);
            out.extend_from_slice(b"</a>");
        }
        // Where a long path may break.
        out.extend_from_slice(b"<wbr>");
    }
}

/// The table down to its first entry.
pub(super) fn begin_rows(summary: &Summary, has_parent: bool, out: &mut Vec<u8>) {
    let _ = write!(out, "<table>\n<caption>{}", summary.counts());
    if summary.files > 0 {
        let _ = write!(out, ", <span title=\"{} bytes\">{}</span>", summary.bytes, short(summary.bytes));
    }
    out.extend_from_slice(b"</caption>\n<thead><tr><th>Name<th>Size<th>Modified (UTC)\n<tbody>\n");
    if has_parent {
        out.extend_from_slice(b"<tr><td><a href=\"../\">../</a><td><td>\n");
    }
}

pub(super) fn row(name: &[u8], row: &Row, out: &mut Vec<u8>) {
    let slash = if row.shape == Shape::Directory { "/" } else { "" };
    // The link covers the whole row, so what is shown on hovering has to stand on the row too.
    let _ = match row.shape {
        Shape::File => write!(out, "<tr title=\"{} bytes\"><td>", row.size),
        _ => write!(out, "<tr><td>"),
    };
    match row.barred {
        None => {
            let _ = write!(out, "<a href=\"{}{slash}\">", percent_encode(name, ENCODED));
            escape(name, out);
            let _ = write!(out, "{slash}</a>");
        }
        Some(barred) => {
            escape(name, out);
            let _ = write!(out, "{slash} <i>{}</i>", barred.why());
        }
    }
    let size = if row.shape == Shape::File { short(row.size) } else { String::new() };
    // Such a date is a valid one for the element as it stands; an attribute would only say it twice.
    let _ = writeln!(out, "<td>{size}<td><time>{}</time>", date(row.modified));
}

pub(super) fn end_rows(out: &mut Vec<u8>) {
    out.extend_from_slice(b"</table>\n");
}

/// A size in three figures at most: `999 B`, `1.2 kB`, `45 MB`. The units are those of SI, a thousand each.
fn short(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    let mut unit = 1000;
    for (index, name) in UNITS.iter().enumerate() {
        // Rounded half up: 9950 is 10 kB and 999500 is 1.0 MB, never 1000 kB.
        let tenths = (u128::from(bytes) * 10 + unit / 2) / unit;
        let whole = (u128::from(bytes) + unit / 2) / unit;
        if tenths < 100 {
            return format!("{}.{} {name}", tenths / 10, tenths % 10);
        }
        if whole < 1000 || index + 1 == UNITS.len() {
            return format!("{whole} {name}");
        }
        unit *= 1000;
    }
    String::new()
}

/// Writes text into a page. What is no UTF-8 shows as U+FFFD, and control characters as their pictures, so that every
/// name can be seen.
fn escape(text: &[u8], out: &mut Vec<u8>) {
    for char in String::from_utf8_lossy(text).chars() {
        match char {
            '&' => out.extend_from_slice(b"&amp;"),
            '<' => out.extend_from_slice(b"&lt;"),
            '>' => out.extend_from_slice(b"&gt;"),
            '"' => out.extend_from_slice(b"&quot;"),
            '\0'..='\x1f' => push(char::from_u32(0x2400 + u32::from(char)).unwrap_or(' '), out),
            '\x7f' => push('\u{2421}', out),
            char => push(char, out),
        }
    }
}

fn push(char: char, out: &mut Vec<u8>) {
    out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
}
