//! The account before contacts are sent: what the options and columns name is looked up, and created where that is asked
//! for. Found once, and remembered.

use serde_json::json;
use usher_sdk::{
    Host,
    abi::{Error, ErrorClass, Problem, nearest},
    field_pointer,
    options::{problem, warning},
};

use crate::{
    api::{self, List},
    client::Client,
    library::{
        all_fields, all_lists, all_tags, create, has_privilege, list_by_name, may_import, some_lists, whose,
    },
    limits,
    options::Options,
};

/// What stands for the id of something that a dry run would create.
const NOT_YET: &str = "00000000-0000-0000-0000-000000000000";

/// Something that is named in the options.
#[derive(Clone, Debug)]
struct Named {
    name: String,
    /// None: it does not exist.
    id: Option<String>,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Account {
    /// Whose it is.
    pub(crate) id: String,
    lists: Vec<Named>,
    /// Lists without members, or which this run has created.
    fresh: Vec<String>,
    fields: Vec<Named>,
    tags: Vec<Named>,
}

impl Account {
    /// Ids of the lists.
    pub(crate) fn lists(&self) -> Vec<String> {
        ids(&self.lists)
    }

    /// Ids of the tags.
    pub(crate) fn tags(&self) -> Vec<String> {
        ids(&self.tags)
    }

    /// The id of a custom field by its name.
    pub(crate) fn field(&self, name: &str) -> Option<String> {
        let found = self.fields.iter().find(|field| field.name == name);
        found.map(|field| field.id.clone().unwrap_or_else(|| NOT_YET.to_owned()))
    }

    /// Asks for everything, and says what is missing or wrong.
    pub(crate) fn look(
        client: &mut Client,
        host: &Host,
        options: &Options,
        columns: &[String],
    ) -> Result<(Self, Vec<Problem>), Error> {
        let mut account = Self { id: whose(client, options)?, ..Self::default() };
        may_import(client)?;
        let mut problems = Vec::new();
        account.look_for_lists(client, host, options, &mut problems)?;
        account.look_at_rights(client, &mut problems)?;
        account.look_for_fields(client, options, columns, &mut problems)?;
        account.look_for_tags(client, options, &mut problems)?;
        Ok((account, problems))
    }

    fn look_for_lists(
        &mut self,
        client: &mut Client,
        host: &Host,
        options: &Options,
        problems: &mut Vec<Problem>,
    ) -> Result<(), Error> {
        let access = options.access()?;
        let must_be_fresh = !access.tags.is_empty() && !access.tag_whole_lists;
        let mut found: Vec<(String, List)> = Vec::new();
        for (i, name) in options.lists.iter().enumerate() {
            let pointer = format!("/lists/{i}");
            match list_by_name(client, name, must_be_fresh)? {
                Some(list) => found.push((pointer, list)),
                None if access.create_lists => self.lists.push(Named { name: name.clone(), id: None }),
                None => {
                    let all = some_lists(client)?;
                    let near = nearest(name, all.iter().map(|list| list.name.as_str()));
                    let message = format!(
                        "there is no list `{name}`; create it, or let `create_lists` of `api` do so{near}"
                    );
                    problems.push(problem(pointer, "list.unknown", message));
                }
            }
        }
        if !options.list_ids.is_empty() {
            let all = all_lists(client, must_be_fresh)?;
            for (i, id) in options.list_ids.iter().enumerate() {
                let pointer = format!("/list_ids/{i}");
                match all.iter().find(|list| list.list_id.eq_ignore_ascii_case(id)) {
                    Some(list) => found.push((pointer, list.clone())),
                    None => {
                        let message =
                            format!("there is no list with the id `{id}` in this account; see its lists");
                        problems.push(problem(pointer, "list.unknown", message));
                    }
                }
            }
        }
        for (pointer, list) in found {
            let List { list_id, name, membership_count } = list;
            if must_be_fresh {
                let fresh = membership_count == Some(0)
                    || host.ledger()?.find(&self.id, &fresh_key(&list_id))?.is_some();
                if fresh {
                    self.fresh.push(list_id.clone());
                } else {
                    let members = membership_count.map_or_else(
                        || format!("how many members `{name}` has is not said"),
                        |members| format!("`{name}` has {members} members already"),
                    );
                    let message = format!(
                        "tags are given to everybody on the lists, and {members}; use a new list, or say `tag_whole_lists = \
                         true` within `api` if all of them are meant"
                    );
                    problems.push(problem(pointer, "list.not-empty", message));
                }
            }
            if !self.lists.iter().any(|known| known.id.as_deref() == Some(&list_id)) {
                self.lists.push(Named { name, id: Some(list_id) });
            }
        }
        Ok(())
    }

    /// Creating lists needs a privilege of its own (OAS). A warning only: that the names of privileges are those of the
    /// description is not verified.
    fn look_at_rights(&self, client: &mut Client, problems: &mut Vec<Problem>) -> Result<(), Error> {
        const RIGHT: &str = "contacts:lists:write";
        let creates = self.lists.iter().any(|list| list.id.is_none());
        if creates && has_privilege(client, RIGHT)? == Some(false) {
            let message = format!(
                "lists are to be created, and the user who logged in does not seem to have the privilege `{RIGHT}`; create \
                 the lists in Constant Contact, or log in as a user who has it"
            );
            problems.push(warning("/api/create_lists", "list.no-right", message));
        }
        Ok(())
    }

    fn look_for_fields(
        &mut self,
        client: &mut Client,
        options: &Options,
        columns: &[String],
        problems: &mut Vec<Problem>,
    ) -> Result<(), Error> {
        let wanted: Vec<&str> = columns.iter().filter_map(|column| column.strip_prefix("cf:")).collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let known = all_fields(client)?;
        for name in wanted {
            if let Some(field) = known.iter().find(|field| field.name == name) {
                self.fields.push(Named { name: name.to_owned(), id: Some(field.custom_field_id.clone()) });
                continue;
            }
            let pointer = field_pointer(&format!("cf:{name}"));
            let same = |other: &str| other.trim().eq_ignore_ascii_case(name.trim());
            let labelled = known.iter().find(|field| same(&field.label) || same(&field.name));
            if let Some(field) = labelled {
                let right = &field.name;
                let message = if same(&field.name) {
                    format!("the custom field is written `cf:{right}`")
                } else {
                    format!(
                        "`{name}` is the label of a custom field, whose name is another: write `cf:{right}`"
                    )
                };
                problems.push(problem(pointer, "field.name", message));
                continue;
            }
            if options.access()?.create_custom_fields {
                if name.contains(char::is_whitespace) || name.chars().count() > limits::LABEL {
                    let message = format!(
                        "a custom field of this name cannot be created: names have no blanks and at most {} characters",
                        limits::LABEL
                    );
                    problems.push(problem(pointer, "field.name", message));
                }
                self.fields.push(Named { name: name.to_owned(), id: None });
                continue;
            }
            let near = nearest(name, known.iter().map(|field| field.name.as_str()));
            let message = format!(
                "there is no custom field `{name}`, and the import would pass over its values without a word; create it, or \
                 let `create_custom_fields` of `api` do so{near}"
            );
            problems.push(problem(pointer, "field.unknown", message));
        }
        let new = self.fields.iter().filter(|field| field.id.is_none()).count();
        if new > 0 && known.len() + new > limits::ACCOUNT_FIELDS {
            let message = format!(
                "the account has {} custom fields and may have {}, so {new} cannot be created; drop columns, or delete \
                 fields that nobody needs",
                known.len(),
                limits::ACCOUNT_FIELDS
            );
            problems.push(problem("/api/create_custom_fields", "field.too-many", message));
        }
        Ok(())
    }

    fn look_for_tags(
        &mut self,
        client: &mut Client,
        options: &Options,
        problems: &mut Vec<Problem>,
    ) -> Result<(), Error> {
        let access = options.access()?;
        if access.tags.is_empty() {
            return Ok(());
        }
        let known = all_tags(client)?;
        for (i, name) in access.tags.iter().enumerate() {
            let found = known.iter().find(|tag| tag.name == *name);
            if found.is_none() && !access.create_tags {
                let near = nearest(name, known.iter().map(|tag| tag.name.as_str()));
                let message =
                    format!("there is no tag `{name}`; create it, or let `create_tags` of `api` do so{near}");
                problems.push(problem(format!("/api/tags/{i}"), "tag.unknown", message));
            }
            self.tags.push(Named { name: name.clone(), id: found.map(|tag| tag.tag_id.clone()) });
        }
        Ok(())
    }

    /// What does not exist, for people.
    pub(crate) fn missing(&self) -> Vec<String> {
        let all = [("list", &self.lists), ("custom field", &self.fields), ("tag", &self.tags)];
        let missing = all.into_iter().flat_map(|(what, named)| {
            named.iter().filter(|one| one.id.is_none()).map(move |one| format!("the {what} `{}`", one.name))
        });
        missing.collect()
    }

    /// Creates what does not exist; in a dry run nothing. Answers what was created, for people.
    pub(crate) fn create(&mut self, client: &mut Client, host: &Host) -> Result<Vec<String>, Error> {
        let mut made = Vec::new();
        let id = self.id.clone();
        let note = |list: &str| host.ledger()?.note(&id, &fresh_key(list), b"fresh");
        for list in &self.fresh {
            note(list)?;
        }
        for list in self.lists.iter_mut().filter(|list| list.id.is_none()) {
            let name = list.name.clone();
            let body = json!({ "name": name });
            let created =
                create(client, &format!("creating the list `{name}`"), api::LISTS, &body, |client| {
                    Ok(list_by_name(client, &name, false)?.map(|list| list.list_id))
                });
            let Some((id, is_new)) = dry(created)? else { return Ok(made) };
            if is_new {
                note(&id)?;
                made.push(format!("the list `{name}`"));
            }
            list.id = Some(id);
        }
        for field in self.fields.iter_mut().filter(|field| field.id.is_none()) {
            let name = field.name.clone();
            let body = json!({ "label": name, "type": "string" });
            let call = format!("creating the custom field `{name}`");
            let created = create(client, &call, api::FIELDS, &body, |client| {
                let known = all_fields(client)?;
                Ok(known.into_iter().find(|field| field.name == name).map(|field| field.custom_field_id))
            });
            let Some((id, is_new)) = dry(created)? else { return Ok(made) };
            if is_new {
                made.push(format!("the custom field `{name}`"));
            }
            field.id = Some(id);
        }
        for tag in self.tags.iter_mut().filter(|tag| tag.id.is_none()) {
            let name = tag.name.clone();
            let call = format!("creating the tag `{name}`");
            let created = create(client, &call, api::TAGS, &json!({ "name": name }), |client| {
                Ok(all_tags(client)?.into_iter().find(|tag| tag.name == name).map(|tag| tag.tag_id))
            });
            let Some((id, is_new)) = dry(created)? else { return Ok(made) };
            if is_new {
                made.push(format!("the tag `{name}`"));
            }
            tag.id = Some(id);
        }
        Ok(made)
    }
}

fn ids(named: &[Named]) -> Vec<String> {
    named.iter().map(|one| one.id.clone().unwrap_or_else(|| NOT_YET.to_owned())).collect()
}

fn fresh_key(list: &str) -> Vec<u8> {
    format!("fresh list {list}").into_bytes()
}

/// `None` in a dry run.
fn dry<T>(created: Result<T, Error>) -> Result<Option<T>, Error> {
    match created {
        Ok(created) => Ok(Some(created)),
        Err(error) if error.code == "http.dry-run" => Ok(None),
        Err(error) => Err(error),
    }
}

/// What an error of the preflight is: nothing where nothing may be sent, a problem with the options where asking again
/// would not help, else the error.
pub(crate) fn as_problem(error: Error) -> Result<Option<Problem>, Error> {
    if matches!(error.code.as_str(), "service.absent" | "http.dry-run") {
        return Ok(None);
    }
    let lasting = [ErrorClass::AUTH, ErrorClass::PERMANENT, ErrorClass::CONFIG, ErrorClass::DATA];
    if !lasting.contains(&error.class) {
        return Err(error);
    }
    let pointer = match error.code.as_str() {
        "login.client" => "/api/client_id",
        "login.refused" => "/api/refresh_token",
        _ => "/api",
    };
    Ok(Some(problem(pointer, error.code.to_string(), error.to_string())))
}

#[cfg(test)]
mod tests {
    use usher_sdk::abi::Error;

    use super::as_problem;

    #[test]
    fn where_nothing_may_be_sent_nothing_is_said() {
        let dry = Error::unsupported("http.dry-run", "nothing is sent by `check`");
        assert_eq!(as_problem(dry), Ok(None));
        assert_eq!(as_problem(Error::unsupported("service.absent", "not there")), Ok(None));
        assert!(as_problem(Error::transient("http.lost", "lost")).is_err());
        let pointer = |code: &str| as_problem(Error::permanent(code, "no")).unwrap().unwrap().pointer;
        assert_eq!(pointer("login.client"), "/api/client_id");
        assert_eq!(pointer("import.scope"), "/api");
    }
}
