//! What a manifest may say without meaning it: nothing is wrong with it, so these are warnings.

use usher_abi::{ValueKind, is_standard};

use super::{
    binding::Purpose,
    mapping::Mapped,
    names::{Meaning, Names},
};
use crate::expression::Expression;

/// Claims that are true or false.
const BOOLEAN_CLAIMS: [&str; 4] = ["blocked", "consent", "email_verified", "phone_number_verified"];

/// What to say of an expression that asks whether a value is true which, by its kind or its claim, is something else. It
/// is no error, for a cell of a table may hold anything.
pub(super) fn never_boolean(names: &Names, expression: &Expression, purpose: Purpose) -> Option<String> {
    let (as_condition, code) = match purpose {
        Purpose::Condition => (true, "condition.not-boolean"),
        Purpose::Value => (false, "expression.failed"),
        // Where it fails there is no key, and no row is rejected.
        Purpose::Key => return None,
    };
    expression.conditions(as_condition).into_iter().find_map(|path| {
        let Meaning::Known(bound) = names.resolve(path) else { return None };
        let attribute = names.catalog().attributes.iter().find(|a| a.path == bound.column)?;
        let claims = names.claims().filter(|(_, path)| *path == bound.column).map(|(claim, _)| claim);
        let meant = claims.filter(|claim| is_standard(claim)).find(|claim| !BOOLEAN_CLAIMS.contains(claim));
        let what = match (attribute.kind, meant) {
            _ if bound.consumed < path.segments.len() => return None,
            (ValueKind::Boolean, _) | (ValueKind::Any, None) => return None,
            (ValueKind::Any, Some(claim)) => format!("the claim `{claim}`"),
            (kind, _) => format!("of the kind {}", kind.name()),
        };
        let compared = match attribute.kind {
            ValueKind::Integer | ValueKind::Number => "> 0",
            _ => "== '…'",
        };
        Some(format!(
            "`{path}` is {what}, not true or false: as a condition it rejects every row that has it ({code}); ask whether \
             it is there, as in `{path} is defined`, or compare it, as in `{path} {compared}`"
        ))
    })
}

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
