//! Nearest right spelling, for messages that propose one. Both sides name things, so both need it.

/// What to say after "unknown …".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion(Option<String>);

impl std::fmt::Display for Suggestion {
    /// `; did you mean `x`?`, or nothing.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Some(name) => write!(f, "; did you mean `{name}`?"),
            None => Ok(()),
        }
    }
}

impl Suggestion {
    /// The name itself.
    pub fn name(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

/// The candidate nearest to `wanted`, if one is near enough to be a slip: an edit distance (case, `_`, `-` and
/// blanks aside) of at most a third of the length, and at most three.
pub fn nearest<'a>(wanted: &str, candidates: impl IntoIterator<Item = &'a str>) -> Suggestion {
    let fold = |s: &str| -> Vec<char> {
        s.chars().filter(|c| !matches!(c, '_' | '-' | ' ' | '.')).flat_map(char::to_lowercase).collect()
    };
    let folded = fold(wanted);
    let limit = folded.len().div_ceil(3).clamp(1, 3);
    let best = candidates
        .into_iter()
        .map(|name| (edit_distance(&folded, &fold(name)), name))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, name)| (*distance, name.len()));
    Suggestion(best.map(|(_, name)| name.to_owned()))
}

/// Levenshtein distance with swaps of neighbours counted as one.
fn edit_distance(a: &[char], b: &[char]) -> usize {
    let mut rows = vec![vec![0usize; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    rows[0] = (0..=b.len()).collect();
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let cost = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(rows[i - 1][j - 1] + cost);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn slips_are_found_and_strangers_are_not() {
        let names = ["emails", "external_id", "skip_verify_email", "First Name"];
        assert_eq!(nearest("email", names).name(), Some("emails"));
        assert_eq!(nearest("extrenal_id", names).name(), Some("external_id"));
        assert_eq!(nearest("first_name", names).name(), Some("First Name"));
        assert_eq!(nearest("zzz", names).name(), None);
        assert_eq!(nearest("emial", names).to_string(), "; did you mean `emails`?");
    }
}
