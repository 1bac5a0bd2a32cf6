//! The chunked transfer coding of a request body (RFC 9112 section 7.1), decoded in place.
//!
//! A strict automaton, a byte a step outside the data: every line ends in CR LF, and nothing else. Extensions and
//! trailers are checked, bounded and dropped; a trailer is never taken for a header.
//!
//! Extensions are checked to the letter although nobody uses them: two programs that find the end of an extension in
//! two places, such as a line end within quotes, find the end of the message in two places.

use super::field::{is_token_byte, is_value_byte};
use super::framing::body_too_long;
use super::{HttpError, Limits, Status};

/// Bytes of extensions allowed in all the chunk headers of one body: nobody uses them, some use
/// them to keep a server busy.
const MAX_EXTENSIONS: usize = 4 * 1024;

/// Digits of a chunk's size, leading zeros included: 64 bits.
const MAX_SIZE_DIGITS: u8 = 16;

/// Where in the coding the next byte stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Size {
        digits: u8,
        value: u64,
    },
    /// After the size: in the extensions.
    Extension {
        value: u64,
        at: Extension,
    },
    SizeEnd {
        value: u64,
    },
    Data {
        left: u64,
    },
    DataReturn,
    DataFeed,
    /// At the start of a trailer line, or of the empty line that ends the body.
    Trailer,
    TrailerName,
    TrailerValue,
    TrailerFeed,
    LastFeed,
    Done,
}

/// Where in `*( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] )` the next byte stands
/// (RFC 9112 section 7.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extension {
    /// After white space that only another extension may follow.
    Gap,
    /// After a semicolon: the name, or white space before it.
    Begin,
    Name,
    /// After white space behind a name: `=`, or the next semicolon.
    NameGap,
    /// After `=`: the value, or white space before it.
    Equals,
    Token,
    Quoted,
    /// After a backslash in quotes.
    Escaped,
    /// After the quotes.
    Closed,
}

impl Extension {
    /// What comes after this byte. `None`: it cannot stand here.
    const fn step(self, byte: u8) -> Option<Extension> {
        use Extension::{Begin, Closed, Equals, Escaped, Gap, Name, NameGap, Quoted, Token};
        let next = match (self, byte) {
            (Quoted, b'"') => Closed,
            (Quoted, b'\\') => Escaped,
            (Quoted | Escaped, byte) if is_value_byte(byte) => Quoted,
            (Gap | Name | NameGap | Token | Closed, b';') => Begin,
            (Name | NameGap, b'=') => Equals,
            (Equals, b'"') => Quoted,
            (Begin | Equals, b' ' | b'\t') => self,
            (Name | NameGap, b' ' | b'\t') => NameGap,
            (Gap | Token | Closed, b' ' | b'\t') => Gap,
            (Begin | Name, byte) if is_token_byte(byte) => Name,
            (Equals | Token, byte) if is_token_byte(byte) => Token,
            _ => return None,
        };
        Some(next)
    }

    /// True where the line may end.
    const fn is_complete(self) -> bool {
        matches!(self, Extension::Name | Extension::Token | Extension::Closed)
    }
}

/// The decoder of one body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChunkDecoder {
    state: State,
    decoded: u64,
    extensions: usize,
    trailers: usize,
}

/// What one call to [`ChunkDecoder::decode`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chunks {
    /// Coded bytes consumed from the front of the slice.
    pub(crate) read: usize,
    /// Decoded bytes that now stand at the front of the slice.
    pub(crate) wrote: usize,
    /// True if the body is complete.
    pub(crate) is_done: bool,
}

impl ChunkDecoder {
    pub(crate) const fn new() -> Self {
        ChunkDecoder { state: State::Size { digits: 0, value: 0 }, decoded: 0, extensions: 0, trailers: 0 }
    }

    /// Decodes as much as there is. The decoded bytes overwrite the coded ones from the front of the slice on;
    /// there are never more of them.
    pub(crate) fn decode(&mut self, bytes: &mut [u8], limits: &Limits) -> Result<Chunks, HttpError> {
        let mut read = 0;
        let mut wrote = 0;
        while self.state != State::Done {
            if let State::Data { left } = self.state {
                let here = bytes.len() - read;
                let take = usize::try_from(left).unwrap_or(usize::MAX).min(here);
                bytes.copy_within(read..read + take, wrote);
                read += take;
                wrote += take;
                let left = left.saturating_sub(take as u64);
                self.state = if left == 0 { State::DataReturn } else { State::Data { left } };
                if left > 0 {
                    break;
                }
            }
            let Some(&byte) = bytes.get(read) else { break };
            read += 1;
            self.state = self.step(byte, limits)?;
        }
        Ok(Chunks { read, wrote, is_done: self.state == State::Done })
    }

    fn step(&mut self, byte: u8, limits: &Limits) -> Result<State, HttpError> {
        let state = match (self.state, byte) {
            (State::Size { digits, value }, byte) if byte.is_ascii_hexdigit() => {
                let digit = char::from(byte).to_digit(16).unwrap_or(0);
                if digits == MAX_SIZE_DIGITS {
                    return Err(HttpError::bad_request("a chunk's size has more than 16 digits (RFC 9112 7.1)"));
                }
                State::Size { digits: digits + 1, value: (value << 4) | u64::from(digit) }
            }
            (State::Size { digits: 0, .. }, _) => {
                return Err(HttpError::bad_request(
                    "a chunk does not begin with its size in hexadecimal (RFC 9112 7.1)",
                ));
            }
            (State::Size { value, .. }, b'\r') => State::SizeEnd { value },
            (State::Size { value, .. }, b';') => State::Extension { value, at: Extension::Begin },
            (State::Size { value, .. }, _) => self.extend(value, Extension::Gap, byte)?,
            (State::Extension { value, at }, b'\r') if at.is_complete() => State::SizeEnd { value },
            (State::Extension { value, at }, _) => self.extend(value, at, byte)?,
            (State::SizeEnd { value }, b'\n') => self.begin_chunk(value, limits)?,
            (State::DataReturn, b'\r') => State::DataFeed,
            (State::DataFeed, b'\n') => State::Size { digits: 0, value: 0 },
            (State::DataReturn | State::DataFeed, _) => {
                return Err(HttpError::bad_request(
                    "a chunk's data is not followed by CR LF: its size is wrong (RFC 9112 7.1)",
                ));
            }
            (State::Trailer, b'\r') => State::LastFeed,
            (State::LastFeed, b'\n') => State::Done,
            (State::Trailer | State::TrailerName, byte) if is_token_byte(byte) => {
                self.count_trailer(limits)?;
                State::TrailerName
            }
            (State::TrailerName, b':') => State::TrailerValue,
            (State::TrailerValue, b'\r') => State::TrailerFeed,
            (State::TrailerValue, byte) if is_value_byte(byte) => {
                self.count_trailer(limits)?;
                State::TrailerValue
            }
            (State::TrailerFeed, b'\n') => State::Trailer,
            (State::Trailer | State::TrailerName | State::TrailerValue, _) => {
                return Err(HttpError::bad_request(
                    "what follows the last chunk is neither a field nor an empty line (RFC 9112 7.1.2)",
                ));
            }
            (State::SizeEnd { .. } | State::TrailerFeed | State::LastFeed, _) => {
                return Err(HttpError::bad_request(
                    "a line of the chunked coding does not end in CR LF (RFC 9112 7.1)",
                ));
            }
            (State::Data { .. } | State::Done, _) => self.state,
        };
        Ok(state)
    }

    fn begin_chunk(&mut self, size: u64, limits: &Limits) -> Result<State, HttpError> {
        if size == 0 {
            return Ok(State::Trailer);
        }
        match self.decoded.checked_add(size) {
            Some(decoded) if decoded <= limits.body => self.decoded = decoded,
            _ => return Err(body_too_long(limits)),
        }
        Ok(State::Data { left: size })
    }

    fn extend(&mut self, value: u64, at: Extension, byte: u8) -> Result<State, HttpError> {
        let Some(next) = at.step(byte) else {
            return Err(HttpError::bad_request(
                "a chunk's size is followed by neither CR LF nor an extension such as ;name=value (RFC 9112 7.1.1)",
            ));
        };
        self.extensions += 1;
        if self.extensions > MAX_EXTENSIONS {
            return Err(HttpError::bad_request(format!("the chunk extensions are longer than {MAX_EXTENSIONS} bytes")));
        }
        Ok(State::Extension { value, at: next })
    }

    /// Counts the bytes of names and values, and for each line the three that every line has besides.
    fn count_trailer(&mut self, limits: &Limits) -> Result<(), HttpError> {
        self.trailers += if self.state == State::Trailer { 4 } else { 1 };
        if self.trailers > limits.trailers {
            let detail = format!("the trailer section is longer than {} bytes", limits.trailers);
            return Err(HttpError::new(Status::HEADER_FIELDS_TOO_LARGE, detail));
        }
        Ok(())
    }
}
