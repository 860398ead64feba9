//! What an account holds, asked for and created one thing at a time (`OAS`).

use serde_json::Value;
use usher_sdk::abi::Error;

use crate::{
    api::{self, Field, List, Refusal, Tag, is_id},
    client::Client,
    options::Options,
    refusals::refused,
};

/// Creates one thing; answers its id, and whether it is new. If there is one by now (409), or the reply was lost with an
/// attempt before, that is found by `again`.
pub(crate) fn create(
    client: &mut Client,
    call: &str,
    path: &str,
    body: &Value,
    again: impl Fn(&mut Client) -> Result<Option<String>, Error>,
) -> Result<(String, bool), Error> {
    match client.post(call, path, body)? {
        Ok(text) => {
            let made: Value = api::read(&text, "what was created")?;
            let id = ["list_id", "custom_field_id", "tag_id"].iter().find_map(|key| made[key].as_str());
            // The name that imports take is made from the label: another one than was asked for would stay empty.
            let renamed =
                path == api::FIELDS && made["name"].as_str().is_some_and(|name| body["label"] != name);
            match id.filter(|id| is_id(id) && !renamed) {
                Some(id) => Ok((id.to_owned(), true)),
                None => Err(Error::data(
                    "import.reply",
                    format!("{call}: what was created is not what was asked for; see it in Constant Contact"),
                )),
            }
        }
        Err(refusal) if refusal.status == 409 => {
            again(client)?.map(|id| (id, false)).ok_or_else(|| refused(call, &refusal))
        }
        Err(refusal) => Err(refused(call, &refusal)),
    }
}

/// Whose account it is: its id, or, for a login that may not read that, the application's.
pub(crate) fn whose(client: &mut Client, options: &Options) -> Result<String, Error> {
    let call = "asking whose account it is";
    let url = client.url(api::ACCOUNT);
    match client.get(call, &url, &[])? {
        Ok(text) => {
            let account: Value = api::read(&text, "an account")?;
            let id = account["encoded_account_id"].as_str().filter(|id| is_id(id)).ok_or_else(|| {
                Error::data(
                    "import.reply",
                    "Constant Contact answered an account without an id; see `api_base`",
                )
            })?;
            Ok(id.to_owned())
        }
        // Without the scope `account_read` only that is not known.
        Err(Refusal { status: 403, .. }) => Ok(format!("application {}", options.access()?.client_id)),
        Err(refusal) => Err(refused(call, &refusal)),
    }
}

/// Asks for what only those may read who may import: the scope `contact_data`, and the privilege `contacts:write` (`OAS`).
pub(crate) fn may_import(client: &mut Client) -> Result<(), Error> {
    let url = client.url(api::ACTIVITIES);
    client.text("asking whether this login may import", &url, &[("limit", "1")]).map(drop)
}

/// Whether the user has a privilege; `None` where that may not be read, or is not said in a form that is known.
pub(crate) fn has_privilege(client: &mut Client, privilege: &str) -> Result<Option<bool>, Error> {
    let url = client.url(api::PRIVILEGES);
    let Ok(text) = client.get("asking for the user's privileges", &url, &[])? else { return Ok(None) };
    let privileges: Vec<Value> = serde_json::from_str(&text).unwrap_or_default();
    let names: Vec<&str> = privileges.iter().filter_map(|one| one["privilege_name"].as_str()).collect();
    Ok((!names.is_empty()).then(|| names.contains(&privilege)))
}

/// The list of that name; with its number of members, if that is to be counted.
pub(crate) fn list_by_name(client: &mut Client, name: &str, count: bool) -> Result<Option<List>, Error> {
    let mut query = vec![("name", name)];
    if count {
        query.push(("include_membership_count", "all"));
    }
    let lists: Vec<List> = client.pages("asking for a list", api::LISTS, &query, "lists", |_| false)?;
    Ok(lists.into_iter().find(|list| list.name == name && is_id(&list.list_id)))
}

/// Lists enough to propose one.
pub(crate) fn some_lists(client: &mut Client) -> Result<Vec<List>, Error> {
    client.pages("asking for the lists", api::LISTS, &[("limit", "500")], "lists", |_| true)
}

/// All lists.
pub(crate) fn all_lists(client: &mut Client, count: bool) -> Result<Vec<List>, Error> {
    let mut query = vec![("limit", "500")];
    if count {
        query.push(("include_membership_count", "all"));
    }
    client.pages("asking for the lists", api::LISTS, &query, "lists", |_| false)
}

/// All custom fields.
pub(crate) fn all_fields(client: &mut Client) -> Result<Vec<Field>, Error> {
    let call = "asking for the custom fields";
    client.pages(call, api::FIELDS, &[("limit", "100")], "custom_fields", |_| false)
}

/// All tags.
pub(crate) fn all_tags(client: &mut Client) -> Result<Vec<Tag>, Error> {
    client.pages("asking for the tags", api::TAGS, &[("limit", "500")], "tags", |_| false)
}
