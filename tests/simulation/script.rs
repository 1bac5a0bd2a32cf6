//! What a peer says, and what it must be answered.

use super::dice::Dice;
use super::service::Kind;

/// A piece of what a peer says.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) wire: Vec<u8>,
    pub(crate) expected: Expected,
}

/// What must come back.
#[derive(Debug)]
pub(crate) enum Expected {
    /// Nothing: an empty line.
    Nothing,
    Answer(Answer),
    /// A status from 400 on; the server closes after it.
    Refusal,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    pub(crate) is_head: bool,
    /// True if the body ends before its announced end.
    pub(crate) breaks_off: bool,
    /// True if the connection must end after it.
    pub(crate) closes: bool,
    /// True if `100 Continue` may come before it.
    pub(crate) may_continue: bool,
    /// Bytes of the request after which the answer is certain.
    pub(crate) needs: usize,
}

/// Bytes of a request body at most; some scripts send more.
pub(crate) const BODY_LIMIT: u64 = 100_000;

/// What no server may take, whatever follows.
const WRONG: [&str; 14] = [
    "GET / HTTP/1.1\r\n\r\n",
    "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET / HTTP/2.0\r\nHost: a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n",
    "GET /% HTTP/1.1\r\nHost: a\r\n\r\n",
    "GET /a/../b HTTP/1.1\r\nHost: a\r\n\r\n",
    "\u{16}\u{3}\u{1}",
    "POST /echo/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na",
    "POST /echo/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 100001\r\n\r\nabc",
    "POST /echo/1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nx\r\n",
    "POST /echo/1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n186a1\r\nhello",
    "POST /echo/1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
    "POST /echo/1 HTTP/1.1\r\nHost: a\r\nExpect: miracles\r\nContent-Length: 1\r\n\r\n",
];

/// A conversation; its requests bear the numbers from `first` on. `most` is the number of requests
/// that the server answers.
pub(crate) fn script(dice: &mut Dice, first: u64, most: u64) -> Vec<Item> {
    let is_long = dice.chance(1);
    let count = if is_long { 70 + dice.below(80) } else { dice.below(7) };
    let mut items = Vec::new();
    for index in 0..count as u64 {
        while dice.chance(8) {
            items.push(Item { wire: dice.pick(&["\r\n", "\n"]).into(), expected: Expected::Nothing });
        }
        if dice.chance(4) {
            items.push(Item { wire: dice.pick(&WRONG).into(), expected: Expected::Refusal });
            continue;
        }
        let kind = if is_long { Kind::Small } else { kind(dice) };
        let mut item = request(dice, kind, first + index);
        if let Expected::Answer(answer) = &mut item.expected {
            answer.closes |= index + 1 >= most;
        }
        items.push(item);
    }
    if dice.chance(8) {
        items.push(Item { wire: b"\r\n".into(), expected: Expected::Nothing });
    }
    items
}

fn kind(dice: &mut Dice) -> Kind {
    match dice.below(100) {
        0..30 => Kind::Small,
        30..38 => Kind::Large,
        38..52 => Kind::Stream,
        52..62 => Kind::File,
        62..67 => Kind::Nothing,
        67..93 => Kind::Echo,
        93..95 => Kind::Away,
        95..98 => Kind::Broken,
        _ => Kind::Short,
    }
}

/// A request of that kind, spelled in one of the ways that are right.
fn request(dice: &mut Dice, kind: Kind, number: u64) -> Item {
    let end = dice.pick(&["\r\n", "\r\n", "\n"]);
    let version = dice.pick(&["1.0", "1.1", "1.1", "1.1", "1.1", "1.9"]);
    let is_old = version == "1.0";
    let takes_body = matches!(kind, Kind::Echo | Kind::Away);
    let is_head = !takes_body && dice.chance(15);
    let method = if takes_body { dice.pick(&["POST", "PUT", "BREW"]) } else { ["GET", "HEAD"][usize::from(is_head)] };
    let host = dice.pick(&["", "http://a.example:80"]);
    let mut head = format!("{method} {host}{} HTTP/{version}{end}", kind.target(number));
    if !is_old || dice.chance(50) {
        head += &format!("{}: a{end}", dice.pick(&["Host", "host", "HOST"]));
    }
    while dice.chance(20) {
        head += &format!("X-{}:{}{end}", dice.below(9), "pad \t".repeat(dice.below(40)));
    }
    let connection = dice.pick(&["", "", "", "", "", "", "keep-alive", "Keep-Alive, te", "te", "close", "te,, Close"]);
    if !connection.is_empty() {
        head += &format!("Connection: {connection}{end}");
    }
    let (said, body) = (connection.to_ascii_lowercase(), body(dice, takes_body));
    let is_chunked = takes_body && !is_old && dice.chance(50);
    let may_continue = takes_body && dice.chance(20);
    if may_continue {
        head += &format!("Expect: 100-continue{end}");
    }
    let coded = if is_chunked { chunks(dice, &body) } else { body.clone() };
    if is_chunked {
        head += &format!("Transfer-Encoding: chunked{end}");
    } else if takes_body {
        head += &format!("Content-Length: {}{end}", body.len());
    }
    head += end;
    let breaks_off = !is_head && matches!(kind, Kind::Broken | Kind::Short);
    let lasts = !is_head && is_old && kind == Kind::Stream;
    let is_away = kind == Kind::Away && !coded.is_empty();
    let closes = said.contains("close") || is_old && !said.contains("keep-alive") || lasts || breaks_off || is_away;
    let answer = Answer {
        status: if is_away || kind != Kind::Away { kind.status() } else { 200 },
        body: if is_head { Vec::new() } else { kind.body(number, &body) },
        is_head,
        breaks_off,
        closes,
        may_continue: may_continue && !is_old,
        needs: head.len() + if is_away { 0 } else { coded.len() },
    };
    Item { wire: [head.as_bytes(), &coded].concat(), expected: Expected::Answer(answer) }
}

fn body(dice: &mut Dice, takes_body: bool) -> Vec<u8> {
    let length = match dice.below(50) {
        _ if !takes_body => 0,
        0 => 30_000 + dice.below(70_000),
        1..5 => dice.below(5000),
        5..10 => 0,
        _ => dice.below(100),
    };
    let start = dice.below(256);
    (start..start + length).map(|index| index as u8).collect()
}

/// The chunked coding, with all that it allows.
fn chunks(dice: &mut Dice, body: &[u8]) -> Vec<u8> {
    let mut coded = Vec::new();
    let mut rest = body;
    while !rest.is_empty() {
        let (chunk, after) = rest.split_at(1 + dice.below(rest.len()));
        let zeros = "0".repeat(dice.below(3));
        let extension = dice.pick(&["", "", "", ";a", " ; a = \"b\\\"c;\"", ";a=b;c"]);
        coded.extend_from_slice(format!("{zeros}{:x}{extension}\r\n", chunk.len()).as_bytes());
        coded.extend_from_slice(chunk);
        coded.extend_from_slice(b"\r\n");
        rest = after;
    }
    coded.extend_from_slice(
        dice.pick(&["0\r\n\r\n", "000\r\n\r\n", "0;x\r\nSum: 1\r\nContent-Length: 9\r\n\r\n"]).as_bytes(),
    );
    coded
}
