//! How often each function that a driver gave was called, and how often it refused.
//!
//! The list is the driver's own: whatever is not NULL in its table and in the interfaces that it was asked for. So a
//! function that nobody calls is seen, also one that was added yesterday.

use alloc::vec::Vec;

use wddm::DXGK_QUERYADAPTERINFOTYPE as Type;
use wddm::layout::{MODULES, TypeLayout};

use crate::host::Mutex;

/// The queries that only GPU partitioning and live migration know, each counted besides as a function of its own.
const QUERIES: [(Type, &str); 4] = [
    (Type::DXGKQAITYPE_GPUPCAPS, "DxgkDdiQueryAdapterInfo(GPUPCAPS)"),
    (Type::DXGKQAITYPE_DIRTYBITTRACKINGCAPS, "DxgkDdiQueryAdapterInfo(DIRTYBITTRACKINGCAPS)"),
    (Type::DXGKQAITYPE_DIRTYBITTRACKINGSEGMENTCAPS, "DxgkDdiQueryAdapterInfo(DIRTYBITTRACKINGSEGMENTCAPS)"),
    (Type::DXGKQAITYPE_SCATTER_RESERVE, "DxgkDdiQueryAdapterInfo(SCATTER_RESERVE)"),
];

/// The calls of one function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calls {
    /// Its name, as the header declares it.
    pub function: &'static str,
    /// How often it was called.
    pub called: u64,
    /// How often it answered with a failure, or with no handle. Some calls are made to be refused.
    pub refused: u64,
}

/// The calls of all functions, in the order of their names without what headers put in front.
#[derive(Default)]
pub(super) struct Counts(Mutex<Vec<Calls>>);

impl Counts {
    /// The driver has these functions.
    pub(super) fn supply(&self, functions: impl Iterator<Item = &'static str>) {
        let mut counts = self.0.lock();
        for function in functions {
            if let Err(at) = find(&counts, function) {
                counts.insert(at, Calls { function, called: 0, refused: 0 });
            }
        }
    }

    /// The driver answers queries: those that are counted.
    pub(super) fn supply_queries(&self) {
        self.supply(QUERIES.iter().map(|(_, name)| *name));
    }

    /// Counts a call, and whether it was refused. Allocates nothing: it is called at any level.
    pub(super) fn count(&self, function: &str, refused: bool) {
        let mut counts = self.0.lock();
        if let Ok(at) = find(&counts, function) {
            counts[at].called += 1;
            counts[at].refused += u64::from(refused);
        }
    }

    /// Counts a query, if it is one of those.
    pub(super) fn count_query(&self, kind: Type, refused: bool) {
        if let Some((_, name)) = QUERIES.iter().find(|(known, _)| *known == kind) {
            self.count(name, refused);
        }
    }

    pub(super) fn read(&self) -> Vec<Calls> {
        self.0.lock().clone()
    }
}

fn find(counts: &[Calls], function: &str) -> Result<usize, usize> {
    counts.binary_search_by_key(&short(function), |known| short(known.function))
}

/// The same function is `DxgkDdiX` in one header, `pfnX` or `X` in another.
fn short(function: &str) -> &str {
    ["DxgkDdi", "pfn"].iter().find_map(|front| function.strip_prefix(front)).unwrap_or(function)
}

/// The declaration of a structure.
pub(crate) fn declared<T>() -> Option<&'static TypeLayout> {
    let name = core::any::type_name::<T>().rsplit("::").next()?;
    MODULES.iter().flat_map(|module| module.types).find(|known| known.name == name)
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_is_counted_under_any_of_its_names_and_nothing_else_is() {
        crate::host::std_host::install();
        let counts = Counts::default();
        counts.supply(["DxgkDdiB", "pfnC", "DxgkDdiA", "DxgkDdiB"].into_iter());
        counts.count("DxgkDdiB", false);
        counts.count("DxgkDdiB", true);
        counts.count("DxgkDdiC", true);
        counts.count("DxgkDdiD", false);
        let calls = |function, called, refused| Calls { function, called, refused };
        assert_eq!(counts.read(), [calls("DxgkDdiA", 0, 0), calls("DxgkDdiB", 2, 1), calls("pfnC", 1, 1)]);
    }

    #[test]
    fn a_query_is_counted_by_its_type() {
        crate::host::std_host::install();
        let counts = Counts::default();
        counts.supply_queries();
        counts.count_query(Type::DXGKQAITYPE_SCATTER_RESERVE, true);
        counts.count_query(Type::DXGKQAITYPE_DRIVERCAPS, false);
        let asked: Vec<_> = counts.read().iter().map(|calls| (calls.called, calls.refused)).collect();
        assert_eq!((asked.len(), asked.iter().filter(|asked| **asked == (1, 1)).count()), (4, 1));
        assert!(asked.iter().all(|asked| [(0, 0), (1, 1)].contains(asked)));
    }
}
