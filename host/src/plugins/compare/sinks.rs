//! Two sinks, maybe of two vendors: what one has instead of the other. Columns and options of two vendors have nothing in
//! common but their meaning, so they are not compared by name.

use usher_abi::{Column, Component};

use super::{Change, Changes, component};

/// The rules for rows and files, each sink in one of its forms of delivery.
pub fn compare_sinks(
    (old, old_form): (&Component, &str),
    (new, new_form): (&Component, &str),
) -> Vec<Change> {
    let mut changes = Changes::default();
    component::consent(old, new, &mut changes);
    component::limits(&in_form(old, old_form), &in_form(new, new_form), &mut changes);
    changes.list
}

/// The rules for values of two columns that mean the same.
pub fn compare_columns(old: &Column, new: &Column) -> Vec<Change> {
    let mut changes = Changes::default();
    changes.demand("it", old.required, new.required);
    component::values(str::to_owned, old, new, &mut changes);
    changes.list
}

/// The component with the limits that hold in one form, as if there were no other.
fn in_form(component: &Component, form: &str) -> Component {
    let mut component = component.clone();
    component.limits.retain(|limit| limit.deliver.is_empty() || limit.deliver == form);
    component.limits.iter_mut().for_each(|limit| limit.deliver.clear());
    component
}
