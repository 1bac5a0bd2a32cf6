//! The bytes that a peer has received, read as answers. It shares no code with the server.

/// What stands at the front of the bytes received.
#[derive(Debug)]
pub(crate) struct Received<'a> {
    pub(crate) status: u16,
    pub(crate) says_close: bool,
    /// The body without its coding, as far as it is there.
    pub(crate) body: Vec<u8>,
    /// Its length on the wire.
    pub(crate) wire_length: usize,
    /// True if it came to the end that was announced. A body that ends with the connection never knows.
    pub(crate) is_whole: bool,
    pub(crate) ends_with_connection: bool,
    pub(crate) rest: &'a [u8],
}

/// Reads one answer. `None`: not even its head is complete.
pub(crate) fn read(bytes: &[u8], is_head: bool) -> Option<Received<'_>> {
    let length = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let (head, rest) = bytes.split_at(length);
    let head = std::str::from_utf8(head).expect("a head is ASCII");
    let mut lines = head.trim_end().split("\r\n");
    let status = lines.next().unwrap().strip_prefix("HTTP/1.1 ").expect("a status line").get(..3).unwrap();
    let status: u16 = status.parse().expect("a status");
    let field = |name: &str| {
        let mut values = head.split("\r\n").filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        let value = values.next();
        assert!(values.next().is_none(), "{name} is there twice: {head}");
        value
    };
    assert!(status < 200 || field("Date").is_some(), "no date: {head}");
    let mut received = Received {
        status,
        says_close: field("Connection") == Some("close"),
        body: Vec::new(),
        wire_length: 0,
        is_whole: true,
        ends_with_connection: false,
        rest,
    };
    if is_head || status < 200 || status == 204 {
        return Some(received);
    }
    let length = field("Content-Length").map(|length| length.parse::<usize>().expect("a length"));
    let is_chunked = field("Transfer-Encoding") == Some("chunked");
    assert!(length.is_none() || !is_chunked, "two lengths: {head}");
    if is_chunked {
        received.is_whole = dechunk(&mut received.rest, &mut received.body).is_some();
    } else {
        let here = length.unwrap_or(usize::MAX).min(rest.len());
        received.is_whole = length == Some(here);
        received.ends_with_connection = length.is_none();
        received.body = rest[..here].to_vec();
        received.rest = &rest[here..];
    }
    received.wire_length = rest.len() - received.rest.len();
    Some(received)
}

/// Takes chunks off the front. `None`: the last one is not there; then nothing is left.
fn dechunk(rest: &mut &[u8], body: &mut Vec<u8>) -> Option<()> {
    let bytes = std::mem::take(rest);
    let mut at = 0;
    loop {
        let line = bytes[at..].windows(2).position(|window| window == b"\r\n")?;
        let size = std::str::from_utf8(&bytes[at..at + line]).expect("a chunk's size is ASCII");
        let size = usize::from_str_radix(size, 16).expect("a chunk's size");
        at += line + 2;
        body.extend_from_slice(&bytes[at..(at + size).min(bytes.len())]);
        at += size;
        let end = bytes.get(at..at + 2)?;
        assert_eq!(end, b"\r\n", "what follows a chunk");
        at += 2;
        if size == 0 {
            *rest = &bytes[at..];
            return Some(());
        }
    }
}
