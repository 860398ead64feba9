//! `usher plugins list`

use serde_json::json;

use super::{Global, code, offers, said, search_path};
use crate::cli::session::print_json;
use crate::plugins::PluginFile;
use crate::report::{print, table, tell};

pub(super) fn execute(global: &Global) -> u8 {
    let (search, _) = search_path(global);
    let (found, refused, hidden) = search.all();
    if global.json {
        let found: Vec<_> = found.iter().map(said).collect();
        let refused: Vec<_> = refused.iter().map(|r| json!({"path": r.path, "reason": r.reason})).collect();
        let hidden: Vec<_> = hidden.iter().map(said).collect();
        let folders = search.folders();
        print_json(&json!({ "plugins": found, "refused": refused, "hidden": hidden, "folders": folders }));
        return code::DONE;
    }
    let rows = found.iter().map(|file| {
        let preamble = &file.preamble;
        let path = file.path.display().to_string();
        vec![
            preamble.name.clone(),
            preamble.version.clone(),
            offers(preamble),
            preamble.summary.clone(),
            path,
        ]
    });
    print(&table(&["plugin", "version", "offers", "summary", "file"], rows, &[]));
    for refusal in &refused {
        tell!("refused: {refusal}");
    }
    for PluginFile { path, preamble, .. } in &hidden {
        tell!("not used: {}: another file is the plugin `{}`", path.display(), preamble.name);
    }
    if found.is_empty() {
        let folders: Vec<String> = search.folders().iter().map(|f| f.display().to_string()).collect();
        tell!("no plugin found; looked in {}", folders.join(", "));
    }
    code::DONE
}
