//! What is ordered: the body of `POST /api/v2/jobs/users-exports`, with exactly the fields that the plan needs.

use serde::{Deserialize, Serialize};
use usher_sdk::{
    abi::{PlanRequest, Problem},
    options::problem,
    source::{MAX_CHARS, Path},
};

use crate::{
    limits::CSV_FIELDS,
    tenant::{ExportFormat, Tenant},
};

/// Attributes that a CSV cannot hold whole: `EXP` says so of the metadata; how it writes the other two is unverified.
pub(crate) const NOT_IN_CSV: &[&str] = &["user_metadata", "app_metadata", "identities", "multifactor"];

/// An order for an export, which serialises as the body of the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Order {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) connection_id: Option<String>,
    pub(crate) format: ExportFormat,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) limit: Option<u64>,
    /// Never empty: what Auth0 exports when it is absent is unverified.
    pub(crate) fields: Vec<Field>,
}

/// An attribute, and the key or heading that stands for it in the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Field {
    pub(crate) name: String,
    /// Always sent, since it is unverified how a nested path looks without: the path itself, which every reader here
    /// finds as a flat key, as nested objects and as a heading.
    pub(crate) export_as: String,
}

impl Order {
    /// The order for a plan. Without any column the id is ordered, so that there are rows to count.
    pub(crate) fn new(tenant: &Tenant, request: &PlanRequest) -> Self {
        let mut fields: Vec<Field> = Vec::with_capacity(request.columns.len());
        for path in &request.columns {
            if !fields.iter().any(|field| field.name == *path) {
                fields.push(Field { name: path.clone(), export_as: path.clone() });
            }
        }
        if fields.is_empty() {
            fields.push(Field { name: "user_id".to_owned(), export_as: "user_id".to_owned() });
        }
        let limit = [tenant.limit, request.limit].into_iter().flatten().min();
        Self { connection_id: tenant.connection_id.clone(), format: tenant.format, limit, fields }
    }

    /// What Auth0 would refuse, or export in a form that nobody knows.
    pub(crate) fn check(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for Field { name, .. } in &self.fields {
            match name.parse::<Path>() {
                Err(error) => problems.push(problem(
                    "",
                    "attribute.path",
                    format!("`{name}` is no attribute path, so that Auth0 cannot export it: {error}"),
                )),
                Ok(path) if !path.fits() => {
                    let message =
                        format!("`{name}` is longer than the {MAX_CHARS} characters that Auth0 takes");
                    problems.push(problem("", "attribute.path", message));
                }
                Ok(_) => {}
            }
            if self.format == ExportFormat::Csv && NOT_IN_CSV.contains(&name.as_str()) {
                let message = format!(
                    "a csv export cannot hold `{name}` as a whole; name single values below it, or use format = \"json\""
                );
                problems.push(problem("/tenant/format", "export.csv-whole", message));
            }
        }
        if self.format == ExportFormat::Csv && self.fields.len() > CSV_FIELDS {
            let message = format!(
                "a csv export takes {CSV_FIELDS} fields and the chain needs {}; use format = \"json\"",
                self.fields.len()
            );
            problems.push(problem("/tenant/format", "export.csv-fields", message));
        }
        problems
    }

    /// Something to know of an order that Auth0 may refuse.
    pub(crate) fn remark(&self) -> Option<String> {
        let count = self.fields.len();
        (self.format == ExportFormat::Json && count > CSV_FIELDS).then(|| {
            format!(
                "{count} fields are ordered; Auth0 documents a limit of {CSV_FIELDS} for csv only, and it is not known \
                 whether json goes on without one"
            )
        })
    }

    /// The attributes that hold the tokens of identity providers too, where the application may read those (`OAS`).
    pub(crate) fn with_tokens(&self) -> Vec<&str> {
        let names = self.fields.iter().map(|field| field.name.as_str());
        names.filter(|name| is_identity(name)).collect()
    }

    /// Whether an export that was ordered so has all that `other` asks for.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        self.connection_id == other.connection_id
            && self.format == other.format
            && self.limit.is_none_or(|held| other.limit.is_some_and(|wanted| wanted <= held))
            && other.fields.iter().all(|field| self.fields.contains(field))
    }
}

/// `identities`, or one of them, as a whole.
fn is_identity(path: &str) -> bool {
    let Some(rest) = path.strip_prefix("identities") else { return false };
    let number = rest.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    rest.is_empty() || number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use usher_sdk::{Secret, abi::PlanRequest};

    use super::{ExportFormat, NOT_IN_CSV, Order};
    use crate::tenant::Tenant;

    fn order(columns: &[&str], format: ExportFormat, limits: [Option<u64>; 2]) -> Order {
        let tenant = Tenant {
            domain: "acme.auth0.com".to_owned(),
            client_id: "id".to_owned(),
            client_secret: Secret::new("hush"),
            connection_id: None,
            format,
            limit: limits[0],
        };
        Order::new(&tenant, &PlanRequest { limit: limits[1], ..PlanRequest::new(columns.iter().copied()) })
    }

    fn codes(order: &Order) -> Vec<String> {
        order.check().into_iter().map(|p| p.code).collect()
    }

    #[test]
    fn exactly_the_columns_are_ordered_each_under_its_path() {
        let names = |columns: &[&str]| -> Vec<String> {
            let order = order(columns, ExportFormat::Json, [None; 2]);
            assert!(order.fields.iter().all(|f| f.name == f.export_as));
            order.fields.into_iter().map(|f| f.name).collect()
        };
        assert_eq!(names(&["email", "identities[0].connection"]), ["email", "identities[0].connection"]);
        assert_eq!(names(&["email", "name", "email"]), ["email", "name"]);
        assert_eq!(names(&[]), ["user_id"]);
        let text = serde_json::to_string(&order(&["email"], ExportFormat::Json, [None; 2])).unwrap();
        assert_eq!(text, r#"{"format":"json","fields":[{"name":"email","export_as":"email"}]}"#);
    }

    #[test]
    fn the_lower_limit_counts() {
        let limit = |limits| order(&["email"], ExportFormat::Json, limits).limit;
        assert_eq!(limit([None, None]), None);
        assert_eq!(limit([Some(5), None]), Some(5));
        assert_eq!(limit([Some(5), Some(3)]), Some(3));
        assert_eq!(limit([Some(5), Some(9)]), Some(5));
    }

    #[test]
    fn csv_has_rules_of_its_own() {
        let many: Vec<String> = (0..31).map(|n| format!("user_metadata.a{n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        for (columns, of_csv, of_json) in [
            (&many[..30], &[][..], &[][..]),
            (&many, &["export.csv-fields"], &[]),
            (&["email"], &[], &[]),
            (&["user_metadata.plan"], &[], &[]),
            (NOT_IN_CSV, &["export.csv-whole"; 4], &[]),
            (&["a..b"], &["attribute.path"], &["attribute.path"]),
        ] {
            assert_eq!(codes(&order(columns, ExportFormat::Csv, [None; 2])), of_csv, "{columns:?}");
            let json = order(columns, ExportFormat::Json, [None; 2]);
            assert_eq!(codes(&json), of_json, "{columns:?}");
            assert_eq!(json.remark().is_some(), columns.len() > 30);
        }
        let long = "x".repeat(101);
        assert_eq!(codes(&order(&[&long], ExportFormat::Json, [None; 2])), ["attribute.path"]);
        assert_eq!(codes(&order(&[&long[1..]], ExportFormat::Json, [None; 2])), [""; 0]);
    }

    #[test]
    fn an_export_with_more_serves_an_order_for_less() {
        let json = |columns: &[&str], limit| order(columns, ExportFormat::Json, [None, limit]);
        let held = json(&["email", "name"], Some(10));
        assert!(held.covers(&json(&["name"], Some(10))) && held.covers(&json(&["email"], Some(3))));
        assert!(!held.covers(&json(&["email", "sub"], Some(10))), "a field more");
        assert!(
            !held.covers(&json(&["email"], None)) && !held.covers(&json(&["email"], Some(11))),
            "users more"
        );
        assert!(json(&["email"], None).covers(&json(&["email"], Some(1))));
        assert!(!held.covers(&order(&["email"], ExportFormat::Csv, [None, Some(10)])));
    }

    #[test]
    fn identities_as_a_whole_may_hold_tokens() {
        let paths = [
            "identities",
            "identities[0]",
            "identities[12]",
            "identities[0].provider",
            "email",
            "identitiesx",
        ];
        let order = order(&paths, ExportFormat::Json, [None, None]);
        assert_eq!(order.with_tokens(), ["identities", "identities[0]", "identities[12]"]);
    }
}
