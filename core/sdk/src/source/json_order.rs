//! The order in which keys come.
//!
//! One program wrote all records, so the next key is nearly always the one that came next before: looking whether it
//! is there is much cheaper than reading a key and finding out which one it is.

use wide::u8x16;

use super::projection::Target;

/// Keys remembered at a place in the record.
const KEYS: usize = 64;
/// How many remembered keys are tried, for those that a record leaves out.
const TRIES: usize = 4;
/// Bytes of a key that are compared in one step.
const STEP: usize = 16;

/// The keys of the objects at one place.
#[derive(Debug, Default)]
pub(crate) struct Order(Vec<Known>);

/// A key, and what its value is wanted for.
#[derive(Debug)]
pub(crate) struct Known {
    /// The key as it is written, quotes and colon included.
    text: Box<[u8]>,
    /// Its first bytes.
    parts: [Part; 2],
    pub(crate) target: Target,
}

/// Sixteen bytes of a key: those behind its end do not count.
#[derive(Debug)]
struct Part {
    bytes: u8x16,
    /// All bits of the bytes that do not count.
    beyond: u8x16,
}

impl Part {
    fn new(text: &[u8]) -> Self {
        let byte = |at: usize| text.get(at).copied();
        Self {
            bytes: u8x16::from(std::array::from_fn::<u8, STEP, _>(|at| byte(at).unwrap_or_default())),
            beyond: u8x16::from(std::array::from_fn::<u8, STEP, _>(|at| byte(at).map_or(u8::MAX, |_| 0))),
        }
    }

    /// The bytes that are the same.
    #[inline]
    fn same(&self, text: [u8; STEP]) -> u8x16 {
        u8x16::from(text).cmp_eq(self.bytes) | self.beyond
    }
}

impl Known {
    fn new(text: &[u8], target: Target) -> Self {
        let part = |step: usize| Part::new(text.get(step * STEP..).unwrap_or_default());
        Self { parts: [part(0), part(1)], text: text.into(), target }
    }

    /// The key's length with quotes and colon.
    #[inline]
    pub(crate) fn length(&self) -> usize {
        self.text.len()
    }

    /// Whether the key, if it is not longer than that, stands in front of `text`.
    #[inline]
    fn begins(&self, text: &[u8; 2 * STEP]) -> bool {
        let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) else { return false };
        (self.parts[0].same(*first) & self.parts[1].same(*last)).move_mask() == 0xFFFF
    }
}

impl Order {
    /// The key that stands in front of `text`, if it is one of those remembered from place `hint` on; `hint` becomes the
    /// place after it.
    #[inline]
    pub(crate) fn guess(&self, hint: &mut usize, text: &[u8]) -> Option<&Known> {
        let Some(begin) = text.first_chunk() else { return self.near_the_end(hint, text) };
        let known = self.0.get(*hint)?;
        if known.begins(begin) && known.length() <= begin.len() {
            *hint += 1;
            return Some(known);
        }
        self.search(hint, text, begin)
    }

    #[inline(never)]
    fn search(&self, hint: &mut usize, text: &[u8], begin: &[u8; 2 * STEP]) -> Option<&Known> {
        self.first(hint, |known| known.begins(begin) && text.starts_with(&known.text))
    }

    /// There are not enough bytes to be compared in steps.
    #[inline(never)]
    fn near_the_end(&self, hint: &mut usize, text: &[u8]) -> Option<&Known> {
        self.first(hint, |known| text.starts_with(&known.text))
    }

    fn first(&self, hint: &mut usize, is: impl Fn(&Known) -> bool) -> Option<&Known> {
        let mut tried = self.0.iter().enumerate().skip(*hint).take(TRIES);
        let (at, known) = tried.find(|(_, known)| is(known))?;
        *hint = at + 1;
        Some(known)
    }

    /// Remembers that a key came at place `hint`; answers the place after it. `text` is as for [`guess`](Self::guess).
    #[cold]
    pub(crate) fn learn(&mut self, hint: usize, text: &[u8], target: Target) -> usize {
        if let Some(at) = self.0.iter().position(|known| *known.text == *text) {
            return at + 1;
        }
        if self.0.len() >= KEYS {
            return hint;
        }
        let at = hint.min(self.0.len());
        self.0.insert(at, Known::new(text, target));
        at + 1
    }
}

#[cfg(test)]
mod tests {
    use super::{Order, Target};

    /// What is told of a text: the place after the key, its length, and its target.
    fn guess(order: &Order, mut hint: usize, text: &str) -> Option<(usize, usize, Target)> {
        let mut near = hint;
        let far = format!("{text}{}", " ".repeat(32));
        let known = order.guess(&mut hint, far.as_bytes()).map(|known| (hint, known.length(), known.target));
        let last = order.guess(&mut near, text.as_bytes()).map(|known| (near, known.length(), known.target));
        assert_eq!(known, last, "{text}");
        known
    }

    #[test]
    fn keys_are_guessed_in_the_order_in_which_they_came() {
        let mut order = Order::default();
        let mut hint = 0;
        let (long, longer) = ("a".repeat(40), format!("{}b", "a".repeat(39)));
        let keys = [
            "a",
            "longer_key",
            "longer_kez",
            "sixteen_bytes",
            "thirty_two_bytes_with_its_qu",
            &long,
            &longer,
        ];
        for (node, key) in keys.iter().enumerate() {
            hint = order.learn(hint, format!("\"{key}\":").as_bytes(), Target::Node(node as u32));
        }
        assert_eq!(hint, 7);
        for (node, key) in keys.iter().enumerate() {
            let found = Some((node + 1, key.len() + 3, Target::Node(node as u32)));
            for hint in node.saturating_sub(3)..=node {
                assert_eq!(guess(&order, hint, &format!("\"{key}\":1")), found, "{key} from {hint}");
            }
            assert_eq!(guess(&order, node + 1, &format!("\"{key}\":1")), None, "{key} is passed already");
            assert_eq!(guess(&order, node, &format!("\"{key}\" :1")), None, "{key}");
        }
        assert_eq!(order.learn(1, b"\"b\":", Target::Nothing), 2, "a key between others");
        assert_eq!(order.learn(0, b"\"a\":", Target::Node(0)), 1, "one that is known");
        assert_eq!(guess(&order, 0, "\"b\":1"), Some((2, 4, Target::Nothing)));
        assert_eq!(guess(&order, 0, "\"longer_ke\":1"), None);
    }
}
