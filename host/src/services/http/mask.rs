//! What a record must not hold: the manifest's secrets, and the tokens that vendors hand out.

use std::borrow::Cow;

use serde_json::Value;

/// What stands in place of a secret.
pub(super) const MASKED: &str = "[secret]";

/// Members of JSON bodies and fields of forms and URLs whose values are secret, whoever made them.
const NAMES: [&str; 10] = [
    "access_token",
    "refresh_token",
    "id_token",
    "auth_token",
    "token",
    "client_secret",
    "client_assertion",
    "password",
    "api_key",
    "signature",
];

/// Takes secrets out of texts. The same text always becomes the same text.
pub(super) struct Mask<'a> {
    /// Takes the manifest's secrets out.
    pub(super) redact: &'a dyn Fn(&str) -> String,
}

impl Mask<'_> {
    /// Any text.
    pub(super) fn text(&self, text: &str) -> String {
        (self.redact)(text)
    }

    /// A URL, or any text that may hold one.
    pub(super) fn url(&self, url: &str) -> String {
        let url = self.text(url);
        match url.split_once('?') {
            Some((front, query)) => format!("{front}?{}", pairs(query)),
            None => url,
        }
    }

    /// A body: JSON, a form, or anything else.
    pub(super) fn body(&self, body: &str) -> String {
        let body = self.text(body);
        if let Ok(mut value) = serde_json::from_str::<Value>(&body)
            && (value.is_object() || value.is_array())
        {
            // Texts without such members stay as they are, to the byte.
            return if mask_members(&mut value) { value.to_string() } else { body };
        }
        if body.contains('=') && !body.contains(['\n', ' ', '<']) { pairs(&body) } else { body }
    }
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    NAMES.contains(&name.as_str())
        || name.strip_prefix("x-amz-").is_some_and(|rest| NAMES.contains(&rest) || rest == "security-token")
}

/// Masks members of this and all inner objects; whether there were any.
fn mask_members(value: &mut Value) -> bool {
    match value {
        Value::Object(members) => {
            let mut any = false;
            for (name, value) in members {
                if is_secret(name) && value.is_string() {
                    *value = Value::from(MASKED);
                    any = true;
                } else {
                    any |= mask_members(value);
                }
            }
            any
        }
        Value::Array(items) => items.iter_mut().fold(false, |any, item| mask_members(item) | any),
        // A link that a vendor hands out may carry its own key.
        Value::String(text) if text.contains("://") => match text.split_once('?') {
            Some((front, query)) if pairs(query) != query => {
                *text = format!("{front}?{}", pairs(query));
                true
            }
            _ => false,
        },
        _ => false,
    }
}

/// `name=value&…` with the values of secret names masked.
fn pairs(text: &str) -> String {
    let pairs = text.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) if is_secret(name) => Cow::Owned(format!("{name}={MASKED}")),
        _ => Cow::Borrowed(pair),
    });
    pairs.collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_go_and_all_else_stays_to_the_byte() {
        let mask = Mask { redact: &|text| text.replace("hunter2", MASKED) };
        for (body, expected) in [
            (r#"{"email": "a@example.com",  "n": 1.0}"#, r#"{"email": "a@example.com",  "n": 1.0}"#),
            (r#"{"note":"hunter2"}"#, r#"{"note":"[secret]"}"#),
            (
                r#"{"access_token":"t","expires_in":60,"a":[{"Refresh_Token":"r"}]}"#,
                r#"{"access_token":"[secret]","expires_in":60,"a":[{"Refresh_Token":"[secret]"}]}"#,
            ),
            (r#"{"token":7}"#, r#"{"token":7}"#),
            (
                r#"{"url":"https://a.example/x?signature=s"}"#,
                r#"{"url":"https://a.example/x?signature=[secret]"}"#,
            ),
            ("grant_type=x&client_secret=s&a=b", "grant_type=x&client_secret=[secret]&a=b"),
            ("email,name\na@example.com,token=1\n", "email,name\na@example.com,token=1\n"),
            ("hunter2", "[secret]"),
        ] {
            assert_eq!(mask.body(body), expected);
        }
        assert_eq!(
            mask.url("https://a.example/x?page=1&X-Amz-Signature=s&token=t"),
            "https://a.example/x?page=1&X-Amz-Signature=[secret]&token=[secret]"
        );
        assert_eq!(mask.url("https://a.example/hunter2"), "https://a.example/[secret]");
    }
}
