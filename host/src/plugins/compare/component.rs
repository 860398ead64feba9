//! One component, before and after.

use usher_abi::{Attribute, Column, Component, Consent, OnInvalid, Role};

use super::{Change, Changes, name, schema};

pub(super) fn compare(old: &Component, new: &Component) -> Vec<Change> {
    let mut changes = Changes::at(format!("{} {}", name(old.role), old.name));
    schema::compare(&old.options, &new.options, &mut changes);
    consent(old, new, &mut changes);
    attributes(&old.attributes, &new.attributes, &mut changes);
    if old.open != new.open {
        let others = if old.role == Role::Source { "attributes" } else { "columns" };
        let said = if new.open { "may be others now" } else { "may no longer be others" };
        changes.note(old.open, format_args!("{others}: there {said} than those listed"));
    }
    columns(&old.columns, &new.columns, &mut changes);
    let custom = |component: &Component| component.custom_claim.clone().unwrap_or_default();
    changes.differ(old.custom_claim.is_some(), "column of custom claims", &custom(old), &custom(new));
    let suspends =
        |component: &Component| component.suspend.as_ref().map_or("", |suspend| &*suspend.key).to_owned();
    changes.differ(
        old.suspend.is_some(),
        "column by which people are suspended",
        &suspends(old),
        &suspends(new),
    );
    if suspends(old) == suspends(new) && old.suspend != new.suspend {
        changes
            .note(true, format_args!("how people are suspended, or in which form of delivery, is another"));
    }
    limits(old, new, &mut changes);
    rate_limits(old, new, &mut changes);
    changes.list
}

pub(super) fn consent(old: &Component, new: &Component, changes: &mut Changes) {
    let said = |component: &Component| match component.consent {
        Consent::None => "",
        Consent::Optional => "optional",
        Consent::Required => "required",
    };
    changes.differ(new.consent != Consent::Optional, "consent", said(old), said(new));
}

fn attributes(old: &[Attribute], new: &[Attribute], changes: &mut Changes) {
    let paths = |list: &[Attribute]| list.iter().map(|a| a.path.clone()).collect::<Vec<_>>();
    changes.names("attribute", &paths(old), &paths(new));
    for old in old {
        let Some(new) = new.iter().find(|new| new.path == old.path) else { continue };
        let of = |what: &str| format!("{what} of attribute `{}`", old.path);
        changes.differ(true, &of("type"), old.kind.name(), new.kind.name());
        let claim = |attribute: &Attribute| attribute.claim.clone().unwrap_or_default();
        changes.differ(old.claim.is_some(), &of("claim"), &claim(old), &claim(new));
    }
}

fn columns(old: &[Column], new: &[Column], changes: &mut Changes) {
    let names = |list: &[Column]| list.iter().map(|c| c.name.clone()).collect::<Vec<_>>();
    changes.names("column", &names(old), &names(new));
    for new in new {
        let of = |what: &str| format!("{what} of column `{}`", new.name);
        let Some(old) = old.iter().find(|old| old.name == new.name) else {
            changes.demand(&format!("column `{}`", new.name), false, new.required);
            continue;
        };
        changes.names(&of("other spelling"), &old.aliases, &new.aliases);
        let default = |column: &Column| column.default.clone().unwrap_or_default();
        changes.differ(true, &of("default"), &default(old), &default(new));
        changes.demand(&format!("column `{}`", new.name), old.required, new.required);
        values(of, old, new, changes);
    }
}

/// What a column takes; `of` names a rule.
pub(super) fn values(of: impl Fn(&str) -> String, old: &Column, new: &Column, changes: &mut Changes) {
    changes.differ(true, &of("type"), old.kind.name(), new.kind.name());
    changes.at_most(&of("longest text"), old.max_chars.map(u64::from), new.max_chars.map(u64::from));
    changes.at_most(&of("most items"), old.max_items.map(u64::from), new.max_items.map(u64::from));
    changes.differ(true, &of("fate of bad values"), fate(old.on_invalid), fate(new.on_invalid));
}

fn fate(fate: OnInvalid) -> &'static str {
    match fate {
        OnInvalid::RejectRow => "reject_row",
        OnInvalid::LeaveOut => "leave_out",
        OnInvalid::Truncate => "truncate",
    }
}

/// A limit is known by what it limits, in which form of delivery.
pub(super) fn limits(old: &Component, new: &Component, changes: &mut Changes) {
    let key = |limit: &usher_abi::Limit| (limit.of.clone(), limit.deliver.clone());
    let mut keys: Vec<_> = old.limits.iter().chain(&new.limits).map(key).collect();
    keys.sort();
    keys.dedup();
    for (of, deliver) in keys {
        let max = |component: &Component| {
            component.limits.iter().find(|l| l.of == of && l.deliver == deliver).map(|l| l.max)
        };
        let form = if deliver.is_empty() { String::new() } else { format!(" in the form `{deliver}`") };
        changes.at_most(&format!("limit of `{of}`{form}"), max(old), max(new));
    }
}

/// How often the vendor is asked is no manifest's matter: whoever plans a run wants to know.
fn rate_limits(old: &Component, new: &Component, changes: &mut Changes) {
    let said = |component: &Component, name: &str| {
        let found = component.rate_limits.iter().find(|limit| limit.name == name);
        found.map(|limit| format!("{} in {} s", limit.requests, limit.per_seconds)).unwrap_or_default()
    };
    let mut names: Vec<&str> =
        old.rate_limits.iter().chain(&new.rate_limits).map(|limit| limit.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        changes.differ(false, &format!("rate limit `{name}`"), &said(old, name), &said(new, name));
    }
}
