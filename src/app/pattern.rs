//! What can be said of a pattern without running it: whether it is one path and no more, and how every path begins that
//! it matches.
//!
//! It reads the few things that patterns are mostly made of. Of what it does not know it says nothing, and the regular
//! expression decides alone.

/// The one path that a pattern matches, if there is no expression in it.
pub(super) fn literal(pattern: &str) -> Option<String> {
    let (path, rest) = beginning(pattern);
    rest.is_empty().then_some(path)
}

/// How every path begins that this pattern matches, as far as that is plain to see. To compare it costs a hundredth of
/// what running the expression does.
pub(super) fn prefix(pattern: &str) -> String {
    let (mut path, rest) = beginning(pattern);
    if has_other_beginnings(rest) {
        return String::new();
    }
    if rest.starts_with(['?', '*', '+', '{']) {
        path.pop();
    }
    path
}

/// True if a pattern is [`prefix`] and then one named segment to the end, `(?<name>[^/]+)`, as most expressions are. To
/// look for a slash costs a fifth of what running the expression does.
pub(super) fn ends_in_segment(pattern: &str) -> bool {
    let (_, rest) = beginning(pattern);
    let name = rest.strip_prefix("(?<").or_else(|| rest.strip_prefix("(?P<"));
    let name = name.and_then(|name| name.strip_suffix(">[^/]+)"));
    name.is_some_and(|name| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'))
}

/// True for what `[^/]+` matches as a whole.
pub(super) fn is_segment(text: &str) -> bool {
    !text.is_empty() && !text.as_bytes().contains(&b'/')
}

/// The plain text at the front of a pattern, and what follows it.
fn beginning(pattern: &str) -> (String, &str) {
    let mut path = String::with_capacity(pattern.len());
    let mut characters = pattern.chars();
    loop {
        let rest = characters.as_str();
        let plain = match characters.next() {
            // Before `<` and `>` a backslash is the edge of a word; before letters it is a class and the like.
            Some('\\') => characters.next().filter(|next| next.is_ascii_punctuation() && !matches!(next, '<' | '>')),
            other => other.filter(|other| !r".+*?()|[]{}^$".contains(*other)),
        };
        match plain {
            Some(character) => path.push(character),
            None => return (path, rest),
        }
    }
}

/// True if there is an alternative to the whole pattern in it, such as `/a|/b`, or that cannot be excluded.
fn has_other_beginnings(rest: &str) -> bool {
    if !rest.contains('|') {
        return sets_flags(rest);
    }
    let mut depth: usize = 0;
    let mut characters = rest.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => drop(characters.next()),
            '(' => depth += 1,
            ')' if depth == 0 => return true,
            ')' => depth -= 1,
            '|' if depth == 0 => return true,
            '[' => {
                let Some((class, after)) = characters.as_str().split_once(']') else { return true };
                if class.is_empty() || class == "^" || class.contains(['\\', '[', '(', ')', '|']) {
                    return true;
                }
                characters = after.chars();
            }
            _ => {}
        }
    }
    sets_flags(rest)
}

/// True if there is a group that changes how what follows is read: `(?x)` makes comments of it.
fn sets_flags(rest: &str) -> bool {
    rest.match_indices("(?").any(|(at, _)| !rest.get(at + 2..).is_some_and(|after| after.starts_with(['<', 'P', ':'])))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_pattern_without_an_expression_is_a_literal() {
        let cases = [
            ("/", Some("/")),
            ("/a-b_c~d#e&f", Some("/a-b_c~d#e&f")),
            (r"/robots\.txt", Some("/robots.txt")),
            (r"\*", Some("*")),
            ("/grüße", Some("/grüße")),
            ("/robots.txt", None),
            (r"/\d", None),
            (r"/\", None),
            (r"/\<a", None),
            ("/a|/b", None),
            ("(?i)/a", None),
        ];
        for (pattern, path) in cases {
            assert_eq!(literal(pattern).as_deref(), path, "{pattern}");
        }
    }

    #[test]
    fn a_prefix_is_what_every_match_begins_with() {
        let cases = [
            (r"/time\.(php|asp|html)", "/time."),
            ("/user/(?<id>[^/]+)/posts", "/user/"),
            ("/grüße?", "/grüß"),
            (r"/a\.*", "/a"),
            ("/aa{2}", "/a"),
            ("/ab+", "/a"),
            ("/.*", "/"),
            (".*", ""),
            ("/a|/b", ""),
            ("/a(b)|/c", ""),
            ("/a(b|c)d[|]", ""),
            ("/a[(]|/b", ""),
            (r"/a[\]]|/b", ""),
            ("/a[]|]b|/c", ""),
            (r"/a\(b|/c", ""),
            ("/(?x)a # (\n|/b", ""),
            ("/a(?i)b", ""),
            ("(?i)/a", ""),
            (r"/a\<b", "/a"),
            ("/[0-9]+/(a|b)", "/"),
        ];
        for (pattern, start) in cases {
            assert_eq!(prefix(pattern), start, "{pattern}");
        }
    }

    #[test]
    fn a_last_segment_is_known_by_its_looks() {
        let cases = [
            ("/hello/(?<name>[^/]+)", true),
            ("/hello/(?P<name>[^/]+)", true),
            (r"/a\.b-(?<n_1>[^/]+)", true),
            ("(?<all>[^/]+)", true),
            ("/(?<a>[^/]+)/(?<b>[^/]+)", false),
            ("/(?<a>[^/]+)?", false),
            ("/(?<a>[^/]*)", false),
            ("/(?<a>[^/]+)/", false),
            ("/([^/]+)", false),
            ("/a|/(?<a>[^/]+)", false),
            ("(?i)/(?<a>[^/]+)", false),
        ];
        for (pattern, is_one) in cases {
            assert_eq!(ends_in_segment(pattern), is_one, "{pattern}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_segment_is_what_the_expression_says(path in r"(/a/|/a|b|)[/ab\n\x{fc}\x{1f600}]{0,5}") {
            for pattern in ["/a/(?<name>[^/]+)", "/a(?P<name>[^/]+)", "(?<name>[^/]+)"] {
                let regex = regex::Regex::new(&format!(r"\A(?:{pattern})\z")).unwrap();
                let by_regex = regex.captures(&path).and_then(|found| found.get(1)).map(|found| found.as_str());
                let by_looks = path.strip_prefix(&*prefix(pattern)).filter(|rest| is_segment(rest));
                assert_eq!(by_looks, by_regex, "{pattern} on {path:?}");
            }
        }

        #[test]
        fn no_match_is_lost(pattern in r"/[ab()\[\]|?*+.\\<{2}^-]{0,12}", path in "/[ab|(\\]<.2-]{0,6}") {
            let pattern = pattern.as_str();
            if regex::Regex::new(pattern).is_ok()
                && let Ok(regex) = regex::Regex::new(&format!(r"\A(?:{pattern})\z"))
                && regex.is_match(&path)
            {
                assert!(path.starts_with(&prefix(pattern)), "{pattern} matches {path}");
                assert!(literal(pattern).is_none_or(|literal| literal == path), "{pattern} matches {path}");
            }
        }
    }
}
