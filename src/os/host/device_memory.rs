//! Memory of a device: of a PCI device that the process has opened, or memory of its own that stands for one.

use core::ptr::NonNull;

/// Memory of a device, mapped until this is dropped.
pub(crate) struct DeviceMemory {
    base: NonNull<u8>,
    #[cfg(unix)]
    _pci: Option<super::pci::Mapping>,
}

#[expect(unsafe_code, reason = "the address of memory that all threads share")]
// SAFETY: the memory is shared by all threads of the process.
unsafe impl Send for DeviceMemory {}
#[expect(unsafe_code, reason = "the address of memory that all threads share")]
// SAFETY: as above; nothing here changes.
unsafe impl Sync for DeviceMemory {}

impl DeviceMemory {
    /// Reaches `bytes` at a physical address: those of an opened BAR are mapped, any other address is a virtual one.
    ///
    /// # Safety
    /// An address in no opened BAR is mapped, and nothing else is done with the bytes while this value lives.
    #[expect(unsafe_code, reason = "the address is the caller's promise")]
    pub(crate) unsafe fn map(physical: u64, bytes: usize) -> Option<Self> {
        #[cfg(unix)]
        if let Some(mapped) = super::pci::map(physical, bytes) {
            let mapping = mapped.ok()?;
            return Some(Self { base: mapping.base()?, _pci: Some(mapping) });
        }
        let _ = bytes;
        let base = core::ptr::with_exposed_provenance_mut(usize::try_from(physical).ok()?);
        Some(Self {
            base: NonNull::new(base)?,
            #[cfg(unix)]
            _pci: None,
        })
    }

    /// First byte of the mapping.
    pub(crate) fn base(&self) -> NonNull<u8> {
        self.base
    }
}
