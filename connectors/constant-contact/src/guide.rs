//! `UPLOAD.md`.

use usher_sdk::{
    abi::{Guide, Part},
    words::counted,
};

use crate::{
    curl,
    options::{Deliver, Options},
};

/// What a person does with the files. `by_hand` are headings that the upload page may not match by itself.
pub(crate) fn guide(options: &Options, parts: &[Part], by_hand: &[String]) -> Guide {
    match options.deliver {
        Deliver::UiFile => page(options, parts, by_hand),
        Deliver::ApiFile => command(options, parts),
        // Nothing is left for a person to do.
        Deliver::Api => Guide::default(),
    }
}

/// The upload page (SEED, KB-FAQ, KB-IMP).
fn page(options: &Options, parts: &[Part], by_hand: &[String]) -> Guide {
    let matching = if by_hand.is_empty() {
        "Look through the columns and what they are matched with, and choose **Continue**.".to_owned()
    } else {
        format!(
            "Look through the columns and what they are matched with. These may have to be chosen by hand, as a standard \
             field or as a custom field (an existing or a new one): {}. Then choose **Continue**.",
            by_hand.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
        )
    };
    let lists = if options.lists.is_empty() {
        "Choose the list or lists that the contacts are added to; at least one.".to_owned()
    } else {
        format!("Choose these lists: {}.", options.lists.join(", "))
    };
    let again = "Do the same with the next file, until the end of the list.".to_owned();
    let steps = [
        "Log in to Constant Contact and open **Contacts**.".to_owned(),
        "Choose **Add Contacts > Upload from file**.".to_owned(),
        "Give the page the file, and choose **Continue**.".to_owned(),
        matching,
        lists,
        "Confirm that you have these people's permission to write to them.".to_owned(),
        "Choose **Upload**.".to_owned(),
    ];
    Guide {
        title: "Constant Contact: upload of contacts from a file".to_owned(),
        before: vec![charge()],
        steps: steps.into_iter().chain((parts.len() > 1).then_some(again)).collect(),
        expect: expect(parts),
        results: vec![
            "The page of the upload says how many contacts were added, updated and refused. Errors in addresses, \
             birthdays and anniversaries can be corrected there."
                .to_owned(),
        ],
        undo: undo(),
    }
}

/// The API (OAS, GUIDE-IMP).
fn command(options: &Options, parts: &[Part]) -> Guide {
    let mut steps = vec![
        "Put an access token with the scope `contact_data` into the environment as `CONSTANT_CONTACT_TOKEN`, without \
         writing it into a file or the shell's history."
            .to_owned(),
    ];
    if options.list_ids.is_empty() {
        steps.push(
            "Put the ids of the lists, at least one and at most 50, with commas between them, into \
             `CONSTANT_CONTACT_LIST_IDS`."
                .to_owned(),
        );
    }
    steps.push(
        "Open a shell in the folder of this page, and run the command of each file, in this order."
            .to_owned(),
    );
    for part in parts {
        let command = curl::curl(&part.name, options).replace('\n', "\n    ");
        steps.push(format!("`{}`:\n\n    ```sh\n    {command}\n    ```", part.name));
    }
    let mut expect = expect(parts);
    expect.extend([
        "Every command answers an `activity_id`. Should one end without an answer, look among the activities before you \
         run it again: nothing keeps a file from being imported twice."
            .to_owned(),
        "New contacts get the permission `implicit`; that of known ones stays as it is.".to_owned(),
        "An application may make 4 requests a second and 10,000 a day, and an account have 1,000 imports waiting."
            .to_owned(),
    ]);
    Guide {
        title: "Constant Contact: import of contacts by the API".to_owned(),
        before: vec![
            "Custom fields (`cf:…`) must exist: the import passes over names that it does not know without a word."
                .to_owned(),
            charge(),
        ],
        steps,
        expect,
        results: vec![
            format!(
                "Ask for each activity until its `state` is `completed`:\n\n    ```sh\n    {}\n    ```",
                curl::curl_activity(options)
            ),
            "`items_total_count` counts the header, too. `error_count`, `correctable_count` and \
             `cannot_add_to_list_count` say what did not go in; with one of them above 0, `completed` is a part of it."
                .to_owned(),
        ],
        undo: undo(),
    }
}

fn charge() -> String {
    "Every contact who can be written to counts in the price of the plan.".to_owned()
}

fn expect(parts: &[Part]) -> Vec<String> {
    let rows: u64 = parts.iter().map(|part| part.rows).sum();
    vec![
        format!(
            "{}. Known addresses are updated: only the columns of the file are replaced.",
            counted(rows, "contact", "contacts")
        ),
        "A known person with a new address becomes a second contact.".to_owned(),
        "Who has unsubscribed stays unsubscribed, and is added to no list: an import never subscribes anybody again."
            .to_owned(),
        "What a blank cell does to a value that is there already is not documented: try it with one contact first."
            .to_owned(),
    ]
}

fn undo() -> Vec<String> {
    vec![
        "Values that are replaced are lost.".to_owned(),
        "An import cannot be taken back: contacts created by mistake are deleted by hand, and a letter sent to a list \
         meanwhile has gone to them, too."
            .to_owned(),
    ]
}
