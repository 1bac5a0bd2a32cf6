//! The order of a listing, and a sort that can be interrupted.

use std::cmp::Ordering;

use super::entries::Row;
use crate::http::Produced;

/// Rows compared and moved in one slice.
const SLICE: usize = 1024;

/// As people count: `photo2` before `photo10`, `a` beside `A`; what is the same to a person goes by its bytes.
pub(super) fn natural(a: &[u8], b: &[u8]) -> Ordering {
    let (mut left, mut right) = (a, b);
    loop {
        let order = match (left.split_first(), right.split_first()) {
            (None, None) => return a.cmp(b),
            (Some((x, _)), Some((y, _))) if x.is_ascii_digit() && y.is_ascii_digit() => {
                let (x, after_x) = number(left);
                let (y, after_y) = number(right);
                (left, right) = (after_x, after_y);
                x.len().cmp(&y.len()).then_with(|| x.cmp(y))
            }
            (Some((x, after_x)), Some((y, after_y))) => {
                (left, right) = (after_x, after_y);
                x.to_ascii_lowercase().cmp(&y.to_ascii_lowercase())
            }
            (x, y) => return x.is_some().cmp(&y.is_some()),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// The digits at the front, without leading zeros, and the rest.
fn number(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    let zeros = digits.iter().take_while(|&&byte| byte == b'0').count();
    (digits.get(zeros..).unwrap_or_default(), rest)
}

/// A merge sort that stops after every slice: first runs of [`SLICE`] rows are sorted, then pairs of runs are merged,
/// until one run is left. A million rows take some ten thousand slices, none of them longer than the others.
#[derive(Debug)]
pub(super) struct Sorter {
    rows: Vec<Row>,
    /// Rows merged in this pass.
    merged: Vec<Row>,
    pass: Pass,
}

#[derive(Clone, Copy, Debug)]
enum Pass {
    /// Runs are being sorted; the next begins here.
    Runs(usize),
    /// Runs of `width` are being merged in pairs; `left` and `right` are the next rows of the pair that begins at
    /// `start`.
    Merge { width: usize, start: usize, left: usize, right: usize },
}

impl Sorter {
    pub(super) fn new(rows: Vec<Row>) -> Self {
        Sorter { rows, merged: Vec::new(), pass: Pass::Runs(0) }
    }

    /// The rows, in order once [`step`](Self::step) has said that this was all.
    pub(super) fn into_rows(self) -> Vec<Row> {
        self.rows
    }

    pub(super) fn step(&mut self, compare: impl Fn(&Row, &Row) -> Ordering) -> Produced {
        let count = self.rows.len();
        match self.pass {
            Pass::Runs(start) => {
                let end = start.saturating_add(SLICE).min(count);
                if let Some(run) = self.rows.get_mut(start..end) {
                    run.sort_unstable_by(&compare);
                }
                self.pass = if end < count { Pass::Runs(end) } else { Pass::pair(SLICE, 0) };
            }
            Pass::Merge { width, start, left, right } => self.merge(width, start, left, right, compare),
        }
        match self.pass {
            Pass::Merge { width, .. } if width >= count => Produced::All,
            _ => Produced::More,
        }
    }

    /// Moves up to a slice of rows of one pair of runs to where they belong.
    fn merge(
        &mut self,
        width: usize,
        start: usize,
        mut left: usize,
        mut right: usize,
        compare: impl Fn(&Row, &Row) -> Ordering,
    ) {
        let middle = start.saturating_add(width).min(self.rows.len());
        let end = middle.saturating_add(width).min(self.rows.len());
        for _ in 0..SLICE {
            let a = self.rows.get(left).filter(|_| left < middle);
            let b = self.rows.get(right).filter(|_| right < end);
            match (a, b) {
                (Some(a), b) if b.is_none_or(|b| compare(a, b).is_le()) => {
                    self.merged.push(*a);
                    left += 1;
                }
                (_, Some(b)) => {
                    self.merged.push(*b);
                    right += 1;
                }
                _ => break,
            }
        }
        self.pass = if left < middle || right < end {
            Pass::Merge { width, start, left, right }
        } else if end < self.rows.len() {
            Pass::pair(width, end)
        } else {
            std::mem::swap(&mut self.rows, &mut self.merged);
            self.merged.clear();
            Pass::pair(width.saturating_mul(2), 0)
        };
    }
}

impl Pass {
    fn pair(width: usize, start: usize) -> Pass {
        Pass::Merge { width, start, left: start, right: start.saturating_add(width) }
    }
}
