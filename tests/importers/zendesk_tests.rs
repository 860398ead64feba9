use super::*;

fn account() -> Account {
    let mut account =
        Account { organizations: ["Acme", "Globex"].map(str::to_owned).into(), ..Account::default() };
    let mut ada = User::with_email("ada@example.com");
    ada.put("external_id", "1");
    ada.put("name", "Ada");
    ada.put("notes", "old");
    ada.phones.push("+15550100001".to_owned());
    account.add(ada);
    let mut bob = User::with_email("bob@example.com");
    bob.put("name", "Bob");
    account.add(bob);
    account
}

fn import(account: &mut Account, kind: Kind, file: &str) -> ImportResult {
    account.import(file.as_bytes(), &Settings::new(kind))
}

fn both(file: &str) -> (Account, ImportResult) {
    let mut account = account();
    let result = import(&mut account, Kind::CreateAndUpdate, file);
    (account, result)
}

#[test]
fn users_are_matched_by_external_id_or_any_address() {
    let (account, result) = both(
        "name,emails,external_id,phones\n\
         Ada L,second@example.com,1,+15550100002\n\
         Bob B,BOB@example.com,2,\n\
         Cy,cy@example.com|cyril@example.com,3,+15550100001\n",
    );
    assert_eq!((result.created, result.updated, result.failed.len()), (1, 2, 0), "{result:?}");
    let ada = account.by_email("second@example.com").unwrap();
    assert_eq!(ada.emails, ["ada@example.com", "second@example.com"]);
    assert_eq!(ada.phones, ["+15550100001", "+15550100002"]);
    assert_eq!(account.by_email("bob@example.com").unwrap().field("external_id"), "2");
    assert_eq!(account.by_email("CYRIL@example.com").unwrap().field("role"), "end-user");
}

#[test]
fn a_number_alone_identifies() {
    let (account, result) = both("name,emails,phones\nLovelace,,+15550100001\n");
    assert_eq!((result.updated, account.users[&1].field("name")), (1, "Lovelace"));
}

#[test]
fn types_pass_rows_over() {
    let file = "name,emails,external_id\nAda,ada@example.com,1\nCy,cy@example.com,3\n";
    let mut after = account();
    let result = import(&mut after, Kind::CreateOnly, file);
    assert_eq!((result.created, result.updated, result.ignored), (1, 0, 1));
    let mut after = account();
    let result = import(&mut after, Kind::UpdateOnly, file);
    assert_eq!((result.created, result.updated, result.ignored), (0, 1, 1));
    let result = import(&mut after, Kind::UpdateOnly, "name,emails,external_id\nBob,bob@example.com,\n");
    assert_eq!(result.failed, [(1, "an update needs `external_id`".to_owned())]);
    let result = import(&mut after, Kind::UpdateOnly, "name,emails\nBob,bob@example.com\n");
    assert_eq!(result.refused.as_deref(), Some("missing mandatory header `external_id`"));
}

#[test]
fn blanks_erase_all_but_addresses_and_numbers() {
    let (account, _) = both("name,emails,external_id,notes,phones\nAda,,1,,\n");
    let ada = account.by_email("ada@example.com").unwrap();
    assert_eq!((ada.field("notes"), ada.phones.len()), ("", 1));
    let (account, _) = both("name,emails,external_id\nAda,,1\n");
    assert_eq!(account.by_email("ada@example.com").unwrap().field("notes"), "old");
}

#[test]
fn organizations_exist_already_and_the_first_is_the_default() {
    let (account, result) = both(
        "name,emails,organizations,tags\nAda,ada@example.com,Globex|Acme,\"a,b\"\nBob,bob@example.com,Initech,\n",
    );
    let ada = account.by_email("ada@example.com").unwrap();
    assert_eq!((ada.organizations.len(), ada.default_organization.as_deref()), (2, Some("Acme")));
    assert_eq!(ada.tags, ["a", "b"].map(str::to_owned).into());
    assert_eq!(result.failed, [(2, "organization `Initech` does not exist".to_owned())]);
    let settings = Settings { several_organizations: false, ..Settings::new(Kind::CreateAndUpdate) };
    let result =
        self::account().import(b"name,emails,organizations\nAda,ada@example.com,Acme|Globex\n", &settings);
    assert_eq!(result.failed, [(1, "2 organizations are too many".to_owned())]);
}

#[test]
fn a_user_on_two_rows_fails_on_both_and_a_row_for_two_users_fails() {
    let (_, result) =
        both("name,emails\nCy,cy@example.com\nCyril,x@example.com|CY@example.com\nDi,di@example.com\n");
    assert_eq!(result.failed.iter().map(|f| f.0).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(result.created, 1);
    let (_, result) = both("name,emails,external_id\nAda,bob@example.com,1\n");
    assert_eq!(result.failed, [(1, "matches more than one user".to_owned())]);
}

#[test]
fn headers() {
    for (header, reason) in [
        ("emails,name", "header `name` after `emails`"),
        ("name,emails,email", "unknown header `email`"),
        ("name,emails,custom_fields.plan", "unknown header `custom_fields.plan`"),
        ("name", "missing mandatory header `emails`"),
        ("\u{FEFF}name,emails", "unknown header `\u{FEFF}name`"),
        ("name,emails,emails", "import aborted: two columns `emails`"),
    ] {
        assert_eq!(both(&format!("{header}\n")).1.refused.as_deref(), Some(reason));
    }
}

#[test]
fn values() {
    let fields = [
        ("since", Field::Date),
        ("vip", Field::Checkbox),
        ("plan", Field::DropDown(["pro".to_owned()].into())),
    ];
    let mut settings = Settings::new(Kind::CreateAndUpdate);
    settings.fields = fields.map(|(key, field)| (key.to_owned(), field)).into();
    settings.fields.insert("any".to_owned(), Field::Text);
    for (heading, value, good) in [
        ("emails", "a@example.com,b@example.com", false),
        ("ticket_restriction", "requested", true),
        ("ticket_restriction", "demandeur", false),
        ("ticket_restriction", "groups", false),
        ("phones", "+33199001234", true),
        ("phones", "0199001234", false),
        ("role", "end-user", true),
        ("role", "End-user", false),
        ("role", "admin", false),
        ("role", "agent", false),
        ("custom_role", "Light agent", false),
        ("skip_verify_email", "True", false),
        ("time_zone", "Berlin", true),
        ("time_zone", "(GMT+02:00) Berlin", false),
        ("time_zone", "Eastern Time (US & Canada)", true),
        ("locale", "en-US", true),
        ("locale", "en_US", false),
        ("local_id", "x", false),
        ("remote_photo_url", "picture.png", false),
        ("default_group_id", "12", false),
        ("custom_fields.since", "2024-02-29", true),
        ("custom_fields.since", "24/02/29", true),
        ("custom_fields.since", "24-02-29", false),
        ("custom_fields.vip", "yes", false),
        ("custom_fields.plan", "pro", true),
        ("custom_fields.plan", "Pro", false),
        ("custom_fields.any", "Any thing", true),
    ] {
        let file = match heading {
            "emails" => format!("name,emails\nCy,\"{value}\"\n"),
            "ticket_restriction" => format!("name,emails,{heading}\nCy,cy@example.com,{value}\n"),
            _ => format!("name,emails,external_id,{heading}\nCy,cy@example.com,3,\"{value}\"\n"),
        };
        let result = account().import(file.as_bytes(), &settings);
        assert_eq!(result.created == 1, good, "{heading} {value}: {result:?}");
        assert_eq!(result.failed.is_empty(), good, "{heading} {value}: {result:?}");
    }
}

#[test]
fn agents() {
    let (account, result) = both(
        "name,emails,ticket_restriction,role,custom_role,default_group_id\n\
         Cy,cy@example.com,groups,agent,,12\nDi,di@example.com,,agent,Boss,\n",
    );
    assert_eq!((result.created, result.failed.len()), (2, 0));
    assert_eq!(account.by_email("di@example.com").unwrap().field("custom_role"), "Light agent");
    assert_eq!(result.silent, ["row 2: role `Boss` does not exist, now Light agent"]);
}

#[test]
fn mails_go_to_new_users_unless_told_otherwise() {
    let (_, result) = both("name,emails\nAda,ada@example.com\nCy,cy@example.com\n");
    assert_eq!(result.mails, 1);
    let (_, result) = both("name,emails,skip_verify_email\nCy,cy@example.com,true\n");
    assert_eq!(result.mails, 0);
}

#[test]
fn new_users_need_a_name_and_a_key() {
    let (_, result) = both("name,emails,phones\n,cy@example.com,\nDi,,+15550100009\n");
    let reasons = ["a new user needs a name", "a new user needs an address or `external_id`"];
    assert_eq!(result.failed, [(1, reasons[0].to_owned()), (2, reasons[1].to_owned())]);
}

#[test]
fn limits() {
    let file = b"name,emails\nCy,cy@example.com\nDi,di@example.com\n";
    let settings = Settings::new(Kind::CreateAndUpdate);
    let run = |settings: Settings| account().import(file, &settings);
    assert_eq!(run(Settings { max_bytes: 48, ..settings.clone() }).created, 2);
    let result = run(Settings { max_bytes: 47, ..settings.clone() });
    assert_eq!(result.refused.as_deref(), Some("48 bytes, 47 are allowed"));
    let result = run(Settings { max_rows: 1, ..settings.clone() });
    assert_eq!(result.refused.as_deref(), Some("2 rows, 1 are allowed"));
    let result = run(Settings { max_row_bytes: 17, ..settings.clone() });
    assert_eq!(result.failed.len(), 2);
    let wide = format!("name,emails{}\n", ",x".repeat(199));
    assert!(account().import(wide.as_bytes(), &settings).refused.is_some());
}

#[test]
fn the_order_of_rows_changes_nothing() {
    let rows: String = (0..50).map(|i| format!("U{i},u{i}@example.com,{}\n", i + 10)).collect();
    let file = format!("name,emails,external_id\n{rows}");
    let settings = Settings::new(Kind::CreateAndUpdate);
    let mut orders = BTreeSet::new();
    for seed in 0..5 {
        let mut account = account();
        let result = account.import(file.as_bytes(), &Settings { seed, ..settings.clone() });
        assert_eq!(result.created, 50);
        orders.insert(account.users.values().map(|u| u.field("name").to_owned()).collect::<Vec<_>>());
    }
    assert_eq!(orders.len(), 5);
}
