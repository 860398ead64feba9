//! The chapter on a connector that talks HTTP shows what its crate holds, and nothing else.

use std::{fs, path::PathBuf};

use crate::{support::root, workshop::Workshop};

/// Blocks of code of the chapter, each with its language.
fn blocks() -> Vec<(String, String)> {
    let chapter = fs::read_to_string(root().join("docs/a-connector-over-http.md")).unwrap();
    // Every second piece between fences is a block.
    let pieces: Vec<&str> = chapter.split("```").collect();
    assert!(pieces.len() % 2 == 1, "a block of the chapter has no end");
    let block = |piece: &&str| {
        let (language, code) = piece.split_once('\n').unwrap();
        (language.to_owned(), code.to_owned())
    };
    pieces.iter().skip(1).step_by(2).map(block).collect()
}

/// The lines of a text without what all of them are indented by.
fn dedented(lines: &[&str]) -> Vec<String> {
    let filled = lines.iter().filter(|line| !line.is_empty());
    let indent = filled.map(|line| line.len() - line.trim_start().len()).min().unwrap_or(0);
    lines.iter().map(|line| line.get(indent..).unwrap_or_default().to_owned()).collect()
}

/// Whether some lines of a text, one after the other, are those of a block.
fn holds(text: &str, block: &str) -> bool {
    let (text, block): (Vec<&str>, Vec<&str>) = (text.lines().collect(), block.lines().collect());
    let block = dedented(&block);
    text.windows(block.len()).any(|lines| dedented(lines) == block)
}

fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let folder = root().join("tests/third-party/brevo-api").join(folder);
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|e| e == ending)).collect()
}

#[test]
fn every_block_of_the_chapter_stands_in_the_crate() {
    let mut sources = files("src", "rs");
    sources.extend(files("tests", "rs"));
    sources.extend(files("", "toml"));
    let sources: Vec<String> = sources.iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let mut shown = 0;
    for (language, block) in blocks().iter().filter(|(language, _)| language != "sh") {
        assert!(["rust", "toml"].contains(&language.as_str()), "a block of `{language}`:\n{block}");
        assert!(sources.iter().any(|text| holds(text, block)), "no file of the crate holds:\n{block}");
        shown += 1;
    }
    assert!(shown > 15, "only {shown} blocks");
}

#[test]
fn every_command_of_the_chapter_is_one() {
    let workshop = Workshop::new("chapter", &[]);
    let mut asked = 0;
    for (_, block) in blocks().iter().filter(|(language, _)| language == "sh") {
        if block.contains("usher new") {
            workshop.run(block);
            for (file, stays) in
                [("columns", true), ("limits", true), ("options", true), ("sink", true), ("guide", false)]
            {
                assert!(workshop.path(&format!("brevo-api/src/{file}.rs")).exists());
                let kept = root().join(format!("tests/third-party/brevo-api/src/{file}.rs")).exists();
                assert_eq!(kept, stays, "src/{file}.rs");
            }
            continue;
        }
        // They need an account, or what was recorded (`tests/third-party/check.sh`): here, that there are such commands.
        for line in block.lines() {
            assert!(line.starts_with("usher "), "{line}");
            workshop.run(&format!("{line} --help"));
            asked += 1;
        }
    }
    assert!(asked >= 4, "only {asked} commands");
}
