//! The table of a new connector: two example rows, or a row for each heading of a vendor's file.

use std::{fs::File, io::Read, path::Path};

use serde::Serialize;
use usher_abi::STANDARD_CLAIMS;

use super::Role;

/// Claims that a sink may take by default: who somebody is and how to reach them, nothing that an import could damage
/// (docs/claims.md).
const TAKEN_BY_SINKS: [&str; 10] = [
    "sub",
    "name",
    "given_name",
    "family_name",
    "middle_name",
    "email",
    "phone_number",
    "company",
    "locale",
    "zoneinfo",
];

/// Headings that are another word for a claim, as [`folded`] writes them.
const SYNONYMS: [(&str, &str); 12] = [
    ("companyname", "company"),
    ("emailaddress", "email"),
    ("firstname", "given_name"),
    ("fullname", "name"),
    ("language", "locale"),
    ("lastname", "family_name"),
    ("mail", "email"),
    ("mobile", "phone_number"),
    ("mobilephone", "phone_number"),
    ("phone", "phone_number"),
    ("surname", "family_name"),
    ("timezone", "zoneinfo"),
];

/// Bytes in which the first record of a template must end.
const LONGEST_HEADER: u64 = 1 << 20;

/// The table of a new connector.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) columns: Vec<Column>,
    /// Between the cells.
    pub(super) delimiter: u8,
    /// Headings that are not in it, and why.
    pub(super) notes: Vec<String>,
}

/// A row of it.
#[derive(Debug, Serialize)]
pub(super) struct Column {
    /// The heading.
    pub(super) name: String,
    /// The claim that fills it (a sink's), or that it provides (a source's).
    pub(super) claim: Option<&'static str>,
    required: bool,
    max_chars: Option<u32>,
    summary: &'static str,
    source: String,
    /// Its cells in the sample.
    pub(super) examples: [&'static str; 2],
}

impl Table {
    /// Two rows, as examples of what a row says.
    pub(super) fn example(role: Role) -> Self {
        let names = if role == Role::Source { ["Email", "First name"] } else { ["email", "first_name"] };
        let mut columns = names.map(|name| Column::new(name, claim(name), "an example".to_owned()));
        columns[0].required = true;
        columns[0].summary = "the address, in every row";
        columns[1].max_chars = Some(40);
        columns[1].summary = "at most 40 characters";
        Self { columns: columns.into(), delimiter: b',', notes: Vec::new() }
    }

    /// A row for each heading of a delimited file, in its order.
    pub(super) fn of_header(file: &Path, role: Role) -> Result<Self, String> {
        let (headings, delimiter) =
            read(file).map_err(|what| format!("--from-header {}: {what}", file.display()))?;
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut table = Self { columns: Vec::new(), delimiter, notes: Vec::new() };
        for (place, heading) in headings.iter().enumerate() {
            if let Some(why) = table.unfit(heading) {
                table.notes.push(format!("{name}: column {} is left out: {why}", place + 1));
                continue;
            }
            let free = |claim: &&str| !table.columns.iter().any(|c| c.claim == Some(*claim));
            let wanted = |claim: &&str| role == Role::Source || TAKEN_BY_SINKS.contains(claim);
            let claim = claim(heading).filter(free).filter(wanted);
            table.columns.push(Column::new(heading, claim, format!("template {name}")));
        }
        if table.columns.is_empty() {
            return Err(format!(
                "--from-header {}: its first record has no heading that can be used",
                file.display()
            ));
        }
        Ok(table)
    }

    /// Why a heading cannot be a row of the table.
    fn unfit(&self, heading: &str) -> Option<String> {
        if heading.trim().is_empty() {
            Some("it has no heading".to_owned())
        } else if heading.chars().any(char::is_control) {
            Some(format!("its heading {heading:?} holds a line end or another control character"))
        } else if heading.ends_with('*') {
            Some(format!(
                "`{heading}` would be a pattern: a name in the table that ends in `*` stands for many"
            ))
        } else if self.columns.iter().any(|column| column.name == heading) {
            Some(format!("`{heading}` is the heading of an earlier column"))
        } else {
            None
        }
    }
}

impl Column {
    fn new(name: &str, claim: Option<&'static str>, source: String) -> Self {
        let examples = match claim {
            Some("email") => ["ada@example.com", "grace@example.com"],
            Some("given_name" | "nickname") => ["Ada", "Grace"],
            Some("family_name") => ["Lovelace", "Hopper"],
            Some("name") => ["Ada Lovelace", "Grace Hopper"],
            Some("phone_number") => ["+442079460000", "+12025550100"],
            Some("locale") => ["en-GB", "en-US"],
            Some("zoneinfo") => ["Europe/London", "America/New_York"],
            _ => ["one", "two"],
        };
        let summary = match claim {
            Some("email") => "an email address",
            Some("phone_number") => "a phone number in E.164",
            _ => "any text",
        };
        Self { name: name.to_owned(), claim, required: false, max_chars: None, summary, source, examples }
    }
}

/// The claim that a heading speaks of, whatever its case, blanks, `_` and `-`.
fn claim(heading: &str) -> Option<&'static str> {
    let heading = folded(heading);
    let standard = STANDARD_CLAIMS.iter().copied().find(|claim| folded(claim) == heading);
    standard.or_else(|| SYNONYMS.iter().find(|(word, _)| *word == heading).map(|(_, claim)| *claim))
}

fn folded(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The first record of a file, and the delimiter that parts it best.
fn read(file: &Path) -> Result<(Vec<String>, u8), String> {
    let mut bytes = Vec::new();
    let opened = File::open(file).map_err(|error| error.to_string())?;
    opened.take(LONGEST_HEADER).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes);
    let record = |delimiter: u8| -> Result<csv::StringRecord, csv::Error> {
        let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).has_headers(false).from_reader(bytes);
        reader.records().next().unwrap_or_else(|| Ok(csv::StringRecord::new()))
    };
    let mut best = (csv::StringRecord::new(), b',');
    for delimiter in *b",;\t" {
        let cells = record(delimiter).map_err(|_| "its first record is not UTF-8; save it as UTF-8")?;
        if cells.len() > best.0.len() {
            best = (cells, delimiter);
        }
    }
    Ok((best.0.iter().map(str::to_owned).collect(), best.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(bytes: &[u8], role: Role) -> Result<Table, String> {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("template.csv");
        std::fs::write(&file, bytes).expect("a file");
        Table::of_header(&file, role)
    }

    fn claims(table: &Table) -> Vec<(&str, Option<&str>)> {
        table.columns.iter().map(|c| (c.name.as_str(), c.claim)).collect()
    }

    #[test]
    fn headings_are_known_by_any_spelling() {
        for (heading, expected) in [
            ("E-mail", "email"),
            ("EMAIL ADDRESS", "email"),
            ("First Name", "given_name"),
            ("family_name", "family_name"),
            ("LASTNAME", "family_name"),
            ("Phone-Number", "phone_number"),
        ] {
            assert_eq!(claim(heading), Some(expected), "{heading}");
        }
        for strange in ["Emails sent", "id", "Adresse", ""] {
            assert_eq!(claim(strange), None, "{strange}");
        }
    }

    #[test]
    fn the_delimiter_is_guessed_and_the_mark_removed() {
        let table =
            table(b"\xEF\xBB\xBFE-mail;\"Name, first\";Phone\r\na;b;c\r\n", Role::Sink).expect("a table");
        assert_eq!(table.delimiter, b';');
        let expected = [("E-mail", Some("email")), ("Name, first", None), ("Phone", Some("phone_number"))];
        assert_eq!(claims(&table), expected);
    }

    #[test]
    fn a_claim_fills_one_column_and_only_what_an_import_cannot_damage() {
        let header = b"Phone,Mobile,Tags,Email verified";
        let sink = table(header, Role::Sink).expect("a table");
        assert_eq!(sink.columns.iter().filter_map(|c| c.claim).collect::<Vec<_>>(), ["phone_number"]);
        let source = table(header, Role::Source).expect("a table");
        let provided: Vec<&str> = source.columns.iter().filter_map(|c| c.claim).collect();
        assert_eq!(provided, ["phone_number", "tags", "email_verified"]);
    }

    #[test]
    fn headings_that_no_table_can_have_are_said() {
        let table = table(b"a,,a,Name*,\"two\nlines\",b", Role::Sink).expect("a table");
        assert_eq!(claims(&table), [("a", None), ("b", None)]);
        let columns: Vec<&str> =
            table.notes.iter().map(|n| n.split(" is left out").next().unwrap_or(n)).collect();
        let expected = [2, 3, 4, 5].map(|n| format!("template.csv: column {n}"));
        assert_eq!(columns, expected);
    }

    #[test]
    fn what_is_no_header_is_refused() {
        for bad in [&b""[..], b" , ", b"a,\xFF"] {
            assert!(table(bad, Role::Sink).is_err(), "{bad:?}");
        }
        assert!(Table::of_header(Path::new("/no/such.csv"), Role::Sink).is_err());
    }
}
