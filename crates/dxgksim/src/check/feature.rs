//! The feature interface: what is supported, at which versions, and the functions of it.
//!
//! The interface is optional; without it nothing here is judged.

use wddm::*;

use super::args::ask;
use super::{Bench, Outcome, Stop, accepted, broken, declare, needed, refused, same};

const SUPPORT: &str = "DXGKDDI_QUERYFEATURESUPPORT callback function (d3dkmddi.h)";
const ARGS: &str = "DXGKARG_QUERYFEATURESUPPORT structure (d3dkmddi.h)";
const FUNCTIONS: &str = "DXGKDDI_QUERYFEATUREINTERFACE callback function (d3dkmddi.h)";
const SIZES: &str = "DXGKARG_QUERYFEATUREINTERFACE structure (d3dkmddi.h)";

/// A number of the driver's category that is no feature, and stays none: the last one.
const UNKNOWN: DXGK_FEATURE_ID = DXGK_FEATURE_ID(0x0FFF_FFFF);
const TESTING: DXGK_FEATURE_ID = DXGK_FEATURE_ID::DXGK_FEATURE_KERNEL_MODE_TESTING;
/// Features that need something of a driver, by what is published.
const KNOWN: [i32; 9] = [0, 1, 2, 3, 4, 5, 32, 33, 37];
/// Bytes of the interface that is asked for.
const BYTES: u16 = size_of::<DXGKDDI_KERNELMODETESTINGINTERFACE>() as u16;

declare! {
    "feature.unknown" Handle SUPPORT, "What is no feature is refused.", |b| {
        offered(b)?;
        refused("QueryFeatureSupport of an unknown feature", support(b, UNKNOWN).0)
    };
    "feature.versions" Answer ARGS,
        "A feature that is supported has versions from 1 up, in order; one that is off has none.",
        versions;
    "feature.functions.unknown" Handle FUNCTIONS, "What is no feature has no functions.", |b| {
        offered(b)?;
        refused("QueryFeatureInterface of an unknown feature", functions(b, UNKNOWN, 1, 64).0)
    };
    "feature.functions.version" Handle FUNCTIONS, "A version that is not supported has no functions.", |b| {
        supported(b)?;
        refused("QueryFeatureInterface of version 0x100", functions(b, TESTING, 0x100, BYTES).0)
    };
    "feature.functions.short" Size SIZES, "A buffer that lacks the last byte is refused, nothing written.", |b| {
        supported(b)?;
        let (status, words, _) = functions(b, TESTING, 1, BYTES - 1);
        refused("QueryFeatureInterface with a short buffer", status)?;
        same("a buffer that was refused", &[FRESH; 8], &words)
    };
    "feature.functions.longer" Size SIZES,
        "A longer buffer gets the same functions, InterfaceSize says how much they are, and the rest is zero.",
        longer;
}

/// What the buffers hold before.
const FRESH: u64 = 0xA5A5_A5A5_A5A5_A5A5;

/// The interface must be there.
fn offered(b: &Bench) -> Outcome {
    let there = b.adapter.interfaces.feature.is_some();
    if there { Ok(()) } else { Err(super::bench::skip("the driver has no feature interface")) }
}

/// Kernel-mode testing must be there: the only feature with functions that is known here.
pub(super) fn supported(b: &Bench) -> Outcome {
    offered(b)?;
    let (status, args) = support(b, TESTING);
    needed("QueryFeatureSupport of kernel-mode testing", status)?;
    let there = args.SupportedByDriver != 0 && args.SupportedOnCurrentConfig != 0;
    if there { Ok(()) } else { Err(Stop::Skipped("the driver has no kernel-mode testing".into())) }
}

fn support(b: &Bench, feature: DXGK_FEATURE_ID) -> (NTSTATUS, DXGKARG_QUERYFEATURESUPPORT) {
    let mut args = DXGKARG_QUERYFEATURESUPPORT::zeroed();
    args.FeatureId = feature;
    (ask!(b, feature.QueryFeatureSupport, &mut args), args)
}

/// The functions of a feature in a buffer of so many bytes: status, the buffer, InterfaceSize.
fn functions(b: &Bench, feature: DXGK_FEATURE_ID, version: u16, bytes: u16) -> (NTSTATUS, [u64; 8], u16) {
    let mut words = [FRESH; 8];
    let mut args = DXGKARG_QUERYFEATUREINTERFACE::zeroed();
    (args.FeatureId, args.Version, args.InterfaceSize) = (feature, version, bytes);
    args.Interface = words.as_mut_ptr().cast();
    let status = ask!(b, feature.QueryFeatureInterface, &mut args);
    (status, words, args.InterfaceSize)
}

fn versions(b: &Bench) -> Outcome {
    offered(b)?;
    for number in KNOWN {
        let (status, args) = support(b, DXGK_FEATURE_ID(number));
        if !status.is_success() {
            // A driver that is older than the feature.
            continue;
        }
        let (least, most) = (args.MinSupportedVersion, args.MaxSupportedVersion);
        let sound = if args.SupportedByDriver != 0 {
            least >= 1 && least <= most
        } else {
            (least, most) == (0, 0) && args.SupportedOnCurrentConfig == 0
        };
        if !sound {
            broken!(
                "feature {number}: supported by the driver {}, on this configuration {}, versions {least} to {most}",
                args.SupportedByDriver,
                args.SupportedOnCurrentConfig
            )
        }
    }
    Ok(())
}

fn longer(b: &Bench) -> Outcome {
    supported(b)?;
    let (status, exact, _) = functions(b, TESTING, 1, BYTES);
    needed("QueryFeatureInterface", status)?;
    let (status, long, bytes) = functions(b, TESTING, 1, 64);
    accepted("QueryFeatureInterface with a longer buffer", status)?;
    same("InterfaceSize", &BYTES, &bytes)?;
    same("the function", &exact[0], &long[0])?;
    same("the rest of the buffer", &[0; 7], &[long[1], long[2], long[3], long[4], long[5], long[6], long[7]])
}
