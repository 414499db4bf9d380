//! A simulated Dxgkrnl with VidMm, a VM worker and the agents of a Hyper-V live migration.
//!
//! It drives any display miniport driver through DRIVER_INITIALIZATION_DATA and the interfaces of
//! QueryInterface, and through nothing else. It knows no driver: what runs in a VM comes as a [`guest::Guest`].

#![cfg_attr(not(any(test, feature = "std")), no_std)]

extern crate alloc;

pub mod guest;
pub mod host;
