//! QueryAdapterInfo, asked with buffers of exactly the size of the answer.

use wddm::{DXGK_QUERYADAPTERINFOTYPE as Type, DXGKARG_QUERYADAPTERINFO, NTSTATUS, PVOID, Zeroed};

use super::Core;
use crate::contract::{Guarded, GuardedBytes, calls};

impl Core {
    /// Asks for a `T`, with nothing to go in.
    pub(crate) fn ask<T: Zeroed>(&self, kind: Type) -> Result<T, NTSTATUS> {
        self.ask_about::<(), T>(kind, None)
    }

    /// Asks for a `T` about `input`.
    pub(crate) fn ask_about<I, T: Zeroed>(&self, kind: Type, input: Option<&mut I>) -> Result<T, NTSTATUS> {
        self.ask_into(kind, input, T::ZERO)
    }

    /// Asks with an output that already holds something.
    pub(crate) fn ask_into<I, T>(&self, kind: Type, input: Option<&mut I>, output: T) -> Result<T, NTSTATUS> {
        let mut output = Guarded::new(output);
        let mut args = arguments(kind, input);
        args.pOutputData = (&raw mut output.value).cast();
        args.OutputDataSize = size_of::<T>() as u32;
        let status = self.query_adapter_info(&args);
        let output = output.checked(&self.contract, calls::QUERY_ADAPTER_INFO.name);
        if status.is_success() { Ok(output) } else { Err(status) }
    }

    /// Asks with an output of any size; only the canary and the status are looked at.
    pub(crate) fn probe(&self, kind: Type, bytes: usize) -> NTSTATUS {
        let mut output = GuardedBytes::zeroed(bytes);
        let mut args = arguments::<()>(kind, None);
        args.pOutputData = output.as_mut_ptr();
        args.OutputDataSize = bytes as u32;
        let status = self.query_adapter_info(&args);
        output.check(&self.contract, calls::QUERY_ADAPTER_INFO.name);
        status
    }
}

fn arguments<I>(kind: Type, input: Option<&mut I>) -> DXGKARG_QUERYADAPTERINFO {
    let mut args = DXGKARG_QUERYADAPTERINFO::zeroed();
    args.Type = kind;
    if let Some(input) = input {
        args.pInputData = core::ptr::from_mut(input).cast::<core::ffi::c_void>() as PVOID;
        args.InputDataSize = size_of::<I>() as u32;
    }
    args
}
