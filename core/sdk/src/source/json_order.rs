//! The order in which keys come.
//!
//! One program wrote all records, so the next key is nearly always the one that came next before: looking whether it
//! is there is much cheaper than reading a key and finding out which one it is.

/// Keys remembered at a place in the record.
const KEYS: usize = 64;
/// How many remembered keys are tried, for those that a record leaves out.
const TRIES: usize = 4;

/// The keys of the objects at one place.
#[derive(Debug, Default)]
pub(crate) struct Order(Vec<Known>);

#[derive(Debug)]
struct Known {
    /// The first eight bytes of `text`, and which of them count.
    head: u64,
    mask: u64,
    /// The last eight bytes of `text`, if it has as many.
    tail: u64,
    /// The key as it is written, quotes and colon included.
    text: Box<[u8]>,
    node: Option<usize>,
}

impl Order {
    /// Whether one of the keys remembered from place `hint` on stands in front of `text`: its place, its length with
    /// quotes and colon, and its node.
    #[inline]
    pub(crate) fn guess(&self, hint: usize, text: &[u8]) -> Option<(usize, usize, Option<usize>)> {
        let head = u64::from_le_bytes(*text.first_chunk()?);
        for (i, known) in self.0.iter().enumerate().skip(hint).take(TRIES) {
            let length = known.text.len();
            if (head ^ known.head) & known.mask == 0
                && (length <= 8
                    || length <= 16 && last(text, length) == Some(known.tail)
                    || text.starts_with(&known.text))
            {
                return Some((i, length, known.node));
            }
        }
        None
    }

    /// Remembers that a key came at place `hint`; answers the place after it. `text` is as for [`guess`](Self::guess).
    #[cold]
    pub(crate) fn learn(&mut self, hint: usize, text: &[u8], node: Option<usize>) -> usize {
        if let Some(at) = self.0.iter().position(|known| *known.text == *text) {
            return at + 1;
        }
        if self.0.len() >= KEYS {
            return hint;
        }
        let mut head = [0; 8];
        let length = text.len().min(8);
        head[..length].copy_from_slice(&text[..length]);
        let mask = if length == 8 { u64::MAX } else { (1 << (8 * length)) - 1 };
        let at = hint.min(self.0.len());
        let head = u64::from_le_bytes(head);
        self.0.insert(
            at,
            Known { head, mask, tail: last(text, text.len()).unwrap_or(0), text: text.into(), node },
        );
        at + 1
    }
}

/// The last eight of the first `length` bytes.
#[inline]
fn last(text: &[u8], length: usize) -> Option<u64> {
    text.get(..length)?.last_chunk().map(|bytes| u64::from_le_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::Order;

    #[test]
    fn keys_are_guessed_in_the_order_in_which_they_came() {
        let mut order = Order::default();
        let mut hint = 0;
        for (node, key) in ["\"a\":", "\"longer_key\":", "\"longer_kez\":"].iter().enumerate() {
            hint = order.learn(hint, key.as_bytes(), Some(node));
        }
        assert_eq!(hint, 3);
        assert_eq!(order.learn(1, b"\"b\":", None), 2, "a key between others");
        assert_eq!(order.learn(0, b"\"a\":", Some(0)), 1, "one that is known");
        assert_eq!(order.guess(0, b"\"a\":1234567"), Some((0, 4, Some(0))));
        assert_eq!(order.guess(0, b"\"longer_kez\":1"), Some((3, 13, Some(2))));
        assert_eq!(order.guess(1, b"\"b\":1234567"), Some((1, 4, None)));
        assert_eq!(order.guess(2, b"\"a\":1234567"), None, "passed already");
        assert_eq!(order.guess(0, b"\"longer_ke\":1"), None);
        assert_eq!(order.guess(0, b"\"a\":1"), None, "too near to the end to look");
    }
}
