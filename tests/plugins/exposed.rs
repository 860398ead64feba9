//! Secrets stay where they belong: planted ones are looked for in everything that runs leave, of good chains and of such that
//! fail, with connectors in the host's process and apart.

use std::{fs, path::Path};

use crate::support::{Bench, plugin_file};

const PLANTED: [&str; 2] = ["planted-in-the-environment", "planted-in-a-file"];

const MANIFEST: &str = r#"
version = 1

[connectors.rows]
plugin = "./libusher_hostile.so"
options = { attack = "tell", token = "${env:USHER_TEST_TOKEN}" }

[connectors.people]
plugin = "csv"
options = { input = "people.csv" }

[connectors.masked]
plugin = "pii"
component = "columns"
options = { columns = { email = "hash" }, key = "${file:key.txt}" }

[connectors.lines]
plugin = "json"
fields = { email = "row['email']" }

[chains.attacked]
from = "rows"
to = ["lines"]

[chains.good]
from = "people"
through = ["masked"]
to = ["lines"]
"#;

/// Every file below a folder that holds one of the texts, but for those that hold it by right.
fn holding(folder: &Path, texts: &[&str], found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            holding(&path, texts, found);
            continue;
        }
        let bytes = fs::read(&path).expect("a file");
        let holds = |text: &&str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        if texts.iter().any(holds) {
            found.push(path.file_name().expect("a name").to_string_lossy().into_owned());
        }
    }
}

#[test]
fn no_trace_of_a_run_holds_a_secret() {
    for isolation in ["none", "process"] {
        let bench = Bench::new();
        bench.write("connectors.toml", MANIFEST).write("people.csv", "email\nada@example.com\nno address\n");
        bench.write("key.txt", PLANTED[1]);
        fs::copy(plugin_file("hostile"), bench.path("libusher_hostile.so")).expect("a copy");
        let arguments =
            ["run", "--verbose", "--isolation", isolation, "--metrics-file", "metrics", "attacked", "good"];
        let mut said = String::new();
        for format in ["text", "json"] {
            let mut command = bench.command(&arguments);
            command.args(["--log-format", format]).env("USHER_TEST_TOKEN", PLANTED[0]);
            let run = bench.said(command.output().expect("usher runs"));
            assert_eq!(run.code, Some(1), "{}{}", run.out, run.err);
            said += &format!("{}{}", run.out, run.err);
        }
        assert!(said.contains("the token is"), "the plugin has told its token: {said}");
        assert!(bench.path("out/good/latest").exists(), "{said}");
        for text in PLANTED {
            assert!(!said.contains(text), "{isolation}: {said}");
        }
        let mut found = Vec::new();
        holding(&bench.path(""), &PLANTED, &mut found);
        assert_eq!(found, ["key.txt"], "{isolation}: only the file that is the secret holds it");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn no_core_dump_is_written_of_a_run() {
    use std::{
        process::{Command, Stdio},
        thread,
        time::{Duration, Instant},
    };
    let bench = Bench::new();
    bench.write("connectors.toml", MANIFEST);
    let usher = bench.command(&["run", "good", "--set", "connectors.people.options.input=-"]);
    // As on a machine where developers collect core dumps.
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -c $(ulimit -Hc) && exec \"$0\" \"$@\""]);
    command.arg(usher.get_program()).args(usher.get_args()).current_dir(bench.path(""));
    command.envs(usher.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("usher starts");
    // It waits for its input.
    let limits = format!("/proc/{}/limits", child.id());
    let no_dump = |limits: &str| {
        let line = limits.lines().find(|line| line.starts_with("Max core file size")).expect("such a limit");
        line.split_whitespace().filter(|word| *word == "0").count() == 2
    };
    let patience = Instant::now() + Duration::from_secs(60);
    while !no_dump(&fs::read_to_string(&limits).expect("the limits of a process")) {
        assert!(Instant::now() < patience, "core dumps are written");
        thread::sleep(Duration::from_millis(5));
    }
    drop(child.stdin.take());
    child.wait().expect("its end");
}
