//! Which columns of a report hold what.

use std::str::FromStr;

/// Which columns of a report hold what, by their headings in any case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns {
    /// What is wrong with the row.
    pub error: Option<String>,
    /// A value of the row; the part has it in a column of the same heading, or of the one behind it.
    pub key: Option<(String, Option<String>)>,
    /// The row's line in the part, headings counted.
    pub line: Option<String>,
    /// The row's number in the part, headings not counted.
    pub row: Option<String>,
}

/// `error=Error,key=E-Mail:email,line=Line`
impl FromStr for Columns {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut columns = Self::default();
        for item in text.split(',') {
            let Some((what, heading)) = item.split_once('=') else {
                return Err(format!("`{item}` is no KEY=HEADING"));
            };
            let heading = heading.trim().to_owned();
            match what.trim() {
                "error" => columns.error = Some(heading),
                "key" => {
                    columns.key = Some(match heading.split_once(':') {
                        Some((here, there)) => (here.to_owned(), Some(there.to_owned())),
                        None => (heading, None),
                    });
                }
                "line" => columns.line = Some(heading),
                "row" => columns.row = Some(heading),
                other => return Err(format!("`{other}` is none of `error`, `key`, `line`, `row`")),
            }
        }
        Ok(columns)
    }
}
