//! Bodies of several parts (RFC 7578), as strictly as servers read them.

/// A part of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part<'a> {
    pub(crate) name: String,
    pub(crate) file_name: Option<String>,
    pub(crate) content: &'a [u8],
}

impl Part<'_> {
    /// The content of a plain field.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(self.content).into_owned()
    }
}

/// The parts of a body, or what is wrong with it.
pub(crate) fn parts<'a>(content_type: &str, body: &'a [u8]) -> Result<Vec<Part<'a>>, String> {
    let boundary = boundary(content_type).ok_or("no boundary in the content type")?;
    let delimiter = format!("\r\n--{boundary}");
    let first = &delimiter.as_bytes()[2..];
    let mut rest = body.strip_prefix(first).ok_or("the body does not begin with the boundary")?;
    let mut parts = Vec::new();
    loop {
        if rest.starts_with(b"--") {
            return Ok(parts);
        }
        rest = rest.strip_prefix(b"\r\n").ok_or("no line end behind a boundary")?;
        let end = find(rest, delimiter.as_bytes()).ok_or("the last boundary is missing")?;
        parts.push(part(&rest[..end])?);
        rest = &rest[end + delimiter.len()..];
    }
}

fn part(bytes: &[u8]) -> Result<Part<'_>, String> {
    let end = find(bytes, b"\r\n\r\n").ok_or("a part without an end of its headers")?;
    let head = std::str::from_utf8(&bytes[..end]).map_err(|_| "headers of a part are no UTF-8")?;
    let disposition = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-disposition"))
        .map(|(_, value)| value)
        .ok_or("a part without content-disposition")?;
    Ok(Part {
        name: quoted(disposition, "name").ok_or("a part without a name")?,
        file_name: quoted(disposition, "filename"),
        content: &bytes[end + 4..],
    })
}

/// `name="…"` among the parameters of a header.
fn quoted(header: &str, name: &str) -> Option<String> {
    let begin = format!("{name}=\"");
    let mut found = header.match_indices(&begin).map(|(at, _)| at);
    let at = found.find(|&at| at == 0 || matches!(header.as_bytes()[at - 1], b' ' | b';'))?;
    let value = &header[at + begin.len()..];
    Some(value.split('"').next().unwrap_or_default().to_owned())
}

fn boundary(content_type: &str) -> Option<&str> {
    let (kind, parameters) = content_type.split_once(';')?;
    let parameters = parameters.split(';').filter_map(|p| p.trim().split_once('='));
    let (_, boundary) =
        parameters.filter(|_| kind.trim() == "multipart/form-data").find(|(n, _)| *n == "boundary")?;
    Some(boundary.trim_matches('"'))
}

fn find(within: &[u8], what: &[u8]) -> Option<usize> {
    let first = *what.first()?;
    let mut from = 0;
    while let Some(at) = within[from..].iter().position(|&byte| byte == first).map(|at| at + from) {
        if within[at..].starts_with(what) {
            return Some(at);
        }
        from = at + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_told_apart() {
        let body = b"--x\r\nContent-Disposition: form-data; name=\"app\"\r\n\r\n1\r\n\
            --x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\
            Content-Type: text/csv\r\n\r\na,b\r\n--y\r\n\r\n--x--\r\n";
        let parts = parts("multipart/form-data; boundary=x", body).expect("a good body");
        assert_eq!((parts[0].name.as_str(), parts[0].text().as_str()), ("app", "1"));
        assert_eq!(parts[1].file_name.as_deref(), Some("a.csv"));
        assert_eq!(parts[1].text(), "a,b\r\n--y\r\n");
    }

    #[test]
    fn what_is_no_form_is_refused() {
        assert!(parts("application/x-www-form-urlencoded", b"file=@x").is_err());
        assert!(parts("multipart/form-data; boundary=x", b"--x\r\n\r\n").is_err());
        assert!(
            parts("multipart/form-data; boundary=x", b"--x\r\nContent-Disposition: form-data\r\n\r\na")
                .is_err()
        );
    }
}
