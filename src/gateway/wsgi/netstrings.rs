//! Netstrings as they come over a socket, cut anywhere: `5:bytes,`.

/// Reads them piece by piece; a long one is passed on before it is complete.
#[derive(Debug, Default)]
pub(super) struct Netstrings {
    part: Part,
}

#[derive(Debug)]
enum Part {
    /// So many digits of the length were read, and this is their value.
    Length { digits: u32, value: usize },
    /// So many bytes are to come, and what follows them; `is_first` before the first.
    Bytes { left: usize, is_first: bool },
}

/// A part of one.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Piece<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) is_first: bool,
    pub(super) is_last: bool,
}

/// What was read is no netstring.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoNetstring;

/// Digits of a length: nothing is longer than ten thousand million bytes.
const MOST_DIGITS: u32 = 10;

impl Default for Part {
    fn default() -> Self {
        Part::Length { digits: 0, value: 0 }
    }
}

impl Netstrings {
    /// The next piece of what has come, which is taken off `input`; `None` if more must come.
    pub(super) fn next<'a>(&mut self, input: &mut &'a [u8]) -> Result<Option<Piece<'a>>, NoNetstring> {
        loop {
            match &mut self.part {
                Part::Length { digits, value } => {
                    let Some((&byte, rest)) = input.split_first() else { return Ok(None) };
                    *input = rest;
                    match byte {
                        b'0'..=b'9' if *digits < MOST_DIGITS => {
                            *digits += 1;
                            *value = value.saturating_mul(10).saturating_add(usize::from(byte - b'0'));
                        }
                        b':' if *digits > 0 => self.part = Part::Bytes { left: *value, is_first: true },
                        _ => return Err(NoNetstring),
                    }
                }
                Part::Bytes { left, is_first } => {
                    let (bytes, rest) = input.split_at_checked(*left).unwrap_or((input, &[]));
                    *left = left.saturating_sub(bytes.len());
                    let is_first = if *left == 0 {
                        // The comma belongs to it: what is complete is known to be.
                        let Some((&comma, behind)) = rest.split_first() else {
                            *input = rest;
                            let was_first = !bytes.is_empty() && std::mem::take(is_first);
                            let piece = Piece { bytes, is_first: was_first, is_last: false };
                            return Ok((!bytes.is_empty()).then_some(piece));
                        };
                        if comma != b',' {
                            return Err(NoNetstring);
                        }
                        *input = behind;
                        let was_first = *is_first;
                        self.part = Part::default();
                        return Ok(Some(Piece { bytes, is_first: was_first, is_last: true }));
                    } else {
                        std::mem::replace(is_first, *is_first && bytes.is_empty())
                    };
                    *input = rest;
                    let piece = Piece { bytes, is_first, is_last: false };
                    return Ok((!bytes.is_empty()).then_some(piece));
                }
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// The netstrings in these bytes, which come in pieces of this size.
    fn read(bytes: &[u8], size: usize) -> Result<Vec<String>, NoNetstring> {
        let (mut netstrings, mut found, mut open) = (Netstrings::default(), Vec::new(), None::<Vec<u8>>);
        for mut input in bytes.chunks(size) {
            while let Some(piece) = netstrings.next(&mut input)? {
                assert_eq!(piece.is_first, open.is_none(), "{piece:?}");
                open.get_or_insert_default().extend_from_slice(piece.bytes);
                if piece.is_last {
                    found.push(String::from_utf8(open.take().unwrap()).unwrap());
                }
            }
            assert!(input.is_empty());
        }
        Ok(found)
    }

    #[test]
    fn however_they_are_cut_they_are_the_same() {
        let wire = b"5:hello,0:,12:hello world!,0:,1:,,";
        for size in 1..=wire.len() {
            assert_eq!(read(wire, size).unwrap(), ["hello", "", "hello world!", "", ","], "{size}");
        }
        assert_eq!(read(b"5:hel", 2).unwrap(), [""; 0]);
    }

    #[test]
    fn what_is_none_is_found() {
        for wire in [&b"a:b,"[..], b":,", b"-1:,", b"1:ab", b"0:a", b"12345678901:", b"1 :a,"] {
            for size in 1..=wire.len() {
                assert_eq!(read(wire, size), Err(NoNetstring), "{wire:?} by {size}");
            }
        }
    }
}
