//! Addresses that stand for a role or a group: they are imported, never written to, and many of them make the vendor look
//! at the account.
//!
//! The list is the vendor's older one; of the newer page (KB-ROLE) only that it exists is known.

/// Names in front of the `@`.
const NAMES: [(&str, &str); 25] = [
    ("abuse", "abuse@"),
    ("admin", "admin@"),
    ("all", "all@"),
    ("everyone", "everyone@"),
    ("ftp", "ftp@"),
    ("investorrelations", "investorrelations@"),
    ("jobs", "jobs@"),
    ("marketing", "marketing@"),
    ("media", "media@"),
    ("noc", "noc@"),
    ("postmaster", "postmaster@"),
    ("prime", "prime@"),
    ("privacy", "privacy@"),
    ("remove", "remove@"),
    ("request", "request@"),
    ("root", "root@"),
    ("sales", "sales@"),
    ("security", "security@"),
    ("spam", "spam@"),
    ("subscribe", "subscribe@"),
    ("usenet", "usenet@"),
    ("users", "users@"),
    ("uucp", "uucp@"),
    ("webmaster", "webmaster@"),
    ("www", "www@"),
];

/// Domains behind it. The vendor names Craigslist and Facebook without their domains.
const DOMAINS: [(&str, &str); 4] = [
    ("googlegroups.com", "@googlegroups.com"),
    ("yahoogroups.com", "@yahoogroups.com"),
    ("craigslist.org", "@craigslist.org"),
    ("facebook.com", "@facebook.com"),
];

/// What an address stands for, if it is one of those.
pub(crate) fn kind(email: &str) -> Option<&'static str> {
    let (name, domain) = email.rsplit_once('@')?;
    let of_name = NAMES.iter().find(|(role, _)| role.eq_ignore_ascii_case(name));
    let of_domain = || {
        DOMAINS.iter().find(|(end, _)| {
            let start = domain.len().checked_sub(end.len());
            start.is_some_and(|at| {
                domain.as_bytes()[at..].eq_ignore_ascii_case(end.as_bytes())
                    && (at == 0 || domain.as_bytes()[at - 1] == b'.')
            })
        })
    };
    if let Some((_, shown)) = of_name.or_else(of_domain) {
        return Some(shown);
    }
    email.as_bytes().windows(4).any(|part| part.eq_ignore_ascii_case(b"spam")).then_some("*spam*")
}

#[cfg(test)]
mod tests {
    use super::kind;

    #[test]
    fn roles_groups_and_spam() {
        assert_eq!(kind("Admin@example.com"), Some("admin@"));
        assert_eq!(kind("friends@GoogleGroups.com"), Some("@googlegroups.com"));
        assert_eq!(kind("x@sale.craigslist.org"), Some("@craigslist.org"));
        assert_eq!(kind("nospam@example.com"), Some("*spam*"));
        assert_eq!(kind("spam@example.com"), Some("spam@"));
        for person in ["ada@example.com", "admins@example.com", "a@notfacebook.com", "é@com", "users"] {
            assert_eq!(kind(person), None, "{person}");
        }
    }
}
