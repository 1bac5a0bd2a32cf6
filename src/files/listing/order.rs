//! The order of a listing, and a sort that can be interrupted.

use std::cmp::Ordering;

use super::chunks::Chunks;
use super::entries::Row;
use crate::http::Produced;

/// Rows compared and moved in one slice.
const SLICE: usize = Chunks::SIZE;

/// Pieces of memory given back in one slice.
const FREED: usize = 32;

/// As people count: `photo2` before `photo10`, `a` beside `A`; what is the same to a person goes by its bytes.
pub(super) fn natural(a: &[u8], b: &[u8]) -> Ordering {
    // A directory is sorted by some thousands of comparisons, of names that are much the same.
    let passed = whole_parts(a.get(..same(a, b)).unwrap_or_default());
    by_parts(a.get(passed..).unwrap_or_default(), b.get(passed..).unwrap_or_default())
}

/// The order of two names, number by number and letter by letter.
fn by_parts(a: &[u8], b: &[u8]) -> Ordering {
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
            (Some((x, after_x)), Some((y, after_y))) if x.is_ascii() && y.is_ascii() => {
                (left, right) = (after_x, after_y);
                x.to_ascii_lowercase().cmp(&y.to_ascii_lowercase())
            }
            (Some(_), Some(_)) => {
                let (x, after_x) = letter(left);
                let (y, after_y) = letter(right);
                (left, right) = (after_x, after_y);
                x.cmp(&y)
            }
            (x, y) => return x.is_some().cmp(&y.is_some()),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
}

/// Bytes that are the same at the beginning of both.
pub(super) fn same(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(x, y)| x == y).count()
}

/// How much of what names begin with can be passed over, so that no number and no letter is cut in two.
pub(super) fn whole_parts(beginning: &[u8]) -> usize {
    let is_whole = |byte: &u8| byte.is_ascii() && !byte.is_ascii_digit();
    beginning.iter().rposition(is_whole).map_or(0, |last| last + 1)
}

/// The digits at the front, without leading zeros, and the rest.
pub(super) fn number(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    let zeros = digits.iter().take_while(|&&byte| byte == b'0').count();
    (digits.get(zeros..).unwrap_or_default(), rest)
}

/// The first letter, small, and the rest: an accented capital goes beside its small letter as well. What is no UTF-8
/// goes behind all letters.
pub(super) fn letter(text: &[u8]) -> (u32, &[u8]) {
    let length = match text.first() {
        Some(0xc2..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..=0xf4) => 4,
        _ => 1,
    };
    let whole = text.split_at_checked(length).and_then(|(letter, rest)| {
        let letter = std::str::from_utf8(letter).ok()?.chars().next()?;
        Some((u32::from(letter.to_lowercase().next().unwrap_or(letter)), rest))
    });
    whole.unwrap_or_else(|| {
        let (byte, rest) = text.split_first().unwrap_or((&0, &[]));
        (u32::from(char::MAX) + 1 + u32::from(*byte), rest)
    })
}

/// A merge sort that stops after every slice: first runs of [`SLICE`] rows are sorted, then pairs of runs are merged,
/// until one run is left. A million rows take some ten thousand slices, none of them longer than the others.
#[derive(Debug)]
pub(super) struct Sorter {
    rows: Chunks<Row>,
    /// Rows merged in this pass.
    merged: Chunks<Row>,
    pass: Pass,
}

#[derive(Clone, Copy, Debug)]
enum Pass {
    /// Runs are being sorted; the number of the next.
    Runs(usize),
    /// Runs of `width` are being merged in pairs; `left` and `right` are the next rows of the pair that begins at
    /// `start`.
    Merge { width: usize, start: usize, left: usize, right: usize },
    /// All are in order; what they were merged from is given back.
    Tidying,
}

impl Sorter {
    pub(super) fn new(rows: Chunks<Row>) -> Self {
        Sorter { rows, merged: Chunks::new(), pass: Pass::Runs(0) }
    }

    /// The rows, in order once [`step`](Self::step) has said that this was all.
    pub(super) fn into_rows(self) -> Chunks<Row> {
        self.rows
    }

    pub(super) fn step(&mut self, compare: impl Fn(&Row, &Row) -> Ordering) -> Produced {
        match self.pass {
            Pass::Runs(number) => match self.rows.chunk_mut(number) {
                Some(run) => {
                    run.sort_unstable_by(&compare);
                    self.pass = Pass::Runs(number + 1);
                }
                None => self.pass = self.pair(SLICE, 0),
            },
            Pass::Merge { width, start, left, right } => self.merge(width, start, left, right, compare),
            Pass::Tidying => {
                if !self.merged.free(FREED) {
                    return Produced::All;
                }
            }
        }
        // The usual directory is one run, and needs no slice of its own to find that out.
        match self.pass {
            Pass::Runs(1) if self.rows.len() <= SLICE => Produced::All,
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
            self.pair(width, end)
        } else {
            std::mem::swap(&mut self.rows, &mut self.merged);
            self.merged.clear();
            self.pair(width.saturating_mul(2), 0)
        };
    }

    /// The next pair, if one run of that width is not all.
    fn pair(&self, width: usize, start: usize) -> Pass {
        if width >= self.rows.len() {
            return Pass::Tidying;
        }
        Pass::Merge { width, start, left: start, right: start.saturating_add(width) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_both_begin_with_changes_nothing() {
        let letters = [b'0', b'1', b'9', b'-', b'a', b'B', 0xc3, 0xa9];
        let mut names = vec![Vec::new()];
        for length in 0..3 {
            let longest: Vec<Vec<u8>> = names.iter().filter(|name| name.len() == length).cloned().collect();
            names.extend(longest.iter().flat_map(|name| letters.map(|letter| [&name[..], &[letter]].concat())));
        }
        for (a, b) in names.iter().flat_map(|a| names.iter().map(move |b| (a, b))) {
            assert_eq!(natural(a, b), by_parts(a, b), "{} {}", a.escape_ascii(), b.escape_ascii());
            assert_eq!(natural(a, b).is_eq(), a == b);
        }
    }

    #[test]
    fn what_is_passed_over_cuts_nothing_in_two() {
        let cases = [("", 0), ("2026", 0), ("IMG_2026", 4), ("a", 1), ("a1.b", 4), ("x\u{e9}", 1), ("\u{e9}x", 3)];
        for (beginning, whole) in cases {
            assert_eq!(whole_parts(beginning.as_bytes()), whole, "{beginning}");
            for (a, b) in [("1", "10"), ("9", "10"), ("a", "B"), ("0", ""), ("\u{e9}", "f")] {
                let [a, b] = [a, b].map(|rest| [beginning, rest].concat().into_bytes());
                let rest = |name: &[u8]| name.get(whole..).unwrap_or_default().to_vec();
                assert_eq!(by_parts(&rest(&a), &rest(&b)), by_parts(&a, &b), "{beginning}");
            }
        }
    }
}
