//! The media type of a file, by its name: mime_guess, and what it gets wrong or does not know.

use mime_guess::from_ext;

/// Where the table of mime_guess is silent, out of date, or makes a browser save what a person wants to read.
const BY_EXTENSION: [(&str, &str); 8] = [
    // RFC 9239 made these one type.
    ("js", "text/javascript"),
    ("mjs", "text/javascript"),
    ("cjs", "text/javascript"),
    ("woff", "font/woff"),
    // XML says itself in which encoding it is; a charset parameter would overrule it (RFC 7303 section 3).
    ("xml", "application/xml"),
    ("xsl", "application/xml"),
    ("m3u8", "application/vnd.apple.mpegurl"),
    ("zst", "application/zstd"),
];

/// Names a person reads, and a browser should show: sources and notes. `.ts` is TypeScript more often than it is a
/// piece of a video, and players of such pieces go by their playlist, not by the type. `.rpm` and `.bat` are not what
/// the table says.
const READABLE: &[&str] = &[
    "adoc", "asc", "bash", "bat", "c", "cc", "cfg", "clj", "cmake", "conf", "cs", "cts", "diff", "el", "env", "erl",
    "ex", "exs", "fish", "fs", "go", "gradle", "graphql", "hs", "ini", "java", "jl", "jsonl", "jsx", "kt", "lisp",
    "lock", "lua", "md", "markdown", "ml", "mts", "ndjson", "nim", "nix", "org", "patch", "php", "pl", "pm", "proto",
    "ps1", "py", "r", "rb", "rs", "rst", "scala", "scss", "sh", "sql", "srt", "sum", "svelte", "swift", "tcl", "tex",
    "tf", "toml", "ts", "tsx", "vim", "vue", "yaml", "yml", "zig", "zsh",
];

/// Names without an extension that stand for text.
const READABLE_NAMES: &[&str] = &[
    "AUTHORS",
    "CHANGELOG",
    "CHANGES",
    "CONTRIBUTING",
    "COPYING",
    "Dockerfile",
    "Gemfile",
    "HISTORY",
    "INSTALL",
    "Justfile",
    "LICENCE",
    "LICENSE",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "MAINTAINERS",
    "Makefile",
    "NEWS",
    "NOTICE",
    "README",
    "Rakefile",
    "SHA256SUMS",
    "TODO",
    "VERSION",
];

const TEXT: &str = "text/plain";
const UNKNOWN: &str = "application/octet-stream";

/// The value of Content-Type for a file of that name.
///
/// Text goes out as UTF-8: nearly all of it is, and without the word browsers still guess an encoding of their country.
pub(super) fn content_type(name: &[u8]) -> String {
    let essence = essence(name);
    if essence.starts_with("text/") { format!("{essence}; charset=utf-8") } else { essence.to_owned() }
}

fn essence(name: &[u8]) -> &'static str {
    let name = std::str::from_utf8(name).unwrap_or_default();
    // A leading dot begins a name, not an extension: `.bashrc`.
    let Some((_, extension)) = name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()) else {
        let is_readable = READABLE_NAMES.iter().any(|known| known.eq_ignore_ascii_case(name));
        return if is_readable { TEXT } else { UNKNOWN };
    };
    let is_it = |known: &str| known.eq_ignore_ascii_case(extension);
    if let Some((_, essence)) = BY_EXTENSION.iter().find(|(known, _)| is_it(known)) {
        return essence;
    }
    if READABLE.iter().any(|known| is_it(known)) {
        return TEXT;
    }
    match from_ext(extension).first_raw() {
        // Private types for sources: browsers save them, people want to see them.
        Some(private) if private.starts_with("text/x-") => TEXT,
        Some("audio/x-pn-realaudio-plugin") | None => UNKNOWN,
        Some(essence) => essence,
    }
}
