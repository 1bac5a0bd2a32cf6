//! The listing for a peer that is no browser: lines as `ls -l` has them, with exact sizes.

use std::io::Write as _;

use super::date;
use super::entries::{Row, Shape, Summary};
use crate::http::Request;

pub(super) const HEADERS: &[u8] = b"Content-Type: text/plain; charset=utf-8\r\n\
    Cache-Control: no-cache\r\n\
    Vary: Accept\r\n\
    X-Content-Type-Options: nosniff\r\n";

pub(super) fn begin(request: &Request<'_>, out: &mut Vec<u8>) {
    let _ = write!(out, "{}\n\n", visible(request.path_bytes));
}

pub(super) fn row(name: &[u8], row: &Row, size_width: usize, out: &mut Vec<u8>) {
    let (kind, slash) = match row.shape {
        Shape::Directory => ('d', "/"),
        Shape::File => ('-', ""),
        Shape::Other => ('?', ""),
    };
    let size = if row.shape == Shape::File { row.size.to_string() } else { "-".to_owned() };
    let why = row.barred.map(|barred| format!("  ({})", barred.why())).unwrap_or_default();
    let _ = writeln!(out, "{kind}  {size:>size_width$}  {:16}  {}{slash}{why}", date(row.modified), visible(name));
}

pub(super) fn end_rows(summary: &Summary, out: &mut Vec<u8>) {
    let gap = if summary.directories + summary.files + summary.others == 0 { "" } else { "\n" };
    let bytes = if summary.files > 0 { format!(", {} bytes", summary.bytes) } else { String::new() };
    let _ = writeln!(out, "{gap}{}{bytes}; times in UTC", summary.counts());
}

/// A name as it may go to a terminal: control characters, which could move its cursor or worse, become `?`, as with
/// `ls`.
fn visible(name: &[u8]) -> String {
    String::from_utf8_lossy(name).chars().map(|char| if char.is_control() { '?' } else { char }).collect()
}
