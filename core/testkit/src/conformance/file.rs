//! Cases as data: `conformance.toml`, which stands beside a connector's `Cargo.toml`.

use std::{fmt, marker::PhantomData, path::Path};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::{Map, Value};

use super::{Case, Sample};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    case: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    source: Option<String>,
    transform: Option<String>,
    sink: Option<String>,
    #[serde(default)]
    options: Options,
    #[serde(default)]
    columns: InOrder<Vec<String>>,
    #[serde(default)]
    inputs: InOrder<Sample>,
    #[serde(default)]
    refuses: Vec<Refusal>,
}

/// Good options; of several, each makes a case of its own.
#[derive(Deserialize)]
#[serde(untagged)]
enum Options {
    One(Map<String, Value>),
    Several(Vec<Map<String, Value>>),
}

impl Default for Options {
    fn default() -> Self {
        Self::One(Map::new())
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refusal {
    options: Value,
    #[serde(default)]
    at: String,
}

/// An entry of the file, held against what its role needs; made by `try_from` so that errors carry its line.
#[derive(Deserialize)]
#[serde(try_from = "Fields")]
struct Entry(Vec<Case>);

impl TryFrom<Fields> for Entry {
    type Error = String;

    fn try_from(fields: Fields) -> Result<Self, String> {
        type Make = fn(&str, Value) -> Case;
        let roles: [(Option<String>, Make); 3] =
            [(fields.source, Case::source), (fields.transform, Case::transform), (fields.sink, Case::sink)];
        let mut named = roles.into_iter().filter_map(|(name, make)| Some((name?, make)));
        let (Some((component, make)), None) = (named.next(), named.next()) else {
            return Err("a case names exactly one `source`, `transform` or `sink`".to_owned());
        };
        let options = match fields.options {
            Options::One(options) => vec![options],
            Options::Several(several) if several.is_empty() => {
                return Err("`options = []` makes no case; leave it out for none".to_owned());
            }
            Options::Several(several) => several,
        };
        let cases = options.into_iter().map(|options| {
            let mut case = make(&component, Value::Object(options));
            for (spec, sample) in &fields.inputs.0 {
                case = case.input(spec, sample.clone());
            }
            for (column, values) in &fields.columns.0 {
                case = case.column(column, values.iter().map(String::as_str));
            }
            for refusal in &fields.refuses {
                case = case.refuses(refusal.options.clone(), &refusal.at);
            }
            case
        });
        Ok(Self(cases.collect()))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    lines: Option<String>,
    csv: Option<String>,
    json_array: Option<Vec<String>>,
    whole: Option<String>,
    text: Option<Text>,
}

/// How a record is written that holds a text.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    attribute: String,
    record: String,
    escape: Escape,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Escape {
    Json,
    Csv,
}

impl Escape {
    fn apply(self, text: &str) -> String {
        match self {
            Self::Json => {
                let quoted = Value::from(text).to_string();
                quoted[1..quoted.len() - 1].to_owned()
            }
            Self::Csv => text.replace('"', "\"\""),
        }
    }
}

impl<'de> Deserialize<'de> for Sample {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        sample(Input::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}

fn sample(input: Input) -> Result<Sample, String> {
    let forms = [
        input.lines.map(Sample::lines),
        input.csv.map(Sample::csv),
        input.json_array.map(Sample::json_array),
        input.whole.map(Sample::whole),
    ];
    let mut given = forms.into_iter().flatten();
    let (Some(sample), None) = (given.next(), given.next()) else {
        return Err("an input has exactly one of `lines`, `csv`, `json_array` and `whole`".to_owned());
    };
    let Some(Text { attribute, record, escape }) = input.text else { return Ok(sample) };
    let Some((before, after)) = record.split_once("{text}") else {
        return Err(format!("`record` must hold `{{text}}` where the text stands, but is `{record}`"));
    };
    let (before, after) = (before.to_owned(), after.to_owned());
    Ok(sample.with_text(&attribute, move |text| format!("{before}{}{after}", escape.apply(text))))
}

/// A table whose keys keep the order in which they were written.
struct InOrder<T>(Vec<(String, T)>);

impl<T> Default for InOrder<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for InOrder<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Pairs<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Pairs<T> {
            type Value = InOrder<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<InOrder<T>, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(InOrder(pairs))
            }
        }

        from.deserialize_map(Pairs(PhantomData))
    }
}

impl Case {
    /// The cases of a `conformance.toml`; the crate's documentation shows its form.
    ///
    /// # Errors
    ///
    /// One line that names the file, the line and what is wrong there.
    pub fn load(path: impl AsRef<Path>) -> Result<Vec<Self>, String> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path)
            .map_err(|e| format!("{}: cannot be read ({e}); name a file of cases", path.display()))?;
        Self::parse(&text).map_err(|(line, message)| format!("{}:{line}: {message}", path.display()))
    }

    fn parse(text: &str) -> Result<Vec<Self>, (usize, String)> {
        let file: File = toml_edit::de::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            let line = text[..at.min(text.len())].matches('\n').count() + 1;
            (line, error.message().replace('\n', " "))
        })?;
        Ok(file.case.into_iter().flat_map(|entry| entry.0).collect())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Case;

    #[test]
    fn a_file_gives_the_cases_in_its_order() {
        let text = r#"
[[case]]
source = "users"
options = { input = "u.csv" }
refuses = [{ options = { input = 1 } }, { options = { input = "" }, at = "/input" }]
[case.inputs."u.csv"]
csv = "b,a\n{n},x\n"
text = { attribute = "a", record = '1,"{text}"', escape = "csv" }

[[case]]
sink = "users"
options = [{ plan = "team" }, { plan = "enterprise" }]
[case.columns]
zip = ["1"]
email = ["a{n}@example.com", "b{n}@example.com"]
"#;
        let cases = Case::parse(text).unwrap();
        assert_eq!(cases.len(), 3);
        let source = &cases[0];
        assert_eq!(source.options, json!({ "input": "u.csv" }));
        assert_eq!(source.refused[1], (json!({ "input": "" }), "/input".to_owned()));
        let (attribute, bytes) = source.inputs[0].1.text("say \"x\"{n}").unwrap();
        assert_eq!((attribute, bytes), ("a", b"b,a\n1,\"say \"\"x\"\"{n}\"\n".to_vec()));
        assert_eq!(cases[1].column_names(), ["zip", "email"]);
        assert_eq!(cases[2].options, json!({ "plan": "enterprise" }));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, line, message) in [
            (
                "[[case]]\n\n[[case]]\nsink = \"a\"\nsource = \"b\"\n",
                1,
                "exactly one `source`, `transform` or `sink`",
            ),
            ("[[case]]\nsink = \"a\"\noption = {}\n", 3, "unknown field `option`"),
            ("[[case]]\nsink = \"a\"\ncolumns = { a = 1 }\n", 3, "expected a sequence"),
            ("[[case]]\nsource = \"a\"\n[case.inputs.x]\ntext = 1\n", 4, "expected struct Text"),
            (
                "[[case]]\nsource = \"a\"\n[case.inputs.x]\nlines = \"\"\ncsv = \"\"\n",
                3,
                "exactly one of `lines`",
            ),
            ("\n[[case]\n", 2, "unclosed"),
        ] {
            let (at, said) = Case::parse(text).err().unwrap();
            assert!(at == line && said.contains(message), "{at}: {said}");
        }
    }
}
