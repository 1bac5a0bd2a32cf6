//! What a field name and a field value may be made of (RFC 9110 sections 5.1, 5.5 and 5.6.2), and the few values that
//! are taken apart in more than one place.

/// `tchar`: the characters of a token.
pub(crate) const fn is_token_byte(byte: u8) -> bool {
    matches!(
        byte,
        b'!' | b'#' | b'$' | b'%' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'^' | b'_' | b'`' | b'|' | b'~'
    ) || byte.is_ascii_alphanumeric()
}

/// `token`: one or more `tchar`.
pub(crate) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|&byte| is_token_byte(byte))
}

/// `field-vchar`, space and tab: what may stand inside a field value.
pub(crate) const fn is_value_byte(byte: u8) -> bool {
    matches!(byte, b'\t' | b' '..=b'~' | 0x80..=0xff)
}

/// A field value without the optional white space around it (`OWS`: spaces and tabs, nothing else).
pub(crate) fn trim(value: &[u8]) -> &[u8] {
    let is_ows = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = value.iter().position(|byte| !is_ows(byte)).unwrap_or(value.len());
    let end = value.iter().rposition(|byte| !is_ows(byte)).map_or(start, |last| last + 1);
    value.get(start..end).unwrap_or_default()
}

/// The elements of a comma-separated list (`#element`, RFC 9110 section 5.6.1), trimmed, empty ones left out.
pub(crate) fn list(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|&byte| byte == b',').map(trim).filter(|element| !element.is_empty())
}

/// The media type at the front of a Content-Type field, without its parameters (RFC 9110 section 8.3.1).
pub(crate) fn media_type(value: &[u8]) -> Option<&str> {
    let start = trim(value.split(|&byte| byte == b';').next()?);
    let slash = memchr::memchr(b'/', start)?;
    let is_media_type = is_token(start.get(..slash)?) && is_token(start.get(slash + 1..)?);
    std::str::from_utf8(start).ok().filter(|_| is_media_type)
}
