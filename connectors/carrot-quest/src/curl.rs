//! `POST /users/import`, as a command for a shell (IMPORT).
//!
//! The vendor's own sample cannot work: its `--data "file=@…"` sends the path instead of the file, and `$user_id` in
//! double quotes is expanded by the shell to nothing. So this one sends a form, and quotes by the rules of a POSIX shell.

use usher_sdk::shell::quote;

use crate::{
    api,
    options::{Delimiter, Options},
};

/// The command that imports one part, on several lines; the file is in the current folder, the token in the environment.
pub(crate) fn curl(part: &str, options: &Options) -> String {
    let file = part.replace('\\', r"\\").replace('"', r#"\""#);
    let mut words = vec![
        "curl --fail-with-body --silent --show-error".to_owned(),
        "-H \"Authorization: Token $CARROT_QUEST_TOKEN\"".to_owned(),
        format!("-F {}", quote(&format!("app={}", options.app))),
        format!("-F {}", quote(&format!("file=@\"{file}\";type=text/csv"))),
        format!("-F {}", quote(&format!("merge_field={}", options.merge_field.column()))),
        // `-F` cuts blanks at the beginning of a value and takes `;` for the end of it; `--form-string` does not.
        match options.delimiter {
            Delimiter::Tab => "--form-string \"delimiter=$(printf '\\t')\"".to_owned(),
            other => format!("--form-string {}", quote(&format!("delimiter={}", other.byte() as char))),
        },
    ];
    if !options.tags.is_empty() {
        words.push(format!("--form-string {}", quote(&format!("tags={}", api::tags(&options.tags)))));
    }
    words.push(quote(&format!("{}/users/import", options.api_base.trim_end_matches('/'))));
    words.join(" \\\n  ")
}
