//! Tests of the input service as a connector sees it.

use std::{
    fs,
    io::{Cursor, Write},
    os::unix::fs::PermissionsExt,
    path::Path,
};

use serde_json::json;
use usher_abi::{ErrorClass, ROption};

use super::*;
use crate::services::{
    clock::Cancel,
    input::{
        InputOptions, Packing,
        decode::tests::{gzip, zstd},
        digest::BLOCK,
        slabs::SLAB,
    },
};

fn registry(folder: &Path) -> Arc<InputRegistry> {
    let stdin = Some(Box::new(Cursor::new("from a pipe\n")) as _);
    let options = InputOptions { stdin, ..InputOptions::new(folder, folder, Cancel::new()) };
    InputRegistry::new(options)
}

/// All slabs of a range, put together; checks that they follow each other.
fn read(inputs: &Inputs, input: u32, start: u64, end: u64) -> Result<(u64, Vec<u8>), Error> {
    let reader = inputs.reader(input, start, end)?;
    let (mut first, mut all) = (None, Vec::new());
    while let Some(slab) = inputs.next(reader)? {
        assert!(!slab.bytes().is_empty() && slab.bytes().len() <= SLAB);
        let begin = *first.get_or_insert(slab.offset);
        assert_eq!(slab.offset, begin + all.len() as u64);
        all.extend_from_slice(slab.bytes());
    }
    assert!(inputs.next(reader)?.is_none(), "the end stays the end");
    inputs.close(reader);
    assert_eq!(inputs.next(reader).unwrap_err().code, "input.unknown");
    Ok((first.unwrap_or(0), all))
}

fn text(len: usize) -> Vec<u8> {
    (0..len).map(|n| if n % 61 == 60 { b'\n' } else { b'a' + (n % 23) as u8 }).collect()
}

#[test]
fn every_range_of_a_plain_file_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = text(SLAB * 3 + 17);
    fs::write(folder.path().join("a.csv"), &bytes).unwrap();
    let inputs = registry(folder.path()).view(&json!({ "input": "a.csv" }));
    let file = inputs.open("a.csv").unwrap().remove(0);
    let size = bytes.len() as u64;
    assert_eq!(
        (file.id, file.name.as_str(), file.size, file.splittable),
        (0, "a.csv", ROption::RSome(size), true)
    );
    let slab = SLAB as u64;
    for (start, end) in
        [(0, u64::MAX), (0, size), (5, 6), (slab - 1, slab + 1), (7, slab * 2 + 7), (size, size)]
    {
        let (_, got) = read(&inputs, 0, start, end).unwrap();
        assert_eq!(got, bytes[start as usize..(end.min(size)) as usize], "{start}..{end}");
    }
    assert_eq!(read(&inputs, 0, size + 5, u64::MAX).unwrap().1, b"");
    assert_eq!(read(&inputs, 0, 9, 3).unwrap().1, b"");
}

#[test]
fn packed_files_are_read_whole() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = text(SLAB * 2 + 5);
    let (a, b) = bytes.split_at(SLAB + 99);
    fs::write(folder.path().join("g.csv"), [gzip(a), gzip(b)].concat()).unwrap();
    fs::write(folder.path().join("z.gz"), [zstd(a), zstd(b)].concat()).unwrap();
    let registry = registry(folder.path());
    let inputs = registry.view(&json!(["g.csv", { "deep": ["z.gz"] }]));
    for (spec, packing) in [("g.csv", Packing::Gzip), ("z.gz", Packing::Zstd)] {
        let file = inputs.open(spec).unwrap().remove(0);
        assert_eq!((file.size, file.splittable), (ROption::RNone, false));
        assert_eq!(registry.inputs()[file.id as usize].packing, packing, "told by content");
        assert_eq!(read(&inputs, file.id, 0, u64::MAX).unwrap(), (0, bytes.clone()));
        assert_eq!(inputs.reader(file.id, 1, u64::MAX).unwrap_err().code, "input.not-splittable");
    }
}

#[test]
fn offsets_count_the_byte_order_mark() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = [b"\xef\xbb\xbf".to_vec(), text(SLAB)].concat();
    fs::write(folder.path().join("a"), &bytes).unwrap();
    fs::write(folder.path().join("b"), gzip(&bytes)).unwrap();
    let inputs = registry(folder.path()).view(&json!("[ab]"));
    inputs.open("[ab]").unwrap();
    for id in [0, 1] {
        assert_eq!(read(&inputs, id, 0, u64::MAX).unwrap(), (3, bytes[3..].to_vec()));
    }
    assert_eq!(read(&inputs, 0, 2, 8).unwrap(), (3, bytes[3..8].to_vec()));
    assert_eq!(read(&inputs, 0, 4, 8).unwrap(), (4, bytes[4..8].to_vec()));
}

#[test]
fn a_cut_file_fails_after_what_could_be_read_and_stays_failed() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = text(SLAB * 3);
    let packed = gzip(&bytes);
    fs::write(folder.path().join("a.gz"), &packed[..packed.len() - 4]).unwrap();
    let inputs = registry(folder.path()).view(&json!("a.gz"));
    inputs.open("a.gz").unwrap();
    let reader = inputs.reader(0, 0, u64::MAX).unwrap();
    let error = loop {
        match inputs.next(reader) {
            Ok(Some(_)) => {}
            Ok(None) => panic!("a cut file has no end"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.code, "input.cut-gzip");
    assert_eq!(
        error.message,
        format!(
            "`a.gz` is cut off: its gzip data stops at byte {} of the file without an end; copy or export it again",
            packed.len() - 4
        )
    );
    assert_eq!(inputs.next(reader).unwrap_err(), error);
}

#[test]
fn only_what_the_options_name_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.csv"), "a\n").unwrap();
    fs::write(folder.path().join("b.csv"), "b\n").unwrap();
    let registry = registry(folder.path());
    let a = registry.view(&json!({ "b.csv": 1, "inputs": ["a.csv"] }));
    let b = registry.view(&json!({ "input": "b.csv" }));
    for spec in ["b.csv", "./a.csv", "-", "/etc/passwd", ""] {
        assert_eq!(a.open(spec).unwrap_err().code, "input.not-named", "{spec}");
    }
    a.open("a.csv").unwrap();
    b.open("b.csv").unwrap();
    assert_eq!(a.reader(1, 0, 1).unwrap_err().code, "input.unknown", "another connector's input");
}

#[test]
fn ids_are_shared_and_names_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["x/users.csv", "y/users.csv", "z.csv"] {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "a\n").unwrap();
    }
    let registry = registry(folder.path());
    let options = json!(["y/users.csv", "z.csv", "*/users.csv", "x/../z.csv"]);
    let (a, b) = (registry.view(&options), registry.view(&options));
    let ids = |files: Vec<InputFile>| files.iter().map(|f| (f.id, f.name.to_string())).collect::<Vec<_>>();
    assert_eq!(ids(a.open("y/users.csv").unwrap()), [(0, "users.csv".into())]);
    assert_eq!(ids(b.open("z.csv").unwrap()), [(1, "z.csv".into())]);
    assert_eq!(ids(a.open("x/../z.csv").unwrap()), [(1, "z.csv".into())]);
    assert_eq!(
        ids(b.open("*/users.csv").unwrap()),
        [(2, "x/users.csv".into()), (0, "y/users.csv".into())],
        "in the order of the glob"
    );
    assert_eq!((registry.name(0).as_str(), registry.name(9).as_str()), ("y/users.csv", "input 9"));
    assert_eq!(registry.inputs().len(), 3);
}

#[test]
fn standard_input_is_spooled_once_and_is_like_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let registry = registry(folder.path());
    let (a, b) = (registry.view(&json!("-")), registry.view(&json!("-")));
    let file = a.open("-").unwrap().remove(0);
    assert_eq!((file.name.as_str(), file.size, file.splittable), ("stdin", ROption::RSome(12), true));
    assert_eq!(b.open("-").unwrap()[0].id, file.id);
    assert_eq!(read(&a, 0, 0, u64::MAX).unwrap().1, b"from a pipe\n");
    assert_eq!(read(&b, 0, 5, u64::MAX).unwrap().1, b"a pipe\n");
    assert_eq!(registry.digest(0).unwrap().blake3, blake3::hash(b"from a pipe\n").to_hex().to_string());
}

#[test]
fn digests_are_of_the_stored_bytes_whatever_was_read_of_them() {
    // Of several blocks packed as well, not of whole ones, and longer than what is read without a helper.
    let letter = |n: u64| b'a' + (n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 60) as u8;
    let text: Vec<u8> = (0..9 * SLAB as u64 + 7).map(|n| letter(n * n)).collect();
    let packed = gzip(&text);
    assert!(packed.len() > 2 * BLOCK, "{} bytes", packed.len());
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("plain"), &text).unwrap();
    fs::write(folder.path().join("packed"), &packed).unwrap();
    let half = text.len() as u64 / 2;
    for (name, stored) in [("plain", &text), ("packed", &packed), ("-", &text)] {
        for (start, end) in [(0, u64::MAX), (0, half), (half + 1, half + 300_000), (0, 0)] {
            let stdin = Some(Box::new(Cursor::new(text.clone())) as _);
            let options =
                InputOptions { stdin, ..InputOptions::new(folder.path(), folder.path(), Cancel::new()) };
            let registry = InputRegistry::new(options);
            let inputs = registry.view(&json!(name));
            inputs.open(name).unwrap();
            if start == 0 || name != "packed" {
                let (_, bytes) = read(&inputs, 0, start, end).unwrap();
                let end = usize::try_from(end).unwrap_or(usize::MAX).min(text.len());
                assert!(bytes == text[start as usize..end], "{name} {start}..{end}");
            }
            let digest = registry.digest(0).unwrap();
            assert_eq!(digest.blake3, blake3::hash(stored).to_hex().to_string(), "{name} {start}..{end}");
            assert_eq!(digest.bytes, stored.len() as u64);
        }
    }
}

#[test]
fn standard_input_may_be_missing() {
    let folder = tempfile::tempdir().unwrap();
    let options =
        InputOptions { stdin: None, ..InputOptions::new(folder.path(), folder.path(), Cancel::new()) };
    let error = InputRegistry::new(options).view(&json!("-")).open("-").unwrap_err();
    assert_eq!(error.code, "input.no-stdin");
}

#[test]
fn a_named_pipe_is_spooled_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let (reader, mut writer) = std::io::pipe().unwrap();
    let path = format!("/dev/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&reader));
    let writing = std::thread::spawn(move || writer.write_all(&text(300_000)).unwrap());
    let inputs = registry(folder.path()).view(&json!(path));
    let file = inputs.open(&path).unwrap().remove(0);
    writing.join().unwrap();
    assert_eq!(file.size, ROption::RSome(300_000));
    assert_eq!(read(&inputs, file.id, 0, u64::MAX).unwrap().1, text(300_000));
}

#[test]
fn faults_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at("folder")).unwrap();
    fs::write(at("empty.csv"), "").unwrap();
    fs::write(at("utf16.csv"), b"\xff\xfea\0").unwrap();
    fs::write(at("latin1.csv"), b"Jos\xe9\n").unwrap();
    fs::write(at("secret.csv"), "a\n").unwrap();
    fs::set_permissions(at("secret.csv"), fs::Permissions::from_mode(0o000)).unwrap();
    let inputs = registry(folder.path()).view(&json!([
        "folder",
        "missing.csv",
        "empty.csv",
        "utf16.csv",
        "latin1.csv",
        "secret.csv"
    ]));
    let code = |spec: &str| inputs.open(spec).unwrap_err().code.to_string();
    assert_eq!(code("folder"), "input.folder");
    assert_eq!(code("missing.csv"), "input.missing");
    assert_eq!(code("empty.csv"), "input.empty");
    assert_eq!(code("utf16.csv"), "input.utf16");
    assert_eq!(code("latin1.csv"), "input.not-utf8");
    // The superuser may read everything.
    if fs::File::open(at("secret.csv")).is_err() {
        assert_eq!(code("secret.csv"), "input.unreadable");
    }
}

#[test]
fn progress_counts_stored_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = text(SLAB + 1);
    fs::write(folder.path().join("a"), &bytes).unwrap();
    fs::write(folder.path().join("b"), gzip(&bytes)).unwrap();
    let stored: u64 = ["a", "b"].iter().map(|n| folder.path().join(n).metadata().unwrap().len()).sum();
    let inputs = registry(folder.path()).view(&json!("[ab]"));
    assert_eq!(inputs.progress(), InputProgress::default());
    inputs.open("[ab]").unwrap();
    inputs.open("[ab]").unwrap();
    assert_eq!(inputs.progress(), InputProgress { done: 0, total: stored });
    read(&inputs, 0, 0, 10).unwrap();
    assert_eq!(inputs.progress(), InputProgress { done: 10, total: stored });
    read(&inputs, 0, 10, u64::MAX).unwrap();
    read(&inputs, 1, 0, u64::MAX).unwrap();
    assert_eq!(inputs.progress(), InputProgress { done: stored, total: stored });
    inputs.restart_progress();
    assert_eq!(inputs.progress().done, 0);
}

#[test]
fn a_file_that_changes_during_the_run_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    fs::write(&path, text(100)).unwrap();
    let registry = registry(folder.path());
    let inputs = registry.view(&json!("a"));
    inputs.open("a").unwrap();
    fs::write(&path, text(50)).unwrap();
    assert_eq!(inputs.reader(0, 0, 10).unwrap_err().code, "input.changed");
    assert_eq!(registry.digest(0).unwrap_err().code, "input.changed");
}

#[test]
fn a_cancelled_run_reads_no_further() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a"), text(100)).unwrap();
    let cancel = Cancel::new();
    let registry = InputRegistry::new(InputOptions::new(folder.path(), folder.path(), cancel.clone()));
    let inputs = registry.view(&json!("a"));
    inputs.open("a").unwrap();
    let reader = inputs.reader(0, 0, 10).unwrap();
    cancel.cancel();
    assert_eq!(inputs.next(reader).unwrap_err().class, ErrorClass::CANCELLED);
}

#[test]
fn short_ranges_come_in_blocks_of_the_digest_and_without_a_thread() {
    let folder = tempfile::tempdir().unwrap();
    let all = text(3 * BLOCK + 5);
    fs::write(folder.path().join("a"), &all).unwrap();
    let registry = registry(folder.path());
    let inputs = registry.view(&json!("a"));
    inputs.open("a").unwrap();
    let reader = inputs.reader(0, 1, u64::MAX).unwrap();
    assert_eq!(Arc::strong_count(&registry.pool), 2, "the registry and the reader, no helper");
    let (mut read, mut lengths) = (Vec::new(), Vec::new());
    while let Some(slab) = inputs.next(reader).unwrap() {
        assert_eq!(slab.offset, 1 + read.len() as u64);
        read.extend_from_slice(slab.bytes());
        lengths.push(slab.len);
    }
    assert_eq!(lengths, [BLOCK - 1, BLOCK, BLOCK, 5]);
    assert!(read == all[1..], "the bytes of the range");
}

#[test]
fn closing_early_leaves_no_thread_waiting() {
    let folder = tempfile::tempdir().unwrap();
    // More than is read without a helper.
    fs::write(folder.path().join("a"), text(SLAB * 9)).unwrap();
    let registry = registry(folder.path());
    let inputs = registry.view(&json!("a"));
    inputs.open("a").unwrap();
    for _ in 0..20 {
        let reader = inputs.reader(0, 0, u64::MAX).unwrap();
        let slab = inputs.next(reader).unwrap().unwrap();
        inputs.close(reader);
        assert_eq!(slab.bytes(), &text(SLAB)[..], "a slab outlives its reader");
    }
    // Each helper thread held the pool; when all have ended only the registry does.
    for _ in 0..500 {
        if Arc::strong_count(&registry.pool) == 1 {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("a helper thread still runs");
}
