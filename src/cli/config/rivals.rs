//! Options of which one leaves no room for the other, between places and in one.

use super::{Failure, Origin, Setting};
use crate::cli::flags;

/// Leaves of each pair the one from the higher place.
///
/// # Errors
/// If both are said in the same place.
pub(super) fn settle(chosen: &mut Vec<Setting>) -> Result<(), Failure> {
    for &(one, other) in flags::RIVALS {
        let place =
            |name| chosen.iter().find(|setting| setting.name == name && counts(setting)).map(|setting| &setting.origin);
        let (Some(first), Some(second)) = (place(one), place(other)) else { continue };
        if first.rank() == second.rank() {
            return Err(Failure::Usage(clash(first, one, second, other)));
        }
        let weaker = if first.rank() < second.rank() { other } else { one };
        chosen.retain(|setting| setting.name != weaker);
    }
    Ok(())
}

/// True for what is said and not said to be off.
fn counts(setting: &Setting) -> bool {
    setting.values.iter().any(|(value, _)| value != "false")
}

fn clash(first: &Origin, one: &str, second: &Origin, other: &str) -> String {
    let both = format!("{} and {} exclude each other: leave one of them out", first.names(one), second.names(other));
    match first {
        Origin::Line(..) => format!("{first}: {both}"),
        _ => both,
    }
}
