//! The listing for a peer that is no browser: lines as `ls -l` has them, with exact sizes; and the same with links.

use std::io::Write as _;

use super::digits::{date, number};
use super::entries::{MAX_ENTRIES, Row, Shape, Summary};
use super::page::escape;
use super::{href, slash};
use crate::http::Request;

pub(super) fn begin(request: &Request<'_>, out: &mut Vec<u8>) {
    visible(request.path_bytes, out);
    out.extend_from_slice(b"\n\n");
}

pub(super) fn row(name: &[u8], row: &Row, size_width: usize, out: &mut Vec<u8>) {
    columns(row, size_width, out);
    visible(name, out);
    slash(row, out);
    why(row, out);
    out.push(b'\n');
}

pub(super) fn end_rows(summary: &Summary, out: &mut Vec<u8>) {
    let gap = if summary.is_empty() { "" } else { "\n" };
    let bytes = if summary.files > 0 { format!(", {} bytes", summary.bytes) } else { String::new() };
    if summary.is_cut {
        let _ = writeln!(out, "\nThese are the first {MAX_ENTRIES} entries, there are more.");
    }
    let _ = writeln!(out, "{gap}{}{bytes}; times in UTC", summary.counts());
}

/// A page with nothing in it but links to the entries: what else it had, a mirror would have too.
pub(super) fn begin_links(request: &Request<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"<!doctype html>\n<html lang=en>\n<meta charset=utf-8>\n<title>");
    escape(request.path_bytes, out);
    out.extend_from_slice(b"</title>\n<pre>\n");
    escape(request.path_bytes, out);
    out.extend_from_slice(b"\n\n");
}

pub(super) fn link(name: &[u8], row: &Row, size_width: usize, out: &mut Vec<u8>) {
    columns(row, size_width, out);
    if row.barred.is_none() {
        out.extend_from_slice(b"<a href=\"");
        href(name, row, out);
        out.extend_from_slice(b"\">");
    }
    escape(name, out);
    slash(row, out);
    if row.barred.is_none() {
        out.extend_from_slice(b"</a>");
    }
    why(row, out);
    out.push(b'\n');
}

pub(super) fn end_links(summary: &Summary, out: &mut Vec<u8>) {
    end_rows(summary, out);
    out.extend_from_slice(b"</pre>\n");
}

/// What stands before the name.
fn columns(row: &Row, size_width: usize, out: &mut Vec<u8>) {
    out.push(match row.shape {
        Shape::Directory => b'd',
        Shape::File => b'-',
        Shape::Other => b'?',
    });
    out.extend_from_slice(b"  ");
    let start = out.len();
    if row.shape == Shape::File {
        number(row.size, out)
    } else {
        out.push(b'-')
    }
    // To the right of their column.
    let width = out.len() - start;
    let gap = size_width.saturating_sub(width);
    out.resize(out.len() + gap, b' ');
    if let Some(column) = out.get_mut(start..) {
        column.rotate_right(gap);
    }
    out.extend_from_slice(b"  ");
    match date(row.modified) {
        Some(date) => out.extend_from_slice(&date.minute()),
        None => out.extend_from_slice(&[b' '; 16]),
    }
    out.extend_from_slice(b"  ");
}

fn why(row: &Row, out: &mut Vec<u8>) {
    if let Some(barred) = row.barred {
        let _ = write!(out, "  ({})", barred.why());
    }
}

/// Writes a name as it may go to a terminal: control characters, which could move its cursor or worse, become `?`, as
/// with `ls`.
fn visible(name: &[u8], out: &mut Vec<u8>) {
    if name.iter().all(|byte| matches!(byte, b' '..=b'~')) {
        return out.extend_from_slice(name);
    }
    for char in String::from_utf8_lossy(name).chars() {
        let char = if char.is_control() { '?' } else { char };
        out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
    }
}
