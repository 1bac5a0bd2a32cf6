//! Proactive negotiation: which of several representations the peer likes best (RFC 9110 section 12.5).
//!
//! What is no element of the list is ignored, and so is everything beyond a bound: these fields say what is liked, and
//! a peer that says it badly is still served.

use std::cmp::Reverse;

use super::field::{is_token, trim};

/// Elements that are looked at in all fields of one name. Browsers send ten.
const MAX_ELEMENTS: usize = 64;

/// The best quality, in thousandths.
const BEST: u16 = 1000;

/// Offers that are weighed in one walk over the field.
const OFFERS: usize = 8;

/// The index of the media type that is liked best; see [`Request::prefers`](super::Request::prefers).
pub(super) fn best_type<'a>(fields: impl Iterator<Item = &'a [u8]> + Clone, offers: &[&str]) -> Option<usize> {
    let ranges = || elements(fields.clone()).filter(Element::is_media_range);
    if ranges().next().is_none() {
        return (!offers.is_empty()).then_some(0);
    }
    let walks = offers.chunks(OFFERS).enumerate().filter_map(|(walk, offers)| {
        let (quality, place, index) = best_of(ranges(), offers)?;
        Some((quality, place, walk * OFFERS + index))
    });
    walks.min().map(|(_, _, index)| index)
}

/// Of a few offers the one that is liked best: its quality, the place of the range that covers it, and its index.
fn best_of<'a>(ranges: impl Iterator<Item = Element<'a>>, offers: &[&str]) -> Option<(Reverse<u16>, usize, usize)> {
    let mut parsed = [const { None }; OFFERS];
    for (place, offer) in parsed.iter_mut().zip(offers) {
        *place = Element::parse(offer.as_bytes());
    }
    // For each offer the range that says most of it; of two that say as much, the first.
    let mut covering: [Option<(Precision, usize, u16)>; OFFERS] = [None; OFFERS];
    for (place, range) in ranges.enumerate() {
        for (best, offer) in covering.iter_mut().zip(&parsed) {
            let Some(precision) = offer.as_ref().and_then(|offer| range.covers(offer)) else { continue };
            if best.is_none_or(|(known, ..)| precision > known) {
                *best = Some((precision, place, range.quality));
            }
        }
    }
    let liked = covering.into_iter().enumerate().filter_map(|(index, best)| {
        let (_, place, quality) = best.filter(|(.., quality)| *quality > 0)?;
        Some((Reverse(quality), place, index))
    });
    liked.min()
}

/// True if a page is asked for by name, as browsers do. `*/*` names nothing.
pub(crate) fn names_html<'a>(fields: impl Iterator<Item = &'a [u8]>) -> bool {
    let is_html =
        |name: &[u8]| [&b"text/html"[..], b"application/xhtml+xml"].iter().any(|it| name.eq_ignore_ascii_case(it));
    elements(fields).any(|element| is_html(element.name) && element.quality > 0)
}

/// Those of the codings that may be used, the best first; see [`Request::codings`](super::Request::codings).
pub(super) fn codings<'a, 'o>(fields: impl Iterator<Item = &'a [u8]>, offers: &[&'o str]) -> Vec<&'o str> {
    let listed: Vec<Element<'_>> = elements(fields).filter(Element::is_coding).collect();
    let quality_of = |coding: &str| {
        let own = listed.iter().find(|element| is_same_coding(element.name, coding.as_bytes()));
        own.map(|element| element.quality)
    };
    let of_others = quality_of("*").unwrap_or(0);
    // Not named, it is what remains where nothing else may be sent, and no rival.
    let identity = quality_of("identity").unwrap_or(0).max(1);
    let ranked = offers.iter().map(|&offer| (quality_of(offer).unwrap_or(of_others), offer));
    let mut liked: Vec<(u16, &str)> = ranked.filter(|(quality, _)| *quality >= identity).collect();
    // Stable: what is liked equally stays in the order of the offers.
    liked.sort_by_key(|(quality, _)| Reverse(*quality));
    liked.into_iter().map(|(_, offer)| offer).collect()
}

/// Names of codings, compared without regard to case; two have an old name (RFC 9110 section 8.4.1).
fn is_same_coding(name: &[u8], coding: &[u8]) -> bool {
    let is = |other: &[u8]| name.eq_ignore_ascii_case(other);
    is(coding) || (coding == b"gzip" && is(b"x-gzip")) || (coding == b"compress" && is(b"x-compress"))
}

/// An element of an Accept field or one like it: a name, its parameters, its weight.
struct Element<'a> {
    name: &'a [u8],
    /// The parameters and the weight, each after its semicolon, well-formed.
    rest: &'a [u8],
    /// In thousandths.
    quality: u16,
}

/// How much a media range says of what it covers: the more, the more it counts (RFC 9110 section 12.5.1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Precision {
    Anything,
    Type,
    Subtype,
    /// With so many parameters.
    Parameters(usize),
}

impl<'a> Element<'a> {
    /// `None` for what is malformed. A parameter named `q` is the weight, wherever it stands.
    fn parse(element: &'a [u8]) -> Option<Self> {
        let name = split(element, b';').next()?;
        let rest = element.get(name.len()..)?;
        let mut weight = None;
        for (name, value) in parameters(rest) {
            if name.eq_ignore_ascii_case(b"q") {
                let is_second = weight.replace(quality(value)?).is_some();
                if is_second {
                    return None;
                }
            } else if !is_token(name) || !(is_token(value) || is_quoted_string(value)) {
                return None;
            }
        }
        Some(Element { name: trim(name), rest, quality: weight.unwrap_or(BEST) })
    }

    /// `*/*`, `text/*`, `text/html`. The class library of Java sends `*` for the first.
    fn is_media_range(&self) -> bool {
        match self.type_and_subtype() {
            Some((b"*", subtype)) => subtype == b"*",
            Some((kind, subtype)) => is_token(kind) && is_token(subtype),
            None => self.name == b"*",
        }
    }

    /// A token without parameters; `*` is one.
    fn is_coding(&self) -> bool {
        is_token(self.name) && self.own_parameters().next().is_none()
    }

    fn type_and_subtype(&self) -> Option<(&'a [u8], &'a [u8])> {
        let slash = memchr::memchr(b'/', self.name)?;
        Some((self.name.get(..slash)?, self.name.get(slash + 1..)?))
    }

    /// The parameters, without the weight.
    fn own_parameters(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        parameters(self.rest).filter(|(name, _)| !name.eq_ignore_ascii_case(b"q"))
    }

    /// How precisely this range covers an offer, if it does. A range with parameters covers what has all of them:
    /// `text/html;level=1` says nothing of `text/html` (section 12.5.1).
    fn covers(&self, offer: &Element<'_>) -> Option<Precision> {
        let (offered, offered_subtype) = offer.type_and_subtype()?;
        let by_name = match self.type_and_subtype() {
            None | Some((b"*", _)) => Precision::Anything,
            Some((kind, _)) if !kind.eq_ignore_ascii_case(offered) => return None,
            Some((_, b"*")) => Precision::Type,
            Some((_, subtype)) if !subtype.eq_ignore_ascii_case(offered_subtype) => return None,
            Some(_) => Precision::Subtype,
        };
        let mut count = 0_usize;
        for (name, value) in self.own_parameters() {
            let is_it = |(other, its): (&[u8], &[u8])| {
                other.eq_ignore_ascii_case(name) && unquoted(its).eq_ignore_ascii_case(&unquoted(value))
            };
            if !offer.own_parameters().any(is_it) {
                return None;
            }
            count = count.saturating_add(1);
        }
        Some(if count == 0 { by_name } else { Precision::Parameters(count) })
    }
}

/// The well-formed elements of all fields of one name, up to the bound.
fn elements<'a>(fields: impl Iterator<Item = &'a [u8]>) -> impl Iterator<Item = Element<'a>> {
    let all = fields.flat_map(|field| split(field, b',')).map(trim).filter(|element| !element.is_empty());
    all.take(MAX_ELEMENTS).filter_map(Element::parse)
}

/// What stands between separators, of which those in quoted strings are none (RFC 9110 section 5.6.4).
fn split(value: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    value.split(move |&byte| {
        let was_escaped = std::mem::take(&mut is_escaped);
        match byte {
            _ if was_escaped => false,
            b'\\' if is_quoted => {
                is_escaped = true;
                false
            }
            b'"' => {
                is_quoted = !is_quoted;
                false
            }
            other => other == separator && !is_quoted,
        }
    })
}

/// Names and values of `;name=value`, as they stand; without `=` the value is empty. `;;` is allowed (section 5.6.6).
fn parameters(rest: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    split(rest, b';').map(trim).filter(|parameter| !parameter.is_empty()).map(|parameter| {
        let name = parameter.split(|&byte| byte == b'=').next().unwrap_or_default();
        (name, parameter.get(name.len() + 1..).unwrap_or_default())
    })
}

/// `qvalue` in thousandths (section 12.4.2): 0 to 1, with three digits at most. The class library of Java sends `.2`.
fn quality(value: &[u8]) -> Option<u16> {
    let mut parts = value.splitn(2, |&byte| byte == b'.');
    let (whole, fraction) = (parts.next()?, parts.next().unwrap_or_default());
    let whole = match whole {
        b"1" => BEST,
        b"0" => 0,
        b"" if !fraction.is_empty() => 0,
        _ => return None,
    };
    if fraction.len() > 3 || !fraction.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digits = fraction.iter().chain(b"000").take(3);
    let thousandths = digits.fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
    Some(whole + thousandths).filter(|&quality| quality <= BEST)
}

/// Begins and ends with a quotation mark, and has none between that is not escaped.
fn is_quoted_string(value: &[u8]) -> bool {
    let Some(inner) = value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")) else { return false };
    let mut is_escaped = false;
    let is_sound = inner.iter().all(|&byte| {
        let is_allowed = byte != b'"' || is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        is_allowed
    });
    is_sound && !is_escaped
}

/// What a value says: a token itself, a quoted string without its quotes and escapes.
fn unquoted(value: &[u8]) -> Vec<u8> {
    let Some(inner) = value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")) else {
        return value.to_vec();
    };
    let mut is_escaped = false;
    let kept = inner.iter().filter(|&&byte| {
        is_escaped = byte == b'\\' && !is_escaped;
        !is_escaped
    });
    kept.copied().collect()
}
