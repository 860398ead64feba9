//! What runs while the file is being loaded. A worker's environment is empty, so the attack is chosen in the file itself: a test
//! writes its name over the mark below.

use std::{ptr, sync::OnceLock};

use crate::attack::attack;

/// The mark, as it is compiled; the name of an attack stands behind the colon, filled up with spaces.
#[used]
static CHOSEN: [u8; 46] = *b"usher-hostile-constructor:                    ";

/// What came of it.
pub(crate) static OUTCOME: OnceLock<String> = OnceLock::new();

#[used]
#[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,__mod_init_func"))]
#[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = ".init_array"))]
static CONSTRUCTOR: extern "C" fn() = constructed;

extern "C" fn constructed() {
    // SAFETY: the static is there; read so that the compiler does not take what it knows of it for granted.
    let chosen = unsafe { ptr::read_volatile(&CHOSEN) };
    let name = String::from_utf8_lossy(&chosen);
    let name = name.split_once(':').map_or("", |(_, name)| name.trim());
    if !name.is_empty() {
        let _ = OUTCOME.set(attack(name));
    }
}
