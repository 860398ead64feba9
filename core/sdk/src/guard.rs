//! Panics stop here: every entry of a plugin runs inside [`enter`].

use std::{
    cell::{Cell, RefCell},
    ffi::c_void,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, Once, TryLockError,
        atomic::{AtomicBool, Ordering},
    },
};

use usher_abi::{Error, RResult, export::panic_message};

thread_local! {
    /// Whether whatever this thread is inside of was cancelled: a stream knows that it was, although its source was not.
    static CURRENT: RefCell<Option<Arc<AtomicBool>>> = const { RefCell::new(None) };
    static INSIDE: Cell<bool> = const { Cell::new(false) };
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Remembers where a panic inside an entry happened instead of printing it; panics elsewhere in the plugin (its own
/// threads) are printed as always.
fn install_hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if INSIDE.get() {
                let place = info.location().map(|l| format!("{}:{}:{}", l.file(), l.line(), l.column()));
                PLACE.set(place);
            } else {
                previous(info);
            }
        }));
    });
}

/// Runs `body`; a panic becomes an error that names entry, message and place.
pub(crate) fn catch<R>(entry: &'static str, body: impl FnOnce() -> Result<R, Error>) -> Result<R, Error> {
    install_hook();
    let outer = INSIDE.replace(true);
    let result = catch_unwind(AssertUnwindSafe(body));
    INSIDE.set(outer);
    result.unwrap_or_else(|panic| {
        let place = PLACE.take().unwrap_or_else(|| "an unknown place".to_owned());
        let message = panic_message(&*panic);
        Err(Error::bug("plugin.panic", format!("panicked in `{entry}` at {place}: {message}"))
            .details(serde_json::json!({ "entry": entry, "place": place, "message": message }).to_string()))
    })
}

/// What an opaque handle points at.
pub(crate) struct Shell<T> {
    inner: Mutex<T>,
    cancelled: Arc<AtomicBool>,
    /// That of what opened it.
    above: Option<Arc<AtomicBool>>,
    poisoned: AtomicBool,
}

impl<T> Shell<T> {
    pub(crate) fn into_raw(inner: T, cancelled: Arc<AtomicBool>) -> *mut c_void {
        Self::raw(inner, cancelled, None)
    }

    /// Something that can be cancelled by itself, and is when what opened it was.
    pub(crate) fn below(inner: T, above: Arc<AtomicBool>) -> *mut c_void {
        Self::raw(inner, Arc::default(), Some(above))
    }

    fn raw(inner: T, cancelled: Arc<AtomicBool>, above: Option<Arc<AtomicBool>>) -> *mut c_void {
        let (inner, poisoned) = (Mutex::new(inner), AtomicBool::new(false));
        Box::into_raw(Box::new(Self { inner, cancelled, above, poisoned })).cast()
    }

    fn is_cancelled(&self) -> bool {
        let set = |flag: &Arc<AtomicBool>| flag.load(Ordering::Acquire);
        set(&self.cancelled) || self.above.as_ref().is_some_and(set)
    }
}

/// Whether the instance or stream whose entry this thread runs was cancelled.
pub(crate) fn is_cancelled() -> bool {
    CURRENT.with_borrow(|flag| flag.as_ref().is_some_and(|flag| flag.load(Ordering::Acquire)))
}

/// Runs an entry over the instance behind `this`. After a panic the instance answers nothing but that it is poisoned.
pub(crate) fn enter<T, R>(
    this: *mut c_void,
    entry: &'static str,
    body: impl FnOnce(&mut T) -> Result<R, Error>,
) -> RResult<R, Error> {
    // SAFETY: `this` came from `Shell::<T>::into_raw` (each table is made for one `T` only) and the host does not
    // use it after `close`.
    let shell = unsafe { &*this.cast::<Shell<T>>() };
    if shell.poisoned.load(Ordering::Acquire) {
        return RResult::RErr(Error::bug("plugin.poisoned", format!("`{entry}` was called after a panic")));
    }
    if shell.is_cancelled() {
        return RResult::RErr(Error::cancelled());
    }
    let result = match shell.inner.try_lock() {
        Ok(mut inner) => {
            let outer = CURRENT.replace(Some(shell.cancelled.clone()));
            let result = catch(entry, || body(&mut inner));
            CURRENT.set(outer);
            result
        }
        Err(TryLockError::WouldBlock) => {
            Err(Error::bug("host.concurrent", format!("`{entry}` was called while another call was running")))
        }
        Err(TryLockError::Poisoned(_)) => Err(Error::bug("plugin.poisoned", "the instance panicked before")),
    };
    if result.as_ref().is_err_and(|error| error.code.as_str() == "plugin.panic") {
        shell.poisoned.store(true, Ordering::Release);
    }
    result.into()
}

/// `cancel` of any table: `[any thread]`, never blocks.
pub(crate) extern "C" fn cancel<T>(this: *mut c_void) {
    // SAFETY: as in `enter`; only an atomic is touched.
    let shell = unsafe { &*this.cast::<Shell<T>>() };
    shell.cancelled.store(true, Ordering::Release);
}

/// `close` of any table.
pub(crate) extern "C" fn close<T>(this: *mut c_void) {
    // SAFETY: the host calls `close` once, after every other call has returned.
    let shell = unsafe { Box::from_raw(this.cast::<Shell<T>>()) };
    if let Err(error) = catch("close", || {
        drop(shell);
        Ok(())
    }) {
        // There is nobody to answer to, and a panic in a destructor must not take the host down.
        eprintln!("usher: a connector {error}");
    }
}
