//! `decode`: a head means the same however it was cut, keeps its limits, and is made of what the grammar allows.
#![no_main]

mod dice;

use libfuzzer_sys::fuzz_target;
use ownhands::Limits;
use ownhands::http::{BodyLength, FIELD_SLOTS, Progress, Trust, decode, slots};

use dice::Dice;

fuzz_target!(|input: &[u8]| {
    let (mut dice, wire) = Dice::split(input);
    let limits = limits(&mut dice);
    let whole = read(wire, [wire.len()], &limits);
    assert_eq!(whole, read(wire, 1..=wire.len(), &limits), "byte by byte");
    let mut at = 0;
    let mut cuts = Vec::new();
    while dice.has_more() {
        at += dice.number();
        cuts.push(at.min(wire.len()));
    }
    cuts.push(wire.len());
    assert_eq!(whole, read(wire, cuts, &limits), "cut by chance");
    if let Some(Ok((length, _))) = whole {
        let alone = &wire[..length];
        assert_eq!(whole, read(alone, [length], &limits), "without what follows");
        assert_eq!(None, read(&alone[..length - 1], [length - 1], &limits), "without its last byte");
    }
});

/// Mostly the usual ones; else small enough to be met.
fn limits(dice: &mut Dice<'_>) -> Limits {
    let usual = Limits::default();
    if dice.byte() & 1 == 0 {
        return usual;
    }
    let number = |byte: usize| if byte == 255 { usize::MAX } else { byte };
    Limits {
        head: number(dice.number()).saturating_mul(2),
        target: number(dice.number()),
        fields: number(dice.number()),
        body: number(dice.number()) as u64,
        ..usual
    }
}

/// What came of a head: its length and all that it says, or the refusal. `None`: it is not complete.
type Outcome = Option<Result<(usize, String), String>>;

/// Reads a head whose bytes come up to each of `ends` in turn.
fn read(wire: &[u8], ends: impl IntoIterator<Item = usize>, limits: &Limits) -> Outcome {
    let mut progress = Progress::default();
    for end in ends {
        let mut slots = slots();
        match decode(&wire[..end], &mut slots, &mut progress, limits) {
            Ok(None) => {}
            Err(error) => {
                assert!(error.status.class() == 4 || error.status.class() == 5, "{error}");
                return Some(Err(error.to_string()));
            }
            Ok(Some(head)) => {
                let framing = head.framing;
                assert!(framing.head <= end, "the head is longer than what came");
                assert!(head.headers.len() <= limits.fields.min(FIELD_SLOTS), "too many fields");
                assert!(head.raw_target.len() <= limits.target, "too long a target");
                assert!(!matches!(framing.body, BodyLength::Known(length) if length > limits.body), "too long a body");
                assert!(head.raw_target.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#'));
                assert!(is_token(head.method.as_str()));
                // Who is behind a proxy is read from any bytes.
                let everybody = Trust::default().with_local();
                let stranger = everybody.client(head.headers, None);
                assert!(stranger.is_none_or(|client| client == client.to_canonical()));
                for (name, value) in head.headers.iter() {
                    assert!(is_token(name), "{name:?}");
                    assert!(value.iter().all(|&byte| byte == b'\t' || (byte >= b' ' && byte != 0x7f)), "{value:?}");
                    assert_eq!(value, value.trim_ascii(), "a value is trimmed");
                }
                let said =
                    format!("{:?} {} {:?} {:?} {framing:?}", head.method, head.raw_target, head.target, head.authority);
                let fields: Vec<_> = head.headers.iter().collect();
                return Some(Ok((framing.head, format!("{said} {fields:?}"))));
            }
        }
    }
    None
}

/// RFC 9110 section 5.6.2, written down by what is left out.
fn is_token(text: &str) -> bool {
    let is_delimiter = |byte: u8| b"\"(),/:;<=>?@[\\]{}".contains(&byte);
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && !is_delimiter(byte))
}
