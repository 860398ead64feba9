//! Which services and rights a plugin asks for, put together at compile time: a name that is neither does not compile.

/// The services that a plugin may ask for in `wants`. Log, metrics and cancellation are always there.
pub const SERVICES: [&str; 6] = ["input", "output", "clock", "state", "ledger", "http"];

/// The right to open sockets of its own. All other rights are absolute paths, which it may read; names with a colon are for
/// rights that are still to come, so that a host that does not know one refuses it. A plugin in a jail has those that it wants
/// and its manifest grants, and no others.
pub const NETWORK: &str = "network";

/// Whether something wanted is a right of the system, and no service of the host.
pub const fn is_right(want: &str) -> bool {
    if same(want, NETWORK) || (!want.is_empty() && want.as_bytes()[0] == b'/') {
        return true;
    }
    let mut i = 0;
    while i < want.len() {
        if want.as_bytes()[i] == b':' {
            return true;
        }
        i += 1;
    }
    false
}

/// The entry of something wanted in the preamble's list if it is a right, or else an empty text.
pub const fn right_part(want: &'static str, entry: &'static str) -> &'static str {
    if is_right(want) { entry } else { "" }
}

/// What a plugin gets whose `export!` does not say: sources read, sinks write.
pub const fn usual_wants(sources: bool, sinks: bool) -> &'static [&'static str] {
    match (sources, sinks) {
        (true, true) => &["input", "output"],
        (true, false) => &["input"],
        (false, true) => &["output"],
        (false, false) => &[],
    }
}

/// The names as the preamble lists them, each after a comma, in the order of [`SERVICES`] whatever the order of
/// `wanted`, its rights passed over; a service that is not wanted is an empty text. In a constant, a name that is no service does not compile.
pub const fn want_parts(wanted: &[&str]) -> [&'static str; SERVICES.len()] {
    let listed = [",\"input\"", ",\"output\"", ",\"clock\"", ",\"state\"", ",\"ledger\"", ",\"http\""];
    let mut parts = [""; SERVICES.len()];
    let mut i = 0;
    while i < wanted.len() {
        if is_right(wanted[i]) {
            i += 1;
            continue;
        }
        let mut service = 0;
        while !same(wanted[i], SERVICES[service]) {
            service += 1;
            assert!(
                service < SERVICES.len(),
                "`wants` names what does not exist; there are input, output, clock, state, ledger, http, and as rights network and absolute paths"
            );
        }
        parts[service] = listed[service];
        i += 1;
    }
    parts
}

/// `==` is not for constants yet.
const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut i = 0;
    while i < a.len() && i < b.len() && a[i] == b[i] {
        i += 1;
    }
    i == a.len() && i == b.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::{CLOCK, HTTP, INPUT, LEDGER, OUTPUT, STATE};

    #[test]
    fn names_are_those_of_the_extension_ids() {
        let ids = SERVICES.map(|name| format!("usher.{name}/1"));
        assert_eq!(ids, [INPUT, OUTPUT, CLOCK, STATE, LEDGER, HTTP]);
    }

    #[test]
    fn parts_are_the_names_in_one_order() {
        assert_eq!(want_parts(&SERVICES), SERVICES.map(|name| format!(",\"{name}\"")));
        assert_eq!(want_parts(&["state", "input", "state"]).concat(), ",\"input\",\"state\"");
        assert_eq!(want_parts(&[]).concat(), "");
    }

    #[test]
    fn rights_are_no_services() {
        assert_eq!(want_parts(&["/etc/hosts", "input", "network"]).concat(), ",\"input\"");
        assert_eq!(right_part("network", ",x"), ",x");
        assert_eq!(right_part("/etc/hosts", ",x"), ",x");
        assert_eq!(right_part("input", ",x"), "");
        assert!(!is_right("") && !is_right("etc/hosts"));
    }

    #[test]
    fn what_is_usual_is_known() {
        for (sources, sinks) in [(true, true), (true, false), (false, true), (false, false)] {
            want_parts(usual_wants(sources, sinks));
        }
    }

    #[test]
    #[should_panic(expected = "names what does not exist")]
    fn a_slip_is_found() {
        want_parts(&["inputs"]);
    }
}
