//! Numbers and times in figures, written without the machinery of formats: a listing has thousands of them.

/// Writes a number in decimal.
pub(super) fn number(mut number: u64, out: &mut Vec<u8>) {
    // As many as the largest has.
    let mut figures = [0; 20];
    let mut rest: &mut [u8] = &mut figures;
    let mut count = 0;
    while let Some((last, before)) = rest.split_last_mut() {
        *last = figure(number % 10);
        number /= 10;
        rest = before;
        count += 1;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(figures.get(figures.len() - count..).unwrap_or_default());
}

/// The low four bits of a number below ten, as a character.
fn figure(number: u64) -> u8 {
    b'0' | (number & 0xf) as u8
}

/// A time in UTC, in figures: `2026-11-20 19:00` and `:05`.
#[derive(Clone, Copy)]
pub(super) struct Date {
    minute: [u8; 16],
    second: [u8; 3],
}

impl Date {
    /// Year to minute, as people read it.
    pub(super) fn minute(&self) -> [u8; 16] {
        self.minute
    }

    /// The same as machines do (RFC 3339 section 5.6).
    pub(super) fn minute_with_t(&self) -> [u8; 16] {
        let mut minute = self.minute;
        minute[10] = b'T';
        minute
    }

    /// The seconds, after their colon.
    pub(super) fn second(&self) -> [u8; 3] {
        self.second
    }
}

/// The time of so many seconds since 1970; `None` for one that no four figures of a year can name.
pub(super) fn date(seconds: i64) -> Option<Date> {
    let at = jiff::tz::Offset::UTC.to_datetime(jiff::Timestamp::from_second(seconds).ok()?);
    let year = u64::try_from(at.year()).ok().filter(|year| *year <= 9999)?;
    let two = |number: i8| {
        let number = u64::from(number.unsigned_abs());
        [figure(number / 10), figure(number % 10)]
    };
    let [y1, y2, y3, y4] = [year / 1000, year / 100 % 10, year / 10 % 10, year % 10].map(figure);
    let ([m1, m2], [d1, d2]) = (two(at.month()), two(at.day()));
    let ([h1, h2], [n1, n2], [s1, s2]) = (two(at.hour()), two(at.minute()), two(at.second()));
    Some(Date {
        minute: [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b' ', h1, h2, b':', n1, n2],
        second: [b':', s1, s2],
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn shown(seconds: i64) -> String {
        let date = date(seconds).unwrap();
        String::from_utf8([&date.minute()[..], &date.second()].concat()).unwrap()
    }

    #[test]
    fn times_are_in_figures() {
        for (seconds, text) in [
            (0, "1970-01-01 00:00:00"),
            (-1, "1969-12-31 23:59:59"),
            (951_868_799, "2000-02-29 23:59:59"),
            (-62_167_219_200, "0000-01-01 00:00:00"),
            (-30_610_224_000, "1000-01-01 00:00:00"),
            (253_402_207_200, "9999-12-30 22:00:00"),
        ] {
            assert_eq!(shown(seconds), text);
        }
        assert!(date(-62_167_219_201).is_none());
        assert!(date(i64::MIN).is_none() && date(i64::MAX).is_none());
    }

    #[test]
    fn numbers_are_in_figures() {
        for value in [0, 7, 10, 99, 100, 4_294_967_296, u64::MAX] {
            let mut out = b"x".to_vec();
            number(value, &mut out);
            assert_eq!(out, format!("x{value}").into_bytes());
        }
    }
}
