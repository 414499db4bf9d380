//! What `facts/libdxg_layout.json` has of libdxg's headers. They are of WDDM 3.0: what came later is an exception.

use super::compare::{Source, Struct};
use crate::declared::Enum;
use crate::facts::{Facts, number};

const LAYOUT: &str = include_str!("../../../facts/libdxg_layout.json");

const LATER: &str = "came after WDDM 3.0";
const FEWER: &str = "was wider or lower before later ones took from it";

const EXCEPTIONS: [(&str, &str); 12] = [
    ("D3DDDI_CREATEHWQUEUEFLAGS.NativeProgressFence", LATER),
    ("D3DDDI_CREATEHWQUEUEFLAGS.TestQueue", LATER),
    ("D3DDDI_CREATEHWQUEUEFLAGS.UserModeSubmission", LATER),
    ("D3DDDI_DRIVERESCAPETYPE_BUILDTESTCOMMANDBUFFER", LATER),
    ("D3DKMDT_STANDARDALLOCATION_FENCESTORAGE", LATER),
    ("DXGK_ENGINE_TYPE_VIDEO_CODEC", LATER),
    ("DXGK_NODEMETADATA_FLAGS.SupportBuildTestCommandBuffer", LATER),
    ("DXGK_NODEMETADATA_FLAGS.UserModeSubmission", LATER),
    ("D3DDDI_CREATEHWQUEUEFLAGS.Reserved", FEWER),
    ("D3DDDI_DRIVERESCAPETYPE_MAX", FEWER),
    ("DXGK_ENGINE_TYPE_MAX", FEWER),
    ("DXGK_NODEMETADATA_FLAGS.Reserved", FEWER),
];

pub(super) fn source() -> Source {
    let facts = Facts::parse(LAYOUT);
    let structs = facts.structs.iter().map(|(name, fact)| {
        let members = facts.members(name).into_iter().collect();
        let theirs =
            Struct { size: number(&fact["size"]), align: number(&fact["align"]), members, words: Vec::new() };
        (name.clone(), theirs)
    });
    let enums = facts.enums.iter().map(|(name, fact)| {
        let values = fact["values"].as_object().expect("values").iter();
        let values = values.map(|(name, value)| (name.clone(), value.as_i64().expect("a value"))).collect();
        (name.clone(), Enum { size: number(&fact["size"]), values })
    });
    let constants =
        facts.constants.iter().map(|(name, value)| (name.clone(), value.as_u64().expect("a number")));
    Source {
        structs: structs.collect(),
        enums: enums.collect(),
        constants: constants.collect(),
        guids: Default::default(),
        exceptions: EXCEPTIONS.to_vec(),
    }
}
