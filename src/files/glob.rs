//! Patterns for names, as shells have them: `*.log`, `docs/**/*.bak`, `[a-c]?.{txt,md}`.
//!
//! A pattern is rewritten as a regular expression, for that takes a time in proportion to the name whatever the pattern is:
//! names come from peers. Nothing is matched here, and no disk is asked.

use std::io;
use std::str::Chars;

/// One character, or a byte of a name that is not UTF-8, but no slash.
const ONE: &str = r"(?:[^/]|(?-u:[\x80-\xFF]))";

/// What is left of a name.
const NAME: &str = "(?-u:[^/])*";

/// What is left of a path.
const REST: &str = "(?s-u:.)*";

/// Any number of directories, with the slash behind each.
const DIRECTORIES: &str = "(?:(?s-u:.)*/)?";

/// A pattern for what is withheld: what [`Files::without`](crate::Files::without) takes, read, so that who asks somebody for one
/// can say at once what is wrong with it.
///
/// `?` is one character, `*` any number of them, `[a-z]` one of these and `[!a-z]` one of the others, `{this,that}` either of
/// the patterns, and `\` takes its meaning from what stands behind it. None of `?` and `*` is a slash; `**`, alone between
/// slashes, is any number of directories.
///
/// ```
/// use ownhands::files::Glob;
///
/// assert!(Glob::new("docs/**/*.{bak,old}").is_ok());
/// assert_eq!(Glob::new("[a").unwrap_err().to_string(), "unclosed character class; missing ']'");
/// ```
#[derive(Clone, Debug)]
pub struct Glob {
    pub(super) is_path: bool,
    pub(super) expression: String,
}

impl Glob {
    /// Reads a pattern. With a slash in it, it is one for paths from the root, without for names in every directory.
    ///
    /// # Errors
    /// If it is no pattern; the message says why.
    pub fn new(pattern: &str) -> io::Result<Self> {
        // A final slash says that a directory is meant, and one in front that the root is: no other names than these.
        let pattern = pattern.strip_suffix('/').unwrap_or(pattern);
        let reader = Reader { rest: pattern.trim_start_matches('/').chars(), expression: String::new(), groups: 0 };
        let expression = reader.read().map_err(|why| io::Error::new(io::ErrorKind::InvalidInput, why))?;
        Ok(Glob { is_path: pattern.contains('/'), expression })
    }
}

struct Reader<'a> {
    rest: Chars<'a>,
    expression: String,
    /// The groups that are open.
    groups: usize,
}

impl Reader<'_> {
    fn read(mut self) -> Result<String, &'static str> {
        let mut before = None;
        while let Some(one) = self.rest.next() {
            match one {
                '?' => self.expression.push_str(ONE),
                '*' => {
                    before = Some(self.star(before));
                    continue;
                }
                '[' => self.class()?,
                '{' => {
                    self.groups = self.groups.saturating_add(1);
                    self.expression.push_str("(?:");
                }
                '}' => {
                    self.groups = self.groups.checked_sub(1).ok_or("unopened group; missing '{'")?;
                    self.expression.push(')');
                }
                ',' if self.groups > 0 => self.expression.push('|'),
                '\\' => {
                    let meant = self.rest.next().ok_or("nothing stands behind the last '\\'")?;
                    self.literal(meant);
                }
                other => self.literal(other),
            }
            before = Some(one);
        }
        if self.groups > 0 { Err("unclosed group; missing '}'") } else { Ok(self.expression) }
    }

    /// A character that means itself, in a class or outside.
    fn literal(&mut self, one: char) {
        self.expression.push_str(&regex::escape(one.encode_utf8(&mut [0; 4])));
    }

    /// One star, or two; gives the last character that they took.
    fn star(&mut self, before: Option<char>) -> char {
        let Some(rest) = self.rest.as_str().strip_prefix('*') else {
            self.expression.push_str(NAME);
            return '*';
        };
        let is_first = match before {
            None | Some('/') => true,
            Some('{' | ',') => self.groups > 0,
            Some(_) => false,
        };
        let is_last = rest.is_empty() || (self.groups > 0 && rest.starts_with([',', '}']));
        let (rest, meaning, last) = match rest.strip_prefix('/') {
            Some(below) if is_first => (below, DIRECTORIES, '/'),
            None if is_first && is_last => (rest, REST, '*'),
            _ => (rest, NAME, '*'),
        };
        self.rest = rest.chars();
        self.expression.push_str(meaning);
        last
    }

    /// One of some characters. A `]` that is the first of them is one, and so is a `-` with nothing on one of its sides.
    fn class(&mut self) -> Result<(), &'static str> {
        let text = self.rest.as_str();
        let others = text.strip_prefix(['!', '^']);
        let text = others.unwrap_or(text);
        let end = text.char_indices().skip(1).find(|(_, one)| *one == ']').map(|(at, _)| at);
        let (inside, rest) =
            end.and_then(|end| text.split_at_checked(end)).ok_or("unclosed character class; missing ']'")?;
        self.rest = rest.strip_prefix(']').unwrap_or(rest).chars();
        // As `?`, what is none of some characters may be a byte that is part of none.
        self.expression.push_str(if others.is_some() { r"(?:(?-u:[\x80-\xFF])|[^" } else { "(?:[" });
        let mut inside = inside.chars();
        while let Some(first) = inside.next() {
            self.literal(first);
            let mut ahead = inside.clone();
            if let (Some('-'), Some(last)) = (ahead.next(), ahead.next()) {
                if last < first {
                    return Err("a range in a character class ends before it begins");
                }
                self.expression.push('-');
                self.literal(last);
                inside = ahead;
            }
        }
        self.expression.push_str("])");
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::files::policy::joined;

    #[test]
    fn a_pattern_matches_what_it_does_in_a_shell() {
        type Names<'a> = &'a [&'a [u8]];
        // (pattern, what it matches, what it does not)
        let cases: &[(&str, Names<'_>, Names<'_>)] = &[
            ("a.b", &[b"a.b"], &[b"axb", b"a.bc", b"xa.b", b""]),
            ("*", &[b"a", b"", "é".as_bytes(), b"\xff", b"a\nb"], &[b"a/b"]),
            ("?", &[b"a", "é".as_bytes(), b"\xff", b"\n"], &[b"", b"/", b"ab"]),
            ("a*b?", &[b"abc", b"axxbc", b"abbb"], &[b"ab", b"a/bc"]),
            ("a**b", &[b"ab", b"axb"], &[b"a/b"]),
            ("***", &[b"ab"], &[b"a/b"]),
            ("**", &[b"ab", b"a/b", b"a\xff/\nb"], &[]),
            ("**/a", &[b"a", b"x/a", b"x/y/a"], &[b"xa", b"x/ya", b"a/x"]),
            ("**/**/a", &[b"a", b"x/a", b"x/y/a"], &[b"xa"]),
            ("a/**", &[b"a/", b"a/x", b"a/x/y"], &[b"a", b"ab"]),
            ("a/**/b", &[b"a/b", b"a/x/b", b"a/x/y/b"], &[b"ab", b"a/xb", b"axb"]),
            ("a/**b", &[b"a/b", b"a/xb"], &[b"a/x/b"]),
            ("[abc]", &[b"a", b"c"], &[b"d", b"ab", b""]),
            ("[a-c]x", &[b"ax", b"bx"], &[b"dx", b"-x"]),
            ("[!a-c]", &[b"d", "é".as_bytes(), b"\xff"], &[b"a", b"c"]),
            ("[^a]", &[b"b", b"^"], &[b"a"]),
            ("[]]", &[b"]"], &[b"a"]),
            ("[!]]", &[b"a"], &[b"]"]),
            ("[a-]", &[b"a", b"-"], &[b"b"]),
            ("[-a]", &[b"a", b"-"], &[b"b"]),
            ("[a^\\[&&b~~d]", &[b"^", b"\\", b"[", b"&", b"~", b"d"], &[b"e"]),
            ("[<#-->]", &[b"<", b"#", b"-", b">"], &[b"?", b"!"]),
            ("[à-é]", &["è".as_bytes()], &[b"e", "ê".as_bytes()]),
            ("{a,b*}.c", &[b"a.c", b"b.c", b"bx.c"], &[b"c.c", b"ax.c"]),
            ("{a,{b,c}d}", &[b"a", b"bd", b"cd"], &[b"b", b"ad"]),
            ("a{,.bak}", &[b"a", b"a.bak"], &[b".bak"]),
            ("{**/a,b/**}", &[b"a", b"x/a", b"b/x"], &[b"b"]),
            ("a,b", &[b"a,b"], &[b"a", b"b"]),
            (r"\*\[\{\,", &[b"*[{,"], &[b"a[{,"]),
            ("(a|b)+.$", &[b"(a|b)+.$"], &[b"a", b"ab"]),
            ("A", &[b"A"], &[b"a"]),
            ("é?", &["éa".as_bytes(), "éé".as_bytes()], &["é".as_bytes()]),
        ];
        for (pattern, matched, others) in cases {
            let regex = joined([&Glob::new(pattern).unwrap()]).unwrap().unwrap();
            for name in matched.iter().chain(*others) {
                let is_matched = regex.is_match(name);
                assert_eq!(is_matched, matched.contains(name), "{pattern}: {}", name.escape_ascii());
            }
        }
    }

    #[test]
    fn what_is_no_pattern_is_told() {
        let cases = [
            ("[", "missing ']'"),
            ("[]", "missing ']'"),
            ("[!]", "missing ']'"),
            ("a[b", "missing ']'"),
            ("[z-a]", "ends before it begins"),
            ("{a", "missing '}'"),
            ("{a,{b}", "missing '}'"),
            ("a}", "missing '{'"),
            ("a\\", "nothing stands behind"),
        ];
        for (pattern, want) in cases {
            let why = Glob::new(pattern).unwrap_err().to_string();
            assert!(why.contains(want), "{pattern}: {why}");
        }
    }
}
