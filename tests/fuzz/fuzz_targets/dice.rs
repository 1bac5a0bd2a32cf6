//! Decisions taken from the front of a fuzzer's input, so that it can steer them; zeros when they are used up.

/// A row of decisions.
pub struct Dice<'a>(&'a [u8]);

impl<'a> Dice<'a> {
    /// Splits an input into decisions and what they are about: the first byte is the number of the decisions.
    pub fn split(input: &'a [u8]) -> (Dice<'a>, &'a [u8]) {
        let Some((&count, rest)) = input.split_first() else { return (Dice(&[]), &[]) };
        let (decisions, rest) = rest.split_at(usize::from(count).min(rest.len()));
        (Dice(decisions), rest)
    }

    pub fn byte(&mut self) -> u8 {
        let Some((&byte, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        byte
    }

    pub fn number(&mut self) -> usize {
        usize::from(self.byte())
    }

    /// True until the decisions are used up.
    pub fn has_more(&self) -> bool {
        !self.0.is_empty()
    }
}
