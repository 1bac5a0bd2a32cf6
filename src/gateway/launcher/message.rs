//! What is said over a launcher's wire, as bytes.
//!
//! Words, each with a zero byte behind it, which nothing that a program is started with can hold.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use super::program::{Environment, Program};

/// Bytes of an order: four times what a request's head may have by default. The system takes some more (`SO_SNDBUF`).
pub(super) const LONGEST: usize = 128 * 1024;

/// Bytes of a note, which holds a sentence.
pub(super) const LONGEST_NOTE: usize = 4096;

/// What is asked of the other end.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Comes with what are to be stdin, stdout and stderr.
    Start(u64, Program),
    End(u64, Ending, Duration),
    /// Comes with a wire to be attended too.
    Another,
}

/// How a program is to end: what its process group gets first. When the grace is over, it is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::gateway) enum Ending {
    /// By SIGABRT, at which it may say where it is.
    Abort,
    /// By SIGTERM: it may finish.
    Terminate,
    /// By SIGKILL, at once.
    Kill,
}

/// What became of a program. Nothing is heard of its number again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::gateway) enum Note {
    /// It was not started, and why: a sentence.
    Failed { number: u64, why: String },
    /// It has ended, with all of its group; `None` where nobody knows how.
    Ended { number: u64, status: Option<ExitStatus> },
}

const ENDINGS: [(&[u8], Ending); 3] =
    [(b"abort", Ending::Abort), (b"terminate", Ending::Terminate), (b"kill", Ending::Kill)];

impl Order {
    /// # Errors
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) of what no program can be started with.
    pub(super) fn write(&self) -> io::Result<Vec<u8>> {
        let mut words = Words::default();
        match self {
            Order::Start(number, program) => {
                words.add("start")?.add(number.to_string())?.add(program.path.as_os_str().as_bytes())?;
                let directory = program.directory.as_ref().map_or(OsStr::new(""), |directory| directory.as_os_str());
                words.add(directory.as_bytes())?.add(program.arguments.len().to_string())?;
                for argument in &program.arguments {
                    words.add(argument.as_bytes())?;
                }
                let (kind, variables) = match &program.environment {
                    Environment::Own(variables) => ("own", variables),
                    Environment::Added(variables) => ("added", variables),
                };
                words.add(kind)?;
                for (name, value) in variables {
                    if name.is_empty() || name.as_bytes().contains(&b'=') {
                        return Err(invalid("a variable without a name, or with a = in it"));
                    }
                    words.add([name.as_bytes(), b"=", value.as_bytes()].concat())?;
                }
            }
            Order::End(number, how, grace) => {
                let how = ENDINGS.iter().find(|(_, ending)| ending == how).map_or(&b""[..], |(word, _)| word);
                words.add("end")?.add(number.to_string())?.add(how)?.add(grace.as_millis().to_string())?;
            }
            Order::Another => {
                words.add("another")?;
            }
        }
        if words.0.len() > LONGEST {
            return Err(invalid("the arguments and variables are too long together"));
        }
        Ok(words.0)
    }

    /// `None`: this says nothing.
    pub(super) fn read(message: &[u8]) -> Option<Order> {
        let mut words = words(message)?;
        match words.next()? {
            b"start" => {
                let number = parse(words.next()?)?;
                let path = path_of(words.next()?);
                let directory = words.next().filter(|directory| !directory.is_empty()).map(path_of);
                let count = parse(words.next()?)?;
                let arguments: Vec<OsString> = words.by_ref().take(count).map(os).collect();
                let make = match words.next()? {
                    b"own" => Environment::Own,
                    b"added" => Environment::Added,
                    _ => return None,
                };
                let variables = words.map(variable).collect::<Option<_>>()?;
                (arguments.len() == count)
                    .then(|| Order::Start(number, Program { path, arguments, directory, environment: make(variables) }))
            }
            b"end" => {
                let number = parse(words.next()?)?;
                let how = words.next()?;
                let (_, how) = ENDINGS.iter().find(|(word, _)| *word == how)?;
                Some(Order::End(number, *how, Duration::from_millis(parse(words.next()?)?)))
            }
            b"another" => Some(Order::Another),
            _ => None,
        }
    }
}

impl Note {
    pub(super) fn write(&self) -> Vec<u8> {
        let text = match self {
            Note::Failed { number, why } => format!("failed\0{number}\0{}", why.replace('\0', " ")),
            Note::Ended { number, status: Some(status) } => format!("ended\0{number}\0{}", status.into_raw()),
            Note::Ended { number, status: None } => format!("lost\0{number}"),
        };
        let mut bytes = text.into_bytes();
        // A path may be longer than the whole note.
        bytes.truncate(LONGEST_NOTE - 1);
        bytes.push(0);
        bytes
    }

    /// `None`: this says nothing.
    pub(super) fn read(message: &[u8]) -> Option<Note> {
        let mut words = words(message)?;
        let word = words.next()?;
        let number = parse(words.next()?)?;
        match word {
            b"failed" => Some(Note::Failed { number, why: String::from_utf8_lossy(words.next()?).into_owned() }),
            b"ended" => Some(Note::Ended { number, status: Some(ExitStatus::from_raw(parse(words.next()?)?)) }),
            b"lost" => Some(Note::Ended { number, status: None }),
            _ => None,
        }
    }
}

#[derive(Default)]
struct Words(Vec<u8>);

impl Words {
    fn add(&mut self, word: impl AsRef<[u8]>) -> io::Result<&mut Words> {
        let word = word.as_ref();
        if memchr::memchr(0, word).is_some() {
            return Err(invalid("a zero byte in what a program is started with"));
        }
        self.0.extend_from_slice(word);
        self.0.push(0);
        Ok(self)
    }
}

fn words(message: &[u8]) -> Option<impl Iterator<Item = &[u8]>> {
    message.strip_suffix(b"\0").map(|message| message.split(|&byte| byte == 0))
}

fn parse<T: std::str::FromStr>(word: &[u8]) -> Option<T> {
    std::str::from_utf8(word).ok()?.parse().ok()
}

fn os(word: &[u8]) -> OsString {
    OsString::from_vec(word.to_owned())
}

fn path_of(word: &[u8]) -> PathBuf {
    PathBuf::from(os(word))
}

fn variable(word: &[u8]) -> Option<(OsString, OsString)> {
    let at = memchr::memchr(b'=', word)?;
    let (name, value) = word.split_at_checked(at)?;
    Some((os(name), os(value.get(1..)?)))
}

fn invalid(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}

/// How a program has ended, in words: `exit code 3`, `signal 9 (SIGKILL)`.
pub(in crate::gateway) fn ending(status: Option<ExitStatus>) -> String {
    let (code, signal) = status.map_or((None, None), |status| (status.code(), status.signal()));
    match (code, signal) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => match signal_hook::low_level::signal_name(signal) {
            Some(name) => format!("signal {signal} ({name})"),
            None => format!("signal {signal}"),
        },
        (None, None) => "nobody knows how".to_owned(),
    }
}
