//! The collected grammar of RFC 9112 (appendix A), with what it imports from RFC 9110 and RFC 3986, rule by rule:
//! samples that must be accepted with what is read in them, and samples that must be refused with a status and the
//! sentence that says why. Every sample is sent whole and a byte at a time. `generator` goes the other way: from the
//! grammar to requests.
//!
//! # Coverage
//!
//! Each rule, the test in this folder that holds it, and where this server is narrower or wider than the rule, why.
//!
//! | rule | tests | narrower or wider |
//! |---|---|---|
//! | HTTP-message | `messages` | wider: lines may end in LF alone (9112 2.2), empty lines may come first (2.2) |
//! | start-line | `messages` | narrower: a server reads no status-line |
//! | request-line | `request_lines` | |
//! | method | `methods` | |
//! | HTTP-version | `versions` | narrower: major version 1 (9110 15.6.6) |
//! | HTTP-name | `versions` | |
//! | request-target | `request_targets` | |
//! | origin-form | `origin_forms` | |
//! | absolute-path | `origin_forms` | |
//! | segment | `origin_forms` | narrower: no `..`, no `.` but as sent between slashes, where it is nothing (3986 5.2.4), no %00 |
//! | pchar | `origin_forms` | wider: all visible characters but #, as browsers send them |
//! | pct-encoded | `origin_forms` | wider in queries, which are not decoded here |
//! | unreserved | `origin_forms` | |
//! | sub-delims | `origin_forms` | |
//! | query | `queries` | wider: all visible characters but # |
//! | fragment | `queries` | refused: it is no part of any form (9112 3.2) |
//! | absolute-form | `absolute_forms` | narrower: http and https URIs (9110 4.2) |
//! | absolute-URI | `absolute_forms` | the same |
//! | scheme | `absolute_forms` | the same; https, because a proxy before this server may have spoken it (9110 7.4) |
//! | hier-part | `absolute_forms` | the same: an authority and path-abempty |
//! | path-abempty | `absolute_forms` | |
//! | userinfo | `absolute_forms` | refused: it serves to deceive (9110 4.2.4) |
//! | authority-form | `authority_forms` | refused: this server is no proxy (9110 9.3.6) |
//! | asterisk-form | `asterisk_forms` | |
//! | authority | `authorities` | narrower: no userinfo, a host that is not empty (9110 4.2.1) |
//! | uri-host | `authorities` | the same |
//! | host | `authorities` | the same |
//! | port | `authorities` | narrower: five digits, as no port has more |
//! | reg-name | `names_and_ipv4_addresses` | narrower: not empty |
//! | IPv4address | `names_and_ipv4_addresses` | wider: what is no address is a reg-name (3986 3.2.2) |
//! | dec-octet | `names_and_ipv4_addresses` | the same |
//! | IP-literal | `ip_literals` | |
//! | IPv6address | `ip_literals` | |
//! | h16 | `ip_literals` | |
//! | ls32 | `ip_literals` | |
//! | IPvFuture | `ip_literals` | |
//! | field-line | `field_lines` | |
//! | field-name | `field_names` | |
//! | token | `field_names` | |
//! | tchar | `field_names` | |
//! | field-value | `field_values` | |
//! | field-content | `field_values` | |
//! | field-vchar | `field_values` | |
//! | obs-text | `field_values` | |
//! | OWS | `white_space_around_values` | |
//! | BWS | `chunk_extensions`, `field_lines` | narrower: none before a field's colon (9112 5.1) |
//! | RWS | `folded_fields` | it is a part of obs-fold alone |
//! | obs-fold | `folded_fields` | refused (9112 5.2) |
//! | Host | `hosts` | narrower: empty beside an absolute target only (9110 4.2.1) |
//! | Connection | `connections` | wider: an option that is none is passed over, as an unknown one is |
//! | connection-option | `connections` | the same |
//! | Expect | `expectations` | |
//! | expectation | `expectations` | narrower: 100-continue (9110 10.1.1) |
//! | Content-Length | `content_lengths` | narrower: 64 bits, and once (9112 6.3) |
//! | Transfer-Encoding | `transfer_encodings` | narrower: chunked, once, without empty elements (9112 6.1, 6.3) |
//! | transfer-coding | `transfer_encodings` | narrower: chunked, whose name has no parameters (9112 7.1) |
//! | transfer-parameter | `transfer_encodings` | refused with what it belongs to |
//! | message-body | `message_bodies` | |
//! | chunked-body | `chunked_bodies` | |
//! | chunk | `chunked_bodies` | |
//! | chunk-size | `chunk_sizes` | narrower: 16 digits, zeros before it included |
//! | chunk-data | `chunk_data` | |
//! | last-chunk | `last_chunks` | |
//! | chunk-ext | `chunk_extensions` | narrower: 4096 bytes in a body |
//! | chunk-ext-name | `chunk_extensions` | |
//! | chunk-ext-val | `chunk_extensions` | |
//! | quoted-string | `quoted_strings` | |
//! | qdtext | `quoted_strings` | |
//! | quoted-pair | `quoted_strings` | |
//! | trailer-section | `trailer_sections` | narrower: lines end in CR LF |
//! | status-line | `status_lines` | as it is sent |
//! | status-code | `status_lines` | as it is sent |
//! | reason-phrase | `status_lines` | as it is sent |
//! | Date | `dates` | as it is sent |
//! | IMF-fixdate | `dates` | as it is sent |

mod chunks;
mod fields;
mod framing;
mod generator;
mod line;
mod sent;
mod target;
mod witness;

use witness::{Conversation, Seen, converse};

/// One rule of the grammar: how a sample of it becomes a whole conversation, and where it is found in what was read.
struct Rule {
    place: fn(&[u8]) -> Vec<u8>,
    show: fn(&Seen) -> String,
}

impl Rule {
    /// Each sample is accepted and read as this.
    #[track_caller]
    fn accepts(&self, samples: &[(&[u8], &str)]) {
        for &(sample, expected) in samples {
            let Conversation { seen, refusal, .. } = self.ask(sample);
            assert_eq!(refusal, None, "{}", sample.escape_ascii());
            let [seen] = &seen[..] else { panic!("{}: {} requests", sample.escape_ascii(), seen.len()) };
            assert_eq!((self.show)(seen), expected, "{}", sample.escape_ascii());
        }
    }

    /// Each sample is refused with this status and a sentence that has this part.
    #[track_caller]
    fn refuses(&self, samples: &[(&[u8], u16, &str)]) {
        for &(sample, status, part) in samples {
            let Conversation { seen, refusal, .. } = self.ask(sample);
            assert_eq!(seen.len(), 0, "{}: {seen:?}", sample.escape_ascii());
            let (code, sentence) = refusal.unwrap_or_else(|| panic!("{} was passed over", sample.escape_ascii()));
            assert_eq!(code, status, "{}: {sentence}", sample.escape_ascii());
            assert!(sentence.contains(part), "{}: {sentence:?} does not say {part:?}", sample.escape_ascii());
        }
    }

    /// What becomes of a sample: the same whole and a byte at a time.
    #[track_caller]
    fn ask(&self, sample: &[u8]) -> Conversation {
        let wire = (self.place)(sample);
        let whole = converse(&wire, &[]);
        let every_byte: Vec<usize> = (1..wire.len()).collect();
        assert_eq!(converse(&wire, &every_byte), whole, "{}: in bytes it is something else", wire.escape_ascii());
        whole
    }
}

/// The sources of this folder that hold rules.
const SOURCES: &[&str] = &[
    include_str!("chunks.rs"),
    include_str!("fields.rs"),
    include_str!("framing.rs"),
    include_str!("line.rs"),
    include_str!("sent.rs"),
    include_str!("target.rs"),
];

/// The rules of appendix A that a server's side has, and those they import that are more than a character.
const RULES: &str = "\
    BWS HTTP-message HTTP-name HTTP-version OWS RWS Transfer-Encoding absolute-URI absolute-form absolute-path \
    asterisk-form authority authority-form chunk chunk-data chunk-ext chunk-ext-name chunk-ext-val chunk-size \
    chunked-body field-line field-name field-value last-chunk message-body method obs-fold obs-text origin-form \
    port query quoted-string reason-phrase request-line request-target start-line status-code status-line token \
    trailer-section transfer-coding transfer-parameter uri-host Connection connection-option Content-Length Date \
    Expect expectation field-content field-vchar Host IMF-fixdate qdtext quoted-pair tchar dec-octet fragment h16 \
    hier-part host IP-literal IPv4address IPv6address IPvFuture ls32 path-abempty pchar pct-encoded reg-name \
    scheme segment sub-delims unreserved userinfo";

#[test]
fn the_coverage_list_is_complete() {
    let rows = include_str!("mod.rs").lines().filter_map(|line| line.strip_prefix("//! | "));
    let rows: Vec<Vec<&str>> = rows.map(|row| row.split('|').map(str::trim).collect()).skip(1).collect();
    let mut listed: Vec<&str> = rows.iter().map(|row| row[0]).collect();
    let mut rules: Vec<&str> = RULES.split_whitespace().collect();
    listed.sort_unstable();
    rules.sort_unstable();
    assert_eq!(listed, rules);
    for row in &rows {
        for test in row[1].split(", ").map(|name| name.trim_matches('`')) {
            let definition = format!("#[test]\nfn {test}() {{");
            assert!(SOURCES.iter().any(|source| source.contains(&definition)), "{}: there is no test {test}", row[0]);
        }
    }
}
