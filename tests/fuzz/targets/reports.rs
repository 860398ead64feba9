//! A vendor's error report, as `usher rejects --import` reads it: the first piece says which columns hold what, the second is
//! the report.

use std::{fs, time::SystemTime};

use usher::runs::{Columns, Match, PartFile, Run, read_report, rows_of};

const PART: &str =
    "emails,name,external_id\nada@x.org,Ada,1\n\"bob@x.org,b@x.org\",\"Bob\nB.\",2\neve@x.org,Eve,3\n";
const ROWS: u64 = 3;

pub(crate) fn run(input: &[u8]) {
    let Some((columns, report)) = super::halves(input) else { return };
    let Ok(columns) = std::str::from_utf8(columns) else { return };
    let columns = match columns {
        "" => Columns::default(),
        text => match text.parse() {
            Ok(columns) => columns,
            Err(_) => return,
        },
    };
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("part.csv"), PART).expect("room for it");
    let run = Run {
        chain: "move".to_owned(),
        id: "one".to_owned(),
        folder: folder.path().to_owned(),
        published: SystemTime::UNIX_EPOCH,
        latest: true,
    };
    let part = PartFile {
        connector: "zendesk".to_owned(),
        path: "part.csv".to_owned(),
        rows: ROWS,
        format: "csv".to_owned(),
        delimiter: b',',
        header: true,
        extra: false,
    };
    let headings = part.headings(&run.folder).expect("the part's");
    let file = super::file(report);
    let Ok((reported, _)) = read_report(file.path(), &columns, &headings) else { return };
    assert!(reported.is_sorted_by(|one, next| one.line < next.line), "{reported:?}");
    for one in &reported {
        assert!(!one.message.is_empty() && one.message.chars().count() <= 1_001, "{one:?}");
        assert!(!one.message.chars().any(char::is_control), "{one:?}");
    }
    let matched = rows_of(&run, &[part], &reported).expect("the part is sound");
    assert_eq!(matched.len(), reported.len());
    for one in matched {
        if let Match::One(part, row) = one {
            assert!(part == "part.csv" && (1..=ROWS).contains(&row), "{part}, row {row}");
        }
    }
}

/// A report of each way to name a row.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    [
        ("", "\u{feff}Emails;Error\nADA@x.org;no \x07good\nb@x.org;\n;none\n"),
        ("key=E-Mail:emails,error=Reason", "E-Mail\tReason\n\"eve@x.org\"\t\"two\nlines\"\n"),
        ("line=Line", "line,message\n3,bad\n4,bad\n99,bad\nx,bad\n"),
        ("row=row", "row,details\n0,bad\n3,bad\n18446744073709551616,bad\n"),
    ]
    .map(|(columns, report)| super::joined(columns.as_bytes(), report.as_bytes()))
    .into()
}
