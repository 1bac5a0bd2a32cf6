//! What a script is told in its environment and on its command line (RFC 3875 sections 4.1 and 4.4).

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use crate::http::{Method, Request};

use super::script::Script;

/// Where scripts look for programs if the server itself was told nothing.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// What proves to the server who asks is no business of a script's (section 4.1.18): whoever can read its environment
/// would have the password.
const WITHHELD: [&str; 2] = ["HTTP_AUTHORIZATION", "HTTP_PROXY_AUTHORIZATION"];

/// The meta-variables, and `PATH`; nothing else of the server's environment.
pub(super) fn variables(
    request: &Request<'_>,
    script: &Script,
    document_root: Option<&Path>,
) -> Vec<(OsString, OsString)> {
    let environ = request.environ();
    let others = environ.iter().filter(|(name, _)| !WITHHELD.contains(name));
    let mut variables: Vec<(OsString, OsString)> = others
        .map(|(name, value)| match name {
            "SCRIPT_NAME" => (name.into(), script.name.clone()),
            "PATH_INFO" => (name.into(), script.info.clone()),
            _ => (name.into(), OsString::from_vec(value.to_vec())),
        })
        .collect();
    if let Some(root) = document_root.filter(|_| !script.info.is_empty()) {
        // It begins with a slash, and has no segment `..`: no request has.
        let translated = [root.as_os_str().as_bytes(), script.info.as_bytes()].concat();
        variables.push(("PATH_TRANSLATED".into(), OsString::from_vec(translated)));
    }
    // Of no RFC, and what every server says: some interpreters run what it names, and not what they were started with.
    variables.push(("SCRIPT_FILENAME".into(), script.path.clone().into()));
    if script.path.extension().is_some_and(|extension| extension == "php") {
        // Without it `php-cgi` runs nothing (`cgi.force_redirect`), lest somebody has put it into the directory
        // itself, where it would run whatever file a path names. Here it is the interpreter of a script; no
        // other program asks for this.
        variables.push(("REDIRECT_STATUS".into(), "200".into()));
    }
    variables.push(("PATH".into(), std::env::var_os("PATH").unwrap_or_else(|| PATH.into())));
    variables
}

/// The words of a query that is a search (section 4.4), decoded; none if one of them could be taken for an option: what
/// a peer sends must not tell a program, or the interpreter of a script, what to do.
pub(super) fn arguments(request: &Request<'_>) -> Vec<OsString> {
    let query = request.query.unwrap_or_default();
    if query.is_empty() || query.contains('=') || !matches!(request.method, Method::Get | Method::Head) {
        return Vec::new();
    }
    query.split('+').map(word).collect::<Option<_>>().unwrap_or_default()
}

/// A word; `None` if it cannot be one.
fn word(text: &str) -> Option<OsString> {
    let word: Vec<u8> = percent_encoding::percent_decode_str(text).collect();
    let is_one = !word.is_empty() && !word.starts_with(b"-") && !word.contains(&0);
    is_one.then(|| OsString::from_vec(word))
}
