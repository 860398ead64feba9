//! What can be said of options and columns before the first row comes.

use usher_sdk::{
    Host,
    abi::{Error, OnInvalid, Problem, nearest},
    check_names, check_on_invalid, checks, field_pointer, find_rule, option_pointer,
    options::{consent, problem, warning},
};

use crate::{
    columns::{COLUMNS, CUSTOM},
    limits,
    options::{Deliver, ImportType, OnBlank, Options, Restriction, RoleSpelling, SharedPhones},
    template,
};

/// The columns that the sink fills by itself; `given` answers whether the rows that come fill one.
pub(crate) fn extra(options: &Options, given: impl Fn(&str) -> bool) -> Vec<&'static str> {
    let mut extra = vec!["emails"];
    // Over the API none is needed, but agents should not get whatever is the default.
    let needed = options.import_type.creates() && (options.deliver == Deliver::UiFile || given("role"));
    if needed || options.ticket_restriction != Restriction::Automatic {
        extra.push("ticket_restriction");
    }
    if options.skip_verify_email {
        extra.push("skip_verify_email");
    }
    // Where blank cells erase, a column that nobody asked for would erase stored numbers.
    let erases = options.import_type.updates() && !options.groups();
    if given("phones") && options.shared_phones == SharedPhones::Column && !erases {
        extra.push("shared_phone");
    }
    extra
}

/// The table's name of a column; its own when the table has none.
fn canonical(column: &str) -> &str {
    find_rule(COLUMNS, column).filter(|rule| !rule.name.ends_with('*')).map_or(column, |rule| rule.name)
}

/// The header that these columns lead to.
fn header(options: &Options, columns: &[String]) -> Vec<String> {
    let mut header: Vec<String> = columns.iter().map(|column| canonical(column).to_owned()).collect();
    for column in extra(options, |name| columns.iter().any(|column| canonical(column) == name)) {
        if !header.iter().any(|known| known == column) {
            header.push(column.to_owned());
        }
    }
    header.sort_by_key(|column| COLUMNS.iter().position(|rule| rule.covers(column)));
    header
}

/// Everything that is wrong, and what a person should look at.
pub(crate) fn check(options: &Options, host: &Host, columns: &[String]) -> Result<Vec<Problem>, Error> {
    let mut problems = check_names(COLUMNS, columns);
    problems.extend(check_on_invalid(COLUMNS, columns, &options.on_invalid));
    let header = header(options, columns);
    let given = |name: &str| columns.iter().any(|column| canonical(column) == name);
    identity(options, &given, &mut problems);
    custom_fields(options, columns, &mut problems);
    choices(options, &mut problems);
    values(options, &given, &mut problems);
    if options.deliver == Deliver::UiFile {
        unchecked(&given, &mut problems);
    }
    updates(options, &given, &mut problems);
    match options.deliver {
        Deliver::UiFile => problems.extend(files(options, host, &given, &header)?),
        Deliver::Api => problems.extend(api(options, &given)),
    }
    Ok(problems)
}

/// What only files ask for.
fn files(
    options: &Options,
    host: &Host,
    given: &impl Fn(&str) -> bool,
    header: &[String],
) -> Result<Vec<Problem>, Error> {
    let mut problems = Vec::new();
    if given("verified") {
        let message = "files have no column `verified`; drop it, or deliver over the API";
        problems.push(problem(field_pointer("verified"), "column.api-only", message));
    }
    if options.api.is_some() {
        let message = "`api` is for `deliver = \"api\"` only";
        problems.push(warning("/api", "option.unused", message));
    }
    if options.import_type == ImportType::CreateAndUpdate
        && options.ticket_restriction == Restriction::Automatic
        && !given("ticket_restriction")
    {
        let message = "new users need a restriction, so every row says `requested`, which replaces the stored restriction \
                       of users that exist; import new and known users apart (`create`, then `update`) to keep it";
        problems.push(warning("/ticket_restriction", "column.replaces", message));
    }
    if options.import_type.updates() && options.on_blank == OnBlank::EraseStored {
        let message = "blank cells erase what Zendesk has stored, addresses and phones aside";
        problems.push(warning("/on_blank", "blank.erases", message));
    }
    if header.len() > limits::COLUMNS {
        let message =
            format!("{} columns, the data importer takes {}; drop some", header.len(), limits::COLUMNS);
        problems.push(problem("/fields", "columns.too-many", message));
    }
    if let Some(path) = &options.template {
        problems.extend(template::compare(host, path, header)?);
    }
    Ok(problems)
}

/// What only the API asks for, by what can be told without asking it.
fn api(options: &Options, given: &impl Fn(&str) -> bool) -> Vec<Problem> {
    let mut problems = Vec::new();
    let Some(api) = &options.api else {
        let message = "`deliver = \"api\"` needs the account and its credentials: `api = { subdomain = \"acme\", email = \
                       \"…\", api_token = \"${env:…}\" }`";
        return vec![problem("/api", "option.missing", message)];
    };
    problems.extend(api.check());
    if !api.rate(options.plan).1 {
        let message = "how often the account may be asked depends on its plan, which is not given: requests are held to those \
                       of the plan team, 200 a minute; give `plan`, or `rate` within `api`";
        problems.push(warning("/api/rate", "plan.unknown", message));
    }
    if options.on_blank == OnBlank::EraseStored {
        let message = "no way is documented in which the API erases a value, so blank cells are left out of what is sent; \
                       use `leave_stored`, or files";
        problems.push(problem("/on_blank", "option.invalid", message));
    }
    for (pointer, unused) in [
        ("/organizations_file", !options.organizations_file),
        ("/template", options.template.is_some()),
        ("/max_rows", options.max_rows.is_some()),
        ("/max_bytes", options.max_bytes.is_some()),
        ("/role_spelling", options.role_spelling != RoleSpelling::Lower),
    ] {
        if unused {
            let message = format!("`{}` is for `deliver = \"ui-file\"` only", &pointer[1..]);
            problems.push(warning(pointer, "option.unused", message));
        }
    }
    if options.import_type == ImportType::Create && !given("external_id") {
        let message = "users are looked up by `external_id` before any is created, and nothing fills it: those that are there \
                       are left to Zendesk, which refuses rows whose address it has (`vendor.duplicate`), and after an \
                       attempt that broke off whose they are cannot be told; give it in `fields`";
        problems.push(warning(field_pointer("external_id"), "user.unchecked", message));
    }
    organizations(options, given("organizations"), &mut problems);
    problems
}

/// The names are in the rows, of which a check knows nothing: what is not in the options cannot be told to exist.
fn organizations(options: &Options, given: bool, problems: &mut Vec<Problem>) {
    let Some(api) = &options.api else { return };
    if !given {
        for (pointer, unused) in [
            ("/api/create_organizations", api.create_organizations),
            ("/api/organization_ids", !api.organization_ids.is_empty()),
        ] {
            if unused {
                let message = "no column `organizations` is delivered";
                problems.push(warning(pointer, "option.unused", message));
            }
        }
        return;
    }
    let pointer = field_pointer("organizations");
    if !api.create_organizations && api.organization_ids.is_empty() {
        let message = "what Zendesk does with the name of an organization that it does not have is not documented, so that no \
                       name is sent that may be unknown: give the ids of the organizations in `organization_ids` within \
                       `api`, or say `create_organizations = true` there, which creates those that are not there";
        problems.push(problem(pointer.clone(), "organization.unchecked", message));
    }
    if options.import_type.updates() {
        let message = "an organization that is sent with a known user may take the place of all others that the user is in";
        problems.push(warning(pointer, "column.replaces", message));
    }
}

fn identity(options: &Options, given: &impl Fn(&str) -> bool, problems: &mut Vec<Problem>) {
    if options.import_type.creates() && !given("name") {
        let message = "new users need a `name`, and nothing fills it; give it in `fields`";
        problems.push(problem(field_pointer("name"), "column.missing", message));
    }
    if options.import_type == ImportType::Update && !given("external_id") {
        let message =
            "imports that only update need `external_id`, and nothing fills it; give it in `fields`";
        problems.push(problem(field_pointer("external_id"), "column.missing", message));
    } else if !given("emails") && !given("external_id") {
        let message =
            "a user is known by `emails` or `external_id`, and nothing fills either; give one in `fields`";
        problems.push(problem(field_pointer("emails"), "column.missing", message));
    }
}

fn custom_fields(options: &Options, columns: &[String], problems: &mut Vec<Problem>) {
    let keys: Vec<&str> = columns.iter().filter_map(|column| column.strip_prefix(CUSTOM)).collect();
    for key in &keys {
        let lower = key.to_lowercase();
        if *key != lower {
            let message = format!("keys of custom fields are in lower case: write `{CUSTOM}{lower}`");
            problems.push(problem(field_pointer(&format!("{CUSTOM}{key}")), "column.key-case", message));
        } else if !key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')) {
            let message = format!(
                "`{key}` is an unusual key for a custom field; compare it with the one in Admin Center"
            );
            problems.push(warning(field_pointer(&format!("{CUSTOM}{key}")), "column.key-unusual", message));
        }
    }
    for key in options.custom_field_types.keys().filter(|key| !keys.contains(&key.as_str())) {
        let suggestion = nearest(key, keys.iter().copied());
        let message = format!("no column `{CUSTOM}{key}` is delivered{suggestion}");
        problems.push(warning(option_pointer("custom_field_types", key), "option.unused", message));
    }
}

fn choices(options: &Options, problems: &mut Vec<Problem>) {
    for (column, choice) in &options.on_invalid {
        let pointer = option_pointer("on_invalid", column);
        if *choice == OnInvalid::Truncate {
            let message =
                format!("Zendesk names no longest text for `{column}`; choose reject_row or leave_out");
            problems.push(problem(pointer, "option.invalid", message));
        } else if *choice == OnInvalid::LeaveOut
            && canonical(column) == "name"
            && options.import_type.creates()
        {
            let message = "new users need a `name`, so a bad one rejects the row";
            problems.push(problem(pointer, "option.invalid", message));
        }
    }
    for (pointer, value, least, most) in [
        ("/max_rows", options.max_rows, 1, limits::ROWS),
        ("/max_bytes", options.max_bytes, limits::LEAST_BYTES, limits::BYTES),
    ] {
        if value.is_some_and(|value| !(least..=most).contains(&value)) {
            problems.push(problem(
                pointer,
                "option.invalid",
                format!("choose a number from {least} to {most}"),
            ));
        }
    }
    problems.extend(consent(&options.consent).err());
}

fn values(options: &Options, given: &impl Fn(&str) -> bool, problems: &mut Vec<Problem>) {
    let region = options.default_region.as_ref().filter(|region| checks::parse_region(region).is_none());
    if let Some(region) = region {
        let message = format!("`{region}` is not a region; write two letters, such as FR");
        problems.push(problem("/default_region", "option.invalid", message));
    }
    let for_agents = [Restriction::Assigned, Restriction::Groups, Restriction::None];
    if for_agents.contains(&options.ticket_restriction) && !given("role") && options.import_type.creates() {
        let message = "this restriction is for agents, and no column `role` says who is one; choose requested or \
                       organization";
        problems.push(problem("/ticket_restriction", "option.invalid", message));
    }
    let ruled = ["role", "custom_role", "organizations"].into_iter().find(|column| given(column));
    if let Some(column) = ruled.filter(|_| options.plan.is_none()) {
        let message = format!(
            "what `{column}` may hold depends on the account's plan, which is not given: say team, professional or \
             enterprise to have it checked"
        );
        problems.push(warning("/plan", "plan.unknown", message));
    }
}

/// Columns of files that nobody can check before the upload.
fn unchecked(given: &impl Fn(&str) -> bool, problems: &mut Vec<Problem>) {
    if given("custom_role") {
        let message = "an unknown `custom_role` silently makes the agent a light agent; compare the names with the page \
                       Roles of Admin Center";
        problems.push(warning(field_pointer("custom_role"), "role.unchecked", message));
    }
    if given("local_id") {
        let message = "Zendesk's page spells this column `local_id` and `locale_id`, and which one the importer takes is \
                       not known; better use `locale`, which wins over it";
        problems.push(warning(field_pointer("local_id"), "column.conflict", message));
    }
}

fn updates(options: &Options, given: &impl Fn(&str) -> bool, problems: &mut Vec<Problem>) {
    if !options.import_type.updates() {
        return;
    }
    for column in ["role", "custom_role", "suspended", "alias", "remote_photo_url", "default_group_id"] {
        if given(column) {
            let message = format!("an import that updates replaces the stored `{column}`, of agents too");
            problems.push(warning(field_pointer(column), "column.replaces", message));
        }
    }
}
