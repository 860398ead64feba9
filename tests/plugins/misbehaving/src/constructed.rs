//! What runs while the file is being loaded, before anybody calls anything: it leaves a mark where `USHER_CONSTRUCTED`
//! says, so that tests can tell whether the file was loaded.

#[used]
#[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,__mod_init_func"))]
#[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = ".init_array"))]
static CONSTRUCTOR: extern "C" fn() = constructed;

extern "C" fn constructed() {
    if let Some(mark) = std::env::var_os("USHER_CONSTRUCTED") {
        // The test that looks for the mark says so if it is missing.
        let _ = std::fs::write(mark, "constructed\n");
    }
}
