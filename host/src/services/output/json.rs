//! Counting the elements of one JSON array.

/// Counts the elements of the one array that a text is. Strings and nesting are followed, nothing else is checked.
#[derive(Debug, Default)]
pub(super) struct JsonCounter {
    elements: u64,
    depth: u32,
    string: bool,
    escaped: bool,
    /// The element that was begun holds something.
    begun: bool,
    /// A comma was seen, so that another element must follow.
    comma: bool,
    fault: Option<&'static str>,
    ended: bool,
}

const NO_ARRAY: &str = "it is not one JSON array";
const NO_ELEMENT: &str = "an element of its array is missing";

impl JsonCounter {
    pub(super) fn update(&mut self, bytes: &[u8]) {
        let mut at = 0;
        while at < bytes.len() && self.fault.is_none() {
            if self.escaped {
                self.escaped = false;
                at += 1;
            } else if self.string {
                let Some(step) = memchr::memchr2(b'"', b'\\', &bytes[at..]) else { return };
                at += step + 1;
                match bytes[at - 1] {
                    b'"' => self.string = false,
                    _ => self.escaped = true,
                }
            } else {
                self.plain(bytes[at]);
                at += 1;
            }
        }
    }

    /// Takes a byte outside strings.
    fn plain(&mut self, byte: u8) {
        match (self.depth, byte) {
            (_, b' ' | b'\n' | b'\r' | b'\t') => {}
            (0, b'[') if !self.ended => self.depth = 1,
            (0, _) => self.fault = Some(NO_ARRAY),
            (1, b',') => {
                self.end_element(true);
                self.comma = true;
            }
            (1, b']') => {
                self.end_element(self.comma);
                (self.depth, self.ended) = (0, true);
            }
            (_, b'[' | b'{') => {
                self.begun = true;
                match self.depth.checked_add(1) {
                    Some(depth) => self.depth = depth,
                    None => self.fault = Some("it is nested too deeply"),
                }
            }
            (1, b'}') => self.fault = Some(NO_ARRAY),
            (_, b']' | b'}') => self.depth -= 1,
            (_, byte) => {
                self.begun = true;
                self.string = byte == b'"';
            }
        }
    }

    fn end_element(&mut self, required: bool) {
        if self.begun {
            self.elements += 1;
        } else if required {
            self.fault = Some(NO_ELEMENT);
        }
        self.begun = false;
    }

    pub(super) fn finish(self) -> Result<u64, &'static str> {
        match self.fault {
            Some(fault) => Err(fault),
            None if self.ended => Ok(self.elements),
            None => Err("its JSON array does not end"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn count(text: &[u8], cut: usize) -> Result<u64, &'static str> {
        let mut counter = JsonCounter::default();
        text.chunks(cut.max(1)).for_each(|chunk| counter.update(chunk));
        counter.finish()
    }

    #[test]
    fn elements_are_counted() {
        let check = |text: &str, expected| {
            for cut in 1..=text.len().max(1) {
                assert_eq!(count(text.as_bytes(), cut), expected, "{text} cut every {cut}");
            }
        };
        check("[]", Ok(0));
        check(" [ \n] \n", Ok(0));
        check("[1]", Ok(1));
        check(r#"[{"a":[1,2,{"b":"],}\\"}]},"x,\"y",null , [[],[]]]"#, Ok(4));
        check("", Err("its JSON array does not end"));
        check("[1,2", Err("its JSON array does not end"));
        check("[\"a]", Err("its JSON array does not end"));
        check("{\"a\":1}", Err(NO_ARRAY));
        check("[1][2]", Err(NO_ARRAY));
        check("[1,]", Err(NO_ELEMENT));
        check("[,1]", Err(NO_ELEMENT));
        check("[1,,2]", Err(NO_ELEMENT));
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            r#"[a,"\\\[\]{}:é\n]{0,8}"#.prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 20, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::vec(("[a\"\\\\,]{0,3}", inner), 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn as_many_as_written(
            values in proptest::collection::vec(value(), 0..10), pretty: bool, cut in 1usize..20
        ) {
            let text =
                if pretty { serde_json::to_vec_pretty(&values) } else { serde_json::to_vec(&values) }.unwrap();
            prop_assert_eq!(count(&text, cut), Ok(values.len() as u64));
        }
    }
}
