//! `POST /users/import`: a file is looked through at once and applied later, most of it.

use std::{collections::BTreeMap, time::Instant};

use csv::{ReaderBuilder, StringRecord};
use serde_json::{Map, Value, json};

use super::{
    account::{Account, Import},
    calls::Parameters,
    envelope, properties,
    settings::{EmptyCells, RowErrors},
};
use crate::{
    message::{Asked, Reply},
    multipart, text,
    unknown::OnUnknown,
};

/// 30 MB, decimal.
const LARGEST_FILE: usize = 30_000_000;

impl Account {
    pub(crate) fn import(&mut self, asked: &Asked, parameters: &Parameters) -> Result<Reply, Reply> {
        let app = parameters.get("app").ok_or_else(|| envelope::invalid("app", "app is required"))?;
        self.is_app(app)?;
        let kind = asked.header("content-type").unwrap_or_default();
        // The vendor's own sample sends the name of the file in a form, and no file.
        let parts = multipart::parts(kind, &asked.body).map_err(|e| envelope::invalid("file", &e))?;
        let file = parts.iter().find(|part| part.name == "file" && part.file_name.is_some());
        let file = file.ok_or_else(|| envelope::invalid("file", "file is required"))?.content;
        let merge_field = parameters.get("merge_field").unwrap_or("$user_id");
        if !["$user_id", "$email"].contains(&merge_field) {
            return Err(envelope::invalid("merge_field", "one of $user_id, $email"));
        }
        let delimiter = parameters.get("delimiter").unwrap_or("\t");
        if ![",", "|", ";", "\t", " "].contains(&delimiter) {
            return Err(envelope::invalid("delimiter", "one of , | ; tab blank"));
        }
        let tags = parameters.get("tags").map(tags).unwrap_or_default();
        let mut import = self.looked_through(file, delimiter.as_bytes()[0], merge_field)?;
        import.tags = tags;
        let reply = self.taken(&import);
        self.imports.push(import);
        Ok(reply)
    }

    fn looked_through(&mut self, file: &[u8], delimiter: u8, merge_field: &str) -> Result<Import, Reply> {
        let refused = |message: &str| envelope::invalid("file", message);
        if file.len() > LARGEST_FILE {
            return Err(refused("the file is larger than 30 MB"));
        }
        let text = std::str::from_utf8(file).map_err(|_| refused("the file is not UTF-8"))?;
        let mut reader =
            ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(text.as_bytes());
        let header = reader.headers().map_err(|e| refused(&e.to_string()))?;
        // The reader takes the mark off by itself; a vendor who does not has it in its first heading.
        let mark = if text.starts_with('\u{feff}') && !self.settings.takes_byte_order_mark {
            "\u{feff}"
        } else {
            ""
        };
        let heading =
            |(at, heading)| if at == 0 { format!("{mark}{heading}") } else { String::from(heading) };
        let header: StringRecord = header.iter().enumerate().map(heading).collect();
        let key = header.iter().position(|heading| heading == merge_field);
        let key = key.ok_or_else(|| refused(&format!("there is no column {merge_field}")))?;
        let unknown =
            header.iter().find(|heading| heading.starts_with('$') && !properties::is_known(heading));
        if let Some(heading) = unknown.filter(|_| self.settings.on_unknown == OnUnknown::Refuse) {
            return Err(refused(&format!("{heading} is no system property")));
        }
        let mut import = Import {
            bytes: file.len(),
            merge_field: merge_field.to_owned(),
            tags: Vec::new(),
            records: 0,
            row_errors: BTreeMap::new(),
            planned: 0,
            lost: Vec::new(),
            waiting: Vec::new(),
            taken: Instant::now(),
        };
        for record in reader.records() {
            let record = record.map_err(|e| refused(&e.to_string()))?;
            import.records += 1;
            match self.row(&header, &record, key) {
                Ok(row) => import.waiting.push(row),
                Err(error) => {
                    let number = import.records + usize::from(self.settings.header_counts);
                    import.row_errors.insert(number, error);
                }
            }
        }
        import.planned = import.waiting.len();
        Ok(import)
    }

    fn row(
        &self,
        header: &StringRecord,
        record: &StringRecord,
        key: usize,
    ) -> Result<Map<String, Value>, String> {
        if record.len() != header.len() {
            return Err(format!("{} cells where the header has {}", record.len(), header.len()));
        }
        if record[key].trim().is_empty() {
            return Err(format!("{} is empty", &header[key]));
        }
        let mut row = Map::new();
        for (heading, cell) in header.iter().zip(record) {
            if heading == "$email" && !cell.is_empty() && !text::is_address(cell) {
                return Err(format!("$email: {cell} is no address"));
            }
            if cell.chars().count() > properties::LONGEST_TEXT {
                return Err(format!("{heading}: longer than 255 characters"));
            }
            if heading.starts_with('$') && !properties::is_known(heading) {
                continue;
            }
            let value = match cell.is_empty() {
                true if self.settings.empty_cells == EmptyCells::Skip => continue,
                true => Value::Null,
                false if self.settings.guesses_types && !heading.starts_with('$') => {
                    properties::guessed(cell)
                }
                false => json!(cell),
            };
            row.insert(heading.to_owned(), value);
        }
        Ok(row)
    }

    fn taken(&self, import: &Import) -> Reply {
        let planned = import.planned;
        let errors = &import.row_errors;
        match self.settings.row_errors {
            RowErrors::MissingWhenEmpty if errors.is_empty() => {
                envelope::data(json!({ "updates_planned": planned }))
            }
            RowErrors::BareKeys => {
                let entries: Vec<String> =
                    errors.iter().map(|(row, error)| format!("{row}: {}", json!(error))).collect();
                let body = format!(
                    r#"{{"meta": {{"status": 200}}, "data": {{"row_errors": {{{}}}, "updates_planned": {planned}}}}}"#,
                    entries.join(", ")
                );
                Reply::bytes(200, "application/json", body.into_bytes())
            }
            _ => envelope::data(json!({ "row_errors": errors, "updates_planned": planned })),
        }
    }

    pub(crate) fn apply_due_rows(&mut self) {
        for at in 0..self.imports.len() {
            let import = &mut self.imports[at];
            if import.waiting.is_empty() || import.taken.elapsed() < self.settings.applies_after {
                continue;
            }
            let rows = std::mem::take(&mut import.waiting);
            let (merge_field, tags) = (import.merge_field.clone(), import.tags.clone());
            for row in rows {
                let key = row[&merge_field].as_str().unwrap_or_default().to_owned();
                if self.random.f64() < self.settings.loses {
                    self.imports[at].lost.push(key);
                } else {
                    self.apply(&merge_field, &key, row, &tags);
                }
            }
        }
    }

    fn apply(&mut self, merge_field: &str, key: &str, row: Map<String, Value>, tags: &[String]) {
        let known = match merge_field {
            "$user_id" => self.by_user_id.get(key).copied(),
            // The last one active is written, the others are left alone.
            _ => self.users_by_email(key).into_iter().max_by_key(|user| user.activity).map(|user| user.id),
        };
        let id = known.unwrap_or_else(|| self.create());
        for (name, value) in row {
            self.write(id, &name, Some(value).filter(|value| !value.is_null()));
        }
        let user = self.users.get_mut(&id).expect("it is there");
        user.tags.extend(tags.iter().cloned());
        user.deliveries += 1;
    }
}

/// An array in JSON, or its comma form with each name in JSON, or bare names.
fn tags(text: &str) -> Vec<String> {
    let array = serde_json::from_str(text).or_else(|_| serde_json::from_str(&format!("[{text}]")));
    array.unwrap_or_else(|_| text.split(',').filter(|tag| !tag.is_empty()).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_come_in_three_forms() {
        assert_eq!(tags(r#""super_tag","import, 2""#), ["super_tag", "import, 2"]);
        assert_eq!(tags(r#"["a","b"]"#), ["a", "b"]);
        assert_eq!(tags("a,b"), ["a", "b"]);
    }
}
