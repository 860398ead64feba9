//! The account's own template: is our header one that it knows?

use usher_sdk::{
    Host,
    abi::{Error, ErrorClass, Problem, nearest},
    options::{problem, warning},
};

use crate::columns::CUSTOM;

const POINTER: &str = "/template";
/// No header is longer.
const MOST: usize = 1_000_000;

/// What of `header` the template at `path` does not have, or has in another order.
///
/// A template that is not there or cannot be read is a problem, too; that the host fails is an error.
pub(crate) fn compare(host: &Host, path: &str, header: &[String]) -> Result<Vec<Problem>, Error> {
    match read(host, path) {
        Ok(template) => Ok(hold_against(&template, header)),
        Err(error) if matches!(error.class, ErrorClass::CONFIG | ErrorClass::DATA) => {
            Ok(vec![problem(POINTER, error.code.to_string(), error.to_string())])
        }
        Err(error) => Err(error),
    }
}

/// The cells of the template's first line.
fn read(host: &Host, path: &str) -> Result<Vec<String>, Error> {
    let input = host.input()?;
    let file = input.open(path)?.into_iter().next();
    let file = file.ok_or_else(|| Error::config("template.empty", format!("`{path}` names no file")))?;
    let mut reader = input.read(file.id, 0, u64::MAX)?;
    let mut bytes = Vec::new();
    while let Some(slab) = reader.next_slab()? {
        bytes.extend_from_slice(slab.bytes());
        if bytes.len() >= MOST || bytes.contains(&b'\n') {
            break;
        }
    }
    let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes);
    let mut records = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text);
    let unreadable = |e: csv::Error| {
        Error::config(
            "template.unreadable",
            format!("`{path}` has no header that could be read ({e}); download it again"),
        )
    };
    let first = records.records().next().transpose().map_err(unreadable)?;
    let cells: Vec<String> =
        first.iter().flatten().map(|cell| cell.trim().to_owned()).filter(|c| !c.is_empty()).collect();
    if cells.is_empty() {
        return Err(Error::config(
            "template.empty",
            format!("`{path}` has no header; download the template again"),
        ));
    }
    Ok(cells)
}

fn hold_against(template: &[String], header: &[String]) -> Vec<Problem> {
    let mut problems = Vec::new();
    let knows_custom = template.iter().any(|column| column.starts_with(CUSTOM));
    let mut last: Option<(usize, &String)> = None;
    for column in header {
        match template.iter().position(|known| known == column) {
            Some(at) => {
                if let Some((before, other)) = last.filter(|(before, _)| *before > at) {
                    let message = format!(
                        "the account's template has `{column}` before `{other}` (columns {} and {}), and this version of \
                         the connector writes them the other way round",
                        at + 1,
                        before + 1
                    );
                    problems.push(problem(POINTER, "template.order", message));
                }
                last = Some((at, column));
            }
            // Whether a template names custom fields at all is not documented.
            None if column.starts_with(CUSTOM) && !knows_custom => {
                let message = format!(
                    "the account's template names no custom field, so `{column}` could not be checked"
                );
                problems.push(warning(POINTER, "template.custom-fields", message));
            }
            None => {
                let suggestion = nearest(column, template.iter().map(String::as_str));
                let message = format!("the account's template has no column `{column}`{suggestion}");
                problems.push(problem(POINTER, "template.unknown-column", message));
            }
        }
    }
    problems
}
