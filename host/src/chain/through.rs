//! `through`: the transforms of a chain, between the source and everything else.
//!
//! A transform is asked about its schema twice while the chain is prepared: with all that the source lists, which says
//! what names the chain may use and what each is made from; and with the columns that are going to be read, to be sure
//! that what the chain needs comes out. Every pass over the input begins with fresh instances, so that a transform may
//! keep state.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use usher_abi::{Attribute, Catalog, Error, Report, ValueKind, metadata};

use super::{
    books::Books,
    notes::Notes,
    outcome::{Counted, TransformOutcome},
    passage::Passage,
    shape::{LENGTH, OFFSET, Owner},
};
use crate::runner::Transform;

/// Opens an instance of a transform.
pub(super) type Opener = Box<dyn Fn() -> Result<Box<dyn Transform>, Error> + Send>;

/// The transforms of a chain, in order.
pub(super) struct Through {
    stages: Vec<Stage>,
    /// The chain's own claims, with their attributes: a transform must know them by name, too.
    own: Vec<(String, String)>,
}

/// One transform.
pub(super) struct Stage {
    name: String,
    /// Plugin and version, for messages.
    label: String,
    opener: Opener,
    transform: Box<dyn Transform>,
    /// What it was asked, for the instances after it.
    asked: Vec<SchemaRef>,
    /// What it answered last: what its batches are to have.
    announced: SchemaRef,
    passage: Passage,
    /// What columns are made from that are not made from the column of their own name.
    made_from: BTreeMap<String, Vec<String>>,
    changed: BTreeMap<(String, String), u64>,
}

impl Stage {
    /// A transform by its name in the manifest.
    pub(super) fn new(name: String, label: String, transform: Box<dyn Transform>, opener: Opener) -> Self {
        Self {
            name,
            label,
            opener,
            transform,
            asked: Vec::new(),
            announced: Arc::new(Schema::empty()),
            passage: Passage::default(),
            made_from: BTreeMap::new(),
            changed: BTreeMap::new(),
        }
    }

    fn ask(&mut self, schema: SchemaRef) -> Result<SchemaRef, Error> {
        self.asked.push(schema.clone());
        self.announced = self.transform.output_schema(&schema)?;
        Ok(self.announced.clone())
    }

    /// Whether all that comes out is made from what goes in. Of an open catalog, any name may.
    fn founded(&self, catalog: &Catalog, input: &Schema, output: &Schema) -> Result<(), Error> {
        for field in output.fields().iter().filter(|_| !catalog.open) {
            let itself = std::slice::from_ref(field.name());
            let from = self.made_from.get(field.name()).map_or(itself, Vec::as_slice);
            if let Some(missing) = from.iter().find(|name| input.field_with_name(name).is_err()) {
                let message = format!(
                    "it announces `{}`, made from `{missing}`, which does not go in; new columns say with `{}` what they \
                     are made from; report this to its author",
                    field.name(),
                    metadata::FROM
                );
                return Err(Error::bug("plugin.columns", message));
            }
        }
        Ok(())
    }

    /// What the records are when they come out of this transform, if they go in as `catalog`.
    fn catalog(&mut self, catalog: &Catalog, own: &[(String, String)]) -> Result<Catalog, Error> {
        let input = schema_of(catalog, own);
        let output = self.ask(input.clone())?;
        self.made_from =
            output.fields().iter().filter_map(|f| Some((f.name().clone(), sources(f)?))).collect();
        self.founded(catalog, &input, &output).map_err(|e| e.context(&*self.label))?;
        let attributes = output.fields().iter().filter(|f| !is_origin(f)).map(|field| {
            let known = catalog.attributes.iter().find(|a| a.path == *field.name());
            Attribute {
                path: field.name().clone(),
                kind: of(field, metadata::KIND).and_then(ValueKind::from_name).unwrap_or_default(),
                // The chain's own are looked up by themselves.
                claim: claims(field).into_iter().find(|claim| !own.iter().any(|(name, _)| name == claim)),
                summary: known.map(|a| a.summary.clone()).unwrap_or_default(),
            }
        });
        Ok(Catalog { attributes: attributes.collect(), open: catalog.open, notes: catalog.notes.clone() })
    }
}

impl Through {
    /// No transforms yet; `own` are the chain's own claims.
    pub(super) fn new(own: &[(String, String)]) -> Self {
        Self { stages: Vec::new(), own: own.to_vec() }
    }

    /// Whether there are no transforms.
    pub(super) fn is_empty(&self) -> bool {
        self.stages.is_empty()
    }

    /// Adds a transform; answers what the records are behind it, if they are as `catalog` before it.
    pub(super) fn push(&mut self, mut stage: Stage, catalog: &Catalog) -> Result<Catalog, Error> {
        let after = stage.catalog(catalog, &self.own);
        self.stages.push(stage);
        after
    }

    /// The columns that the source must send so that `needed` can come out.
    pub(super) fn sources(&self, needed: &[String]) -> Vec<String> {
        let mut wanted = needed.to_vec();
        for stage in self.stages.iter().rev() {
            let mut before: Vec<String> = Vec::new();
            for name in wanted {
                let from = stage.made_from.get(&name).cloned().unwrap_or_else(|| vec![name]);
                before.extend(from.into_iter().filter(|n| !before.contains(n)).collect::<Vec<_>>());
            }
            wanted = before;
        }
        wanted
    }

    /// The needed columns that do not come out when `projection` goes in, each with the transform that lacks it. An
    /// error comes with the transform that gave it.
    pub(super) fn lost(
        &mut self,
        catalog: &Catalog,
        projection: &[String],
        needed: &[String],
    ) -> Result<Vec<(String, String)>, (String, Error)> {
        let attributes = projection.iter().map(|path| {
            let known = catalog.attributes.iter().find(|a| a.path == *path).cloned();
            known.unwrap_or_else(|| Attribute { path: path.clone(), ..Attribute::default() })
        });
        let mut fields: Vec<Field> =
            attributes.map(|attribute: Attribute| field_of(&attribute, &self.own)).collect();
        fields.extend(origin_fields());
        let mut schema = Arc::new(Schema::new(fields));
        let mut lost: Vec<(String, String)> = Vec::new();
        for stage in &mut self.stages {
            let output = stage.ask(schema.clone()).map_err(|error| (stage.name.clone(), error))?;
            for name in needed.iter().filter(|name| schema.field_with_name(name).is_ok()) {
                if output.field_with_name(name).is_err() {
                    lost.push((name.clone(), stage.name.clone()));
                }
            }
            schema = output;
        }
        let last = self.stages.last().map(|stage| stage.name.clone()).unwrap_or_default();
        for name in needed {
            if schema.field_with_name(name).is_err() && !lost.iter().any(|(n, _)| n == name) {
                lost.push((name.clone(), last.clone()));
            }
        }
        Ok(lost)
    }

    /// Fresh instances, for another pass over the same records.
    pub(super) fn restart(&mut self) -> Result<(), Error> {
        for stage in &mut self.stages {
            stage.transform = (stage.opener)()?;
            for schema in &stage.asked {
                stage.transform.output_schema(schema)?;
            }
            stage.passage = Passage::default();
            stage.changed.clear();
        }
        Ok(())
    }

    /// What comes out for a batch. Rejected and merged records are booked for every sink.
    pub(super) fn apply(
        &mut self,
        batch: RecordBatch,
        input: u32,
        books: &mut Books,
        notes: &Notes,
    ) -> Result<Vec<(RecordBatch, u32)>, Error> {
        self.apply_from(0, batch, input, books, notes)
    }

    /// What was held back, in order.
    pub(super) fn flush(
        &mut self,
        books: &mut Books,
        notes: &Notes,
    ) -> Result<Vec<(RecordBatch, u32)>, Error> {
        let mut out = Vec::new();
        for at in 0..self.stages.len() {
            while let Some((batch, input)) = self.stages[at].flush(books, notes)? {
                out.extend(self.apply_from(at + 1, batch, input, books, notes)?);
            }
        }
        Ok(out)
    }

    fn apply_from(
        &mut self,
        first: usize,
        batch: RecordBatch,
        input: u32,
        books: &mut Books,
        notes: &Notes,
    ) -> Result<Vec<(RecordBatch, u32)>, Error> {
        let mut at = Some((batch, input));
        for stage in &mut self.stages[first..] {
            let Some((batch, input)) = at else { return Ok(Vec::new()) };
            at = stage.apply(&batch, input, books, notes)?;
        }
        Ok(at.into_iter().collect())
    }

    /// What the transforms did.
    pub(super) fn outcome(&self) -> Vec<TransformOutcome> {
        let counted = |((column, rule), count): (&(String, String), &u64)| Counted {
            what: format!("{column}: {rule}"),
            count: *count,
        };
        let outcome = |stage: &Stage| TransformOutcome {
            name: stage.name.clone(),
            changed: stage.changed.iter().map(counted).collect(),
        };
        self.stages.iter().map(outcome).collect()
    }
}

impl Stage {
    fn apply(
        &mut self,
        batch: &RecordBatch,
        input: u32,
        books: &mut Books,
        notes: &Notes,
    ) -> Result<Option<(RecordBatch, u32)>, Error> {
        self.passage.give(batch, input)?;
        let mut report = Report::default();
        let rows = self.transform.apply(batch, input, &mut report)?;
        self.account(&report, rows.as_ref()).map_err(|e| e.context(&*self.label))?;
        self.book(report, books, notes)?;
        Ok(rows)
    }

    /// What was held back, or none at the end.
    fn flush(&mut self, books: &mut Books, notes: &Notes) -> Result<Option<(RecordBatch, u32)>, Error> {
        let mut report = Report::default();
        let rows = self.transform.flush(&mut report)?;
        let accounted = self.account(&report, rows.as_ref()).and_then(|()| match rows {
            Some(_) => self.passage.must_end(),
            None => self.passage.balance(),
        });
        accounted.map_err(|e| e.context(&*self.label))?;
        self.book(report, books, notes)?;
        Ok(rows)
    }

    /// Whether what came is what was announced, and no more than went in.
    fn account(&mut self, report: &Report, rows: Option<&(RecordBatch, u32)>) -> Result<(), Error> {
        let missing = rows.and_then(|(batch, _)| {
            let fields = self.announced.fields().iter();
            fields.map(|field| field.name()).find(|name| batch.column_by_name(name).is_none())
        });
        if let Some(name) = missing {
            let message =
                format!("`{name}` does not come out, which it had announced; report this to its author");
            return Err(Error::bug("plugin.columns", message));
        }
        self.passage.take(report, rows)
    }

    fn book(&mut self, report: Report, books: &mut Books, notes: &Notes) -> Result<(), Error> {
        let delivered = [report.written, report.accepted, report.confirmed, report.unknown];
        if delivered.iter().any(|fate| fate.count > 0) || !report.left_out.is_empty() {
            let message = "a transform delivers nothing: it can only reject, merge and change; report this to its author";
            return Err(Error::bug("plugin.report", message).context(&*self.label));
        }
        books.take(&report);
        for reject in &report.rejects {
            notes.reject(Owner(None), reject)?;
        }
        for merged in &report.merged {
            notes.merged(Owner(None), merged, &self.name)?;
        }
        for change in report.changed {
            *self.changed.entry((change.column.into(), change.rule.into())).or_default() += change.count;
        }
        Ok(())
    }
}

/// A catalog as a schema, with the attributes of the chain's own claims.
fn schema_of(catalog: &Catalog, own: &[(String, String)]) -> SchemaRef {
    let mut attributes = catalog.attributes.clone();
    for (_, path) in own {
        if catalog.open && !attributes.iter().any(|a| a.path == *path) {
            attributes.push(Attribute { path: path.clone(), ..Attribute::default() });
        }
    }
    let mut fields: Vec<Field> = attributes.iter().map(|attribute| field_of(attribute, own)).collect();
    fields.extend(origin_fields());
    let metadata = HashMap::from([(metadata::OPEN.to_owned(), catalog.open.to_string())]);
    Arc::new(Schema::new_with_metadata(fields, metadata))
}

fn origin_fields() -> [Field; 2] {
    [Field::new(OFFSET, DataType::UInt64, false), Field::new(LENGTH, DataType::UInt32, false)]
}

/// The type stands for nothing: what a value is, its kind says.
fn field_of(attribute: &Attribute, own: &[(String, String)]) -> Field {
    let of_source = attribute.claim.iter().filter(|claim| !own.iter().any(|(name, _)| name == *claim));
    let of_chain = own.iter().filter(|(_, path)| *path == attribute.path).map(|(claim, _)| claim);
    let claims: Vec<&String> = of_source.chain(of_chain).collect();
    let mut notes = HashMap::from([(metadata::KIND.to_owned(), attribute.kind.name().to_owned())]);
    if !claims.is_empty() {
        notes.insert(metadata::CLAIMS.to_owned(), serde_json::json!(claims).to_string());
    }
    Field::new(&attribute.path, DataType::Utf8, true).with_metadata(notes)
}

fn claims(field: &Field) -> Vec<String> {
    of(field, metadata::CLAIMS).and_then(|claims| serde_json::from_str(claims).ok()).unwrap_or_default()
}

fn of<'a>(field: &'a Field, key: &str) -> Option<&'a str> {
    field.metadata().get(key).map(String::as_str)
}

fn sources(field: &Field) -> Option<Vec<String>> {
    serde_json::from_str(of(field, metadata::FROM)?).ok()
}

fn is_origin(field: &Field) -> bool {
    [OFFSET, LENGTH].contains(&field.name().as_str())
}
