//! The text of a lock file: always the same for the same plugins.

use serde::Deserialize;
use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table, value};

use super::Locked;

/// Version of the form.
const VERSION: u32 = 1;
const HEAD: &str = "# Written by `usher plugins lock`. Only these files are loaded; `usher plugins verify` looks without loading.\n";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    #[serde(rename = "version")]
    _version: u32,
    #[serde(default, rename = "plugin")]
    plugins: Vec<Locked>,
}

/// The version alone, whatever else a later form may say.
#[derive(Deserialize)]
struct Head {
    version: u32,
}

/// The plugins of a lock file's text; the error says the line and what to do.
pub(super) fn parse(text: &str) -> Result<Vec<Locked>, String> {
    let wrong = |error: toml_edit::de::Error| {
        let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
        let cause = error.message().trim().replace('\n', " ");
        format!("line {line}: {cause}; write it anew: remove it and run `usher plugins lock`")
    };
    let Head { version } = toml_edit::de::from_str(text).map_err(wrong)?;
    if version != VERSION {
        return Err(format!("is of version {version}, this host reads {VERSION}; update this host"));
    }
    let Text { plugins, .. } = toml_edit::de::from_str(text).map_err(wrong)?;
    let mut names: Vec<&str> = plugins.iter().map(|plugin| plugin.name.as_str()).collect();
    names.sort_unstable();
    if let Some([twice, _]) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(format!("has the plugin `{twice}` twice; remove one of them"));
    }
    Ok(plugins)
}

/// The text, plugins by name, with a line end at the end.
pub(super) fn write(plugins: &[Locked]) -> String {
    let mut plugins: Vec<&Locked> = plugins.iter().collect();
    plugins.sort_by_key(|plugin| &plugin.name);
    let tables: ArrayOfTables = plugins.into_iter().map(table).collect();
    let mut document = DocumentMut::new();
    document["version"] = value(i64::from(VERSION));
    document["plugin"] = Item::ArrayOfTables(tables);
    format!("{HEAD}{document}")
}

fn table(plugin: &Locked) -> Table {
    let list = |names: &[String]| value(names.iter().collect::<Array>());
    let mut table = Table::new();
    table["name"] = value(&plugin.name);
    table["version"] = value(&plugin.version);
    table["abi"] = value(&plugin.abi);
    table["description"] = value(&plugin.description);
    table["wants"] = list(&plugin.wants);
    table["hosts"] = list(&plugin.hosts);
    table["files"] = Item::Table(plugin.files.iter().collect());
    table
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn plugin(name: &str) -> Locked {
        Locked {
            name: name.to_owned(),
            version: "0.1.0".to_owned(),
            abi: "0.1".to_owned(),
            description: "sha256:d".to_owned(),
            wants: vec!["input".to_owned(), "state".to_owned()],
            hosts: vec!["*.a \"b\".com".to_owned()],
            files: BTreeMap::from(
                [("z-target", "sha256:2"), ("a.target", "sha256:1")]
                    .map(|(k, v)| (k.to_owned(), v.to_owned())),
            ),
        }
    }

    #[test]
    fn the_text_is_in_one_order_and_reads_back() {
        let text = write(&[plugin("zendesk"), plugin("auth0")]);
        insta::assert_snapshot!(text);
        assert_eq!(parse(&text).unwrap(), [plugin("auth0"), plugin("zendesk")]);
        assert_eq!(parse(&write(&[])).unwrap(), []);
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_line() {
        let unknown = write(&[plugin("auth0")]).replace("hosts =", "host =");
        let twice = write(&[plugin("auth0"), plugin("auth0")]);
        let texts = ["", "version = 2\nnew = true\n", "version = 1\n\nplugin = [\n", &unknown, &twice];
        let errors: Vec<String> = texts.iter().map(|text| parse(text).unwrap_err()).collect();
        insta::assert_snapshot!(errors.join("\n"));
    }
}
