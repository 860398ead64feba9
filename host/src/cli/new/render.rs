//! The files of a new crate, from their templates.

use minijinja::{Environment, UndefinedBehavior, Value, syntax::SyntaxConfig, value::Serde};
use serde_json::json;

use super::{
    Role,
    columns::{Column, Table},
    sdk::{Sdk, Versions},
};

/// What to write.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) sdk: Sdk,
    pub(super) table: Table,
}

/// How the workspace's own code is formatted, and the templates are.
const RUSTFMT: &str = include_str!("../../../../rustfmt.toml");

/// A file's name in the crate, and its template.
type Template = (&'static str, &'static str);

macro_rules! templates {
    ($folder:literal: $($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("template/", $folder, "/", $name, ".jinja")))),*]
    };
}

const COMMON: &[Template] = templates!("common":
    ".gitignore", "Cargo.toml", "README.md", "connectors.toml", "examples/people.csv", "tests/conformance.rs",
);

const SINK: &[Template] = templates!("sink":
    "src/lib.rs", "src/columns.rs", "src/limits.rs", "src/options.rs", "src/sink.rs", "src/guide.rs",
    "conformance.toml", "tests/snapshots.rs", "tests/snapshots/snapshots__ordinary_people.snap",
);

const SOURCE: &[Template] = templates!("source":
    "src/lib.rs", "src/columns.rs", "src/source.rs",
    "conformance.toml", "tests/snapshots.rs", "tests/snapshots/snapshots__ordinary_people.snap",
);

const TRANSFORM: &[Template] = templates!("transform":
    "src/lib.rs", "src/transform.rs",
    "conformance.toml", "tests/snapshots.rs", "tests/snapshots/snapshots__ordinary_people.snap",
);

impl Plan {
    /// What a person should know before they read the files.
    pub(super) fn notes(&self) -> &[String] {
        &self.table.notes
    }

    /// Names and contents, names relative to the crate's folder.
    pub(super) fn files(&self) -> Result<Vec<(String, String)>, String> {
        let (environment, values) = (environment(), self.values()?);
        let own = match self.role {
            Role::Source => SOURCE,
            Role::Transform => TRANSFORM,
            Role::Sink => SINK,
        };
        let render = |(name, template): &Template| {
            let text = environment.render_str(template, &values);
            Ok(((*name).to_owned(), text.map_err(|error| format!("the template of {name}: {error:#}"))?))
        };
        let mut files = COMMON.iter().chain(own).map(render).collect::<Result<Vec<_>, String>>()?;
        files.push(("Cargo.lock".to_owned(), self.sdk.lock.clone()));
        files.push(("rustfmt.toml".to_owned(), RUSTFMT.to_owned()));
        Ok(files)
    }

    /// What the templates may name.
    fn values(&self) -> Result<Value, String> {
        let Table { columns, delimiter, .. } = &self.table;
        let has = |claim: &str| columns.iter().any(|column| column.claim == Some(claim));
        let all: Vec<&Column> = columns.iter().collect();
        let vendors = sample(&all, *delimiter, |column| &column.name)?;
        // The same people under the names of claims, as the plugin `csv` reads them for a sink.
        let claimed: Vec<&Column> = columns.iter().filter(|column| column.claim.is_some()).collect();
        let people = match self.role {
            Role::Source => vendors.clone(),
            _ if claimed.is_empty() => "sub\none\ntwo\n".to_owned(),
            _ => sample(&claimed, b',', |column| column.claim.unwrap_or_default())?,
        };
        Ok(Value::from(Serde(json!({
            "name": self.name,
            "crate_name": format!("usher_{}", self.name.replace('-', "_")),
            "title": self.name.split('-').map(capital).collect::<Vec<_>>().join(" "),
            "role": self.role.name(),
            "columns": columns,
            "has_email": has("email"),
            "has_phone": has("phone_number"),
            "has_claims": !claimed.is_empty(),
            "delimiter": char::from(*delimiter).escape_default().to_string(),
            "vendors_bytes": vendors.len(),
            "read": read(columns, &vendors),
            "vendors": vendors,
            "people": people,
            "sdk": self.sdk.dependency("sdk"),
            "testkit": self.sdk.dependency("testkit"),
            "versions": Versions::of_workspace()?,
        }))))
    }
}

/// Two people as a delimited file.
fn sample(columns: &[&Column], delimiter: u8, heading: impl Fn(&Column) -> &str) -> Result<String, String> {
    let headings: Vec<&str> = columns.iter().map(|column| heading(column)).collect();
    let cells = |row: usize| columns.iter().map(|column| column.examples[row]).collect::<Vec<_>>();
    let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
    for record in [headings, cells(0), cells(1)] {
        writer.write_record(record).map_err(|error| error.to_string())?;
    }
    let bytes = writer.into_inner().map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|error| error.to_string())
}

/// What a source reads from that file: claims by heading, then a JSON object a row. No cell of it holds a line end.
fn read(columns: &[Column], file: &str) -> String {
    let claims: Vec<_> = columns.iter().map(|column| json!([column.name, column.claim])).collect();
    let mut text = json!(claims).to_string();
    let mut offset = 0;
    for (place, line) in file.lines().enumerate() {
        if place > 0 {
            let cells = columns.iter().map(|c| format!("{}:{}", json!(c.name), json!(c.examples[place - 1])));
            let cells: Vec<String> = cells.collect();
            text += &format!("\n{{{},\"_offset\":{offset},\"_length\":{}}}", cells.join(","), line.len());
        }
        offset += line.len() + 1;
    }
    text
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

/// Jinja that leaves the lines of its blocks out, with a filter for the string literals of Rust and one for those of
/// TOML and JSON.
fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    let syntax =
        SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build();
    environment.set_syntax(syntax.unwrap_or_default());
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.add_filter("rust", |text: String| format!("{text:?}"));
    environment.add_filter("quoted", |text: String| serde_json::Value::from(text).to_string());
    environment
}
