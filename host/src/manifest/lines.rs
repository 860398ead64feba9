//! Two texts of a manifest, line by line.

use serde::Serialize;

/// Lines of one table that stand together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Hunk {
    /// Where the first of them stands in the old text, from 1, or else before which line the new ones come.
    pub line: usize,
    /// The header of their table; empty before the first.
    pub table: String,
    /// Lines that are gone.
    pub removed: Vec<String>,
    /// Lines that are new.
    pub added: Vec<String>,
}

/// What is different in `new`, table by table. Tables may be gone from it; none is moved or added.
pub fn changed_lines(old: &str, new: &str) -> Vec<Hunk> {
    let mut new = sections(new).into_iter().peekable();
    let mut hunks = Vec::new();
    for (line, lines) in sections(old) {
        let same = new.next_if(|(_, after)| line == 1 || after.first() == lines.first());
        compare(line, &lines, &same.map(|(_, lines)| lines).unwrap_or_default(), &mut hunks);
    }
    hunks
}

/// The lines from each header to the next, with the number of the first.
fn sections(text: &str) -> Vec<(usize, Vec<&str>)> {
    let mut sections: Vec<(usize, Vec<&str>)> = vec![(1, Vec::new())];
    for (at, line) in text.lines().enumerate() {
        match sections.last_mut() {
            Some((_, lines)) if at == 0 || !line.starts_with('[') => lines.push(line),
            _ => sections.push((at + 1, vec![line])),
        }
    }
    sections
}

/// No key stands twice in a table, so that a line which is found again is the same one.
fn compare(first: usize, old: &[&str], new: &[&str], hunks: &mut Vec<Hunk>) {
    let header = old.first().filter(|line| line.starts_with('['));
    let table = header.map(|line| (*line).to_owned()).unwrap_or_default();
    let begin = |line: usize| Hunk { line, table: table.clone(), ..Hunk::default() };
    let mut end = |hunk: Hunk| {
        if !hunk.removed.is_empty() || !hunk.added.is_empty() {
            hunks.push(hunk);
        }
    };
    let (mut hunk, mut rest) = (begin(first), new);
    for (at, line) in old.iter().enumerate() {
        let Some(skipped) = rest.iter().position(|other| other == line) else {
            hunk.removed.push((*line).to_owned());
            continue;
        };
        hunk.added.extend(rest[..skipped].iter().map(|line| (*line).to_owned()));
        rest = &rest[skipped + 1..];
        end(std::mem::replace(&mut hunk, begin(first + at + 1)));
    }
    hunk.added.extend(rest.iter().map(|line| (*line).to_owned()));
    end(hunk);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(old: &str, new: &str) -> Vec<String> {
        let shown = |hunk: Hunk| {
            let Hunk { line, table, removed, added } = hunk;
            format!("{line}{table} -{} +{}", removed.join(","), added.join(","))
        };
        changed_lines(old, new).into_iter().map(shown).collect()
    }

    #[test]
    fn only_what_differs_is_told() {
        let old = "v = 1\n\n[a]\np = 'x'\n\nq = 1\nr = 2\n\n[b]\np = 'x'\n\n[c]\n";
        assert_eq!(shown(old, old), Vec::<String>::new());
        let new = old.replacen("'x'", "'y'", 1).replace("r = 2\n", "");
        assert_eq!(shown(old, &new), ["4[a] -p = 'x' +p = 'y'", "7[a] -r = 2 +"]);
        // The same line stands in another table, too.
        assert_eq!(shown(old, &old.replace("\n[b]\np = 'x'\n", "\n[b]\n")), ["10[b] -p = 'x' +"]);
        assert_eq!(shown(old, &old.replace("\n[b]\np = 'x'\n", "")), ["9[b] -[b],p = 'x', +"]);
        assert_eq!(shown(old, &old.replace("v = 1\n", "v = 1\nw = 2\n")), ["2 - +w = 2"]);
        assert_eq!(shown("", "[a]\n"), ["1 - +[a]"]);
    }
}
