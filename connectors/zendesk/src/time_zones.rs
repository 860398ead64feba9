//! Time zones: Zendesk's own names, and IANA names translated to them.

use std::{collections::HashMap, sync::LazyLock};

use usher_sdk::checks::{Fault, Verdict, shown};

/// The 153 zones that Zendesk offers, with the IANA name of each, in the vendor's order (TZ).
const TABLE: &str = include_str!("time_zones.csv");

/// Other IANA names of zones in the table: renamed ones, and the links that old systems still use (the time zone
/// database's file `backward`).
const LINKS: &[(&str, &str)] = &[
    ("America/Buenos_Aires", "America/Argentina/Buenos_Aires"),
    ("America/Fort_Wayne", "America/Indiana/Indianapolis"),
    ("America/Indianapolis", "America/Indiana/Indianapolis"),
    ("America/Nuuk", "America/Godthab"),
    ("Asia/Calcutta", "Asia/Kolkata"),
    ("Asia/Chungking", "Asia/Chongqing"),
    ("Asia/Dacca", "Asia/Dhaka"),
    ("Asia/Istanbul", "Europe/Istanbul"),
    ("Asia/Katmandu", "Asia/Kathmandu"),
    ("Asia/Tel_Aviv", "Asia/Jerusalem"),
    ("Asia/Ulan_Bator", "Asia/Ulaanbaatar"),
    ("Asia/Yangon", "Asia/Rangoon"),
    ("Etc/UCT", "Etc/UTC"),
    ("Etc/Universal", "Etc/UTC"),
    ("Etc/Zulu", "Etc/UTC"),
    ("Europe/Kyiv", "Europe/Kiev"),
    ("GB", "Europe/London"),
    ("Japan", "Asia/Tokyo"),
    ("NZ", "Pacific/Auckland"),
    ("PRC", "Asia/Shanghai"),
    ("ROC", "Asia/Taipei"),
    ("ROK", "Asia/Seoul"),
    ("Turkey", "Europe/Istanbul"),
    ("US/Arizona", "America/Phoenix"),
    ("US/Central", "America/Chicago"),
    ("US/East-Indiana", "America/Indiana/Indianapolis"),
    ("US/Eastern", "America/New_York"),
    ("US/Hawaii", "Pacific/Honolulu"),
    ("US/Mountain", "America/Denver"),
    ("US/Pacific", "America/Los_Angeles"),
    ("Zulu", "Etc/UTC"),
];

/// Zendesk's name for every name that is understood.
static NAMES: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| {
    let rows = || TABLE.lines().skip(1).filter_map(|line| line.split_once(','));
    let mut names = HashMap::new();
    for (name, iana) in rows() {
        // Several names share a zone (`Edinburgh`, `London`): the one of the zone's own city, or else the first.
        let city = iana.rsplit('/').next().unwrap_or(iana).replace('_', " ");
        if city == name {
            names.insert(iana, name);
        } else {
            names.entry(iana).or_insert(name);
        }
    }
    for (link, iana) in LINKS {
        if let Some(&name) = names.get(iana) {
            names.insert(link, name);
        }
    }
    // Last, so that Zendesk's own names stay what they are.
    names.extend(rows().map(|(name, _)| (name, name)));
    names
});

/// A Zendesk zone; IANA names and menu entries (`(GMT+02:00) Berlin`) are translated (rule `time-zone`), anything else
/// is `time-zone.unknown`.
pub(crate) fn time_zone(value: &str, out: &mut String) -> Verdict {
    let mut name = value.trim();
    if let Some((_, rest)) = name.split_once(") ").filter(|(offset, _)| offset.starts_with("(GMT")) {
        name = rest;
    }
    let Some(zone) = NAMES.get(name) else {
        let message = format!(
            "{} is neither a time zone of Zendesk nor the IANA name of one; write one of the menu, such as `Berlin`",
            shown(value)
        );
        return Verdict::Bad(Fault::new("time-zone.unknown", message));
    };
    if *zone == value {
        return Verdict::Keep;
    }
    out.push_str(zone);
    Verdict::Changed("time-zone")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(value: &str) -> String {
        let mut out = String::new();
        match time_zone(value, &mut out) {
            Verdict::Keep => format!("keep {value}"),
            Verdict::Changed(_) => out,
            Verdict::Bad(fault) => fault.code.to_owned(),
        }
    }

    #[test]
    fn all_names_of_the_table_are_kept_and_all_iana_names_translated() {
        let rows: Vec<_> = TABLE.lines().skip(1).filter_map(|line| line.split_once(',')).collect();
        assert_eq!(rows.len(), 153);
        for (name, iana) in &rows {
            assert_eq!(run(name), format!("keep {name}"));
            assert!(
                rows.iter().any(|(other, zone)| zone == iana && *other == run(iana)),
                "{iana}: {}",
                run(iana)
            );
        }
        for (link, _) in LINKS {
            assert!(rows.iter().any(|(name, _)| *name == run(link)), "{link}: {}", run(link));
        }
    }

    #[test]
    fn names_are_translated() {
        assert_eq!(run("Europe/London"), "London");
        assert_eq!(run("Asia/Kolkata"), "Kolkata");
        assert_eq!(run("America/Mexico_City"), "Mexico City");
        assert_eq!(run("America/New_York"), "Eastern Time (US & Canada)");
        assert_eq!(run("Europe/Kyiv"), "Kyiv");
        assert_eq!(run("Asia/Ulaanbaatar"), "Ulaanbaatar");
        assert_eq!(run("(GMT+02:00) Berlin"), "Berlin");
        assert_eq!(run(" Berlin "), "Berlin");
        assert_eq!(run("UTC"), "keep UTC");
        assert_eq!(run("Heure de l’Est/UTC -5 (États-Unis et Canada)"), "time-zone.unknown");
        assert_eq!(run("Mars/Olympus"), "time-zone.unknown");
    }
}
