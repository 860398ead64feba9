//! `POST /activities/contacts_file_import`, as a command for a shell (OAS).

use usher_sdk::shell::quote;

use crate::options::{Options, SmsPermission};

/// The command that imports one part, on several lines; the file is in the current folder, the token in the environment.
///
/// The content type is left to `curl`, which knows the boundary; the file keeps its extension `.csv`, without which the
/// answer is 415.
pub(crate) fn curl(part: &str, options: &Options) -> String {
    let file = part.replace('\\', r"\\").replace('"', r#"\""#);
    let mut words = vec![
        "curl --fail-with-body --silent --show-error".to_owned(),
        "-H \"Authorization: Bearer $CONSTANT_CONTACT_TOKEN\"".to_owned(),
        format!("-F {}", quote(&format!("file=@\"{file}\";type=text/csv"))),
        if options.list_ids.is_empty() {
            "--form-string \"list_ids=$CONSTANT_CONTACT_LIST_IDS\"".to_owned()
        } else {
            format!("-F {}", quote(&format!("list_ids={}", options.list_ids.join(","))))
        },
    ];
    if options.sms_permission_to_send == SmsPermission::Explicit {
        words.push("-F 'sms_permission_to_send=explicit'".to_owned());
    }
    words.push(quote(&format!("{}/activities/contacts_file_import", options.api_base.trim_end_matches('/'))));
    words.join(" \\\n  ")
}

/// The command that asks how an import went.
pub(crate) fn curl_activity(options: &Options) -> String {
    let base = options.api_base.trim_end_matches('/');
    format!(
        "curl --fail-with-body --silent --show-error -H \"Authorization: Bearer $CONSTANT_CONTACT_TOKEN\" \
         \"{base}/activities/$ACTIVITY_ID\""
    )
}
