//! Paths of attributes, as options and as expressions write them: what is printed means what was read.

use usher::expression::{Expression, Segment};
use usher_sdk::source::Path;

pub(crate) fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    if let Ok(path) = text.parse::<Path>() {
        assert_eq!(path.to_string().parse::<Path>().as_ref(), Ok(&path));
        let innermost = path.prefixes().last();
        assert_eq!(innermost, Some(path));
    }
    let Ok(expression) = Expression::parse(text) else { return };
    for name in expression.names() {
        let printed = name.to_string();
        // The grammar takes `-not` for the negative of what is called `not`.
        if matches!(&name.segments[0], Segment::Key(first) if first == "not") {
            continue;
        }
        let again = Expression::parse(&printed).unwrap_or_else(|e| panic!("{printed}: {e}"));
        assert_eq!(again.names(), [name], "{printed}");
    }
}
