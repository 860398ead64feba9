//! `UPLOAD.md`.

use usher_sdk::{
    abi::{Guide, Part},
    words::counted,
};

use crate::{
    curl,
    options::{Deliver, MergeField, Options},
};

/// What a person does with the files.
pub(crate) fn guide(options: &Options, parts: &[Part]) -> Guide {
    match options.deliver {
        Deliver::UiFile => panel(options, parts),
        Deliver::ApiFile => command(options, parts),
        Deliver::Api => sent(options),
    }
}

/// Nothing is left to do (IMPORT).
fn sent(options: &Options) -> Guide {
    let mut expect = vec![format!(
        "People whose `{}` is known are updated, the others are created; everybody counts in the paid quota.",
        options.merge_field.column()
    )];
    expect.extend(of_many(options));
    Guide {
        title: "Carrot quest: users sent to the API".to_owned(),
        before: vec!["Nothing is to be uploaded: the file shows what was sent.".to_owned()],
        expect,
        results: vec![later()],
        undo: undo(),
        ..Guide::default()
    }
}

/// The import in the admin panel (HELP-EN, HELP-RU).
fn panel(options: &Options, parts: &[Part]) -> Guide {
    let by = match options.merge_field {
        MergeField::UserId => "by User ID",
        MergeField::Email => "by email address",
    };
    let files =
        if parts.len() == 1 { "the file" } else { "the files one after the other, in the order of the list" };
    Guide {
        title: "Carrot quest: import of leads in the admin panel".to_owned(),
        before: before(),
        steps: vec![
            "In the admin panel, open the lead database (*Leads*) and choose the import.".to_owned(),
            format!("Choose the import **{by}**; the column `{}` is the key.", options.merge_field.column()),
            format!("Where it asks for a delimiter, choose {}.", options.delimiter.name()),
            format!("Upload {files}."),
        ],
        expect: expect(options, parts),
        results: vec![
            "A message among the notifications of the admin panel says how each import went.".to_owned(),
        ],
        undo: undo(),
    }
}

/// The API (IMPORT).
fn command(options: &Options, parts: &[Part]) -> Guide {
    let mut steps = vec![
        "Put the token (Settings > Developers > API keys) into the environment as `CARROT_QUEST_TOKEN`, without writing \
         it into a file or the shell's history."
            .to_owned(),
        "Open a shell in the folder of this page, and run the command of each file, in this order.".to_owned(),
    ];
    for part in parts {
        let curl = curl::curl(&part.name, options).replace('\n', "\n    ");
        steps.push(format!("`{}`:\n\n    ```sh\n    {curl}\n    ```", part.name));
    }
    let mut expect = expect(options, parts);
    expect.push(
        "Every command answers `meta.status` 200, the rows it refuses in `data.row_errors` and the number of the others \
         in `data.updates_planned`; these two make the rows of the file. Compare them: nothing else tells of a part that \
         was refused."
            .to_owned(),
    );
    expect.push("The key may make 60 requests a minute.".to_owned());
    Guide {
        title: "Carrot quest: import of users by the API".to_owned(),
        before: before(),
        steps,
        expect,
        results: vec![later()],
        undo: undo(),
    }
}

fn later() -> String {
    "The import goes on after the answer, and more rows may fail then: a message among the notifications of the admin panel \
     says how it went."
        .to_owned()
}

fn before() -> Vec<String> {
    vec![
        "Everybody in the files counts in the paid quota of unique visitors: look at *Subscription* first."
            .to_owned(),
        "Have the addresses verified if letters will be sent to them; the vendor recommends it.".to_owned(),
    ]
}

fn expect(options: &Options, parts: &[Part]) -> Vec<String> {
    let rows: u64 = parts.iter().map(|part| part.rows).sum();
    let key = options.merge_field.column();
    let mut expect = vec![format!(
        "{}: those whose `{key}` is known are updated, the others are created.",
        counted(rows, "person", "people")
    )];
    expect.extend(of_many(options));
    expect
}

/// What is to be known of rows whose person is there already.
fn of_many(options: &Options) -> Vec<String> {
    let several = "Where several people have one address, the one who was active last is updated.";
    let blank = "What a blank cell does to a value that is there already is not documented: try it with one person first.";
    let several = (options.merge_field == MergeField::Email).then_some(several);
    several.into_iter().chain([blank]).map(str::to_owned).collect()
}

fn undo() -> Vec<String> {
    vec![
        "Values that are written over are lost; people created by mistake can only be deleted again by hand."
            .to_owned(),
    ]
}
