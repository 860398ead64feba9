//! How diagnostics look: the lines of the manifest with the place underlined.

use std::{fmt, path::Path};

use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, SourceCode,
    SourceSpan, SpanContents,
};

use super::{
    diagnostic::{Diagnostic, Severity, printable},
    place::{Location, Span},
};

/// Lines longer than this are not shown: they are data, or no manifest at all.
const MAX_LINE: usize = 400;
/// The width at which messages are wrapped on a terminal.
const WIDTH: usize = 100;

/// The report for people, one paragraph for each diagnostic. Without colour it is plain ASCII drawing.
pub fn render(diagnostics: &[Diagnostic], source_name: &str, source_text: &str, colour: bool) -> String {
    let theme = if colour { GraphicalTheme::unicode() } else { GraphicalTheme::none() };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_links(false)
        .with_width(WIDTH)
        .with_wrap_lines(colour)
        .with_break_words(false)
        .without_syntax_highlighting()
        // Ours counts characters, miette's bytes; it stands in the name.
        .without_primary_span_start();
    let text = harmless(source_text);
    let mut out = String::new();
    for diagnostic in diagnostics {
        let view = View::new(diagnostic, source_name, &text);
        let mut one = String::new();
        match handler.render_report(&mut one, &view) {
            Ok(()) => out.push_str(&one),
            Err(fmt::Error) => {
                out.push_str(&diagnostic.compact(source_name));
                out.push('\n');
            }
        }
        out.push('\n');
    }
    out
}

/// [`render`] for a manifest that could not be loaded: its text is read again, as far as it can be.
pub fn render_file(diagnostics: &[Diagnostic], path: &Path, colour: bool) -> String {
    let needed = diagnostics.iter().any(|diagnostic| diagnostic.location.is_some());
    let bytes = if needed { std::fs::read(path).unwrap_or_default() } else { Vec::new() };
    render(diagnostics, &path.display().to_string(), &String::from_utf8_lossy(&bytes), colour)
}

/// The text with control characters replaced, byte for byte, so that no terminal obeys them.
fn harmless(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let line_end = c == '\r' && chars.peek() == Some(&'\n');
        if c.is_control() && !line_end && !matches!(c, '\n' | '\t') {
            out.extend(std::iter::repeat_n('?', c.len_utf8()));
        } else {
            out.push(c);
        }
    }
    out
}

/// A diagnostic with its text, as miette wants it.
struct View<'a> {
    headline: String,
    help: Option<String>,
    severity: Severity,
    name: String,
    text: &'a str,
    label: Option<SourceSpan>,
}

impl<'a> View<'a> {
    fn new(diagnostic: &Diagnostic, source_name: &str, text: &'a str) -> Self {
        // The text may not be the one that was checked: every span is made to fit it.
        let location = diagnostic.location.map(|location| Location::of(text, location.span));
        let shown =
            location.filter(|location| lines_around(text, location.span).all(|line| line.len() <= MAX_LINE));
        let name = match location {
            Some(Location { line, column, .. }) => format!("{source_name}:{line}:{column}"),
            None => source_name.to_owned(),
        };
        let mut headline = printable(&diagnostic.headline());
        if shown.is_none() && location.is_some() {
            headline = format!("{name}: {headline}");
        }
        Self {
            headline,
            help: diagnostic.help.as_deref().map(printable),
            severity: diagnostic.severity,
            name: printable(&name),
            text,
            label: shown.map(|location| first_line(text, location.span)),
        }
    }
}

/// The lines that would be shown: those of the span's start, and one before and after.
fn lines_around(text: &str, span: Span) -> impl Iterator<Item = &str> {
    let start = text[..span.start].rmatch_indices('\n').nth(1).map_or(0, |(at, _)| at + 1);
    let before = text[start..span.start].matches('\n').count();
    text[start..].split('\n').take(before + 2)
}

/// The part of the span that is on its first line.
fn first_line(text: &str, span: Span) -> SourceSpan {
    let shown = &text[span.start..span.end];
    let length = shown.find(['\r', '\n']).unwrap_or(shown.len());
    (span.start, length).into()
}

impl fmt::Display for View<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.headline)
    }
}

impl fmt::Debug for View<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.headline)
    }
}

impl std::error::Error for View<'_> {}

impl miette::Diagnostic for View<'_> {
    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn help<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.label.is_some().then_some(self as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let label = self.label?;
        Some(Box::new(std::iter::once(LabeledSpan::new_with_span(None, label))))
    }
}

impl SourceCode for View<'_> {
    fn read_span<'b>(
        &'b self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'b> + 'b>, MietteError> {
        let found = self.text.read_span(span, before, after)?;
        let contents = MietteSpanContents::new_named(
            self.name.clone(),
            found.data(),
            *found.span(),
            found.line(),
            found.column(),
            found.line_count(),
        );
        Ok(Box::new(contents))
    }
}
