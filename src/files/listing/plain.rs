//! The listing for a peer that is no browser: lines as `ls -l` has them, with exact sizes; and the same with links.

use std::io::Write as _;

use super::entries::{MAX_ENTRIES, Row, Shape, Summary};
use super::page::escape;
use super::{date, href, slash};
use crate::http::Request;

pub(super) fn begin(request: &Request<'_>, out: &mut Vec<u8>) {
    let _ = write!(out, "{}\n\n", visible(request.path_bytes));
}

pub(super) fn row(name: &[u8], row: &Row, size_width: usize, out: &mut Vec<u8>) {
    columns(row, size_width, out);
    let _ = writeln!(out, "{}{}{}", visible(name), slash(row), why(row));
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
        let _ = write!(out, "<a href=\"{}\">", href(name, row));
    }
    escape(name, out);
    let end = if row.barred.is_none() { "</a>" } else { "" };
    let _ = writeln!(out, "{}{end}{}", slash(row), why(row));
}

pub(super) fn end_links(summary: &Summary, out: &mut Vec<u8>) {
    end_rows(summary, out);
    out.extend_from_slice(b"</pre>\n");
}

/// What stands before the name.
fn columns(row: &Row, size_width: usize, out: &mut Vec<u8>) {
    let kind = match row.shape {
        Shape::Directory => 'd',
        Shape::File => '-',
        Shape::Other => '?',
    };
    let size = if row.shape == Shape::File { row.size.to_string() } else { "-".to_owned() };
    let _ = write!(out, "{kind}  {size:>size_width$}  {:16}  ", date(row.modified));
}

fn why(row: &Row) -> String {
    row.barred.map(|barred| format!("  ({})", barred.why())).unwrap_or_default()
}

/// A name as it may go to a terminal: control characters, which could move its cursor or worse, become `?`, as with
/// `ls`.
fn visible(name: &[u8]) -> String {
    String::from_utf8_lossy(name).chars().map(|char| if char.is_control() { '?' } else { char }).collect()
}
