//! What tests do at sites: stop a thread at one, or weaken the ordering of one.

use super::Ordering;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::{Mutex, OnceLock};

/// Called with the name of each access, before the access.
pub type Hook = Box<dyn FnMut(&'static str)>;

thread_local! {
    static HOOK: RefCell<Option<Hook>> = const { RefCell::new(None) };
}

/// Sets the hook that the calling thread runs at every access from now on.
pub fn set_hook(hook: Option<Hook>) {
    HOOK.set(hook);
}

/// The mutant of this run, from the environment variable `QUEUES_MUTANT`: `site=ordering`, as in
/// `ring.slot.load=Relaxed`.
fn mutant() -> Option<&'static (String, Ordering)> {
    static MUTANT: OnceLock<Option<(String, Ordering)>> = OnceLock::new();
    MUTANT
        .get_or_init(|| {
            let text = std::env::var("QUEUES_MUTANT").ok()?;
            let (name, ordering) = text.split_once('=').expect("QUEUES_MUTANT is site=ordering");
            let ordering = match ordering {
                "Relaxed" => Ordering::Relaxed,
                "Acquire" => Ordering::Acquire,
                "Release" => Ordering::Release,
                "AcqRel" => Ordering::AcqRel,
                other => panic!("QUEUES_MUTANT: no ordering {other:?}"),
            };
            Some((name.to_owned(), ordering))
        })
        .as_ref()
}

static SEEN: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());

/// The names of the sites at which this process has run a hook.
pub fn seen() -> Vec<&'static str> {
    SEEN.lock().unwrap().iter().copied().collect()
}

/// What [`super::site`] does. Public, so that a test can use sites in a queue of its own.
pub fn visit(name: &'static str, ordering: Ordering) -> Ordering {
    if !cfg!(loom) {
        HOOK.with(|hook| {
            // A hook that uses a queue itself is not called again.
            if let Some(hook) = hook.try_borrow_mut().ok().as_deref_mut().and_then(Option::as_mut) {
                SEEN.lock().unwrap().insert(name);
                hook(name);
            }
        });
    }
    match mutant() {
        Some((site, weaker)) if site == name => *weaker,
        _ => ordering,
    }
}
