//! What decides the place of an entry nearly always, in one number: names are long to compare, and lie here and there
//! in memory.

use std::slice::IterMut;

use super::order::{letter, number};

/// Whether an entry is a directory, and how its name goes on behind what all names in its directory begin with. Of two
/// that differ the lighter one comes first; of two that do not, [`natural`](super::order::natural) tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Weight(u64);

impl Weight {
    pub(super) fn new(is_directory: bool, rest: &[u8]) -> Self {
        let mut weights = [0; size_of::<u64>()];
        let [kind, places @ ..] = &mut weights;
        *kind = u8::from(!is_directory);
        weigh(rest, &mut places.iter_mut());
        Weight(u64::from_be_bytes(weights))
    }
}

/// Puts down what a name weighs, letter by letter; the end of a name is lighter than any. Stops, with `None`, where no
/// place is left, or what is put down stands for several.
fn weigh(name: &[u8], places: &mut IterMut<'_, u8>) -> Option<()> {
    let mut rest = name;
    while let Some((first, after)) = rest.split_first() {
        let place = places.next()?;
        if first.is_ascii_digit() {
            // The more digits, the larger. It is a digit itself, for a number may meet a letter, and 9 is nine or more.
            let (digits, after) = number(rest);
            *place = b'9';
            *place = b'0' | u8::try_from(digits.len()).ok().filter(|count| *count < 9)?;
            for digit in digits {
                *places.next()? = *digit;
            }
            rest = after;
        } else if first.is_ascii() {
            *place = first.to_ascii_lowercase();
            rest = after;
        } else {
            // The small letter may be an ASCII one: that of the sign for Kelvin is `k`.
            let (letter, after) = letter(rest);
            *place = u8::MAX;
            *place = u8::try_from(letter).ok().filter(|weight| *weight < u8::MAX)?;
            rest = after;
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::super::order::natural;
    use super::*;

    #[test]
    fn weights_that_differ_are_in_the_order_of_the_names() {
        let digits = "0 00 1 07 10 12345678 123456789 999999999 1234567890 0999999999";
        let others = "- / : a B k \u{1} \u{7f} \u{80} \u{c9} \u{e9} \u{fe} \u{ff} \u{100} \u{212a} \u{10ffff}";
        let parts: Vec<&str> = digits.split(' ').chain(others.split(' ')).collect();
        let mut names: Vec<Vec<u8>> = vec![Vec::new(), b"\xff".to_vec(), b"\xe9a".to_vec()];
        names.extend(parts.iter().map(|part| part.as_bytes().to_vec()));
        names.extend(parts.iter().flat_map(|a| parts.iter().map(move |b| [*a, *b].concat().into_bytes())));
        let mut told = 0;
        for (a, b) in names.iter().flat_map(|a| names.iter().map(move |b| (a, b))) {
            let order = Weight::new(false, a).cmp(&Weight::new(false, b));
            assert!(order.is_eq() || order == natural(a, b), "{} {}", a.escape_ascii(), b.escape_ascii());
            assert!(Weight::new(true, a) < Weight::new(false, b));
            told += usize::from(order.is_ne());
        }
        assert!(told > 400_000, "only {told} of {}", names.len() * names.len());
    }
}
