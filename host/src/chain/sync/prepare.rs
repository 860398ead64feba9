//! What a chain's changed-only sinks need before the first row.

use usher_abi::Error;

use super::{
    roll::{Roll, RollKey},
    stage::SyncStage,
};
use crate::{
    chain::{
        binding::{Preparation, Purpose},
        engine::Engine,
        names::Names,
        outcome::Failure,
        prepare::{PreparedChain, PreparedSink},
        run::Mode,
    },
    manifest::{Chain, Connector, KeyPath, OnMissing},
    services::Secret,
};

/// Gives the sinks of changed rows their stages; answers the roll that their rows must be called by, if there are such
/// sinks. A run makes the secret if there is none.
pub(in crate::chain) fn prepare(
    engine: &Engine,
    prep: &mut Preparation<'_>,
    chain: &Chain,
    names: &Names,
    sinks: &mut [PreparedSink],
    mode: Mode,
) -> Result<Option<Roll>, Failure> {
    let state = &engine.manifest.state;
    let mut keys: Vec<RollKey> = Vec::new();
    let mut secret: Option<Secret> = None;
    for sink in sinks {
        let Some(connector) = engine.manifest.connector(&sink.name) else { continue };
        let Some(rules) = connector.changed_only else { continue };
        if let Some(other) = written_by_another(engine, chain, connector) {
            let key = KeyPath::from(["connectors", connector.name.as_str()]);
            let message = format!(
                "`{}` is to get what has changed, but chain `{other}` writes to it as well as `{}`: what one has given it, the \
                 other does not know",
                connector.name, chain.name
            );
            let help = "give each chain a connector of its own, or take `sync` out";
            prep.diagnostics.push(engine.manifest.error(&key.child("sync"), &message).help(help));
            continue;
        }
        let Some(index) = key_of(prep, chain, names, connector, &mut keys) else { continue };
        // Nobody is missing from what is not read whole.
        keys[index].collect |= rules.on_missing != OnMissing::Ignore;
        if let Some(suspender) = &sink.suspender {
            suspender.judge(prep, connector, &sink.stage.columns, &keys[index].program);
        }
        let secret = match &secret {
            Some(secret) => secret,
            None => secret.insert(secret_of(engine, mode)?),
        };
        // Another plugin is another vendor.
        let mapping = format!("{} {}", sink.plugin, engine.manifest.mapping_digest(&connector.name));
        let whose = (&**state, chain.name.as_str(), connector.name.as_str());
        let alone = mode == Mode::Run;
        let stage =
            SyncStage::new((index, rules, engine.settings.full, alone), secret.clone(), mapping, whose)?;
        if stage.is_mapped_anew() {
            let key = KeyPath::from(["connectors", connector.name.as_str()]);
            let message = format!(
                "options or mapping of `{}` are not those of its last run: every row counts as changed and goes out",
                connector.name
            );
            prep.diagnostics.push(engine.manifest.warning(&key, &message));
        }
        sink.stage.sync = Some(stage);
    }
    Ok(secret.map(|secret| Roll::new(secret, keys)))
}

/// Another chain that writes to a connector.
fn written_by_another<'a>(engine: &'a Engine, chain: &Chain, connector: &Connector) -> Option<&'a str> {
    let mut others = engine.manifest.chains.iter().filter(|other| other.name != chain.name);
    others.find(|other| other.to.contains(&connector.name)).map(|other| other.name.as_str())
}

/// Which of the roll's keys makes a connector's people known; added if it is new.
fn key_of(
    prep: &mut Preparation<'_>,
    chain: &Chain,
    names: &Names,
    connector: &Connector,
    keys: &mut Vec<RollKey>,
) -> Option<usize> {
    let of_connector = KeyPath::from(["connectors", connector.name.as_str()]);
    let Some(unique) = connector.unique.as_ref().or(chain.unique.as_ref()) else {
        let message =
            format!("`{}` is to get what has changed of whom, but nothing says who is who", connector.name);
        let help = "give the chain or the connector a key, as in `unique = \"email\"`";
        prep.diagnostics.push(prep.manifest.error(&of_connector.child("sync"), &message).help(help));
        return None;
    };
    if let Some(index) = keys.iter().position(|key| key.text == unique.key) {
        return Some(index);
    }
    let path = match connector.unique {
        Some(_) => of_connector.child("unique"),
        None => KeyPath::from(["chains", chain.name.as_str(), "unique"]),
    };
    let program = prep.expression(names, &unique.key, &path, Purpose::Key)?;
    keys.push(RollKey { text: unique.key.clone(), program, collect: false });
    Some(keys.len() - 1)
}

fn secret_of(engine: &Engine, mode: Mode) -> Result<Secret, Error> {
    let state = &engine.manifest.state;
    match mode {
        Mode::Run => Secret::load_or_create(state),
        // Nobody is known without it.
        Mode::Plan | Mode::Preview(_) => Secret::load(state)?.map_or_else(Secret::ephemeral, Ok),
    }
}

impl PreparedChain {
    /// From now on rows that conditions leave out are listed, if a sink wants to know of them.
    pub(in crate::chain) fn want_left(&mut self) {
        // A retry is about those whom it names.
        if self.roll.is_some() && self.retried.is_none() {
            self.stage.left = Some(Vec::new());
            for sink in self.sinks.iter_mut().filter(|sink| sink.stage.sync.is_some()) {
                sink.stage.left = Some(Vec::new());
            }
        }
    }

    /// When all rows have passed: who was delivered before and is gone. `faceless`: records of which it is not known whose
    /// they are.
    pub(in crate::chain) fn look_who_is_gone(
        &mut self,
        engine: &Engine,
        read: u64,
        faceless: u64,
    ) -> Result<(), Error> {
        let Some(roll) = self.roll.take() else { return Ok(()) };
        let why_not = match engine.settings.limit {
            _ if self.retried.is_some() => Some(String::new()),
            Some(limit) if limit == read => Some("only the first records were read (--limit)".to_owned()),
            _ if faceless > 0 => Some(format!("of {faceless} records it is not known whose they are")),
            _ => None,
        };
        let all = roll.all()?;
        for sink in &mut self.sinks {
            let Some(sync) = &mut sink.stage.sync else { continue };
            let read = all.get(sync.key).filter(|_| why_not.is_none());
            sink.gone = sync.gone(read.cloned())?;
            if let Some(why) = why_not.as_ref().filter(|_| sync.rules.on_missing != OnMissing::Ignore)
                && !why.is_empty()
            {
                sink.gone.not_looked =
                    Some(format!("nobody was looked for who is gone from the source: {why}"));
            }
        }
        Ok(())
    }
}
