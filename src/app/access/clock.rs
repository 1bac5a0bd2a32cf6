//! Times as text.

use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::local_zone;

/// The second last shown, as text: a busy server asks for the same one a hundred thousand times.
pub(super) struct Clock {
    zone: TimeZone,
    format: &'static str,
    second: Option<u64>,
    text: String,
}

impl Clock {
    pub(super) fn new(format: &'static str) -> Self {
        Clock { zone: local_zone(), format, second: None, text: String::new() }
    }

    pub(super) fn with_format(self, format: &'static str) -> Self {
        Clock { format, second: None, ..self }
    }

    pub(super) fn show(&mut self, time: SystemTime) -> &str {
        let second = time.duration_since(UNIX_EPOCH).map_or(0, |span| span.as_secs());
        if self.second != Some(second) {
            self.second = Some(second);
            // A clock beyond what a date can name is shown as 1970.
            let time = i64::try_from(second).ok().and_then(|second| Timestamp::from_second(second).ok());
            let time = time.unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(self.zone.clone());
            self.text = time.strftime(self.format).to_string();
        }
        &self.text
    }
}
