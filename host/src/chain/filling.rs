//! Which columns a connector would fill in a chain, and from what: known without opening it.

use serde::Serialize;
use usher_abi::{Attribute, Catalog, Component, Role, STANDARD_CLAIMS};

use super::{
    engine::{Engine, component_of},
    mapping::{Filling, map_columns},
    names::{Meaning, Names},
    prepare::prepare,
    run::Mode,
};
use crate::{
    expression::{Expression, NamePath, Segment},
    manifest::{Chain, Connector},
    services::{Sending, Staging},
};

/// A column that is filled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Filled {
    /// Its name, as its table spells it.
    pub column: String,
    /// Why.
    pub from: Filling,
    /// The claims that its expression reads, and attributes that are none, by their paths. Empty for a constant.
    pub reads: Vec<String>,
}

/// What the records of a chain provide.
pub struct Provided {
    names: Names,
    own: Vec<(String, String)>,
    /// Whether the source could not be asked, so that it is taken to provide all that it ever does.
    pub assumed: bool,
}

/// Asks the source of a chain what its records provide. Of one that cannot be asked, its plugin says which claims there
/// may be; where that says nothing either, all are taken to be there.
pub fn provided(engine: &mut Engine, chain: &Chain) -> Provided {
    let own: Vec<(String, String)> = chain.claims.iter().map(|c| (c.name.clone(), c.path.clone())).collect();
    let asked = ask(engine, chain);
    let assumed = asked.is_none();
    let names = asked.unwrap_or_else(|| Names::new(declared(engine, chain), &own));
    Provided { names, own, assumed }
}

fn ask(engine: &mut Engine, chain: &Chain) -> Option<Names> {
    let staging = Staging::dry(&std::env::temp_dir(), &chain.name, "check", 0).ok()?;
    engine.asking.set(Sending::Nothing);
    engine.delivering.set(Sending::Nothing);
    let attempt = engine.attempt(chain, "check", Mode::Plan, false).ok()?;
    let prepared = prepare(engine, &chain.name, &attempt, &staging, Mode::Plan).ok();
    engine.forget_stops();
    prepared.map(|prepared| prepared.names)
}

fn declared(engine: &mut Engine, chain: &Chain) -> Catalog {
    let source = engine.manifest.connector(&chain.from).cloned().and_then(|connector| {
        let plugin = engine.plugin(&connector).ok()?;
        component_of(&plugin, &connector, Role::Source).ok()
    });
    let mut attributes = source.map(|source| source.attributes).unwrap_or_default();
    if attributes.iter().all(|attribute| attribute.claim.is_none()) {
        let claim = |claim: &&str| Attribute {
            path: (*claim).to_owned(),
            claim: Some((*claim).to_owned()),
            ..Attribute::default()
        };
        attributes.extend(STANDARD_CLAIMS.iter().map(claim));
    }
    Catalog { attributes, open: true, notes: Vec::new() }
}

impl Provided {
    /// The columns that a connector fills, in the order in which its sink gets them.
    pub fn filled(&self, connector: &Connector, component: &Component) -> Vec<Filled> {
        let mapped = map_columns(connector, component, &self.names, &self.own).into_iter();
        let filled = mapped.map(|mapped| {
            let paths = Expression::parse(&mapped.expression).map(|e| e.names()).unwrap_or_default();
            let mut reads: Vec<String> = Vec::new();
            for name in paths.iter().filter_map(|path| self.read(path, mapped.filling)) {
                if !reads.contains(&name) {
                    reads.push(name);
                }
            }
            Filled { column: mapped.column, from: mapped.filling, reads }
        });
        filled.collect()
    }

    /// The claim that a path means, or else the attribute; nothing if a plugin's default asks for what is not there.
    fn read(&self, path: &NamePath, filling: Filling) -> Option<String> {
        let first = match path.segments.first() {
            Some(Segment::Key(key)) => Some(key.as_str()),
            _ => None,
        };
        let claim = first.filter(|first| self.names.claim(first).is_some());
        if filling == Filling::Default {
            return claim.map(str::to_owned);
        }
        match self.names.resolve(path) {
            Meaning::Known(bound) | Meaning::Guessed(bound) => {
                let claim = claim.filter(|claim| self.names.claim(claim) == Some(&bound.column));
                let other =
                    || self.names.claims().find(|(_, path)| *path == bound.column).map(|(claim, _)| claim);
                Some(claim.or_else(other).map_or_else(|| bound.column.clone(), str::to_owned))
            }
            Meaning::Unknown(_) => None,
        }
    }
}
