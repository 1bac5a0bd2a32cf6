//! What was meant by a name that there is not.

/// How much alike two names are, from 0 to 1, before one is taken for a slip of the other; clap draws
/// the line there for flags.
const ALIKE: f64 = 0.7;

/// `; did you mean port?`, or nothing where no name is near.
pub(super) fn hint(name: &str, known: impl Iterator<Item = String>) -> String {
    let near = known.map(|known| (strsim::jaro(name, &known), known)).filter(|(alike, _)| *alike > ALIKE);
    let nearest = near.max_by(|(one, _), (other, _)| one.total_cmp(other));
    nearest.map(|(_, known)| format!("; did you mean {known}?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_told_if_there_is_one() {
        let cases = [
            ("prot", "; did you mean port?"),
            ("max_head", "; did you mean max-head?"),
            ("maxhead", "; did you mean max-head?"),
            ("zzz", ""),
            ("", ""),
        ];
        let known = ["port", "bind", "max-head", "max-body", "header"];
        for (name, want) in cases {
            assert_eq!(hint(name, known.iter().map(|&known| known.to_owned())), want, "{name}");
        }
    }
}
