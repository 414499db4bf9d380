//! How often each function of the driver was called.

use alloc::collections::BTreeMap;

use dxgksim::contract::Contract;
use serde::Serialize;

/// By the function's name: every function that the driver gave, also those that nobody called.
pub type Calls = BTreeMap<&'static str, Count>;

/// The calls of one function.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    /// How often it was called.
    pub called: u64,
    /// How often it refused. Some calls are made to be refused, and some questions have no answer.
    pub refused: u64,
}

/// The calls so far.
pub fn calls(contract: &Contract) -> Calls {
    let counted = contract.calls().into_iter();
    counted.map(|it| (it.function, Count { called: it.called, refused: it.refused })).collect()
}
