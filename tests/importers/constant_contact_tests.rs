use super::*;

fn page() -> Settings {
    Settings::new(Form::Page)
}

fn api() -> Settings {
    Settings { custom_fields: ["plan".to_owned()].into(), ..Settings::new(Form::Api) }
}

#[test]
fn only_fields_present_are_replaced() {
    for (form, first, second) in [
        (
            page(),
            "Email Address,First Name,Company\na@example.com,Ada,Acme\n",
            "Company,Email Address\nGlobex,A@example.com\n",
        ),
        (
            api(),
            "email,first_name,company_name\na@example.com,Ada,Acme\n",
            "company_name,email\nGlobex,A@example.com\n",
        ),
    ] {
        let mut account = Account::default();
        let result = account.import(first.as_bytes(), &form);
        assert_eq!((result.created, result.updated), (1, 0), "{result:?}");
        let result = account.import(second.as_bytes(), &form);
        assert_eq!((result.created, result.updated), (0, 1), "{result:?}");
        let ada = account.by_email("a@example.com").unwrap();
        assert_eq!((ada.field("first_name"), ada.field("company_name")), ("Ada", "Globex"));
        assert_eq!((ada.field("permission"), ada.lists.len()), ("implicit", 1));
    }
}

#[test]
fn blanks_by_choice() {
    for (blanks_erase, left) in [(false, "Ada"), (true, "")] {
        let mut account = Account::default();
        account.import(b"email,first_name\na@example.com,Ada\n", &api());
        account.import(b"email,first_name\na@example.com,\n", &Settings { blanks_erase, ..api() });
        assert_eq!(account.by_email("a@example.com").unwrap().field("first_name"), left);
    }
}

#[test]
fn what_is_over_the_limits_is_dropped_in_silence() {
    let file = b"email\na@example.com\nb@example.com\nc@example.com\n";
    let run = |settings: Settings| {
        let result = Account::default().import(file, &settings);
        assert_eq!((&result.refused, result.failed.len()), (&None, 0));
        (result.created, result.dropped)
    };
    assert_eq!(run(api()), (3, 0));
    assert_eq!(run(Settings { max_rows: 2, ..api() }), (2, 1));
    assert_eq!(run(Settings { max_bytes: 48, ..api() }), (3, 0));
    assert_eq!(run(Settings { max_bytes: 47, ..api() }), (2, 1));
    assert_eq!(run(Settings { max_bytes: 48, envelope: 15, ..api() }), (1, 2));
    assert_eq!((api().max_rows, page().max_rows), (39_999, 1_000_000));
}

#[test]
fn rows_that_fail_and_those_that_can_be_corrected() {
    let long = "x".repeat(51);
    let file = format!(
        "email,first_name,birthday_month,birthday_day,anniversary,cf:plan\n\
         ,,,,,\n,Ada,,,,\nnobody,,,,,\na@example.com,,2,,,\nb@example.com,,13,1,,\nc@example.com,,,,soon,\n\
         d@example.com,{long},,,,\n{}@example.com,,,,,\ne@example.com,E,2,29,2024-02-29,pro\n",
        "y".repeat(69)
    );
    let mut account = Account::default();
    let result = account.import(file.as_bytes(), &api());
    let reasons: Vec<&str> = result.failed.iter().map(|(_, reason)| reason.as_str()).collect();
    assert_eq!(
        reasons,
        [
            "no email address",
            "no email address",
            "`nobody` is no email address",
            "a birthday needs month and day",
            "`13` is no good `birthday_month`",
            "`soon` is no good `anniversary`",
            "`first_name` has more than 50 characters",
            "`email` has more than 80 characters",
        ]
    );
    assert_eq!((result.correctable, result.created), (5, 1));
    assert_eq!(account.by_email("e@example.com").unwrap().field("cf:plan"), "pro");
}

#[test]
fn headings() {
    let refused =
        |file: &str, settings: &Settings| Account::default().import(file.as_bytes(), settings).refused;
    assert_eq!(refused("Email Address\n", &api()).as_deref(), Some("unknown column `Email Address`"));
    assert_eq!(refused("email,email\n", &api()).as_deref(), Some("two columns `email`"));
    assert_eq!(
        refused("email\n", &Settings { lists: Vec::new(), ..api() }).as_deref(),
        Some("1 to 50 lists are needed")
    );
    let result = Account::default().import(b"email,cf:plam\na@example.com,pro\n", &api());
    assert_eq!(result.silent, ["column `cf:plam` matches nothing and is not filled"]);

    let mut account = Account::default();
    let result = account.import(b"Email Address,Plan\na@example.com,pro\n", &page());
    assert_eq!(result.silent, ["column `Plan` matches nothing and is not filled"]);
    let mapping = [("Plan".to_owned(), "plan".to_owned())].into();
    let settings = Settings { mapping, custom_fields: ["plan".to_owned()].into(), ..page() };
    account.import(b"Email Address,Plan\na@example.com,pro\n", &settings);
    assert_eq!(account.by_email("a@example.com").unwrap().field("cf:plan"), "pro");
}

#[test]
fn at_most_25_custom_fields() {
    let names: Vec<String> = (0..26).map(|i| format!("f{i}")).collect();
    let settings = Settings { custom_fields: names.iter().cloned().collect(), ..api() };
    let header: String = names.iter().map(|n| format!(",cf:{n}")).collect();
    let file =
        format!("email{header}\na@example.com{}\nb@example.com,{}\n", ",x".repeat(26), ",x".repeat(25));
    let result = Account::default().import(file.as_bytes(), &settings);
    assert_eq!(result.failed, [(1, "more than 25 custom fields".to_owned())]);
}

#[test]
fn people_who_unsubscribed_stay_so() {
    let mut account = Account::default();
    account.add(User { unsubscribed: true, ..User::with_email("a@example.com") });
    let result = account.import(b"email,first_name\na@example.com,Ada\n", &api());
    assert_eq!((result.updated, result.cannot_add_to_list), (1, 1));
    let ada = account.by_email("a@example.com").unwrap();
    assert!(ada.unsubscribed && ada.lists.is_empty());
}

#[test]
fn dates() {
    for good in ["12/31/1990", "1/2/1990", "1990/12/31", "1990-1-2", "31-December", "2-May", "02-May-90"] {
        assert!(month_and_day(good).is_some(), "{good}");
    }
    for bad in ["31.12.1990", "12-31-1990", "December", "31-Dezember", "1990-13-01", ""] {
        assert!(month_and_day(bad).is_none(), "{bad}");
    }
    assert_eq!(month_and_day("2-May").as_deref(), Some("05-02"));
    assert_eq!(full_date("12-31-2020").as_deref(), Some("2020-12-31"));
    assert_eq!(full_date("2/9/2020").as_deref(), Some("2020-02-09"));
    assert_eq!(full_date("31/12/2020"), None);
}
