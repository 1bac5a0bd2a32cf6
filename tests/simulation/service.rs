//! The service of the simulation: what it answers follows from the number in the target, and from nothing else.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io::{self, Write};
use std::sync::{Arc, LazyLock};

use ownhands::{
    Body, Bytes, Exchange, FileRange, Fragment, HttpError, Produced, Request, Response, Service, Source, Status,
};

/// How an answer goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// In memory, copied behind its head.
    Small,
    /// In memory, sent from where it is.
    Large,
    /// Made in slices.
    Stream,
    /// From a file.
    File,
    /// 204.
    Nothing,
    /// The number and the request's body.
    Echo,
    /// Refused before its body is read.
    Away,
    /// Made in slices, until the source fails.
    Broken,
    /// From a file that is shorter than it was said to be.
    Short,
}

impl Kind {
    const ALL: [(Kind, &str); 9] = [
        (Kind::Small, "small"),
        (Kind::Large, "large"),
        (Kind::Stream, "stream"),
        (Kind::File, "file"),
        (Kind::Nothing, "nothing"),
        (Kind::Echo, "echo"),
        (Kind::Away, "away"),
        (Kind::Broken, "broken"),
        (Kind::Short, "short"),
    ];

    pub(crate) fn target(self, number: u64) -> String {
        let (_, name) = Kind::ALL.iter().find(|(kind, _)| *kind == self).unwrap();
        format!("/{name}/{number}")
    }

    fn of(path: &str) -> (Kind, u64) {
        let (name, number) = path.strip_prefix('/').unwrap().split_once('/').unwrap();
        (Kind::ALL.iter().find(|(_, other)| *other == name).unwrap().0, number.parse().unwrap())
    }

    pub(crate) fn status(self) -> u16 {
        match self {
            Kind::Nothing => 204,
            Kind::Away => 405,
            _ => 200,
        }
    }

    /// The whole body of the answer; of one that breaks off, what can be sent of it.
    pub(crate) fn body(self, number: u64, sent: &[u8]) -> Vec<u8> {
        let n = number as usize;
        match self {
            Kind::Small => counted(number, n % 300),
            // A few are longer than the share of a turn.
            Kind::Large if n.is_multiple_of(40) => counted(number, 300_000 + n % 1000),
            Kind::Large => counted(number, 16_000 + n % 9000),
            Kind::Stream | Kind::Broken => counted(number, n * 37 % 3000),
            Kind::File => CONTENT[offset(number)..][..n * 61 % 20_000].to_vec(),
            Kind::Short => CONTENT[offset(number)..].to_vec(),
            Kind::Nothing => Vec::new(),
            Kind::Echo => [format!("{number}:").as_bytes(), sent].concat(),
            Kind::Away => b"not here\n".to_vec(),
        }
    }
}

/// So many bytes in which the number is never far.
fn counted(number: u64, length: usize) -> Vec<u8> {
    let mut bytes = format!("{number:07}\n").repeat(length.div_ceil(8)).into_bytes();
    bytes.truncate(length);
    bytes
}

/// What the file holds.
static CONTENT: LazyLock<Vec<u8>> =
    LazyLock::new(|| (0..3000).flat_map(|line: u32| format!("{line:07}\n").into_bytes()).collect());

fn offset(number: u64) -> usize {
    (number as usize * 13) % 1000
}

/// A service that counts what it answers and keeps what it is told.
pub(crate) struct Numbers {
    file: Arc<File>,
    pub(crate) answers: Cell<usize>,
    pub(crate) observed: RefCell<Vec<Exchange>>,
}

impl Numbers {
    pub(crate) fn new() -> Self {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&CONTENT).unwrap();
        Numbers { file: Arc::new(file), answers: Cell::default(), observed: RefCell::default() }
    }

    fn count(&self) {
        self.answers.set(self.answers.get() + 1);
    }

    fn range(&self, number: u64, length: usize) -> Response {
        Response::file(FileRange { file: Arc::clone(&self.file), offset: offset(number) as u64, length: length as u64 })
    }
}

impl Service for Numbers {
    fn call(&self, request: &Request<'_>) -> Response {
        self.count();
        let (kind, number) = Kind::of(request.path);
        let bytes = |bytes| Response::new(Status::OK).with_body(Body::Bytes(bytes));
        match kind {
            Kind::Nothing => Response::new(Status::NO_CONTENT),
            Kind::Stream | Kind::Broken => Response::stream(Slices {
                rest: kind.body(number, b""),
                calls: number,
                is_broken: kind == Kind::Broken,
            }),
            Kind::File => self.range(number, number as usize * 61 % 20_000),
            Kind::Short => self.range(number, CONTENT.len() - offset(number) + 1 + number as usize % 50_000),
            Kind::Large => bytes(Bytes::Shared(kind.body(number, b"").into())),
            _ => bytes(Bytes::Owned(kind.body(number, &request.body.bytes().unwrap()))),
        }
    }

    fn refuse(&self, error: &HttpError, _: &Fragment<'_>) -> Response {
        self.count();
        Response::text(error.to_string()).with_status(error.status)
    }

    fn admit(&self, request: &Request<'_>) -> Option<Response> {
        let (kind, number) = Kind::of(request.path);
        (kind == Kind::Away).then(|| {
            self.count();
            Response::bytes(kind.body(number, b"")).with_status(Status::METHOD_NOT_ALLOWED)
        })
    }

    fn wants_exchanges(&self) -> bool {
        true
    }

    fn observe(&self, exchange: &Exchange) {
        self.observed.borrow_mut().push(exchange.clone());
    }
}

/// A source whose slices are of any length, none included.
struct Slices {
    rest: Vec<u8>,
    calls: u64,
    is_broken: bool,
}

impl Source for Slices {
    fn produce(&mut self, out: &mut Vec<u8>) -> io::Result<Produced> {
        if self.is_broken && self.rest.is_empty() {
            return Err(io::Error::other("it broke, as it should"));
        }
        self.calls += 1;
        let length = (self.calls as usize * 211 % 700).saturating_sub(50).min(self.rest.len());
        out.extend(self.rest.drain(..length));
        Ok(if self.rest.is_empty() && !self.is_broken { Produced::All } else { Produced::More })
    }
}
