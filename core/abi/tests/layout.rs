//! Pins size, alignment and offsets of everything that crosses the boundary.
//!
//! A change of the golden file is a change of the boundary: while the major is 0 it needs a new minor, from major 1 on
//! it must not happen at all (docs/abi.md).

#![cfg(target_pointer_width = "64")]
#![expect(
    clippy::unwrap_used,
    reason = "clippy knows a test by `#[test]`, not the functions that tests share"
)]

use std::{collections::BTreeMap, fmt::Write as _, fs, mem, path::Path};

use abi_stable::type_layout::TypeLayout;
use usher_abi::{
    ArrowArray, ArrowSchema, Batch, Changed, Error, ErrorClass, Extension, HostTable, Identity, Instance,
    Kind, LeftOut, LogLevel, LoginHandle, LoginTable, Merged, Module, ModuleRef, Origin, ROption, RResult,
    RSlice, RSliceMut, RStr, RString, RVec, Reject, Report, SinkTable, SourceTable, Split, Status,
    StreamHandle, StreamTable, TransformTable,
    export::StableAbi,
    service::{
        ClockTable, HttpTable, InputFile, InputTable, LedgerTable, OutputTable, PartFormat, Slab, StateTable,
    },
};

/// Lines of text about structs, and their names.
#[derive(Default)]
struct Layouts {
    text: String,
    names: Vec<&'static str>,
}

macro_rules! layouts {
    ($($type:ident { $($field:tt),* $(,)? })*) => {{
        let mut layouts = Layouts::default();
        $(
            layouts.names.push(stringify!($type));
            let (size, align) = (mem::size_of::<$type>(), mem::align_of::<$type>());
            let _ = writeln!(layouts.text, "{}: size {size}, align {align}", stringify!($type));
            $(
                let offset = mem::offset_of!($type, $field);
                let _ = writeln!(layouts.text, "  {offset:>4} {}", stringify!($field));
            )*
        )*
        layouts
    }};
}

fn layouts() -> Layouts {
    layouts! {
        Kind { 0 }
        Status { 0 }
        ErrorClass { 0 }
        LogLevel { 0 }
        Module { describe, open, get_extension }
        Instance { this, source, transform, sink }
        SourceTable { check, catalog, plan, open_split, cancel, close }
        StreamHandle { this, table }
        StreamTable { next, cancel, close }
        TransformTable { check, output_schema, apply, flush, cancel, close }
        SinkTable { check, begin, write, flush, finish, cancel, close }
        Split { input, start, end, details }
        Batch { array, schema, buffer_lens, input, checkpoint }
        ArrowArray {
            length, null_count, offset, n_buffers, n_children, buffers, children, dictionary, release, private_data,
        }
        ArrowSchema { format, name, metadata, flags, n_children, children, dictionary, release, private_data }
        Error { class, code, message, retry_after_ms, details, context }
        Report { written, accepted, confirmed, unknown, rejects, merged, left_out, changed }
        Identity { count, sum }
        Origin { input, length, offset }
        Reject { origin, column, code, message, retryable, details }
        LeftOut { origin, column, value, code, message }
        Merged { origin, survivor }
        Changed { column, rule, count }
        HostTable { context, log, metric, is_cancelled, get_extension }
        Extension { layout, table }
        InputTable { open, reader, next, close }
        InputFile { id, name, size, splittable }
        Slab { data, len, offset, owner, release }
        OutputTable { create, write, read_back, finish, discard }
        PartFormat { name, delimiter, quote, header }
        ClockTable { now_ms, sleep_ms }
        StateTable { get, put, delete }
        LoginHandle { this }
        LoginTable { open, begin, poll, export, cancel, close }
        LedgerTable { find, note }
        HttpTable { begin, wait, next, keep, close }
    }
}

#[test]
fn structs_keep_their_layout() {
    insta::assert_snapshot!("structs", layouts().text);
}

/// The standard types that the structs and functions are made of; `abi_stable` is pinned, and this says why.
#[test]
fn standard_types_keep_their_size() {
    let mut text = String::new();
    macro_rules! sizes {
        ($($type:ty),* $(,)?) => {
            $(let _ = writeln!(
                text, "{}: size {}, align {}", stringify!($type), mem::size_of::<$type>(), mem::align_of::<$type>()
            );)*
        };
    }
    sizes! {
        RStr<'static>, RString, RSlice<'static, u8>, RSliceMut<'static, u8>, RVec<u8>, ROption<u64>, ROption<Extension>,
        ROption<Slab>, ROption<RVec<u8>>, RResult<(), Error>, RResult<u64, Error>, RResult<RString, Error>,
        RResult<Instance, Error>, RResult<Status, Error>, RResult<RVec<Split>, Error>, ModuleRef,
    }
    insta::assert_snapshot!("standard_types", text);
}

/// Every type that a plugin and the host compare when they meet (the root module and the services), with the types of
/// its fields and the signatures of its functions. Types of `abi_stable` only by size and alignment.
#[test]
#[cfg_attr(not(target_arch = "x86_64"), ignore = "`c_char` has another name there")]
fn types_keep_their_fields_and_signatures() {
    let mut seen = BTreeMap::new();
    for layout in [
        ModuleRef::LAYOUT,
        InputTable::LAYOUT,
        OutputTable::LAYOUT,
        ClockTable::LAYOUT,
        StateTable::LAYOUT,
        LoginTable::LAYOUT,
        LedgerTable::LAYOUT,
        HttpTable::LAYOUT,
    ] {
        walk(layout, &mut seen);
    }
    insta::assert_snapshot!("types", seen.into_values().collect::<String>());
}

fn walk(layout: &'static TypeLayout, seen: &mut BTreeMap<String, String>) {
    let name = name(layout);
    if seen.contains_key(&name) {
        return;
    }
    let mut text = format!("{name}: size {}, align {}\n", layout.size(), layout.alignment());
    if layout.package().as_str() == "usher-abi" {
        for field in layout.get_fields().iter().flat_map(|fields| fields.iter()) {
            let _ = write!(text, "    {}: ", field.name());
            match field.function_range().iter().next() {
                Some(function) if field.is_function() => {
                    let parameters: Vec<String> =
                        function.param_type_layouts.iter().map(|parameter| self::name(parameter())).collect();
                    let _ = write!(text, "fn({})", parameters.join(", "));
                    if let Some(returned) = function.return_type_layout() {
                        let _ = write!(text, " -> {}", self::name(returned()));
                    }
                }
                _ => text.push_str(&self::name(field.layout())),
            }
            text.push('\n');
        }
    }
    let ours = ["usher-abi", "abi_stable"].contains(&layout.package().as_str());
    seen.insert(name, if ours { text } else { String::new() });
    for inner in layout.shared_vars().type_layouts() {
        walk(inner(), seen);
    }
}

/// The type with its parameters, which `full_type` leaves out for some.
fn name(layout: &'static TypeLayout) -> String {
    let name = layout.full_type().to_string().replace(" >", ">").trim_end().to_owned();
    let parameters = match layout.name() {
        "RResult" => 2,
        "ROption" | "RVec" | "RSlice" | "RSliceMut" => 1,
        _ => return name,
    };
    let inner = layout.shared_vars().type_layouts().iter().take(parameters).map(|inner| self::name(inner()));
    format!("{}<{}>", layout.name(), inner.collect::<Vec<_>>().join(", "))
}

/// Whoever adds a struct to the boundary adds it here.
#[test]
fn no_struct_is_missing_here() {
    let mut found = Vec::new();
    structs_under(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    let listed = layouts().names;
    let missing: Vec<&String> = found.iter().filter(|name| !listed.contains(&name.as_str())).collect();
    assert!(missing.is_empty(), "add these to `layouts()`: {missing:?}");
    assert_eq!(
        found.len(),
        listed.len(),
        "`layouts()` lists a struct that is not `repr(C)` or `repr(transparent)`"
    );
}

/// Names of the public structs that stand below a `#[repr(C)]` or `#[repr(transparent)]`.
fn structs_under(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            structs_under(&path, found);
        } else {
            let text = fs::read_to_string(&path).unwrap();
            let mut crosses = false;
            for line in text.lines() {
                crosses |= line.starts_with("#[repr(C)]") || line.starts_with("#[repr(transparent)]");
                if let Some(rest) = line.strip_prefix("pub struct ").filter(|_| mem::take(&mut crosses)) {
                    let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
                    found.push(rest[..end].to_owned());
                }
            }
        }
    }
}
