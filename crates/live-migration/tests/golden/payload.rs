//! One fixed payload for each kind of frame.

use live_migration::handover::{Identity, Standing};
use live_migration::pages::list::{Content, List};
use live_migration::pages::proof;
use live_migration::pages::run::Run;
use live_migration::wire::frame::Kind;
use live_migration::wire::message::{
    Doubt, GuestOutcome, Hello, IterationEnd, PageVerdict, Question, Resolution, Resolve, Verdict, Welcome,
};
use serde::Serialize;

pub(crate) const MIGRATION: u128 = 0x0123_4567_89ab_cdef_0011_2233_4455_6677;
pub(crate) const TARGET: Identity = Identity(0xfedc_ba98_7654_3210_8899_aabb_ccdd_eeff);

/// Every kind that a reader knows, by number.
pub(crate) fn kinds() -> Vec<Kind> {
    (0..=u16::MAX).filter_map(Kind::from_u16).collect()
}

/// What a frame of `kind` carries here. A kind that is added does not compile until it has something.
pub(crate) fn of(kind: Kind) -> Vec<u8> {
    match kind {
        Kind::Hello => encode(&hello()),
        Kind::Welcome => encode(&Welcome { target: TARGET }),
        Kind::Immutable => b"what the driver saved before the brownout".to_vec(),
        Kind::Verdict => encode(&Verdict::Refused("the firmware is older".into())),
        Kind::Pages => pages(),
        Kind::IterationEnd => encode(&IterationEnd { iteration: 2, pages: 300 }),
        Kind::Mutable => b"what the driver saved in the pause".to_vec(),
        Kind::Guest => b"what the VM is beside its VF".to_vec(),
        Kind::PageHashes => proof::encode(&[0, 1, u64::MAX]),
        Kind::PageVerdict => {
            encode(&PageVerdict { compared: 65_536, different: 2, first_different: Some(129) })
        }
        Kind::Abort => encode(&"cancelled"),
        Kind::Resolve => encode(&Resolve { migration: MIGRATION, question: Question::Ask }),
        Kind::Resolution => encode(&Resolution { target: TARGET, standing: Standing::Ready }),
        Kind::Stream => encode(&MIGRATION),
        Kind::Outcome => encode(&GuestOutcome { steps: 1_000_000, result: Ok(vec![0xca, 0xfe]) }),
        Kind::Doubt => encode(&Doubt { target: TARGET, address: "host-b:7433".into() }),
        Kind::IterationApplied | Kind::Ready | Kind::Commit | Kind::Running | Kind::End | Kind::Alive => {
            Vec::new()
        }
    }
}

pub(crate) fn hello() -> Hello {
    Hello {
        migration: MIGRATION,
        vf_bytes: 256 << 20,
        page_bytes: 4096,
        streams: 4,
        prove: true,
        workload: "matmul".into(),
        note: vec![1, 2, 3],
    }
}

/// A batch of two pages with bytes, here of four each, round one of zeroes.
fn pages() -> Vec<u8> {
    let runs = vec![
        (Run { first: 127, count: 1 }, Content::Bytes),
        (Run { first: 128, count: 1 }, Content::Zero),
        (Run { first: 70_000, count: 1 }, Content::Bytes),
    ];
    let list = encode(&List { iteration: 2, packing: 0, runs });
    [&(list.len() as u32).to_le_bytes()[..], &list, b"page", b"PAGE"].concat()
}

pub(crate) fn encode<T: Serialize + ?Sized>(message: &T) -> Vec<u8> {
    postcard::to_allocvec(message).unwrap()
}
