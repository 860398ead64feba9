//! The commands of the guide are run by a shell against a server on this machine: does what was written arrive?

#![expect(clippy::unwrap_used, reason = "a test may fail so")]
#![cfg(unix)]

use std::process::Command;

use serde_json::{Value, json};
use usher_carrot_quest::plugin;
use usher_testkit::{FormPart, Loopback, MemoryHost, Request, text_batch, write};

const ANSWER: &str = r#"{"meta":{"status":200},"data":{"row_errors":{},"updates_planned":2}}"#;

/// The commands that the guide prints, without their indentation.
fn commands(steps: &[String]) -> Vec<String> {
    let fenced = steps.iter().filter_map(|step| step.split_once("```sh\n")?.1.split_once("```"));
    fenced.map(|(command, _)| command.lines().map(str::trim_start).collect::<Vec<_>>().join("\n")).collect()
}

/// Runs a command in a folder with these files; the tokens of the caller's environment are not seen.
fn shell(command: &str, files: &MemoryHost) -> String {
    let known = Command::new("curl").arg("--version").output();
    assert!(
        known.is_ok_and(|o| o.status.success()),
        "this test runs the printed commands: it needs `curl` on the PATH"
    );
    let folder = tempfile::tempdir().unwrap();
    for part in files.parts() {
        std::fs::write(folder.path().join(&part.name), &part.bytes).unwrap();
    }
    let output = Command::new("sh")
        .args(["-c", command])
        .current_dir(folder.path())
        .env("CARROT_QUEST_TOKEN", "se$cret 'token'")
        .env("NO_PROXY", "127.0.0.1")
        .env("no_proxy", "127.0.0.1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{command}\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Writes two people and runs the printed command; answers the file and what arrived.
fn sent(options: Value) -> (Vec<u8>, Request) {
    let server = Loopback::answering(ANSWER).unwrap();
    let mut options = options;
    options["deliver"] = "api-file".into();
    options["api_base"] = server.url().into();
    let host = MemoryHost::new();
    let batch = text_batch(&[
        ("$user_id", vec![Some("auth0|1"), Some("auth0|2")]),
        ("$email", vec![Some("ada@example.com"), Some("grace@example.com")]),
        ("Действие", vec![Some("две\r\nстроки\t\"и\" ;,| $user_id"), None]),
    ]);
    let written = write(plugin(), "users", options, &host, vec![batch]).unwrap();
    let commands = commands(&written.receipt.guide.steps);
    assert_eq!(commands.len(), 1);
    assert_eq!(shell(&commands[0], &host), ANSWER);
    (host.parts()[0].bytes.clone(), server.request().unwrap())
}

fn field<'a>(form: &'a [FormPart], name: &str) -> Option<&'a [u8]> {
    let mut found = form.iter().filter(|part| part.name == name);
    let first = found.next()?;
    assert!(found.next().is_none(), "`{name}` comes twice");
    Some(&first.bytes)
}

#[test]
fn the_defaults_arrive_as_documented() {
    let (file, request) = sent(json!({}));
    assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/users/import"));
    assert_eq!(request.header("authorization"), Some("Token se$cret 'token'"));
    let form = request.form().unwrap();
    let names: Vec<&str> = form.iter().map(|part| part.name.as_str()).collect();
    assert_eq!(names, ["app", "file", "merge_field", "delimiter"]);
    assert_eq!(field(&form, "file"), Some(file.as_slice()), "the file arrives byte for byte");
    assert_eq!(form[1].file_name.as_deref(), Some("test-sink-run-users-0001.csv"));
    assert_eq!(field(&form, "app"), Some(&b"$self_app"[..]));
    assert_eq!(field(&form, "merge_field"), Some(&b"$user_id"[..]));
    assert_eq!(field(&form, "delimiter"), Some(&b"\t"[..]));
}

#[test]
fn every_delimiter_arrives() {
    for (delimiter, byte) in [("tab", b'\t'), (",", b','), ("|", b'|'), (";", b';'), ("space", b' ')] {
        let (file, request) = sent(json!({ "delimiter": delimiter, "merge_field": "email", "app": "42" }));
        let form = request.form().unwrap();
        assert_eq!(field(&form, "delimiter"), Some(&[byte][..]), "{delimiter}");
        assert_eq!(field(&form, "file"), Some(file.as_slice()), "{delimiter}");
        assert_eq!(field(&form, "merge_field"), Some(&b"$email"[..]));
        assert_eq!(field(&form, "app"), Some(&b"42"[..]));
    }
}

#[test]
fn tags_arrive_json_encoded_whatever_they_hold() {
    let tags = json!(["super_tag", "it's \"new\"", "@file;type=x", "$HOME `id` \\", "приём"]);
    let (_, request) = sent(json!({ "tags": tags }));
    let form = request.form().unwrap();
    let text = String::from_utf8(field(&form, "tags").unwrap().to_vec()).unwrap();
    assert!(text.starts_with(r#""super_tag","it's \"new\"","#), "{text}");
    let back: Value = serde_json::from_str(&format!("[{text}]")).unwrap();
    assert_eq!(back, tags);
}
