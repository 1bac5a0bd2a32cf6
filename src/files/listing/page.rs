//! The listing for a browser: one table, complete without scripts, the same at the width of a phone and of a desk.

use std::io::Write as _;

use percent_encoding::percent_encode;

use super::digits::{date, number};
use super::entries::{MAX_ENTRIES, Row, Shape, Summary};
use super::sheets::Sheets;
use super::survey::Survey;
use super::{ENCODED, href, slash};
use crate::http::Request;

/// Bytes of a README that are shown: some 15 pages of text.
const MAX_README: usize = 64 * 1024;

/// Everything above the table.
pub(super) fn begin(request: &Request<'_>, sheets: &Sheets, out: &mut Vec<u8>) {
    out.extend_from_slice(
        b"<!doctype html>\n<html lang=en>\n<meta charset=utf-8>\n\
        <meta name=viewport content=\"width=device-width,initial-scale=1\">\n<title>",
    );
    escape(request.path_bytes, out);
    let below = request.path_below_mount();
    let depth = memchr::memchr_iter(b'/', below).count().saturating_sub(1);
    // An icon of nothing: otherwise a browser asks for one, and complains that there is none.
    let _ = write!(out, "</title>\n<link rel=icon href=\"data:,\">\n{}<h1>", sheets.links(depth));
    crumbs(request.mount.as_bytes(), below, out);
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
        let _ = write!(out, ", <span title=\"{} bytes\">", summary.bytes);
        short(summary.bytes, out);
        out.extend_from_slice(b"</span>");
    }
    out.extend_from_slice(b"</caption>\n<thead><tr><th aria-sort=ascending>Name<th>Size<th>Modified (UTC)\n<tbody>\n");
    if has_parent {
        out.extend_from_slice(b"<tr><td><a href=\"../\">../</a><td><td>\n");
    }
}

pub(super) fn row(name: &[u8], row: &Row, out: &mut Vec<u8>) {
    // The link covers the whole row, so what is shown on hovering has to stand on the row too.
    if row.shape == Shape::File && row.size >= EXACT {
        out.extend_from_slice(b"<tr title=");
        number(row.size, out);
        out.extend_from_slice(b"B><td>");
    } else {
        out.extend_from_slice(b"<tr><td>");
    }
    match row.barred {
        None => {
            // A link is encoded, and ends in no slash: it needs no quotes. Of a directory, some readers take
            // `href=a/>` for an element that is closed at once.
            let is_quoted = row.shape == Shape::Directory;
            out.extend_from_slice(if is_quoted { b"<a href=\"" } else { b"<a href=" });
            let is_plain = href(name, row, out);
            out.extend_from_slice(if is_quoted { b"\">" } else { b">" });
            if is_plain {
                out.extend_from_slice(name);
            } else {
                escape(name, out);
            }
            slash(row, out);
            out.extend_from_slice(b"</a>");
        }
        Some(barred) => {
            escape(name, out);
            slash(row, out);
            let _ = write!(out, " <i>{}</i>", barred.why());
        }
    }
    out.extend_from_slice(b"<td>");
    if row.shape == Shape::File {
        short(row.size, out);
    }
    out.extend_from_slice(b"<td>");
    if let Some(date) = date(row.modified) {
        out.extend_from_slice(b"<time datetime=");
        out.extend_from_slice(&date.minute_with_t());
        out.extend_from_slice(b"Z>");
        out.extend_from_slice(&date.minute());
        out.extend_from_slice(b"</time>");
    }
    out.push(b'\n');
}

/// What stands below: what the directory says of itself, and the other faces.
pub(super) fn end_rows(survey: &Survey, out: &mut Vec<u8>) {
    out.extend_from_slice(b"</table>\n");
    if survey.entries.summary.is_cut {
        let _ = writeln!(out, "<p>These are the first {MAX_ENTRIES} entries, there are more.");
    }
    if let Some((name, mut text)) = survey.readme(MAX_README as u64 + 1) {
        let _ = write!(out, "<h2><a href={}>", percent_encode(name, ENCODED));
        escape(name, out);
        out.extend_from_slice(b"</a></h2>\n<pre>\n");
        let rest = if text.len() > MAX_README { "\n[...]" } else { "" };
        text.truncate(MAX_README);
        // Its lines and tabs are meant.
        for piece in text.split_inclusive(|byte| b"\n\t".contains(byte)) {
            match piece.split_last() {
                Some((last @ (b'\n' | b'\t'), before)) => {
                    escape(before.strip_suffix(b"\r").unwrap_or(before), out);
                    out.push(*last);
                }
                _ => escape(piece, out),
            }
        }
        let _ = writeln!(out, "{rest}</pre>");
    }
    out.extend_from_slice(
        b"<p>Also as <a rel=nofollow href=\"?format=json\">JSON</a>, <a rel=nofollow href=\"?format=text\">text</a>, \
        <a rel=nofollow href=\"?tar\">tar</a>\n",
    );
}

/// The first size that the short form may round.
const EXACT: u64 = 1000;

/// A size in three figures at most: `999 B`, `1.2 kB`, `45 MB`. The units are those of SI, a thousand each.
fn short(bytes: u64, out: &mut Vec<u8>) {
    const UNITS: [&[u8]; 6] = [b" kB", b" MB", b" GB", b" TB", b" PB", b" EB"];
    if bytes < EXACT {
        number(bytes, out);
        return out.extend_from_slice(b" B");
    }
    let mut unit = 1000;
    for (index, name) in UNITS.iter().enumerate() {
        // Rounded half up: 9950 is 10 kB and 999500 is 1.0 MB, never 1000 kB.
        let (whole, rest) = (bytes / unit, bytes % unit);
        let tenths = rest.saturating_mul(10).saturating_add(unit / 2) / unit;
        if whole < 10 && whole * 10 + tenths < 100 {
            let tenths = whole * 10 + tenths;
            number(tenths / 10, out);
            out.push(b'.');
            number(tenths % 10, out);
            return out.extend_from_slice(name);
        }
        let rounded = whole + u64::from(rest >= unit / 2);
        if rounded < 1000 || index + 1 == UNITS.len() {
            number(rounded, out);
            return out.extend_from_slice(name);
        }
        unit *= 1000;
    }
}

/// Writes text into a page. What is no UTF-8 shows as U+FFFD, and control characters as their pictures, so that every
/// name can be seen.
pub(super) fn escape(text: &[u8], out: &mut Vec<u8>) {
    // Nearly every name is written as it is.
    if text.iter().all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'&' | b'<' | b'>' | b'"')) {
        return out.extend_from_slice(text);
    }
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
