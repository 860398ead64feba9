//! What a contact must be, beyond its single values.

use usher_sdk::{
    Columns, Row,
    abi::OnInvalid,
    checks::{Fault, shown},
};

use crate::{
    columns::{ADDRESS_PARTS, ADDRESSES, PHONES},
    dates, limits,
    options::{Options, SmsPermission},
};

/// A column that the rules look at.
#[derive(Clone, Copy, Debug)]
struct Place {
    index: usize,
    rejects: bool,
}

/// The rules, bound to the columns that come.
#[derive(Debug)]
pub(crate) struct Rules {
    email: Option<usize>,
    sms_number: Option<Place>,
    sms_consent_date: Option<usize>,
    sms_needs_date: bool,
    birthday: Option<(Place, Place)>,
    phones: Vec<usize>,
    addresses: Vec<Vec<usize>>,
    custom: Vec<usize>,
}

/// A column at fault (empty: the whole contact) and why.
pub(crate) type Refusal = (String, Fault);

impl Rules {
    pub(crate) fn new(columns: &Columns, options: &Options) -> Self {
        let index = |name: &str| columns.index(name);
        let place = |name: &str| {
            let index = columns.index(name)?;
            Some(Place { index, rejects: columns.on_invalid(index) == OnInvalid::RejectRow })
        };
        let address =
            |whose: &&str| ADDRESS_PARTS.iter().filter_map(|part| index(&format!("{whose}{part}"))).collect();
        Self {
            email: index("email"),
            sms_number: place("sms_number"),
            sms_consent_date: index("sms_consent_date"),
            sms_needs_date: options.deliver.is_api()
                && options.sms_permission_to_send == SmsPermission::Explicit,
            birthday: place("birthday_month").zip(place("birthday_day")),
            phones: PHONES.iter().filter_map(|name| index(name)).collect(),
            addresses: ADDRESSES.iter().map(address).filter(|parts: &Vec<usize>| !parts.is_empty()).collect(),
            custom: columns
                .names()
                .enumerate()
                .filter(|(_, n)| n.starts_with("cf:"))
                .map(|(i, _)| i)
                .collect(),
        }
    }

    /// The address, blank when there is none.
    pub(crate) fn email<'r>(&self, row: &'r Row) -> &'r str {
        self.email.map_or("", |index| row.get(index))
    }

    /// The number for texts, blank when there is none.
    pub(crate) fn sms_number<'r>(&self, row: &'r Row) -> &'r str {
        self.sms_number.map_or("", |place| row.get(place.index))
    }

    /// Holds a contact against the rules; values that are not good in each other's company are left out.
    pub(crate) fn judge(&self, row: &mut Row) -> Result<(), Refusal> {
        let filled = |row: &Row, column: Option<usize>| column.is_some_and(|column| row.is_filled(column));
        let dated = filled(row, self.sms_consent_date);
        let may_be_texted = dated && !self.sms_number(row).is_empty();
        if !may_be_texted && !filled(row, self.email) {
            let message = "neither an `email` nor an `sms_number` with its `sms_consent_date`";
            return Err(("email".to_owned(), Fault::new("key.missing", message)));
        }
        if let Some(sms) =
            self.sms_number.filter(|sms| self.sms_needs_date && !dated && row.is_filled(sms.index))
        {
            let message =
                format!("{} has no `sms_consent_date`, which `explicit` needs", shown(row.get(sms.index)));
            drop_or_refuse(row, sms, "sms_number", Fault::new("sms.no-consent-date", message))?;
        }
        if let Some((month, day)) = self.birthday {
            birthday(row, month, day)?;
        }
        let count =
            |row: &Row, columns: &[usize]| columns.iter().filter(|&&column| row.is_filled(column)).count();
        let addresses = self.addresses.iter().filter(|parts| count(row, parts) > 0).count();
        for (code, what, number, most) in [
            (
                "contact.too-many-custom-fields",
                "custom fields",
                count(row, &self.custom),
                limits::CUSTOM_FIELDS,
            ),
            ("contact.too-many-phones", "phone numbers", count(row, &self.phones), limits::PHONES),
            ("contact.too-many-addresses", "addresses", addresses, limits::ADDRESSES),
        ] {
            if number > most {
                let message = format!("{number} {what} are filled, a contact has at most {most}");
                return Err((String::new(), Fault::new(code, message)));
            }
        }
        Ok(())
    }
}

/// Month and day of birth: both or none, and a day that exists.
fn birthday(row: &mut Row, month: Place, day: Place) -> Result<(), Refusal> {
    let number = |row: &Row, place: Place| row.get(place.index).parse::<i8>().unwrap_or_default();
    match (row.is_filled(month.index), row.is_filled(day.index)) {
        (false, false) => Ok(()),
        (true, false) => drop_or_refuse(row, month, "birthday_month", incomplete("birthday_day")),
        (false, true) => drop_or_refuse(row, day, "birthday_day", incomplete("birthday_month")),
        (true, true) if dates::exists(number(row, month), number(row, day)) => Ok(()),
        (true, true) => {
            let message = format!("month {} has no day {}", row.get(month.index), row.get(day.index));
            let fault = Fault::new("birthday.no-such-day", message);
            drop_or_refuse(row, day, "birthday_day", fault.clone())?;
            drop_or_refuse(row, month, "birthday_month", fault)
        }
    }
}

fn incomplete(other: &str) -> Fault {
    Fault::new("birthday.incomplete", format!("`{other}` is blank; month and day need each other"))
}

fn drop_or_refuse(row: &mut Row, place: Place, column: &str, fault: Fault) -> Result<(), Refusal> {
    if place.rejects {
        return Err((column.to_owned(), fault));
    }
    row.leave_out(place.index, fault);
    Ok(())
}
