//! The commands of the guide are run by a shell against a server on this machine: does what was written arrive?

#![expect(clippy::unwrap_used, reason = "a test may fail so")]
#![cfg(unix)]

use std::process::Command;

use serde_json::{Value, json};
use usher_constant_contact::plugin;
use usher_testkit::{FormPart, Loopback, MemoryHost, Request, text_batch, write};

const ANSWER: &str = r#"{"activity_id":"04fe9a97-a579-43c5-bb1a-58ed29bf0a6a","state":"initialized"}"#;
const LISTS: [&str; 2] = ["06a8e55c-9f1c-11ee-8c90-0242ac120002", "16a8e55c-9f1c-11ee-8c90-0242ac120002"];

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
        .env("CONSTANT_CONTACT_TOKEN", "se$cret 'token'")
        .env("CONSTANT_CONTACT_LIST_IDS", LISTS.join(","))
        .env("ACTIVITY_ID", "04fe9a97")
        .env("NO_PROXY", "127.0.0.1")
        .env("no_proxy", "127.0.0.1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{command}\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Writes contacts and runs the first of the printed commands; answers its file and what arrived.
fn sent(options: Value, columns: &[(&str, Vec<Option<&str>>)]) -> (Vec<u8>, Request) {
    let server = Loopback::answering(ANSWER).unwrap();
    let mut options = options;
    options["deliver"] = "api-file".into();
    options["consent"] = "consent".into();
    options["api_base"] = format!("{}/v3/", server.url()).into();
    let host = MemoryHost::new();
    let written = write(plugin(), "contacts", options, &host, vec![text_batch(columns)]).unwrap();
    let commands = commands(&written.receipt.guide.steps);
    assert_eq!(commands.len(), host.parts().len());
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
fn an_import_arrives_as_documented() {
    let columns = [
        ("email", vec![Some("ada@example.com"), Some("grace@example.com")]),
        ("street", vec![Some("1 Main St,\r\n\"rear\""), None]),
        ("cf:Übung", vec![Some("$HOME `id` ;|"), None]),
    ];
    for (options, names) in [
        (json!({}), &["file", "list_ids"][..]),
        (json!({ "list_ids": LISTS }), &["file", "list_ids"]),
        (json!({ "sms_permission_to_send": "explicit" }), &["file", "list_ids", "sms_permission_to_send"]),
    ] {
        let (file, request) = sent(options, &columns);
        assert_eq!(
            (request.method.as_str(), request.path.as_str()),
            ("POST", "/v3/activities/contacts_file_import")
        );
        assert_eq!(request.header("authorization"), Some("Bearer se$cret 'token'"));
        let form = request.form().unwrap();
        assert_eq!(form.iter().map(|part| part.name.as_str()).collect::<Vec<_>>(), names);
        assert_eq!(field(&form, "file"), Some(file.as_slice()), "the file arrives byte for byte");
        assert_eq!(form[0].file_name.as_deref(), Some("test-sink-run-contacts-0001.csv"));
        assert_eq!(form[0].content_type.as_deref(), Some("text/csv"));
        assert_eq!(field(&form, "list_ids"), Some(LISTS.join(",").as_bytes()));
        assert!(field(&form, "sms_permission_to_send").is_none_or(|value| value == b"explicit"));
    }
}

#[test]
fn the_body_of_the_largest_file_is_below_four_million_bytes() {
    let emails: Vec<String> = (0..16_000).map(|i| format!("user{i}@example.com")).collect();
    let wide = "x".repeat(250);
    let columns = [
        ("email", emails.iter().map(|e| Some(e.as_str())).collect()),
        ("street", vec![Some(wide.as_str()); emails.len()]),
    ];
    let lists: Vec<String> = (0..50).map(|i| format!("{i:08}-9f1c-11ee-8c90-0242ac120002")).collect();
    let (file, request) = sent(json!({ "list_ids": lists, "sms_permission_to_send": "explicit" }), &columns);
    assert!(file.len() > 3_989_000, "{} bytes", file.len());
    assert!(request.body.len() < 4_000_000, "{} bytes", request.body.len());
    assert_eq!(field(&request.form().unwrap(), "file"), Some(file.as_slice()));
}

#[test]
fn the_command_that_asks_for_the_result_works() {
    let server = Loopback::answering(ANSWER).unwrap();
    let options =
        json!({ "deliver": "api-file", "consent": "consent", "api_base": format!("{}/v3", server.url()) });
    let host = MemoryHost::new();
    let batch = text_batch(&[("email", vec![Some("a@b.co")])]);
    let written = write(plugin(), "contacts", options, &host, vec![batch]).unwrap();
    let command = &commands(&written.receipt.guide.results)[0];
    assert_eq!(shell(command, &host), ANSWER);
    let request = server.request().unwrap();
    assert_eq!((request.method.as_str(), request.path.as_str()), ("GET", "/v3/activities/04fe9a97"));
}
