//! What the person who imports must know (IMPEXP, LISTS, CUSTOM, API).

use usher_sdk::{
    abi::{Guide, Part},
    words::{counted, thousands},
};

use crate::options::{Options, core};

/// The guide; `headings` are those of the files.
pub(crate) fn guide(options: &Options, headings: &[String], parts: &[Part]) -> Guide {
    let title = "Cohort: import of users".to_owned();
    if parts.is_empty() {
        let nothing = "No user could be delivered, so there is no file to import.".to_owned();
        return Guide { title, expect: vec![nothing], ..Guide::default() };
    }
    Guide {
        title,
        before: before(options, headings),
        steps: steps(headings, parts),
        expect: expect(parts),
        results: vec!["**Users** lists everybody; where Cohort reports rows it did not take is not documented.".to_owned()],
        undo: vec![
            "**Values in the files overwrite stored ones, and no way back is documented.** Export the users first (**Users > \
             Export as CSV > Export users**, with all columns that the files have) if you may want the old values again."
                .to_owned(),
        ],
    }
}

fn before(options: &Options, headings: &[String]) -> Vec<String> {
    let mut before = vec![
        "The admin interface is in the mode that you mean: **Test and Live are two separate sets of data.**"
            .to_owned(),
    ];
    let custom: Vec<String> = headings
        .iter()
        .filter(|heading| core(heading).is_none())
        .map(|heading| match options.properties.get(heading) {
            Some(property) => format!("`{heading}` ({})", property.name()),
            None => format!("`{heading}` (type not declared, values not checked)"),
        })
        .collect();
    if !custom.is_empty() {
        before.push(format!(
            "These custom properties exist, with these types: {}. To make one: the settings gear, **Custom properties > \
             Create custom property**. A type cannot be changed later.",
            custom.join(", ")
        ));
    }
    before
}

fn steps(headings: &[String], parts: &[Part]) -> Vec<String> {
    let file = |part: &Part| {
        format!("`{}` ({}, {} bytes)", part.name, counted(part.rows, "row", "rows"), thousands(part.bytes))
    };
    let mut steps = vec![
        "Go to **Users** and click **+ Import users** in the top right corner. (To make them members of a list: **Lists and \
         segments**, the list, **+ Import users**.)"
            .to_owned(),
    ];
    steps.extend(parts.first().map(|first| format!("Upload the CSV file {}.", file(first))));
    let names: Vec<String> = headings.iter().map(|heading| format!("`{heading}`")).collect();
    steps.push(format!(
        "Select the columns by clicking on them, and map each to the property of its name: {}. A column that is not \
         clicked is not imported.",
        names.join(", ")
    ));
    steps.push("Click **Import**.".to_owned());
    if parts.len() > 1 {
        let others: Vec<String> = parts.iter().skip(1).map(file).collect();
        steps
            .push(format!("Do the same with each of the other files, in this order: {}.", others.join(", ")));
    }
    steps
}

fn expect(parts: &[Part]) -> Vec<String> {
    let rows: u64 = parts.iter().map(|part| part.rows).sum();
    let (rows, files) = (counted(rows, "user", "users"), counted(parts.len() as u64, "file", "files"));
    vec![
        format!("{rows} in {files}: those whose address is known are updated, the others are created."),
        "Blank cells are skipped: they do not clear what is stored.".to_owned(),
    ]
}
