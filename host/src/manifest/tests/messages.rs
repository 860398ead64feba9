//! One line per message.

use std::{fs, path::Path};

use insta::assert_snapshot;
use proptest::prelude::*;

use super::{GOOD, changed, drawn, good, lines, parse, set};
use crate::manifest::{Diagnostic, KeyPath, Location, Manifest, Overrides, Span, render, render_file};

/// The report of a file that cannot be loaded, its folder taken out.
fn loading(path: &Path, folder: &Path) -> String {
    let problems = Manifest::load(path, &Overrides::default()).unwrap_err();
    assert_eq!(problems.len(), 1);
    render_file(&problems, path, false).replace(&folder.display().to_string(), "[folder]")
}

#[test]
fn no_manifest() {
    let folder = tempfile::tempdir().unwrap();
    assert_snapshot!(loading(&folder.path().join("connectors.toml"), folder.path()), @r"
    x no manifest: tried `[folder]/connectors.toml`
    help: go to the folder that has a connectors.toml, or name another with `usher run --manifest PATH`
    ");
}

#[test]
fn unreadable() {
    let folder = tempfile::tempdir().unwrap();
    assert_snapshot!(loading(folder.path(), folder.path()), @r"
    x cannot read the manifest `[folder]`: it is a folder
    help: name the file: `usher run --manifest [folder]/connectors.toml`
    ");
    let file = folder.path().join("file");
    fs::write(&file, "version = 1\n# caf\u{e9}: ").unwrap();
    let below = file.join("connectors.toml");
    assert_snapshot!(loading(&below, folder.path()), @r"
    x no manifest: tried `[folder]/file/connectors.toml`
    help: go to the folder that has a connectors.toml, or name another with `usher run --manifest PATH`
    ");
    fs::write(&file, b"version = 1\n# caf\xe9\n").unwrap();
    assert_snapshot!(loading(&file, folder.path()), @r"
     x the manifest is not UTF-8
      ,-[[folder]/file:2:6]
    1 | version = 1
    2 | # caf�
      :      ^
      `----
     help: save it as UTF-8
    ");
    fs::write(&file, vec![b'#'; 1_000_001]).unwrap();
    assert_snapshot!(loading(&file, folder.path()), @r"
    x `[folder]/file` is no manifest: it is larger than 1 MB
    help: name another with `usher run --manifest PATH`
    ");
}

#[test]
fn broken_toml() {
    assert_snapshot!(drawn("version = 1\n[connectors.users\nplugin = \"auth0\"\n"), @r#"
     x broken TOML: unclosed table, expected `]`
      ,-[connectors.toml:2:18]
    1 | version = 1
    2 | [connectors.users
      :                  ^
    3 | plugin = "auth0"
      `----
     help: mend this first; the rest is checked once the file can be read
    "#);
    assert_snapshot!(lines(&parse("version = 1\nversion = 1\n", &[]).unwrap_err()), @"connectors.toml:2:1: broken TOML: duplicate key (mend this first; the rest is checked once the file can be read)");
    assert_snapshot!(lines(&parse("version = 1\nout = \"x\n", &[]).unwrap_err()), @r#"connectors.toml:2:9: broken TOML: invalid basic string, expected `"` (mend this first; the rest is checked once the file can be read)"#);
    assert_snapshot!(lines(&parse("a = ", &[]).unwrap_err()), @"connectors.toml:1:5: broken TOML: string values must be quoted, expected literal string (mend this first; the rest is checked once the file can be read)");
    assert_snapshot!(lines(&parse("version: 1\n", &[]).unwrap_err()), @"connectors.toml:1:10: broken TOML: key with no value, expected `=` (mend this first; the rest is checked once the file can be read)");
}

#[test]
fn empty() {
    assert_snapshot!(lines(&parse("", &[]).unwrap_err()), @r#"
    connectors.toml:1:1: version: missing (write `version = 1` in the first line, before any `[…]`)
    connectors.toml:1:1: connectors: none (write `[connectors.users]` with `plugin = "…"`)
    connectors.toml:1:1: chains: none (write `[chains.main]` with `from = "…"` and `to = ["…"]`)
    "#);
    assert_snapshot!(lines(&parse("version = 1\nconnectors = 5\n[chains]\n", &[]).unwrap_err()), @r#"
    connectors.toml:2:14: connectors: expected a table, found an integer (write `[connectors.users]`)
    connectors.toml:3:2: chains: none (write `[chains.main]` with `from = "…"` and `to = ["…"]`)
    "#);
}

#[test]
fn versions() {
    assert_snapshot!(changed("version = 1", "version = 2"), @"connectors.toml:2:11: version: this usher reads version 1, not 2 (get a newer usher, or write `version = 1`)");
    assert_snapshot!(changed("version = 1", "version = \"1\""), @"connectors.toml:2:11: version: expected an integer, found a string (write `version = 1`)");
    assert_snapshot!(changed("version = 1", "verison = 1"), @"connectors.toml:2:1: verison: unknown key; did you mean `version`?");
}

#[test]
fn unknown_key() {
    assert_snapshot!(drawn(&GOOD.replace("plugin  = \"zendesk\"", "plugn = \"zendesk\"")), @r#"
     x connectors.support.plugn: unknown key; did you mean `plugin`?
       ,-[connectors.toml:13:1]
    12 | [connectors.support]
    13 | plugn = "zendesk"
       : ^^^^^
    14 | fields  = { notes = "'imported, customer since ' ~ created_at", verified = true, score = 1.50, n = 0x10 }
       `----
    "#);
    assert_snapshot!(changed("[connectors.users]", "[connector.users]"), @"connectors.toml:4:2: connector: unknown key; did you mean `connectors`?");
    assert_snapshot!(changed("plugin  = \"zendesk\"", "plugin = \"zendesk\"\nlocale = \"fr\""), @"connectors.toml:14:1: connectors.support.locale: unknown key (known here: `plugin`, `component`, `options`, `fields`, `where`, `unique`, `max_rejects`, `allow_empty`, `hosts`, `store`, `isolation`, `jail`, `sync`, `on_missing`, `max_missing`; what the plugin itself takes goes into `options`)");
    assert_snapshot!(changed("claims ", "calims"), @"connectors.toml:25:1: chains.onboard.calims: unknown key; did you mean `claims`?");
    assert_snapshot!(changed("keep = {", "kep = {"), @"connectors.toml:21:28: connectors.newsletter.unique.kep: unknown key; did you mean `key`?");
    assert_snapshot!(changed("key = \"email\" }", "key = \"email\", on = \"sub\" }"), @"connectors.toml:28:51: chains.onboard.exclude.on: unknown key (known here: `from`, `key`)");
    assert_snapshot!(changed("{ max =", "{ maximum ="), @r#"
    connectors.toml:21:35: connectors.newsletter.unique.keep.max: missing (write `keep = { max = "last_login" }`)
    connectors.toml:21:37: connectors.newsletter.unique.keep.maximum: unknown key (known here: `max`)
    "#);
}

#[test]
fn wrong_type() {
    assert_snapshot!(drawn(&GOOD.replace("plugin  = \"zendesk\"", "plugin = 5")), @r#"
     x connectors.support.plugin: expected a string, found an integer
       ,-[connectors.toml:13:10]
    12 | [connectors.support]
    13 | plugin = 5
       :          ^
    14 | fields  = { notes = "'imported, customer since ' ~ created_at", verified = true, score = 1.50, n = 0x10 }
       `----
     help: write `plugin = "5"`
    "#);
    assert_snapshot!(changed("[\"support\", \"newsletter\"]", "\"support\""), @r#"connectors.toml:29:11: chains.onboard.to: expected a list of strings, found a string (write `to = ["support"]`)"#);
    assert_snapshot!(changed("[\"support\", \"newsletter\"]", "[\"support\", 7]"), @r#"connectors.toml:29:23: chains.onboard.to.1: expected a string, found an integer (write `"7"`)"#);
    assert_snapshot!(changed("plugin  = \"zendesk\"", "plugin = \"zendesk\"\nhosts = \"acme.zendesk.com\""), @r#"connectors.toml:14:9: connectors.support.hosts: expected a list of strings, found a string (write `hosts = ["acme.zendesk.com"]`)"#);
    assert_snapshot!(changed("options = { consent = \"consent\" }", "options = \"consent\""), @"connectors.toml:19:11: connectors.newsletter.options: expected a table, found a string (write `options = { … }`)");
    assert_snapshot!(changed("\"email_verified and not blocked\"", "true"), @r#"connectors.toml:26:11: chains.onboard.where: expected a string, found `true` (write `where = "true"`)"#);
    assert_snapshot!(changed("verified = true", "verified = 2024-01-31"), @r#"connectors.toml:14:76: connectors.support.fields.verified: expected an expression, found a date (text in an expression has quotes of its own: `"'2024-01-31'"`)"#);
    assert_snapshot!(changed("verified = true", "custom_fields.plan = \"plan\""), @r#"connectors.toml:14:65: connectors.support.fields.custom_fields: expected an expression, found a table (write a string with an expression or a template, for a name with dots in quotes: `"custom_fields.plan" = "plan"`)"#);
    assert_snapshot!(changed("\"0.1 %\"", "0.1"), @r#"connectors.toml:15:15: connectors.support.max_rejects: expected an integer or a string, found a number (write rows (`100`) or a share from 0 to 100 (`"5%"`))"#);
    assert_snapshot!(changed("\"0.1 %\"", "\"5\""), @r#"connectors.toml:15:15: connectors.support.max_rejects: `5` is no share (write rows (`100`) or a share from 0 to 100 (`"5%"`))"#);
    assert_snapshot!(changed("= 100", "= 100\nmax_change = 20"), @r#"connectors.toml:31:14: chains.onboard.max_change: expected a string, found an integer (write a share of the last run's rows (`"20%"`))"#);
    assert_snapshot!(changed("= 100", "= 100\nmax_change = \"20\""), @r#"connectors.toml:31:14: chains.onboard.max_change: `20` is no share (write a share of the last run's rows (`"20%"`))"#);
    assert_snapshot!(changed("= 100", "= -1"), @r#"connectors.toml:30:15: chains.onboard.max_rejects: `-1` is less than 0 (write rows (`100`) or a share from 0 to 100 (`"5%"`))"#);
    assert_snapshot!(changed("= 100", "= 100\nallow_empty = \"yes\""), @"connectors.toml:31:15: chains.onboard.allow_empty: expected true or false, found a string (write it without quotes)");
    assert_snapshot!(changed("unique  = \"email\"", "unique = [\"email\"]"), @r#"connectors.toml:27:10: chains.onboard.unique: expected a string or a table, found a list (write `unique = "email"` or `unique = { key = "email", keep = "last" }`)"#);
    assert_snapshot!(changed("keep = { max = \"last_login\" }", "keep = \"frist\""), @r#"connectors.toml:21:35: connectors.newsletter.unique.keep: unknown value `frist`; did you mean `first`? (write `"first"`, `"last"` or `{ max = "last_login" }`)"#);
    assert_snapshot!(changed("\"users.ndjson\"", "nan"), @"connectors.toml:6:21: connectors.users.options.input: expected a finite number");
}

#[test]
fn missing_and_empty() {
    assert_snapshot!(changed("plugin  = \"zendesk\"\n", ""), @r#"connectors.toml:12:13: connectors.support.plugin: missing (write `plugin = "csv"`)"#);
    assert_snapshot!(changed("from    = \"users\"\n", ""), @r#"connectors.toml:23:9: chains.onboard.from: missing (write `from = "users"`)"#);
    assert_snapshot!(changed("to      = [\"support\", \"newsletter\"]\n", ""), @r#"connectors.toml:23:9: chains.onboard.to: missing (write `to = ["support"]`)"#);
    assert_snapshot!(changed("[\"support\", \"newsletter\"]", "[]"), @"connectors.toml:29:11: chains.onboard.to: empty (name at least one connector that takes the records)");
    assert_snapshot!(changed("from = \"unsubscribed\", ", ""), @r#"connectors.toml:28:11: chains.onboard.exclude.from: missing (write `from = "unsubscribed"`)"#);
    assert_snapshot!(changed("{ key = \"email\", ", "{ "), @r#"connectors.toml:21:11: connectors.newsletter.unique.key: missing (write `key = "email"`)"#);
    assert_snapshot!(changed("\"user_metadata.plan\"", "\" \""), @"connectors.toml:25:20: chains.onboard.claims.plan: empty (give it a value, or take the key out)");
}

#[test]
fn retention() {
    let problems = |table: &str| {
        lines(
            &parse(&GOOD.replacen("version = 1\n", &format!("version = 1\n{table}\n"), 1), &[]).unwrap_err(),
        )
    };
    assert_snapshot!(problems("[retention]\nruns = \"month\"\nreject = \"7d\"\ninputs = 1"), @r#"
    connectors.toml:4:8: retention.runs: `month` is no age (write hours (`"12h"`), days (`"30d"`) or weeks (`"4w"`))
    connectors.toml:5:1: retention.reject: unknown key; did you mean `rejects`?
    connectors.toml:6:10: retention.inputs: expected a string, found an integer (write hours (`"12h"`), days (`"30d"`) or weeks (`"4w"`))
    "#);
    assert_snapshot!(problems("retention = \"30d\""), @"connectors.toml:3:13: retention: expected a table, found a string (write `[retention]`)");
    let kept = parse(
        &GOOD.replacen("version = 1\n", "version = 1\nretention = { runs = \"30d\", inputs = \"12h\" }\n", 1),
        &[],
    );
    let hours = |age: Option<std::time::Duration>| age.map(|age| age.as_secs() / 3600);
    let kept = kept.unwrap().retention.unwrap();
    assert_eq!((hours(kept.runs), hours(kept.rejects), hours(kept.inputs)), (Some(720), None, Some(12)));
}

#[test]
fn names() {
    assert_snapshot!(changed("[chains.onboard]", "[chains.\"On board!\"]"), @r#"connectors.toml:23:9: chains."On board!": a name is made of a-z, 0-9, `_` and `-` (write `on-board`)"#);
    assert_snapshot!(changed("[chains.onboard]", &format!("[chains.{}]", "x".repeat(65))), @"connectors.toml:23:9: chains.xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx: a name has at most 64 characters, this one has 65 (it becomes part of file names: shorten it)");
    assert_snapshot!(changed("[chains.onboard]", "[chains.\"\"]"), @r#"connectors.toml:23:9: chains."": a name is made of a-z, 0-9, `_` and `-` (write `main`)"#);
}

#[test]
fn unknown_connector() {
    assert_snapshot!(drawn(&GOOD.replace("\"newsletter\"]", "\"newsleter\"]")), @r#"
     x chains.onboard.to.1: unknown connector `newsleter`; did you mean `newsletter`?
       ,-[connectors.toml:29:23]
    28 | exclude = { from = "unsubscribed", key = "email" }
    29 | to      = ["support", "newsleter"]
       :                       ^^^^^^^^^^^
    30 | max_rejects = 100
       `----
    "#);
    assert_snapshot!(changed("\"support\", ", "\"zendesk\", "), @"connectors.toml:29:12: chains.onboard.to.0: unknown connector `zendesk` (`zendesk` is a plugin; the connector with it is `support`)");
    assert_snapshot!(changed("from    = \"users\"", "from = \"onboard\""), @"connectors.toml:24:8: chains.onboard.from: unknown connector `onboard` (`onboard` is a chain; a chain reads from and delivers to connectors)");
    assert_snapshot!(changed("from = \"unsubscribed\"", "from = \"somebody\""), @"connectors.toml:28:20: chains.onboard.exclude.from: unknown connector `somebody` (connectors here: `users`, `unsubscribed`, `support`, `newsletter`)");
    assert_snapshot!(lines(&[good().chain("onbord").unwrap_err(), good().chain("x").unwrap_err()]), @r"
    connectors.toml: unknown chain `onbord`; did you mean `onboard`?
    connectors.toml: unknown chain `x` (chains here: `onboard`)
    ");
}

#[test]
fn roles() {
    assert_snapshot!(changed("\"support\", ", "\"users\", "), @"connectors.toml:29:12: chains.onboard.to.0: `users` is the source in `chains.onboard.from` and cannot be a sink too (write a second connector with the same plugin)");
    assert_snapshot!(changed("\"support\", ", "\"support\", \"support\", "), @"connectors.toml:29:23: chains.onboard.to.1: `support` is named twice (every record would be delivered twice: take one out)");
    assert_snapshot!(changed("plugin  = \"auth0\"", "plugin = \"auth0\"\nwhere = \"x\"\nfields = {}"), @r"
    connectors.toml:6:1: connectors.users.where: `users` is a source, which has no `where` (write it in the chain, or in the connector that takes the records)
    connectors.toml:7:1: connectors.users.fields: `users` is a source, which has no `fields` (write it in the connector that takes the records)
    ");
}

#[test]
fn secrets() {
    assert_snapshot!(drawn(&GOOD.replace("${env:TOKEN}", "${env:TOKN}")), @r#"
     x connectors.users.options.token: environment variable `TOKN` is not set
      ,-[connectors.toml:6:45]
    5 | plugin  = "auth0"
    6 | options = { input = "users.ndjson", token = "Bearer ${env:TOKN}" }
      :                                             ^^^^^^^^^^^^^^^^^^^^
    7 | 
      `----
     help: set it: `export TOKN=…`
    "#);
    assert_snapshot!(changed("${env:TOKEN}", "${env:EMPTY} ${env:A:-b} ${vault:x}"), @r"
    connectors.toml:6:45: connectors.users.options.token: environment variable `EMPTY` is empty (set it: `export EMPTY=…`)
    connectors.toml:6:45: connectors.users.options.token: `A:-b` is no name of an environment variable (letters, digits and `_`, without blanks or defaults: `${env:API_TOKEN}`)
    connectors.toml:6:45: connectors.users.options.token: `${vault:x}` is no reference (write `${env:NAME}` or `${file:path}`, and `$${` for a `${` that means itself)
    ");
    assert_snapshot!(changed("${env:TOKEN}", "${env:TOKEN"), @"connectors.toml:6:45: connectors.users.options.token: `${env:TOKEN` is not closed (write `$${` for a `${` that means itself)");
    assert_snapshot!(changed("${env:TOKEN}", "${file:}"), @"connectors.toml:6:45: connectors.users.options.token: `${file:}` names no file (write `${file:path}`)");
    assert_snapshot!(changed("${env:TOKEN}", "${file:no/such/file}"), @"connectors.toml:6:45: connectors.users.options.token: cannot read the secret file `./no/such/file`: no such file (paths are relative to the manifest)");
}

#[test]
fn secret_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("connectors.toml");
    fs::write(folder.path().join("large"), vec![b'x'; 65_537]).unwrap();
    fs::write(folder.path().join("binary"), b"\xff").unwrap();
    fs::write(folder.path().join("blank"), b"\n").unwrap();
    fs::write(&path, GOOD.replace("${env:TOKEN}", "${file:large} ${file:binary} ${file:blank}")).unwrap();
    let said = lines(&Manifest::load(&path, &Overrides::default()).unwrap_err());
    assert_snapshot!(said.replace(&folder.path().display().to_string(), "[folder]"), @r"
    connectors.toml:6:45: connectors.users.options.token: the secret file `[folder]/large` is larger than 64 KiB (name the file of one secret)
    connectors.toml:6:45: connectors.users.options.token: the secret file `[folder]/binary` is not UTF-8 (name a text file)
    connectors.toml:6:45: connectors.users.options.token: the secret file `[folder]/blank` is empty (write the secret into it)
    ");
}

#[test]
fn flags() {
    assert_snapshot!(set(&["out"]), @"connectors.toml: --set out: expected key=value (for example `--set connectors.users.options.input=users.ndjson`)");
    assert_snapshot!(set(&["connectors.suport.options.x=1", "chains.onbord.where=x"]), @r"
    connectors.toml: --set connectors.suport.options.x: there is no connector `suport`; did you mean `support`?
    connectors.toml: --set chains.onbord.where: there is no chain `onbord`; did you mean `onboard`?
    ");
    assert_snapshot!(set(&["connectors.support.plugn=zendesk"]), @"connectors.toml: --set connectors.support.plugn: unknown key; did you mean `plugin`?");
    assert_snapshot!(set(&["connectors.support.plugin=5"]), @r#"connectors.toml: --set connectors.support.plugin: expected a string, found an integer (write `--set 'connectors.support.plugin="5"'`)"#);
    assert_snapshot!(set(&["connectors.support.plugin.x=5"]), @"connectors.toml: --set connectors.support.plugin.x: `connectors.support.plugin` is a string, so nothing can be set below it");
    assert_snapshot!(set(&["chains.onboard.to.2=support"]), @"connectors.toml: --set chains.onboard.to.2: `chains.onboard.to` is a list of 2, counted from 0; `2` is not in it");
    assert_snapshot!(set(&["chains.onboard.to.0=suport"]), @"connectors.toml: --set chains.onboard.to.0: unknown connector `suport`; did you mean `support`?");
    assert_snapshot!(set(&["a b=1", "=1"]), @r"
    connectors.toml: --set a b=1: expected key=value (for example `--set connectors.users.options.input=users.ndjson`)
    connectors.toml: --set =1: expected key=value (for example `--set connectors.users.options.input=users.ndjson`)
    ");
}

#[test]
fn several_at_once() {
    let text = GOOD
        .replace("plugin  = \"zendesk\"", "plugn = \"zendesk\"")
        .replace("max_rejects = 100", "max_rejects = \"many\"")
        .replace("${env:TOKEN}", "${env:TOKN}")
        .replace("\"newsletter\"]", "\"newsleter\"]");
    assert_snapshot!(drawn(&text), @r#"
     x connectors.users.options.token: environment variable `TOKN` is not set
      ,-[connectors.toml:6:45]
    5 | plugin  = "auth0"
    6 | options = { input = "users.ndjson", token = "Bearer ${env:TOKN}" }
      :                                             ^^^^^^^^^^^^^^^^^^^^
    7 | 
      `----
     help: set it: `export TOKN=…`

     x connectors.support.plugn: unknown key; did you mean `plugin`?
       ,-[connectors.toml:13:1]
    12 | [connectors.support]
    13 | plugn = "zendesk"
       : ^^^^^
    14 | fields  = { notes = "'imported, customer since ' ~ created_at", verified = true, score = 1.50, n = 0x10 }
       `----

     x chains.onboard.to.1: unknown connector `newsleter`; did you mean `newsletter`?
       ,-[connectors.toml:29:23]
    28 | exclude = { from = "unsubscribed", key = "email" }
    29 | to      = ["support", "newsleter"]
       :                       ^^^^^^^^^^^
    30 | max_rejects = "many"
       `----

     x chains.onboard.max_rejects: `many` is no share
       ,-[connectors.toml:30:15]
    29 | to      = ["support", "newsleter"]
    30 | max_rejects = "many"
       :               ^^^^^^
       `----
     help: write rows (`100`) or a share from 0 to 100 (`"5%"`)
    "#);
    assert_snapshot!(lines(&parse(&text, &[]).unwrap_err()), @r#"
    connectors.toml:6:45: connectors.users.options.token: environment variable `TOKN` is not set (set it: `export TOKN=…`)
    connectors.toml:13:1: connectors.support.plugn: unknown key; did you mean `plugin`?
    connectors.toml:29:23: chains.onboard.to.1: unknown connector `newsleter`; did you mean `newsletter`?
    connectors.toml:30:15: chains.onboard.max_rejects: `many` is no share (write rows (`100`) or a share from 0 to 100 (`"5%"`))
    "#);
}

#[test]
fn warnings_and_colour() {
    let path = KeyPath::from(["connectors", "support", "plugin"]);
    let warning = good().warning(&path, "getting old");
    assert_snapshot!(warning.compact("connectors.toml"), @"connectors.toml:13:11: warning: connectors.support.plugin: getting old");
    assert_snapshot!(good().render(std::slice::from_ref(&warning), false), @r#"
     ! connectors.support.plugin: getting old
       ,-[connectors.toml:13:11]
    12 | [connectors.support]
    13 | plugin  = "zendesk"
       :           ^^^^^^^^^
    14 | fields  = { notes = "'imported, customer since ' ~ created_at", verified = true, score = 1.50, n = 0x10 }
       `----
    "#);
    assert!(good().render(&[warning], true).contains('\u{1b}'));
}

#[test]
fn nothing_from_a_file_reaches_the_terminal_as_a_command() {
    let text = "version = 1\n\"a\u{1b}[2J\" = 1\n\u{1b}]0;title\u{7} = \n";
    let problems = parse(text, &[]).unwrap_err();
    let both = render(&problems, "connectors.toml", text, false) + &lines(&problems);
    assert!(!both.contains(['\u{1b}', '\u{7}']), "{both:?}");
}

#[test]
fn long_lines_are_not_shown() {
    let text = format!("version = 1 # {}\nnothing = 5\n[chains]\n", "x".repeat(5000));
    assert!(drawn(&text).len() < 2000);
}

#[test]
fn columns_count_characters() {
    let text = GOOD.replace("fields  = { notes", "fields = { \"été\" = [], notes");
    assert_snapshot!(drawn(&text), @r#"
     x connectors.support.fields."été": expected an expression, found a list
       ,-[connectors.toml:14:20]
    13 | plugin  = "zendesk"
    14 | fields = { "été" = [], notes = "'imported, customer since ' ~ created_at", verified = true, score = 1.50, n = 0x10 }
       :                    ^^
    15 | max_rejects = "0.1 %"
       `----
     help: write a string with an expression or a template, for a name with dots in quotes: `"custom_fields.plan" = "plan"`
    "#);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Err(problems) = parse(&text, &[]) {
            render(&problems, "connectors.toml", &text, false);
            render(&problems, "connectors.toml", &text, true);
        }
    }

    #[test]
    fn any_text_near_toml_is_answered(
        text in "(version = 1\n)?([\\[\\]{}=.,\"'#\r\n\t é𝄞a-c0-2]|connectors|chains|from|to|plugin|\u{85}|\\$\\{env:A\\}){0,60}",
        flag in "[a-c.=\"\\[\\]{}é]{0,12}",
    ) {
        if let Err(problems) = parse(&text, &[&flag]) {
            render(&problems, "connectors.toml", &text, false);
            lines(&problems);
        }
    }

    #[test]
    fn any_span_is_drawn(text in "[ab\r\n\té𝄞\u{85}]{0,40}", start in 0usize..80, length in 0usize..80) {
        let span = Span { start, end: start + length };
        let problem = Diagnostic::error("x").at(Location { line: 1, column: 1, span });
        render(&[problem], "connectors.toml", &text, false);
    }

    #[test]
    fn cut_anywhere(at in 0usize..1200) {
        let text = &GOOD[..GOOD.floor_char_boundary(at)];
        if let Err(problems) = parse(text, &[]) {
            prop_assert!(!problems.is_empty());
            render(&problems, "connectors.toml", text, false);
        }
    }
}
