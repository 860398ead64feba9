//! What a manifest may say without meaning it: nothing is wrong with it, so these are warnings.

use super::{mapping::Mapped, names::Names};

/// A sink that takes everything gets the claims of an open profile, and no other attribute: what to say of those, if
/// there are any. `read` are the columns that its expressions read.
pub(super) fn unwritten(from: &str, names: &Names, mapped: &[Mapped], read: &[String]) -> Option<String> {
    const SHOWN: usize = 5;
    let example = mapped.first().filter(|_| names.catalog().open)?;
    // One that is read in part was thought of.
    let touches = |column: &String, path: &str| {
        column.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    let paths = names.catalog().attributes.iter().map(|a| a.path.as_str());
    let left: Vec<&str> = paths.filter(|path| !read.iter().any(|column| touches(column, path))).collect();
    let first = left.first()?;
    let shown: Vec<String> = left.iter().take(SHOWN).map(|path| format!("`{path}`")).collect();
    let more = match left.len() {
        n if n > SHOWN => format!(" and {} more", n - SHOWN),
        _ => String::new(),
    };
    let are = if left.len() == 1 { "attribute is" } else { "attributes are" };
    Some(format!(
        "{} {are} not written, since without `fields` only claims are: {}{more} of `{from}`; name every column to be \
         written, as in fields = {{ {}, {} }}",
        left.len(),
        shown.join(", "),
        field(&example.expression),
        field(first),
    ))
}

/// A column of an attribute's own name, as a manifest says it.
fn field(path: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '[' | ']');
    let key = if path.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-')) {
        path.to_owned()
    } else {
        format!("{path:?}")
    };
    if path.chars().all(plain) { format!("{key} = \"{path}\"") } else { format!("{key} = 'row[{path:?}]'") }
}

#[cfg(test)]
mod tests {
    use super::field;

    #[test]
    fn fields_are_written_as_toml_takes_them() {
        assert_eq!(field("plan"), r#"plan = "plan""#);
        assert_eq!(field("app_metadata.plan"), r#""app_metadata.plan" = "app_metadata.plan""#);
        assert_eq!(field("First Name"), r#""First Name" = 'row["First Name"]'"#);
    }
}
