//! Tests of the way of a part from its sink to the published folder.

use std::{io::Write, os::unix::fs::PermissionsExt};

use usher_abi::service::{OutputService, PartFormat};

use super::*;
use crate::services::output::StagingOptions;

fn staging(out: &Path, run: &str) -> Staging {
    Staging::new(StagingOptions { out, chain: "onboard", run }).unwrap()
}

fn write(outputs: &dyn OutputService, stem: &str, text: &str, records: u64) -> Result<String, Error> {
    let part = outputs.create(stem, "csv", &PartFormat::csv(b',', true))?;
    outputs.write(part, text.as_bytes())?;
    outputs.finish(part, records)
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        folder.read_dir().unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

#[test]
fn a_run_becomes_visible_whole() {
    let out = tempfile::tempdir().unwrap();
    let chain = out.path().join("onboard");
    let staging = staging(out.path(), "r1");
    let (support, news) = (staging.outputs("support").unwrap(), staging.outputs("news").unwrap());

    let first = support.create("users", "csv", &PartFormat::csv(b',', true)).unwrap();
    assert_eq!(write(&support, "users", "a\n1\n", 1).unwrap(), "onboard-support-r1-users-0001.csv");
    support.write(first, b"a\n\"1\n2\"\n3\n").unwrap();
    assert_eq!(support.finish(first, 2).unwrap(), "onboard-support-r1-users-0002.csv", "in order of finish");
    write(&support, "organizations", "a\n", 0).unwrap();
    write(&news, "users", "a\n1\n", 1).unwrap();
    let mut rejects = staging.create_file("rejects.ndjson").unwrap();
    rejects.write_all(b"{}\n").unwrap();
    staging.create_file("support/UPLOAD.md").unwrap();
    assert_eq!(names(&chain), [".staging-r1"]);

    let folder = staging.publish(true).unwrap();
    assert_eq!(names(&chain), ["latest", "r1"]);
    assert_eq!(folder.path(), chain.join("r1"));
    assert_eq!(names(&chain.join("latest")), ["news", "rejects.ndjson", "support"]);
    assert_eq!(
        names(&chain.join("r1/support")),
        [
            "UPLOAD.md",
            "onboard-support-r1-organizations-0001.csv",
            "onboard-support-r1-users-0001.csv",
            "onboard-support-r1-users-0002.csv"
        ]
    );
    assert_eq!(fs::read_link(chain.join("latest")).unwrap(), Path::new("r1"), "relative");
    assert_eq!(fs::read_to_string(chain.join("r1/rejects.ndjson")).unwrap(), "{}\n");
    for path in ["", "r1", "r1/support"] {
        assert_eq!(mode(&chain.join(path)), 0o700, "{path}");
    }
    for path in ["r1/rejects.ndjson", "r1/support/UPLOAD.md", "r1/news/onboard-news-r1-users-0001.csv"] {
        assert_eq!(mode(&chain.join(path)), 0o600, "{path}");
    }
    let parts: Vec<_> = folder.parts().iter().map(|p| (&*p.connector, &*p.stem, p.rows, p.bytes)).collect();
    assert_eq!(
        parts,
        [
            ("news", "users", 1, 4),
            ("support", "users", 1, 4),
            ("support", "users", 2, 10),
            ("support", "organizations", 0, 2)
        ]
    );
    let part = &folder.parts()[2];
    assert_eq!(part.digest, blake3::hash(b"a\n\"1\n2\"\n3\n").to_hex().to_string());
    assert_eq!((part.format.delimiter, part.format.header, part.head.len()), (b',', true, 0));
}

#[test]
fn latest_is_moved_when_asked() {
    let out = tempfile::tempdir().unwrap();
    let chain = out.path().join("onboard");
    staging(out.path(), "r1").publish(true).unwrap();
    let second = staging(out.path(), "r2").publish(false).unwrap();
    assert_eq!(fs::read_link(chain.join("latest")).unwrap(), Path::new("r1"));
    fs::write(chain.join(".latest-r2"), "left by a crash").unwrap();
    second.move_latest().unwrap();
    assert_eq!(fs::read_link(chain.join("latest")).unwrap(), Path::new("r2"));
    assert_eq!(names(&chain), ["latest", "r1", "r2"]);
}

#[test]
fn latest_is_never_missing_while_it_moves() {
    let out = tempfile::tempdir().unwrap();
    let latest = out.path().join("onboard/latest");
    let runs: Vec<RunFolder> =
        (0..2).map(|n| staging(out.path(), &format!("r{n}")).publish(true).unwrap()).collect();
    std::thread::scope(|scope| {
        let mover = scope.spawn(|| (0..400).for_each(|n| runs[n % 2].move_latest().unwrap()));
        while !mover.is_finished() {
            assert!(fs::metadata(&latest).unwrap().is_dir());
        }
    });
}

#[test]
fn a_latest_that_cannot_be_moved_leaves_the_run() {
    let out = tempfile::tempdir().unwrap();
    let chain = out.path().join("onboard");
    fs::create_dir_all(chain.join("latest/full")).unwrap();
    let error = staging(out.path(), "r1").publish(true).unwrap_err();
    assert_eq!(error.code, "output.latest");
    assert_eq!(names(&chain), ["latest", "r1"]);
}

#[test]
fn a_run_that_is_dropped_leaves_nothing() {
    let out = tempfile::tempdir().unwrap();
    let staging = staging(out.path(), "r1");
    let outputs = staging.outputs("support").unwrap();
    write(&outputs, "users", "a\n1\n", 1).unwrap();
    let open = outputs.create("users", "csv", &PartFormat::csv(b',', true)).unwrap();
    assert!(staging.folder().unwrap().exists());
    drop(staging);
    assert_eq!(names(&out.path().join("onboard")), [""; 0]);
    outputs.write(open, b"nobody reads this").unwrap();
}

#[test]
fn a_later_run_removes_what_a_killed_one_left() {
    let out = tempfile::tempdir().unwrap();
    let chain = out.path().join("onboard");
    let killed = chain.join(".staging-r0");
    fs::create_dir_all(killed.join("support")).unwrap();
    fs::write(killed.join(".lock"), "").unwrap();
    let living = staging(out.path(), "r1");
    let other = staging(out.path(), "r2");
    assert_eq!(names(&chain), [".staging-r1", ".staging-r2"]);
    living.publish(false).unwrap();
    other.publish(false).unwrap();
    assert_eq!(names(&chain), ["r1", "r2"]);
    assert_eq!(names(&chain.join("r1")), [""; 0], "the lock file is gone");
}

#[test]
fn a_run_id_is_used_once() {
    let out = tempfile::tempdir().unwrap();
    let again =
        |run| Staging::new(StagingOptions { out: out.path(), chain: "onboard", run }).unwrap_err().code;
    let first = staging(out.path(), "r1");
    assert_eq!(again("r1"), "output.exists");
    first.publish(true).unwrap();
    assert_eq!(again("r1"), "output.exists");
    assert_eq!(again("latest"), "output.exists");
}

#[test]
fn a_miscount_fails_the_run_even_if_its_sink_goes_on() {
    let out = tempfile::tempdir().unwrap();
    let staging = staging(out.path(), "r1");
    let outputs = staging.outputs("support").unwrap();
    let error = write(&outputs, "users", "a\n1\n2\n", 3).unwrap_err();
    assert_eq!(error.code, "output.miscount");
    assert_eq!(
        error.message,
        "a part `users` of connector `support` is not what its sink says: it holds 2 records, the sink says 3"
    );
    let json = outputs.create("all", "json", &PartFormat::json()).unwrap();
    outputs.write(json, b"[1,2").unwrap();
    assert!(outputs.finish(json, 2).unwrap_err().message.ends_with("its JSON array does not end"));
    assert_eq!(staging.publish(true).unwrap_err(), error);
    assert_eq!(names(&out.path().join("onboard")), [""; 0]);
}

#[test]
fn a_part_left_open_fails_the_run() {
    let out = tempfile::tempdir().unwrap();
    let staging = staging(out.path(), "r1");
    let outputs = staging.outputs("support").unwrap();
    outputs.create("users", "csv", &PartFormat::csv(b',', true)).unwrap();
    let error = staging.publish(true).unwrap_err();
    assert_eq!(error.code, "output.unfinished");
    assert!(error.message.contains("support: users"), "{error}");
}

#[test]
fn parts_are_read_back_merged_and_thrown_away() {
    let out = tempfile::tempdir().unwrap();
    let staging = staging(out.path(), "r1");
    let outputs = staging.outputs("support").unwrap();
    let draft = outputs.create("users", "csv", &PartFormat::csv(b',', true)).unwrap();
    outputs.write(draft, b"a\n1\n").unwrap();
    let mut text = [0; 10];
    let read = outputs.read_back(draft, 2, &mut text).unwrap();
    assert_eq!(
        write(&outputs, "users", &format!("a\n{}", std::str::from_utf8(&text[..read]).unwrap()), 1).unwrap(),
        "onboard-support-r1-users-0001.csv"
    );
    outputs.discard(draft).unwrap();
    assert_eq!(outputs.discard(draft).unwrap_err().code, "output.no-part");
    assert_eq!(outputs.write(draft, b"x").unwrap_err().code, "output.no-part");
    let folder = staging.publish(false).unwrap();
    assert_eq!(names(&folder.path().join("support")), ["onboard-support-r1-users-0001.csv"]);
}

#[test]
fn connectors_cannot_reach_each_others_parts() {
    let out = tempfile::tempdir().unwrap();
    let staging = staging(out.path(), "r1");
    let (a, b) = (staging.outputs("a").unwrap(), staging.outputs("b").unwrap());
    let part = a.create("users", "csv", &PartFormat::csv(b',', true)).unwrap();
    assert_eq!(b.write(part, b"x").unwrap_err().code, "output.no-part");
    assert_eq!(staging.outputs("a").unwrap_err().code, "output.twice");
}

#[test]
fn names_stay_where_they_belong() {
    let out = tempfile::tempdir().unwrap();
    let staging = staging(out.path(), "r1");
    let outputs = staging.outputs("support").unwrap();
    let format = PartFormat::ndjson();
    for (stem, extension) in [("../x", "csv"), ("", "csv"), (".x", "csv"), ("x", "c/sv"), ("a b", "csv")] {
        assert_eq!(
            outputs.create(stem, extension, &format).unwrap_err().code,
            "output.name",
            "{stem}.{extension}"
        );
    }
    for name in ["../x", "/x", "", ".lock", "a/../b", "support/.x"] {
        assert_eq!(staging.create_file(name).unwrap_err().code, "output.name", "{name}");
    }
    for (chain, run) in [("../c", "r"), ("c", "../r"), ("c", ".r")] {
        let options = StagingOptions { out: out.path(), chain, run };
        assert_eq!(Staging::new(options).unwrap_err().code, "output.name");
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let out = tempfile::tempdir().unwrap();
    let file = out.path().join("file");
    fs::write(&file, "").unwrap();
    let error = Staging::new(StagingOptions { out: &file, chain: "onboard", run: "r1" }).unwrap_err();
    assert!(error.message.contains("file/onboard"), "{error}");
    assert_eq!(error.code, "output.not-writable");
}

#[test]
fn a_dry_run_counts_and_leaves_nothing() {
    let temporary = tempfile::tempdir().unwrap();
    let staging = Staging::dry(temporary.path(), "onboard", "plan", 5).unwrap();
    assert!(staging.folder().is_none());
    let outputs = staging.outputs("support").unwrap();
    let draft = outputs.create("users", "csv", &PartFormat::csv(b',', true)).unwrap();
    outputs.write(draft, b"a\n1\n2\n").unwrap();
    let mut text = [0; 10];
    assert_eq!(outputs.read_back(draft, 0, &mut text).unwrap(), 6);
    assert_eq!(names(temporary.path()), [""; 0], "not even while it runs");
    assert_eq!(outputs.finish(draft, 2).unwrap(), "onboard-support-plan-users-0001.csv");
    assert_eq!(write(&outputs, "users", "a\n", 1).unwrap_err().code, "output.miscount");
    staging.create_file("rejects.ndjson").unwrap().write_all(b"x").unwrap();
    let parts = staging.parts();
    assert_eq!((parts.len(), parts[0].rows, parts[0].bytes, &*parts[0].head), (1, 2, 6, &b"a\n1\n2"[..]));
    assert_eq!(staging.publish(true).unwrap_err().code, "output.dry");
}

#[test]
fn a_receipt_may_come_later() {
    let out = tempfile::tempdir().unwrap();
    let folder = staging(out.path(), "r1").publish(true).unwrap();
    folder.write_file("receipt.json", b"old").unwrap();
    folder.write_file("receipt.json", b"new").unwrap();
    folder.write_file("support/answer.json", b"{}").unwrap();
    assert_eq!(fs::read(folder.path().join("receipt.json")).unwrap(), b"new");
    assert_eq!(mode(&folder.path().join("receipt.json")), 0o600);
    assert_eq!(names(&folder.path()), ["receipt.json", "support"]);
    assert_eq!(folder.write_file("../x", b"").unwrap_err().code, "output.name");
}
