//! Which column stands where in a record.

use std::collections::BTreeSet;

use usher_sdk::{
    abi::{Error, Problem},
    checks::shown,
    field_pointer,
    options::problem,
};

/// Deeper objects are refused: many parsers stop at 128 levels.
const LEVELS: usize = 100;

/// The keys of an object, in order.
#[derive(Debug, Default)]
pub(crate) struct Object {
    pub(crate) members: Vec<Member>,
}

/// A key and what stands behind it.
#[derive(Debug)]
pub(crate) struct Member {
    /// As the record has it: `"name":`.
    pub(crate) key: Vec<u8>,
    pub(crate) node: Node,
}

/// A value or an object of values.
#[derive(Debug)]
pub(crate) enum Node {
    /// The column at this place.
    Column(usize),
    Object(Object),
}

impl Object {
    /// Names as keys.
    pub(crate) fn flat<'a>(columns: impl IntoIterator<Item = &'a str>) -> Result<Self, Error> {
        let members =
            columns.into_iter().enumerate().map(|(place, name)| Member::new(name, Node::Column(place)));
        Ok(Self { members: members.collect::<Result<_, _>>()? })
    }

    /// Dotted names as paths, objects where their first column stands.
    pub(crate) fn nested<'a>(columns: impl IntoIterator<Item = &'a str>) -> Result<Self, Error> {
        let mut root = Self::default();
        for (place, name) in columns.into_iter().enumerate() {
            let mut segments: Vec<&str> = name.split('.').collect();
            if segments.len() > LEVELS {
                return Err(Error::config("column.path", too_deep(name)));
            }
            let last = segments.pop().unwrap_or_default();
            let mut object = &mut root;
            for segment in segments {
                object = object.inner(segment)?;
            }
            object.members.push(Member::new(last, Node::Column(place))?);
        }
        Ok(root)
    }

    /// The object behind a key, made if there is none.
    fn inner(&mut self, name: &str) -> Result<&mut Self, Error> {
        let wanted = Member::new(name, Node::Object(Self::default()))?;
        let known =
            self.members.iter().position(|m| m.key == wanted.key && matches!(m.node, Node::Object(_)));
        let place = known.unwrap_or(self.members.len());
        if known.is_none() {
            self.members.push(wanted);
        }
        match &mut self.members[place].node {
            Node::Object(object) => Ok(object),
            Node::Column(_) => Err(Error::bug("json.layout", format!("`{name}` is a value and an object"))),
        }
    }
}

impl Member {
    fn new(name: &str, node: Node) -> Result<Self, Error> {
        let mut key = serde_json::to_vec(name).map_err(|e| Error::bug("json.key", e.to_string()))?;
        key.push(b':');
        Ok(Self { key, node })
    }
}

fn too_deep(column: &str) -> String {
    format!("the path {} has more than {LEVELS} levels", shown(column))
}

/// What is wrong with columns as paths.
pub(crate) fn problems(columns: &[String]) -> Vec<Problem> {
    let all: BTreeSet<&str> = columns.iter().map(String::as_str).collect();
    let mut problems = Vec::new();
    for column in columns {
        let mut wrong =
            |code: &str, message: String| problems.push(problem(field_pointer(column), code, message));
        if column.split('.').any(str::is_empty) {
            wrong(
                "column.path",
                format!("{} is no path: a name is missing before, between or after its dots", shown(column)),
            );
        }
        if column.split('.').count() > LEVELS {
            wrong("column.path", too_deep(column));
            continue;
        }
        let above =
            column.match_indices('.').map(|(dot, _)| &column[..dot]).find(|above| all.contains(above));
        if let Some(above) = above {
            let message =
                format!("`{above}` is a value, so `{column}` cannot be inside of it; rename one of them");
            wrong("column.conflict", message);
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(object: &Object) -> String {
        let members = object.members.iter().map(|member| {
            let key = String::from_utf8_lossy(&member.key);
            match &member.node {
                Node::Column(place) => format!("{key}{place}"),
                Node::Object(object) => format!("{key}{}", shape(object)),
            }
        });
        format!("{{{}}}", members.collect::<Vec<_>>().join(","))
    }

    #[test]
    fn objects_stand_where_their_first_column_stands() {
        let columns = ["a.b", "c", "a.d.e", "\"", "a.d.f"];
        assert_eq!(shape(&Object::flat(columns).unwrap()), r#"{"a.b":0,"c":1,"a.d.e":2,"\"":3,"a.d.f":4}"#);
        assert_eq!(
            shape(&Object::nested(columns).unwrap()),
            r#"{"a":{"b":0,"d":{"e":2,"f":4}},"c":1,"\"":3}"#
        );
    }

    #[test]
    fn paths_that_cannot_be() {
        let deep = "x.".repeat(LEVELS) + "x";
        let columns = ["a.b", "a", "a..c", ".d", "f.g", "fg", &deep].map(str::to_owned);
        let found: Vec<String> =
            problems(&columns).iter().map(|p| format!("{} {}", p.code, p.pointer)).collect();
        let expected = [
            "column.conflict /fields/a.b",
            "column.path /fields/a..c",
            "column.conflict /fields/a..c",
            "column.path /fields/.d",
            &format!("column.path /fields/{deep}"),
        ];
        assert_eq!(found, expected);
        assert!(Object::nested([deep.as_str()]).is_err());
    }
}
