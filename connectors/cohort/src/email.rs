//! Which heading of an export is the user's address.

use usher_sdk::abi::Catalog;

/// The claim.
const EMAIL: &str = "email";

/// Gives the claim `email` to the heading that is meant: one that says just that, else the only one that ends so. Where
/// several could be meant (`User email`, `Manager email`), none is taken, and a note says how to choose.
pub(crate) fn claim(catalog: &mut Catalog) {
    if catalog.attributes.iter().any(|attribute| attribute.claim.as_deref() == Some(EMAIL)) {
        return;
    }
    let free = catalog.attributes.iter().enumerate().filter(|(_, attribute)| attribute.claim.is_none());
    let fits: Vec<(Fit, usize)> =
        free.filter_map(|(place, attribute)| Some((fit(&attribute.path)?, place))).collect();
    let Some(best) = fits.iter().map(|(fit, _)| *fit).min() else { return };
    let places: Vec<usize> = fits.iter().filter(|(fit, _)| *fit == best).map(|(_, place)| *place).collect();
    if let [place] = places[..] {
        catalog.attributes[place].claim = Some(EMAIL.to_owned());
        return;
    }
    let names: Vec<&str> = places.iter().map(|place| catalog.attributes[*place].path.as_str()).collect();
    let all: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    catalog.notes.push(format!(
        "{} could each be the user's address, so none of them is taken for it; say which: claims = {{ email = \"{}\" }}",
        all.join(" and "),
        names[0]
    ));
}

/// How well a heading fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    /// `Email`
    Exact,
    /// `Email address`
    Address,
    /// `User email`
    Some,
}

/// `Email verified`, `Email opt-in` and their like say something about an address.
fn fit(heading: &str) -> Option<Fit> {
    let heading = heading.to_lowercase();
    let words = heading.split(|c: char| !c.is_alphanumeric() && c != '-').filter(|word| !word.is_empty());
    let words: Vec<&str> = words.map(|word| if word == "e-mail" { EMAIL } else { word }).collect();
    match words.as_slice() {
        [EMAIL] => Some(Fit::Exact),
        [EMAIL, "address"] => Some(Fit::Address),
        [.., EMAIL] | [.., EMAIL, "address"] => Some(Fit::Some),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use usher_sdk::abi::{Attribute, Catalog};

    use super::claim;

    fn claimed(headings: &[&str]) -> (Option<String>, Vec<String>) {
        let attribute = |path: &&str| Attribute { path: (*path).to_owned(), ..Attribute::default() };
        let attributes = headings.iter().map(attribute).collect();
        let mut catalog = Catalog { attributes, ..Catalog::default() };
        claim(&mut catalog);
        let found = catalog.attributes.into_iter().find(|attribute| attribute.claim.is_some());
        (found.map(|attribute| attribute.path), catalog.notes)
    }

    #[test]
    fn the_only_heading_of_an_address_is_taken() {
        for heading in ["Email", "e-mail", "User email", "Email address", "user_email", "Work e-mail address"]
        {
            assert_eq!(claimed(&["Name", heading]), (Some(heading.to_owned()), Vec::new()));
        }
        for heading in ["Email verified", "Emails sent", "Address", "Event ID", "Details", ""] {
            assert_eq!(claimed(&[heading]), (None, Vec::new()), "{heading}");
        }
    }

    #[test]
    fn one_that_says_just_that_wins_and_of_several_others_none() {
        let of = |headings: &[&str]| claimed(headings).0;
        assert_eq!(of(&["Manager email", "Email"]).as_deref(), Some("Email"));
        assert_eq!(of(&["Manager email", "Email address"]).as_deref(), Some("Email address"));
        assert_eq!(of(&["Email address", "Email"]).as_deref(), Some("Email"));
        let (found, notes) = claimed(&["User email", "Name", "Manager email"]);
        assert_eq!(found, None);
        insta::assert_snapshot!(notes.concat(), @r#"`User email` and `Manager email` could each be the user's address, so none of them is taken for it; say which: claims = { email = "User email" }"#);
    }

    #[test]
    fn what_the_options_say_stays() {
        let attribute = |path: &str, claim: Option<&str>| Attribute {
            path: path.to_owned(),
            claim: claim.map(str::to_owned),
            ..Attribute::default()
        };
        let attributes = vec![attribute("Email", None), attribute("Contact", Some("email"))];
        let mut catalog = Catalog { attributes, ..Catalog::default() };
        claim(&mut catalog);
        assert_eq!(catalog.attributes[0].claim, None);
    }
}
