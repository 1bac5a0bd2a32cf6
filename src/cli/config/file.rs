//! Options from a file: TOML, whose keys are the long names of the flags.
//!
//! A list of pairs may be a table too, `[mount]` and below it `"/photos" = "/srv/photos"`, which means the same as the
//! list of joined strings, in the order of the file.

use std::ffi::OsString;
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};

use clap::{Arg, Command};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Failure, Open, Origin, Setting, Take, name, nearest, paths};
use crate::cli::flags;
use crate::cli::options::one_line;

/// Bytes of a file of options: one longer than this is another file.
const LONGEST: u64 = 1024 * 1024;

/// What the file says, in its order.
pub(super) fn read(table: &Command, path: &Path, open: Open<'_>) -> Result<Vec<Setting>, Failure> {
    let wrong = |why: &str| Failure::Usage(format!("{}: {why}", one_line(&path.display().to_string())));
    let mut text = Vec::new();
    let read = open(path).and_then(|file| file.take(LONGEST.saturating_add(1)).read_to_end(&mut text));
    match read {
        Ok(_) if text.len() as u64 > LONGEST => return Err(wrong("this is too long for a file of options")),
        Ok(_) => {}
        Err(error) => return Err(wrong(&format!("it cannot be read: {error}"))),
    }
    let page = Page { path, table };
    let text = String::from_utf8(text).map_err(|error| {
        let before = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        Failure::Usage(format!("{}: this is not UTF-8", page.line(before, before.len())))
    })?;
    let keys = DeTable::parse(&text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        let said = match error.message() {
            "duplicate key" => {
                let key = error.span().and_then(|span| text.get(span)).unwrap_or_default();
                format!("{}: this is here for the second time", one_line(key))
            }
            // What was expected comes on lines of its own.
            other => other.lines().collect::<Vec<_>>().join(", "),
        };
        Failure::Usage(format!("{}: {said}", page.line(text.as_bytes(), at)))
    })?;
    keys.get_ref().iter().map(|(key, value)| page.setting(&text, key, value)).collect()
}

/// A file, and what may stand in it.
struct Page<'a> {
    path: &'a Path,
    table: &'a Command,
}

impl Page<'_> {
    /// The line of a byte.
    fn line(&self, text: &[u8], at: usize) -> Origin {
        let before = text.get(..at).unwrap_or(text);
        let breaks = before.iter().filter(|&&byte| byte == b'\n').count();
        Origin::Line(self.path.to_owned(), breaks.saturating_add(1))
    }

    fn setting(
        &self,
        text: &str,
        key: &Spanned<impl AsRef<str>>,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<Setting, Failure> {
        let said = key.get_ref().as_ref();
        let origin = |span: Range<usize>| self.line(text.as_bytes(), span.start);
        let own = origin(key.span());
        let Some(arg) = self.table.get_arguments().find(|arg| name(arg) == said) else {
            let known = self.table.get_arguments().map(name);
            let known = known.filter(|name| name != "config" && !flags::FOR_ONCE.contains(&name.as_str()));
            return Err(Failure::Usage(format!(
                "{own}: there is no option {}{}",
                one_line(said),
                nearest::hint(said, known)
            )));
        };
        let name = name(arg);
        if name == "config" {
            return Err(own.blame(&name, "a file cannot name another one"));
        }
        if flags::FOR_ONCE.contains(&said) {
            return Err(own.blame(&name, &format!("say --{name} on the command line: it is about one call")));
        }
        let wrong = |place: &Origin, why: &str| place.blame(&name, why);
        let one = |value: &Spanned<DeValue<'_>>| {
            let place = origin(value.span());
            match word(value.get_ref()) {
                Some(word) => Ok((word, place)),
                None => Err(wrong(&place, &format!("give a value, not {}", kind(value.get_ref())))),
            }
        };
        let mut values = match (Take::of(arg), value.get_ref()) {
            (Take::Truth, DeValue::Boolean(truth)) => vec![(truth.to_string(), own.clone())],
            (Take::Truth, _) => return Err(wrong(&own, "give true or false, without quotes")),
            (Take::One, _) => vec![one(value)?],
            (Take::List, DeValue::Array(array)) => array.iter().map(one).collect::<Result<_, _>>()?,
            (Take::List, DeValue::Table(pairs)) => {
                let glue = glue(arg).ok_or_else(|| wrong(&own, "give a list of values, not a table"))?;
                let pair = |(front, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
                    let front: &std::borrow::Cow<'_, str> = front.get_ref();
                    one(value).map(|(value, place)| (format!("{front}{glue}{value}"), place))
                };
                pairs.iter().map(pair).collect::<Result<_, _>>()?
            }
            (Take::List, _) => vec![one(value)?],
        };
        let directory = self.path.parent().map_or(PathBuf::new(), Path::to_owned);
        let values = values.drain(..).map(|(value, place)| {
            let value = paths::rebased(arg, OsString::from(value).as_os_str(), &directory);
            (value, place)
        });
        Ok(Setting { values: values.collect(), name, origin: own })
    }
}

/// A value as one would write it behind a flag. Whether a text is a number is the option's to say, not TOML's.
fn word(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) if number.radix() == 10 => Some(number.as_str().to_owned()),
        DeValue::Integer(number) => {
            u64::from_str_radix(number.as_str(), number.radix()).ok().map(|number| number.to_string())
        }
        DeValue::Float(number) => Some(number.as_str().to_owned()),
        _ => None,
    }
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        _ => "this",
    }
}

/// What joins the halves of a value, if it has two.
fn glue(arg: &Arg) -> Option<&'static str> {
    let form = arg.get_value_names()?.first()?.as_str();
    ["=", ": "].into_iter().find(|glue| form.contains(glue))
}
