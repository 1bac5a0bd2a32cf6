//! The listing for a peer that is no browser: lines as `ls -l` has them, with exact sizes.

use std::io::Write as _;

use super::entries::Row;
use super::{Summary, date};
use crate::http::Request;

pub(super) const HEADERS: &[u8] = b"Content-Type: text/plain; charset=utf-8\r\n\
    Cache-Control: no-cache\r\n\
    Vary: Accept\r\n\
    X-Content-Type-Options: nosniff\r\n";

pub(super) fn begin(request: &Request<'_>, out: &mut Vec<u8>) {
    let _ = write!(out, "{}\n\n", visible(request.path_bytes));
}

pub(super) fn row(name: &[u8], row: &Row, size_width: usize, out: &mut Vec<u8>) {
    let (kind, slash) = match row {
        Row { is_directory: true, .. } => ('d', "/"),
        Row { size: Some(_), .. } => ('-', ""),
        _ => ('?', ""),
    };
    let size = row.size.map_or_else(|| "-".to_owned(), |size| size.to_string());
    let date = row.modified.map(date).unwrap_or_default();
    let _ = write!(out, "{kind}  {size:>size_width$}  {date:16}  {}{slash}", visible(name));
    let _ = match row.barred {
        Some(why) => writeln!(out, "  ({why})"),
        None => writeln!(out),
    };
}

pub(super) fn end_rows(summary: &Summary, out: &mut Vec<u8>) {
    let gap = if summary.directories + summary.files + summary.others == 0 { "" } else { "\n" };
    let bytes = if summary.files > 0 { format!(", {} bytes", summary.bytes) } else { String::new() };
    let _ = writeln!(out, "{gap}{}{bytes}; times in UTC", summary.counts());
}

/// A name as it may go to a terminal: control characters, which could move its cursor or worse, become `?`, as with `ls`.
fn visible(name: &[u8]) -> String {
    String::from_utf8_lossy(name).chars().map(|char| if char.is_control() { '?' } else { char }).collect()
}
