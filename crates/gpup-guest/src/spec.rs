//! What a guest is to run, and whether it fits.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use dxgksim::guest::Guest;
use gpup_core::PAGE_SIZE;

use crate::digest::Range;
use crate::guest::{State, VfGuest};
use crate::workload::{self, Work};

/// Most bytes of VRAM a guest takes a VF to have.
const VRAM_MAX: u64 = 1 << 46;

/// A workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Workload {
    /// A chain of matrix products.
    Matmul,
    /// Conway's Life.
    Stencil,
    /// Bodies under gravity.
    Nbody,
    /// Dirties pages at a set rate.
    Writer,
    /// Waits.
    Idle,
}

impl Workload {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Matmul, Self::Stencil, Self::Nbody, Self::Writer, Self::Idle];

    /// Its name, as parsed and displayed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Matmul => "matmul",
            Self::Stencil => "stencil",
            Self::Nbody => "nbody",
            Self::Writer => "writer",
            Self::Idle => "idle",
        }
    }
}

/// Which pages the writer writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pattern {
    /// One after the other.
    #[default]
    Sequential,
    /// Any.
    Random,
    /// Nine of ten writes in the first tenth of the pages.
    Hot,
}

impl Pattern {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Sequential, Self::Random, Self::Hot];

    /// Its name, as parsed and displayed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sequential => "sequential",
            Self::Random => "random",
            Self::Hot => "hot",
        }
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Workload {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let all = Self::ALL.map(Self::name).join(", ");
        Self::ALL
            .into_iter()
            .find(|it| it.name() == name)
            .ok_or(format!("no workload {name:?}: one of {all}"))
    }
}

impl FromStr for Pattern {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let all = Self::ALL.map(Self::name).join(", ");
        Self::ALL.into_iter().find(|it| it.name() == name).ok_or(format!("no pattern {name:?}: one of {all}"))
    }
}

/// What a guest is to run. Two guests of the same spec have the same result after as many steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// The workload.
    pub workload: Workload,
    /// Bytes of VRAM of the VF: whole pages.
    pub vram_bytes: u64,
    /// What the inputs are drawn from.
    pub seed: u64,
    /// Pages a second the writer writes; 0 = as fast as it goes.
    pub dirty_rate: u64,
    /// Which pages the writer writes.
    pub pattern: Pattern,
    /// Bytes of the image that is uploaded besides; 0 = none.
    pub image_bytes: u64,
}

/// How a guest uses its VF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Footprint {
    /// What runs: `idle` where the image leaves no room for the workload asked for.
    pub workload: Workload,
    /// Bytes the workload uses, from the start of VRAM.
    pub work_bytes: u64,
    /// Where the image lies.
    pub image_at: u64,
    /// Bytes the image takes: its size, rounded up to a multiple of 8 with zeros.
    pub image_bytes: u64,
}

/// A workload and the place of its image.
pub(crate) struct Layout {
    pub(crate) work: Box<dyn Work>,
    pub(crate) image: Range,
}

impl Spec {
    /// A workload in a VF of so many bytes: seed 0, unlimited sequential writes, no image.
    pub const fn new(workload: Workload, vram_bytes: u64) -> Self {
        Self { workload, vram_bytes, seed: 0, dirty_rate: 0, pattern: Pattern::Sequential, image_bytes: 0 }
    }

    /// How it would use the VF, or why it does not fit. The workload shrinks to what the image leaves.
    pub fn fits(&self) -> Result<Footprint, String> {
        let Layout { work, image } = self.layout()?;
        Ok(Footprint {
            workload: work.workload(),
            work_bytes: work.extent(),
            image_at: image.at,
            image_bytes: image.bytes,
        })
    }

    /// A guest that has not run yet. `image` has [`Spec::image_bytes`] bytes.
    pub fn build(self, image: Option<Vec<u8>>) -> Result<Box<dyn Guest>, String> {
        let layout = self.layout()?;
        let image = image.unwrap_or_default();
        if image.len() as u64 != self.image_bytes {
            return Err(format!("the image has {} bytes, {} were announced", image.len(), self.image_bytes));
        }
        Ok(Box::new(VfGuest::new(self, layout, State { image, ..State::default() })))
    }

    pub(crate) fn layout(&self) -> Result<Layout, String> {
        let vram = self.vram_bytes;
        if vram == 0 || !vram.is_multiple_of(PAGE_SIZE) || vram > VRAM_MAX {
            return Err(format!(
                "a VF cannot have {vram} bytes of VRAM: whole pages, at most {VRAM_MAX} bytes"
            ));
        }
        if self.image_bytes > vram {
            let image = self.image_bytes;
            return Err(format!("the image has {image} bytes, the VF only {vram}: it does not fit"));
        }
        let bytes = self.image_bytes.next_multiple_of(8);
        let at = (vram - bytes) & !(PAGE_SIZE - 1);
        Ok(Layout { work: workload::plan(self, at), image: Range { at, bytes } })
    }
}
