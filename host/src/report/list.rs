//! Names in a sentence.

/// No more names than anybody reads.
const MOST: usize = 40;

/// `` `a`, `b` `` and so on; `nothing` of none.
pub(crate) fn list(names: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let mut names = names.into_iter();
    let shown: Vec<String> = names.by_ref().take(MOST).map(|name| format!("`{}`", name.as_ref())).collect();
    match (shown.is_empty(), names.count()) {
        (true, _) => "nothing".to_owned(),
        (false, 0) => shown.join(", "),
        (false, more) => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::list;

    #[test]
    fn long_lists_have_an_end() {
        assert_eq!(list([""; 0]), "nothing");
        assert_eq!(list(["a", "b"]), "`a`, `b`");
        assert!(list((0..50).map(|n| n.to_string())).ends_with("`39` and 10 more"));
    }
}
