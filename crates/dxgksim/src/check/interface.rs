//! QueryInterface: versions, sizes, GUIDs.

use wddm::*;

use super::{Bench, Outcome, broken, declare, needed, refused};

const QUERY: &str = "QUERY_INTERFACE structure (video.h)";
const DDI: &str = "DXGKDDI_QUERY_INTERFACE callback function (dispmprt.h)";
const PARTITION: &str = "DXGKDDI_GPU_PARTITION_INTERFACE structure (dispmprt.h)";
const SRIOV: &str = "DXGKDDI_SRIOV_INTERFACE structure (dispmprt.h)";
const MITIGABLE: &str = "DXGKDDI_MITIGABLE_DEVICE_INTERFACE structure (dispmprt.h)";
const FEATURE: &str = "DXGKDDI_FEATURE_INTERFACE structure (dispmprt.h)";
const FLEXIOV: &str = "DXGKDDI_FLEXIOV_DEVICE_INTERFACE structure (dispmprt.h)";

/// Bytes of the longest interface, with room behind it.
const WORDS: usize = 32;

declare! {
    "interface.unknown" Handle DDI, "An interface that the driver does not know is refused.", unknown;
    "interface.longer" Size QUERY, "A Size that is larger than the interface gets the interface.", longer;
    "interface.partition.version" Handle PARTITION, "A version that does not exist is refused.",
        |b| version(b, &GUID_DXGKDDI_GPU_PARTITION_INTERFACE, size_of::<DXGKDDI_GPU_PARTITION_INTERFACE>());
    "interface.partition.short" Size PARTITION,
        "A Size that lacks the last byte is refused, nothing written.",
        |b| short(b, &GUID_DXGKDDI_GPU_PARTITION_INTERFACE, size_of::<DXGKDDI_GPU_PARTITION_INTERFACE>());
    "interface.sriov.version" Handle SRIOV, "A version that does not exist is refused.",
        |b| version(b, &GUID_DXGKDDI_SRIOV_INTERFACE, size_of::<DXGKDDI_SRIOV_INTERFACE>());
    "interface.sriov.short" Size SRIOV, "A Size that lacks the last byte is refused, nothing written.",
        |b| short(b, &GUID_DXGKDDI_SRIOV_INTERFACE, size_of::<DXGKDDI_SRIOV_INTERFACE>());
    "interface.mitigable.version" Handle MITIGABLE, "A version that does not exist is refused.",
        |b| version(b, &GUID_DXGKDDI_MITIGABLE_DEVICE_INTERFACE, size_of::<DXGKDDI_MITIGABLE_DEVICE_INTERFACE>());
    "interface.mitigable.short" Size MITIGABLE,
        "A Size that lacks the last byte is refused, nothing written.",
        |b| short(b, &GUID_DXGKDDI_MITIGABLE_DEVICE_INTERFACE, size_of::<DXGKDDI_MITIGABLE_DEVICE_INTERFACE>());
    "interface.flexiov.version" Handle FLEXIOV, "A version that does not exist is refused.",
        |b| version(b, &GUID_DXGKDDI_FLEXIOV_DEVICE_INTERFACE, size_of::<DXGKDDI_FLEXIOV_DEVICE_INTERFACE>());
    "interface.flexiov.short" Size FLEXIOV, "A Size that lacks the last byte is refused, nothing written.",
        |b| short(b, &GUID_DXGKDDI_FLEXIOV_DEVICE_INTERFACE, size_of::<DXGKDDI_FLEXIOV_DEVICE_INTERFACE>());
    "interface.feature.version" Handle FEATURE, "A version that does not exist is refused.",
        |b| version(b, &GUID_WDDM_INTERFACE_FEATURE, size_of::<DXGKDDI_FEATURE_INTERFACE>());
    "interface.feature.short" Size FEATURE, "A Size that lacks the last byte is refused, nothing written.",
        |b| short(b, &GUID_WDDM_INTERFACE_FEATURE, size_of::<DXGKDDI_FEATURE_INTERFACE>());
}

fn unknown(b: &Bench) -> Outcome {
    let guid = GUID::from_u128(0x5A5A_5A5A_0000_4000_8000_0000_0000_0001);
    refused("QueryInterface of an unknown GUID", b.query_interface(&guid, 1, 128, &mut [0; WORDS]))
}

fn longer(b: &Bench) -> Outcome {
    let ask = |size: usize| {
        let mut out = [0; WORDS];
        let status = b.query_interface(&GUID_DXGKDDI_SRIOV_INTERFACE, 1, size as u16, &mut out);
        (status, out)
    };
    let bytes = size_of::<DXGKDDI_SRIOV_INTERFACE>();
    let (status, exact) = ask(bytes);
    needed("QueryInterface", status)?;
    let (status, long) = ask(bytes + 64);
    super::accepted("QueryInterface with a longer Size", status)?;
    super::same(
        "the functions of a longer interface",
        &exact[4..bytes / 8].to_vec(),
        &long[4..bytes / 8].to_vec(),
    )
}

/// Versions from 0x100 on are asked for: none exists.
fn version(b: &Bench, guid: &GUID, bytes: usize) -> Outcome {
    needed("QueryInterface", b.query_interface(guid, 1, bytes as u16, &mut [0; WORDS]))?;
    refused("QueryInterface of version 0x100", b.query_interface(guid, 0x100, bytes as u16, &mut [0; WORDS]))
}

fn short(b: &Bench, guid: &GUID, bytes: usize) -> Outcome {
    needed("QueryInterface", b.query_interface(guid, 1, bytes as u16, &mut [0; WORDS]))?;
    let mut out = [0; WORDS];
    refused("QueryInterface with a short Size", b.query_interface(guid, 1, bytes as u16 - 1, &mut out))?;
    if out.iter().any(|word| *word != 0) {
        broken!("QueryInterface was refused, but wrote into the interface")
    }
    Ok(())
}
