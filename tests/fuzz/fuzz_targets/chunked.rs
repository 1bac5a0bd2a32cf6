//! A chunked body through a whole connection, cut by chance, against a reference decoder that sees all of it at once.
#![no_main]

mod dice;

use std::cell::{Cell, RefCell};

use libfuzzer_sys::fuzz_target;
use ownhands::connection::{Connection, Context, Next, Phase, Scratch};
use ownhands::http::Recall;
use ownhands::testing::MockConnection;
use ownhands::{Fragment, HttpError, Limits, Now, Request, Response, Service, Tick, Timeouts};

use dice::Dice;

const HEAD: &[u8] = b"POST /chunks HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

/// Bytes of extensions that a body may have in all; the semicolons that begin them are not counted.
const EXTENSIONS: usize = 4096;

fuzz_target!(|input: &[u8]| {
    let (mut dice, wire) = Dice::split(input);
    let usual = Limits::default();
    let limits = Limits { body: dice.number() as u64 * 4, trailers: dice.number(), ..usual };
    let (recorder, answers) = converse(HEAD, wire, &limits, &mut dice);
    let walked = walk(wire, &limits);
    let expected = match &walked {
        Ok((body, _)) => Outcome::Complete(body.clone()),
        Err(None) => Outcome::Incomplete,
        Err(Some(status)) => Outcome::Refused(*status),
    };
    assert_eq!(recorder.outcome(), expected, "{}", wire.escape_ascii());
    if let Ok((_, after)) = walked {
        // What follows the body is answered as if it stood alone: not a byte too many was taken, nor one too few.
        let (_, first) = converse(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"", &limits, &mut Dice::split(&[]).0);
        let (_, others) = converse(b"", after, &limits, &mut Dice::split(&[]).0);
        assert_eq!(answers, [first, others].concat(), "{}", wire.escape_ascii());
    }
});

/// What became of the body.
#[derive(Debug, PartialEq)]
enum Outcome {
    Complete(Vec<u8>),
    /// It ended too early.
    Incomplete,
    Refused(u16),
}

/// `Err(None)`: the bytes are over.
type Walk<T> = Result<T, Option<u16>>;

/// RFC 9112 section 7.1 as a walk over the whole: the body, and what follows it. It judges from left to
/// right, as a stream must.
fn walk<'a>(wire: &'a [u8], limits: &Limits) -> Walk<(Vec<u8>, &'a [u8])> {
    let mut rest = wire;
    let mut body = Vec::new();
    let mut promised = 0u64;
    let mut extensions = 0;
    loop {
        let size = size_line(&mut rest, &mut extensions)?;
        if size == 0 {
            break;
        }
        promised = promised.checked_add(size).filter(|&sum| sum <= limits.body).ok_or(Some(413))?;
        for _ in 0..size {
            body.push(next(&mut rest)?);
        }
        expect(&mut rest, b'\r')?;
        expect(&mut rest, b'\n')?;
    }
    let mut trailers = 0;
    let mut charge = |bytes: usize| {
        trailers += bytes;
        if trailers > limits.trailers { Err(Some(431)) } else { Ok(()) }
    };
    while peek(rest)? != b'\r' {
        // The colon and the line end are charged with the first byte of the name.
        let mut cost = 4;
        loop {
            match next(&mut rest)? {
                b':' if cost == 1 => break,
                byte if is_token_byte(byte) => charge(cost)?,
                _ => return Err(Some(400)),
            }
            cost = 1;
        }
        while peek(rest)? != b'\r' {
            if !is_value_byte(next(&mut rest)?) {
                return Err(Some(400));
            }
            charge(1)?;
        }
        expect(&mut rest, b'\r')?;
        expect(&mut rest, b'\n')?;
    }
    expect(&mut rest, b'\r')?;
    expect(&mut rest, b'\n')?;
    Ok((body, rest))
}

/// `chunk-size [ chunk-ext ] CRLF`
fn size_line(rest: &mut &[u8], extensions: &mut usize) -> Walk<u64> {
    let mut size = 0;
    let mut digits = 0;
    while let Some(digit) = char::from(peek(rest)?).to_digit(16) {
        next(rest)?;
        digits += 1;
        if digits > 16 {
            return Err(Some(400));
        }
        size = size * 16 + u64::from(digit);
    }
    if digits == 0 {
        return Err(Some(400));
    }
    if peek(rest)? != b'\r' {
        extension_list(rest, extensions)?;
    }
    expect(rest, b'\r')?;
    expect(rest, b'\n')?;
    Ok(size)
}

/// `*( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] )`, at least one, up to the CR. Every byte counts,
/// except a semicolon that follows the size at once.
fn extension_list(rest: &mut &[u8], extensions: &mut usize) -> Walk<()> {
    let mut take = |rest: &mut &[u8], is_wanted: &dyn Fn(u8) -> bool, most: usize| -> Walk<usize> {
        let mut count = 0;
        while count < most && is_wanted(peek(rest)?) {
            next(rest)?;
            count += 1;
            *extensions += 1;
            if *extensions > EXTENSIONS {
                return Err(Some(400));
            }
        }
        Ok(count)
    };
    let some = |count: usize| if count == 0 { Err(Some(400)) } else { Ok(()) };
    let mut is_first = true;
    loop {
        let gap = take(rest, &is_blank, usize::MAX)?;
        match peek(rest)? {
            b'\r' if gap == 0 && !is_first => return Ok(()),
            b';' if gap == 0 && is_first => *rest = &rest[1..],
            _ => some(take(rest, &|byte| byte == b';', 1)?)?,
        }
        is_first = false;
        take(rest, &is_blank, usize::MAX)?;
        some(take(rest, &is_token_byte, usize::MAX)?)?;
        if rest.iter().find(|&&byte| !is_blank(byte)) != Some(&b'=') {
            continue;
        }
        take(rest, &is_blank, usize::MAX)?;
        take(rest, &|byte| byte == b'=', 1)?;
        take(rest, &is_blank, usize::MAX)?;
        if take(rest, &|byte| byte == b'"', 1)? == 0 {
            some(take(rest, &is_token_byte, usize::MAX)?)?;
            continue;
        }
        while take(rest, &|byte| byte == b'"', 1)? == 0 {
            take(rest, &|byte| byte == b'\\', 1)?;
            some(take(rest, &is_value_byte, 1)?)?;
        }
    }
}

fn peek(rest: &[u8]) -> Walk<u8> {
    rest.first().copied().ok_or(None)
}

fn next(rest: &mut &[u8]) -> Walk<u8> {
    let (&byte, after) = rest.split_first().ok_or(None)?;
    *rest = after;
    Ok(byte)
}

fn expect(rest: &mut &[u8], wanted: u8) -> Walk<()> {
    if next(rest)? == wanted { Ok(()) } else { Err(Some(400)) }
}

fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

fn is_value_byte(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7f)
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\"(),/:;<=>?@[\\]{}".contains(&byte)
}

/// Keeps the first body, and what the first refusal was about.
#[derive(Default)]
struct Recorder {
    outcome: RefCell<Option<Outcome>>,
}

impl Recorder {
    fn outcome(self) -> Outcome {
        self.outcome.into_inner().expect("a body or a refusal")
    }
}

impl Service for Recorder {
    fn call(&self, request: &Request<'_>) -> Response {
        self.outcome.borrow_mut().get_or_insert_with(|| Outcome::Complete(request.body.bytes().unwrap().into_owned()));
        Response::text("taken\n")
    }

    fn refuse(&self, error: &HttpError, _: &Fragment<'_>) -> Response {
        let is_end = error.detail.starts_with("the connection ended before the body");
        let outcome = if is_end { Outcome::Incomplete } else { Outcome::Refused(error.status.code()) };
        self.outcome.borrow_mut().get_or_insert(outcome);
        Response::text(error.to_string()).with_status(error.status)
    }
}

/// Sends a head and what follows it, cut by chance, then the end. What the service has seen, and what was answered.
fn converse(head: &[u8], wire: &[u8], limits: &Limits, dice: &mut Dice<'_>) -> (Recorder, Vec<u8>) {
    let service = Recorder::default();
    let (timeouts, now) = (Timeouts::default(), Now::new(Tick::default(), std::time::UNIX_EPOCH));
    let mut scratch = SCRATCH.take();
    let mut connection = Connection::new(MockConnection::new(), None, &now);
    let mut answers = Vec::new();
    let mut advance = |connection: &mut Connection<MockConnection>| {
        for _ in 0..10_000 {
            connection.set_ready(true, true, false);
            let mut context = Context {
                service: &service,
                limits,
                timeouts: &timeouts,
                now: &now,
                scratch: &mut scratch,
                phase: Phase::Open,
                tracer: None,
                recall: Recall::NOBODY,
            };
            let next = connection.advance(&mut context);
            answers.append(&mut connection.transport_mut().take_written());
            match next {
                Next::Close => return false,
                Next::Wait(_) if !connection.transport().is_readable() => return true,
                Next::Wait(_) | Next::Again => {}
            }
        }
        panic!("it goes on for ever");
    };
    let mut is_open = true;
    let mut rest = wire;
    if !head.is_empty() {
        connection.transport_mut().push(head);
    }
    while is_open && !rest.is_empty() {
        let count = if dice.has_more() { 1 + dice.number() % 32 } else { rest.len() };
        let (segment, after) = rest.split_at(count.min(rest.len()));
        connection.transport_mut().push(segment);
        rest = after;
        is_open = advance(&mut connection);
    }
    if is_open {
        connection.transport_mut().end();
        assert!(!advance(&mut connection), "the peer has ended, and the connection has not");
    }
    SCRATCH.set(scratch);
    (service, answers)
}

thread_local! {
    /// Lent from one connection to the next, as in the loop.
    static SCRATCH: Cell<Scratch> = Cell::new(Scratch::new());
}
