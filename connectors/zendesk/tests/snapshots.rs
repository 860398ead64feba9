//! Every output that a person or the vendor sees.

mod common;

use std::{fmt::Write as _, sync::Arc};

use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, RecordBatch, StringArray, TimestampMicrosecondArray,
    builder::{ListBuilder, StringBuilder},
};
use common::{listed, problems, rows, run};
use serde_json::{Value, json};
use usher_sdk::abi::{Guide, Role};
use usher_testkit::{MemoryHost, Written, check, description, write};
use usher_zendesk::plugin;

const PEOPLE: &str = "\
email,name,external_id,phone,zoneinfo,locale
ada@example.com,Ada Lovelace,auth0|1,+15550100123,Europe/Paris,fr
eve@example.com,Ève O'Neil,auth0|2,∅,America/New_York,en_US
,Without Address,auth0|3,,,
";

/// A run as text: problems, files, fates, changes, warnings.
fn shown(options: &Value, csv: &str) -> String {
    match run(options.clone(), rows(csv)) {
        Ok((written, host)) => show(&written, &host),
        Err(error) => format!("error {} {}\n{error}\n", error.class.name(), error.code),
    }
}

fn show(written: &Written, host: &MemoryHost) -> String {
    let mut text = listed(&written.problems);
    for part in host.parts() {
        let _ = writeln!(
            text,
            "== {} ({} rows, {} bytes)\n{}",
            part.name,
            part.records,
            part.bytes.len(),
            part.text()
        );
    }
    let report = &written.report;
    let _ = writeln!(text, "written {}", report.written.count);
    for r in &report.rejects {
        let _ =
            writeln!(text, "reject row {} `{}` {}: {}", r.origin.offset / 100, r.column, r.code, r.message);
    }
    for m in &report.merged {
        let _ = writeln!(text, "merged row {} into row {}", m.origin.offset / 100, m.survivor.offset / 100);
    }
    for l in &report.left_out {
        let row = l.origin.offset / 100;
        let _ = writeln!(
            text,
            "left out row {row} `{}` {:?} {}: {}",
            l.column,
            l.value.as_str(),
            l.code,
            l.message
        );
    }
    for c in &report.changed {
        let _ = writeln!(text, "changed `{}` {} {}", c.column, c.rule, c.count);
    }
    for warning in &written.receipt.warnings {
        let _ = writeln!(text, "warning {warning}");
    }
    text
}

/// `UPLOAD.md`, roughly as the host writes it.
fn upload(guide: &Guide) -> String {
    let mut text = format!("# {}\n", guide.title);
    for (title, sentences) in [
        ("Before", &guide.before),
        ("Steps", &guide.steps),
        ("Expect", &guide.expect),
        ("Results", &guide.results),
        ("Undo", &guide.undo),
    ] {
        if !sentences.is_empty() {
            let _ = writeln!(text, "\n## {title}\n");
        }
        for sentence in sentences {
            let _ = writeln!(text, "- {sentence}");
        }
    }
    text
}

/// The columns as the host names them.
fn people() -> String {
    PEOPLE.replacen("zoneinfo", "time_zone", 1)
}

#[test]
fn describes_itself() {
    insta::assert_json_snapshot!(description(plugin()));
}

#[test]
fn ordinary_people() {
    insta::assert_snapshot!(shown(&json!({}), &people()));
}

#[test]
fn all_columns_stand_in_the_required_order() {
    let text = shown(
        &json!({ "plan": "professional" }),
        "custom_fields.vip,tags,default_group_id,organizations,alias,suspended,signature,remote_photo_url,\
         only_private_comments,moderator,local_id,locale,time_zone,skip_verify_email,custom_role,role,shared_phone,\
         phones,notes,details,external_id,ticket_restriction,emails,name,custom_fields.a\n\
         true,\"[\"\"vip\"\",\"\"beta\"\"]\",12,\"[\"\"Acme\"\",\"\"Globex\"\"]\",Smith,false,\"Yours,\nSmith\",https://example.com/a.png,false,true,1,\
         en-GB,London,true,Advisor,agent,+442071838751,+442071838750,\"Quote \"\" inside\",details,auth0|3,assigned,\
         \"[\"\"smith@example.com\"\",\"\"s@example.org\"\"]\",Agent Smith,x\n",
    );
    insta::assert_snapshot!(text);
}

#[test]
fn typed_columns() {
    let mut emails = ListBuilder::new(StringBuilder::new());
    emails.append_value([Some("ada@example.com"), Some("ADA@example.com"), Some("ada@example.org")]);
    let day: ArrayRef = Arc::new(Date32Array::from(vec![19_813]));
    let time = Arc::new(TimestampMicrosecondArray::from(vec![1_711_900_800_000_000]).with_timezone("UTC"));
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("name", Arc::new(StringArray::from(vec!["Ada"]))),
        ("emails", Arc::new(emails.finish())),
        ("suspended", Arc::new(BooleanArray::from(vec![true]))),
        ("custom_fields.day", day),
        ("custom_fields.time", time),
        ("custom_fields.vip", Arc::new(BooleanArray::from(vec![false]))),
    ];
    let (written, host) = run(json!({}), RecordBatch::try_from_iter(columns).unwrap()).unwrap();
    insta::assert_snapshot!(show(&written, &host));
}

#[test]
fn every_reject() {
    let long = "x".repeat(128_000);
    let text = shown(
        &json!({ "plan": "enterprise" }),
        &format!(
            "row,name,emails,external_id,ticket_restriction,role,custom_role,notes\n\
             good,Ada,ada@example.com,1,,,,\n\
             value.missing,,b@example.com,2,,,,\n\
             key.missing,Nobody,,,,,,\n\
             email.syntax,C,c.example.com,3,,,,\n\
             value.contains-separator,D,a|d@example.com,4,,,,\n\
             restriction.unknown,E,e@example.com,5,organisation,,,\n\
             restriction.end-user,F,f@example.com,6,assigned,,,\n\
             restriction.enterprise,G,g@example.com,7,assigned,agent,Advisor,\n\
             role.unknown,H,h@example.com,8,,admin,,\n\
             role.needs-agent,I,i@example.com,9,,,Advisor,\n\
             value.missing,J,j@example.com,10,,agent,,\n\
             duplicate.conflict,Ada L,ADA@example.com,1,,,,\n\
             good,Eve,eve@example.com,11,,,,\n\
             duplicate.conflict,Ada,\"[\"\"ada@example.com\"\",\"\"eve@example.com\"\"]\",1,,,,\n\
             row.too-long,K,k@example.com,12,,,,{long}\n"
        )
        .lines()
        // The first cell says what is to come and is no column.
        .fold(String::new(), |text, line| text + line.split_once(',').unwrap().1 + "\n"),
    );
    insta::assert_snapshot!(text);
}

#[test]
fn rejects_of_other_options() {
    let people = "name,emails,external_id,role\nAda,ada@example.com,1,\nAda,ada@example.com,,\nBob,b@example.com,1,\nC,c@example.com,2,agent\n";
    let mut text = shown(&json!({ "on_duplicate": "reject", "plan": "team" }), people);
    text += "\nupdating\n";
    text += &shown(&json!({ "import_type": "update", "plan": "team" }), people);
    insta::assert_snapshot!(text);
}

#[test]
fn every_value_left_out() {
    let text = shown(
        &json!({
            "plan": "team",
            "custom_field_types": { "since": "date", "vip": "checkbox", "seats": "number" },
        }),
        "name,emails,phones,shared_phone,time_zone,locale,local_id,remote_photo_url,signature,suspended,organizations,default_group_id,tags,custom_fields.since,custom_fields.vip,custom_fields.seats\n\
         Ada,a@example.com,n/a,123,Mars/Olympus,english,one,example.com,Yours,yes,\"[\"\"Acme\"\",\"\"Globex\"\",\"\"Initech\"\"]\",7,\"[\"\"a,b\"\",\"\"c\"\"]\",yesterday,1,many\n",
    );
    insta::assert_snapshot!(text);
}

#[test]
fn what_a_bad_value_does_can_be_chosen() {
    let text = shown(
        &json!({ "on_invalid": { "phones": "reject_row", "email": "leave_out" } }),
        "name,email,external_id,phones\nA,a@example.com,1,n/a\nB,b.example.com,2,\nC,c.example.com,,\n",
    );
    insta::assert_snapshot!(text);
}

#[test]
fn values_are_changed_by_rule() {
    let text = shown(
        &json!({ "default_region": "GB", "custom_field_types": { "since": "date", "vip": "checkbox" }, "role_spelling": "capital" }),
        "name,emails,phones,time_zone,locale,organizations,tags,custom_fields.since,custom_fields.vip,custom_fields.seen,role,ticket_restriction\n\
         \" Ada \",\" ada@example.com\",020 7183 8750,Europe/Kyiv,pt_BR.UTF-8,\"[\"\" Acme\"\",\"\"Acme\"\"]\",\"[\"\"a\"\",\"\"b\"\",\"\"a\"\"]\",2024/3/31,TRUE,2024-03-31T10:00:00Z,end-user,Requested\n",
    );
    insta::assert_snapshot!(text);
}

const TWINS: &str = "\
external_id,name,emails,phones,notes
1,Ada,ada@example.com,+15550100001,n
2,Eve,eve@example.com,+15550100002,
1,Ada,ada@example.org,+15550100001,n
1,Ada,ADA@EXAMPLE.ORG,+15550100003,n
3,Bob,bob@example.com,+15550100004,
1,Ada,ada@example.net,+15550100002,n
2,Eve,\"[\"\"eve@example.com\"\",\"\"a,\\\"\"b\\\"\"@example.com\"\"]\",,
1,Ada,ada@example.org,,other
";

#[test]
fn duplicates_are_merged() {
    let mut text = shown(&json!({}), TWINS);
    text += "\none row a file\n";
    text += &shown(&json!({ "max_rows": 1 }), TWINS);
    insta::assert_snapshot!(text);
}

#[test]
fn shared_phones() {
    let people = "\
        name,emails,phones,shared_phone\n\
        A,a@example.com,\"[\"\"+15550100001\"\",\"\"+15550100002\"\"]\",\n\
        B,b@example.com,\"[\"\"+15550100001\"\",\"\"+15550100003\"\"]\",\n\
        C,c@example.com,\"[\"\"+15550100001\"\",\"\"+15550100002\"\"]\",\n\
        D,d@example.com,+15550100001,+15550100009\n";
    let mut text = shown(&json!({}), people);
    text += "\nleave_out\n";
    text += &shown(&json!({ "shared_phones": "leave_out" }), people);
    insta::assert_snapshot!(text);
}

#[test]
fn roles_by_plan() {
    let people = "\
        name,emails,role,ticket_restriction,custom_role\n\
        End user,a@example.com,end-user,,\n\
        Agent with restriction,b@example.com,agent,groups,\n\
        Agent with role,c@example.com,agent,,Light agent\n\
        Agent with neither,d@example.com,agent,,\n\
        End user by default,e@example.com,,organization,\n";
    let mut text = String::new();
    for options in [
        json!({}),
        json!({ "plan": "professional" }),
        json!({ "plan": "enterprise" }),
        json!({ "plan": "professional", "ticket_restriction": "assigned" }),
        json!({ "import_type": "update", "on_blank": "erase_stored", "plan": "professional" }),
    ] {
        let people = people.replace("emails", "external_id");
        let people = if options["import_type"] == json!("update") {
            people
        } else {
            people.replace("external_id", "emails")
        };
        text += &format!("{options}\n{}\n", shown(&options, &people));
    }
    insta::assert_snapshot!(text);
}

#[test]
fn organizations_beside_the_users() {
    let people = "\
        name,emails,organizations\n\
        A,a@example.com,Acme\n\
        B,b@example.com,\"[\"\"Globex, Inc\"\",\"\"Acme\"\"]\"\n\
        C,c@example.com,\n\
        D,d@example.com,ACME\n\
        E,e.example.com,Rejected\n";
    let mut text = shown(&json!({ "plan": "professional" }), people);
    text += "\nteam\n";
    text += &shown(&json!({ "plan": "team", "organizations_file": false }), people);
    insta::assert_snapshot!(text);
}

#[test]
fn an_update_leaves_stored_values() {
    let people = "\
        external_id,name,emails,phones,notes,custom_fields.plan\n\
        1,Ada,ada@example.com,,n,\n\
        2,Eve,,+15550100001,,pro\n\
        3,,bob@example.com,,n,\n\
        4,Dan,dan@example.com,,n,\n\
        2,Eve,eve@example.com,+15550100002,,pro\n";
    let mut text = String::new();
    for options in [
        json!({ "import_type": "update" }),
        json!({ "import_type": "update", "on_blank": "erase_stored" }),
        json!({ "import_type": "create_and_update" }),
    ] {
        text += &format!("{options}\n{}\n", shown(&options, people));
    }
    insta::assert_snapshot!(text);
}

#[test]
fn too_many_ways_to_fill_the_columns() {
    let mut people = "external_id,name,details,notes,alias\n".to_owned();
    for way in 0..16 {
        let cell = |bit: usize| if way & 1 << bit != 0 { "x" } else { "" };
        people += &format!("{way},{},{},{},{}\n", cell(0), cell(1), cell(2), cell(3));
    }
    insta::assert_snapshot!(shown(&json!({ "import_type": "update" }), &people));
}

#[test]
fn problems_of_options_and_columns() {
    let good = ["name", "emails", "external_id"];
    let cases: &[(Value, &[&str])] = &[
        (json!({}), &good),
        (json!({}), &[]),
        (json!({}), &["nane", "email", "emails", "custom_fields.Plan", "custom_fields.a b"]),
        (json!({ "import_type": "update" }), &["emails"]),
        (
            json!({ "import_type": "create_and_update", "on_blank": "erase_stored" }),
            &["name", "emails", "role", "suspended", "alias"],
        ),
        (
            json!({ "ticket_restriction": "groups", "default_region": "Europe", "max_rows": 0, "max_bytes": 999 }),
            &good,
        ),
        (json!({ "ticket_restriction": "groups", "plan": "team" }), &["name", "emails", "role"]),
        (json!({ "custom_field_types": { "vpi": "checkbox" } }), &["name", "emails", "custom_fields.vip"]),
        (
            json!({ "on_invalid": { "phone": "truncate", "full_name": "leave_out", "phons": "leave_out" } }),
            &["name", "emails", "phones"],
        ),
        (json!({ "consent": [] }), &good),
        (json!({}), &["name", "emails", "role", "custom_role", "locale", "local_id"]),
        (json!({}), &["name", "emails", "verified"]),
    ];
    let mut text = String::new();
    for (options, columns) in cases {
        text += &format!("{options} {columns:?}\n{}\n", problems(options.clone(), columns));
    }
    insta::assert_snapshot!(text);
}

#[test]
fn the_account_s_template() {
    let columns = ["name", "emails", "phones", "notes", "custom_fields.plan"];
    let mut text = String::new();
    for template in [
        "\u{feff}name,emails,ticket_restriction,external_id,details,notes,phones,shared_phone,skip_verify_email,custom_fields.plan\r\nA,b\r\n",
        "name,emails,restriction,notes,phone,skip_verify_email\n",
        "name,phones,emails,ticket_restriction,notes,shared_phone,skip_verify_email,custom_fields.plans",
        "",
    ] {
        let host = MemoryHost::new().with_input("template.csv", template).slab_size(7);
        let found = write(
            plugin(),
            "users",
            json!({ "template": "template.csv" }),
            &host,
            vec![rows(&(columns.join(",") + "\n"))],
        );
        let found = match found {
            Ok(written) => written.problems,
            Err(error) => serde_json::from_str(&error.details).unwrap(),
        };
        text += &format!("{template:?}\n{}\n", listed(&found));
    }
    text +=
        &listed(&check(plugin(), Role::Sink, "users", json!({ "template": "gone.csv" }), &columns).unwrap());
    insta::assert_snapshot!(text);
}

#[test]
fn the_upload_guide_and_the_receipt() {
    let people = "\
        name,emails,external_id,organizations,tags,custom_fields.plan\n\
        A,a@example.com,1,Acme,vip,pro\n\
        A,a@example.org,1,Acme,vip,pro\n\
        B,b@example.com,2,Globex,,free\n\
        C,c@example.com,3,,,\n";
    let consent = json!({ "not_needed": "support accounts of customers" });
    let mut text = String::new();
    for options in [
        json!({ "plan": "professional", "consent": consent, "max_rows": 2 }),
        json!({ "import_type": "update", "plan": "professional", "skip_verify_email": false, "organizations_file": false, "consent": "consent" }),
        json!({ "import_type": "create_and_update", "plan": "team", "on_blank": "erase_stored" }),
    ] {
        let (written, _) = run(options.clone(), rows(people)).unwrap();
        let mut receipt = written.receipt.clone();
        text += &format!("{options}\n{}\n", upload(&std::mem::take(&mut receipt.guide)));
        text += &format!("{}\n\n", serde_json::to_string_pretty(&receipt).unwrap());
    }
    let (written, _) = run(json!({}), rows("name,emails\n,a@example.com\n")).unwrap();
    text += &upload(&written.receipt.guide);
    insta::assert_snapshot!(text);
}
