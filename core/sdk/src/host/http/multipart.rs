//! `multipart/form-data` (RFC 7578).

use memchr::memmem;

/// The parts of a form, files among them. The same parts give the same bytes, so that recorded exchanges can be told
/// to be the same.
///
/// ```
/// use usher_sdk::Multipart;
///
/// let form = Multipart::new().text("merge_field", "email").file("file", "users.csv", "text/csv", b"email\n");
/// let (content_type, body) = form.encode();
/// assert!(content_type.starts_with("multipart/form-data; boundary="));
/// assert!(String::from_utf8_lossy(&body).contains("name=\"file\"; filename=\"users.csv\""));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Multipart {
    parts: Vec<Part>,
}

#[derive(Clone, Debug)]
struct Part {
    head: String,
    content: Vec<u8>,
}

impl Multipart {
    /// A form without parts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a field.
    #[must_use]
    pub fn text(mut self, name: &str, value: &str) -> Self {
        let head = format!("Content-Disposition: form-data; name=\"{}\"\r\n", quoted(name));
        self.parts.push(Part { head, content: value.as_bytes().to_vec() });
        self
    }

    /// Adds a file: field, name of the file, media type, content.
    #[must_use]
    pub fn file(
        mut self,
        name: &str,
        file_name: &str,
        content_type: &str,
        content: impl Into<Vec<u8>>,
    ) -> Self {
        let head = format!(
            "Content-Disposition: form-data; name=\"{}\"; filename=\"{}\"\r\nContent-Type: {}\r\n",
            quoted(name),
            quoted(file_name),
            content_type.replace(['\r', '\n'], ""),
        );
        self.parts.push(Part { head, content: content.into() });
        self
    }

    /// The value of `Content-Type`, and the body.
    pub fn encode(&self) -> (String, Vec<u8>) {
        let boundary = self.boundary();
        let length: usize =
            self.parts.iter().map(|p| p.head.len() + p.content.len() + boundary.len() + 8).sum();
        let mut body = Vec::with_capacity(length + boundary.len() + 6);
        for part in &self.parts {
            body.extend_from_slice(format!("--{boundary}\r\n{}\r\n", part.head).as_bytes());
            body.extend_from_slice(&part.content);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        (format!("multipart/form-data; boundary={boundary}"), body)
    }

    /// A boundary made from the parts (FNV-1a).
    fn boundary(&self) -> String {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        let mut add = |bytes: &[u8]| {
            for byte in bytes {
                hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
            }
        };
        for part in &self.parts {
            add(part.head.as_bytes());
            add(&part.content);
        }
        self.free_boundary(hash)
    }

    /// The first boundary from this number on that stands in no part.
    fn free_boundary(&self, mut number: u64) -> String {
        loop {
            let boundary = format!("usher-{number:016x}");
            if self.parts.iter().all(|part| memmem::find(&part.content, boundary.as_bytes()).is_none()) {
                return boundary;
            }
            number = number.wrapping_add(1);
        }
    }
}

/// A name within quotes, as browsers write it.
fn quoted(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_the_same_bytes_each_time() {
        let form =
            || Multipart::new().text("a", "1").file("f\"x", "ü\r\n.csv", "text/csv", *b"x\r\n").encode();
        let (content_type, body) = form();
        assert_eq!(form(), (content_type.clone(), body.clone()));
        let boundary = content_type.strip_prefix("multipart/form-data; boundary=").unwrap();
        assert_eq!(
            String::from_utf8(body).unwrap(),
            format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--{boundary}\r\n\
                 Content-Disposition: form-data; name=\"f%22x\"; filename=\"ü%0D%0A.csv\"\r\nContent-Type: text/csv\
                 \r\n\r\nx\r\n\r\n--{boundary}--\r\n"
            )
        );
    }

    #[test]
    fn the_boundary_stands_in_no_part() {
        let form = Multipart::new().text("a", "usher-0000000000000007\n--usher-0000000000000008");
        assert_eq!(form.free_boundary(7), "usher-0000000000000009");
    }

    #[test]
    fn other_parts_have_another_boundary() {
        assert_ne!(Multipart::new().text("a", "1").encode().0, Multipart::new().text("a", "2").encode().0);
    }
}
