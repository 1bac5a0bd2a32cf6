//! The time zone of the process.

use std::env;
use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use jiff::tz::TimeZone;

/// Where systems have a file for each zone.
const DIRECTORIES: [&str; 3] = ["/usr/share/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo"];

/// The time zone that the variable `TZ` says, or the system's: that of the access log.
///
/// It is looked up once in a process, for one that was locked in no longer sees where the system has it. A `TZ`
/// that means nothing is UTC.
///
/// ```
/// use jiff::Timestamp;
/// use ownhands::app::local_zone;
///
/// let now = Timestamp::now().to_zoned(local_zone());
/// assert!(now.strftime("%H:%M %z").to_string().contains(':'));
/// ```
pub fn local_zone() -> TimeZone {
    static ZONE: OnceLock<TimeZone> = OnceLock::new();
    let find = || env::var("TZ").ok().and_then(|name| named(&name)).unwrap_or_else(TimeZone::system);
    ZONE.get_or_init(find).clone()
}

/// The zone that is called so, such as `Europe/Berlin`. jiff could find it as well, but it reads the names of all zones
/// before it opens one, which was two thirds of the instructions of a start.
fn named(name: &str) -> Option<TimeZone> {
    let name = name.strip_prefix(':').unwrap_or(name);
    let own = env::var_os("TZDIR").map(|directory| Path::new(&directory).join(name));
    let files = own.into_iter().chain(DIRECTORIES.iter().map(|directory| Path::new(directory).join(name)));
    let content = files.filter(|file| file.is_file()).find_map(|file| fs::read(file).ok())?;
    TimeZone::tzif(name, &content).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    #[test]
    fn a_zone_is_found_by_its_name() {
        // What is no file of a zone is left to jiff: a rule, nothing, a directory.
        for name in ["", ":", "<+0530>-5:30", "Nowhere/Land", "Europe", ".."] {
            assert!(named(name).is_none(), "{name}");
        }
        let winter = Timestamp::UNIX_EPOCH;
        for (name, want) in [("Asia/Tokyo", "+0900"), (":Asia/Tokyo", "+0900"), ("UTC", "+0000")] {
            let has_zones = DIRECTORIES.iter().any(|directory| Path::new(directory).join("Asia/Tokyo").is_file());
            let shown = named(name).map(|zone| winter.to_zoned(zone).strftime("%z").to_string());
            assert_eq!(shown.as_deref(), has_zones.then_some(want), "{name}");
        }
    }
}
