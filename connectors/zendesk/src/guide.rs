//! What the person who uploads must know (KB-USR, KB-ORG, KB-HIST, SEED-001).

use usher_sdk::{
    abi::{Guide, Part},
    words::{counted, thousands},
};

use crate::{
    columns::CUSTOM,
    layout::Layout,
    options::{ImportType, OnBlank, Options},
};

/// What was written.
#[derive(Debug)]
pub(crate) struct Summary<'a> {
    pub(crate) options: &'a Options,
    pub(crate) layout: &'a Layout,
    pub(crate) organizations: &'a [Part],
    pub(crate) users: &'a [Part],
    pub(crate) merged: u64,
    /// Users of several organizations.
    pub(crate) by_alphabet: u64,
    /// The files of users differ in their columns.
    pub(crate) grouped: bool,
}

/// The guide.
pub(crate) fn guide(summary: &Summary<'_>) -> Guide {
    if summary.users.is_empty() {
        let nothing = "No user could be delivered, so there is no file to upload.".to_owned();
        return Guide { title: title(), expect: vec![nothing], ..Guide::default() };
    }
    Guide {
        title: title(),
        before: before(summary),
        steps: steps(summary),
        expect: expect(summary),
        results: vec![
            "**Admin Center > Objects and rules > Tools > Data importer** lists every attempt (the import history), with \
             counts and, for rows that were refused, an error report."
                .to_owned(),
        ],
        undo: undo(summary.options),
    }
}

/// The guide of a delivery over the API: nothing is left to do by hand (DEV-USR).
pub(crate) fn sent(import_type: ImportType) -> Guide {
    let fate = match import_type {
        ImportType::Create => {
            "Users that exist already are not changed: their rows are rejects (`user.exists`, or `vendor.duplicate` where only \
             the address is known)."
        }
        ImportType::Update => {
            "Users that do not exist are not created: their rows are rejects (`user.unknown`)."
        }
        ImportType::CreateAndUpdate => "Users that exist are updated, others created.",
    };
    let mut undo = vec!["What was sent cannot be undone.".to_owned()];
    if import_type.updates() {
        undo.push("An address of a known user is added to those that the user has; other values replace the stored ones.".to_owned());
    }
    Guide { title: "Zendesk Users API".to_owned(), expect: vec![fate.to_owned()], undo, ..Guide::default() }
}

fn title() -> String {
    "Zendesk data importer".to_owned()
}

fn before(summary: &Summary<'_>) -> Vec<String> {
    let (options, layout) = (summary.options, summary.layout);
    let mut before = vec![
        "You are an administrator of the account.".to_owned(),
        "Data imports are enabled. They are off by default: the account owner or an administrator asks Zendesk Customer \
         Support for them."
            .to_owned(),
    ];
    if options.skip_verify_email && options.import_type.creates() {
        before.push(
            "Rows say `skip_verify_email` = `true` unless your data says otherwise, so that new users get no \
             verification mail."
                .to_owned(),
        );
    } else if options.import_type.creates() {
        before.push(
            "**New users get a welcome mail** when the help centre is on. To prevent it: **Admin Center > People > \
             Configuration > End users**, clear **Also send a verification email when a new user is created by an agent \
             or administrator**, and save."
                .to_owned(),
        );
    }
    if layout.organizations.is_some() && summary.organizations.is_empty() {
        before.push(
            "Every organization that a row names exists already; otherwise the import fails.".to_owned(),
        );
    }
    if layout.tags.is_some() {
        before.push("Tags are enabled for users and organizations.".to_owned());
    }
    let keys: Vec<String> =
        layout.names.iter().filter_map(|n| n.strip_prefix(CUSTOM)).map(|k| format!("`{k}`")).collect();
    if !keys.is_empty() {
        before.push(format!("These user fields exist, with exactly these keys: {}.", keys.join(", ")));
    }
    before
}

fn steps(summary: &Summary<'_>) -> Vec<String> {
    let mut steps = vec![
        "In Admin Center, click **Objects and rules** in the sidebar, then **Tools > Data importer**."
            .to_owned(),
    ];
    let label = summary.options.import_type.label();
    for part in summary.organizations {
        steps.push(step(part, "Organizations", "Create records only"));
    }
    for part in summary.users {
        steps.push(step(part, "Users", label));
    }
    if summary.organizations.len() + summary.users.len() > 1 {
        let order =
            if summary.organizations.is_empty() { "" } else { " Organizations come first: users name them." };
        steps.insert(1, format!("Import one file at a time: wait until the import history shows it as done before the next.{order}"));
    }
    steps
}

fn step(part: &Part, target: &str, label: &str) -> String {
    format!(
        "Click **Import**. Target: **{target}**. Import type: **{label}**. File: `{}` ({}, {} bytes). Click **Next**, \
         look through the field mapping, click **Next**, read the summary and click **Start import**.",
        part.name,
        counted(part.rows, "row", "rows"),
        thousands(part.bytes)
    )
}

fn expect(summary: &Summary<'_>) -> Vec<String> {
    let options = summary.options;
    let rows =
        |parts: &[Part], one: &str, many: &str| counted(parts.iter().map(|part| part.rows).sum(), one, many);
    let files = |parts: &[Part]| counted(parts.len() as u64, "file", "files");
    let mut expect = Vec::new();
    if !summary.organizations.is_empty() {
        expect.push(format!(
            "{} in {}; those that exist already are ignored. A file of organizations can take about an hour.",
            rows(summary.organizations, "organization", "organizations"),
            files(summary.organizations)
        ));
    }
    let fate = match (options.import_type.creates(), options.import_type.updates()) {
        (true, false) => "rows of users that exist already are ignored",
        (false, _) => "rows of users that do not exist are ignored",
        _ => "users that exist are updated, others created",
    };
    expect.push(format!("{} in {}; {fate}.", rows(summary.users, "user", "users"), files(summary.users)));
    if summary.merged > 0 {
        expect.push(format!(
            "Merged into other rows of the same user: {}.",
            counted(summary.merged, "row", "rows")
        ));
    }
    if summary.grouped {
        expect.push(
            "The files of users differ in their columns, so that no blank cell erases a stored value; import all of them."
                .to_owned(),
        );
    }
    expect.push("Rows may be imported in any order.".to_owned());
    expect.push(
        "A row whose external id, address or phone belongs to more than one stored user is refused."
            .to_owned(),
    );
    if summary.by_alphabet > 0 {
        expect.push(format!(
            "Of several organizations of a user, the first by alphabet becomes the default one: so for {}.",
            counted(summary.by_alphabet, "user", "users")
        ));
    }
    expect
}

fn undo(options: &Options) -> Vec<String> {
    let mut undo = vec!["An import that was started cannot be undone.".to_owned()];
    if options.import_type.updates() {
        undo.push("Addresses and phones are added to those that users have; every other value replaces the stored one.".to_owned());
        if options.on_blank == OnBlank::EraseStored {
            undo.push("**Blank cells erase stored values**, addresses and phones aside.".to_owned());
        }
    }
    undo
}
