//! The name under which a browser saves an answer (RFC 6266).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::Response;

impl Response {
    /// The same response as something to be saved under this name instead of being shown.
    ///
    /// Any text may be given. Control characters, `/` and `\` are no part of a file's name and become `_`. A name that
    /// is not plain ASCII is sent twice: as it can be written in a quoted string, and in full (RFC 6266 section 4.3).
    ///
    /// ```
    /// use ownhands::Response;
    ///
    /// let response = Response::bytes(*b"...").with_attachment("na\"me ü.txt");
    /// let value = "attachment; filename=\"na_me _.txt\"; filename*=UTF-8''na%22me%20%C3%BC.txt";
    /// assert_eq!(response.headers.get("Content-Disposition"), Some(value.as_bytes()));
    /// ```
    #[must_use]
    pub fn with_attachment(self, name: &str) -> Self {
        self.with_header("Content-Disposition", attachment(name))
    }
}

/// What RFC 8187 section 3.2.1 calls `attr-char` stays as it is.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

fn attachment(name: &str) -> String {
    let is_apart = |character: char| character.is_control() || matches!(character, '/' | '\\');
    let name: String = name.chars().map(|character| if is_apart(character) { '_' } else { character }).collect();
    if name.is_empty() {
        return "attachment".to_owned();
    }
    // Programs differ in how they read escapes in the quoted string (RFC 6266 appendix D): there are none in it.
    let is_plain = |character: char| matches!(character, ' '..='~') && !matches!(character, '"' | '%');
    let plain: String = name.chars().map(|character| if is_plain(character) { character } else { '_' }).collect();
    if plain == name {
        return format!("attachment; filename=\"{plain}\"");
    }
    format!("attachment; filename=\"{plain}\"; filename*=UTF-8''{}", utf8_percent_encode(&name, ESCAPED))
}
