//! The feature interface, and command buffers for tests without a user-mode driver.
//!
//! UNSAFETY: it is the other side of the DDI.
#![expect(unsafe_code)]

mod support;

use support::TestAdapter;
use support::paging::{COPY, DMA_VA, LOCAL_VA, PAGE, Paging, SYSTEM_VA};
use wddm::DXGK_FEATURE_ID as Feature;
use wddm::DXGK_INTERRUPT_TYPE as Interrupt;
use wddm::*;

const TESTING: Feature = Feature::DXGK_FEATURE_KERNEL_MODE_TESTING;
/// The node that computes.
const COMPUTE: u32 = 0;

fn features(adapter: &TestAdapter) -> DXGKDDI_FEATURE_INTERFACE {
    adapter.interface(&GUID_WDDM_INTERFACE_FEATURE, 1, size_of::<DXGKDDI_FEATURE_INTERFACE>()).unwrap()
}

fn support_of(
    interface: &DXGKDDI_FEATURE_INTERFACE,
    feature: Feature,
) -> (NTSTATUS, DXGKARG_QUERYFEATURESUPPORT) {
    let mut args = DXGKARG_QUERYFEATURESUPPORT::zeroed();
    args.FeatureId = feature;
    (args.MinSupportedVersion, args.MaxSupportedVersion, args.SupportedByDriver) = (7, 7, 7);
    // SAFETY: the driver's function and context, live arguments.
    let status = unsafe { interface.QueryFeatureSupport.unwrap()(interface.Context, &mut args) };
    (status, args)
}

/// Asks for a feature's functions with `room` bytes of 0xC5; what came back, and the bytes that count.
fn functions_of(
    interface: &DXGKDDI_FEATURE_INTERFACE,
    feature: Feature,
    version: u16,
    room: u16,
) -> (NTSTATUS, Vec<u8>, u16) {
    let mut words = [0xC5C5_C5C5_C5C5_C5C5u64; 8];
    let mut args = DXGKARG_QUERYFEATUREINTERFACE::zeroed();
    (args.FeatureId, args.Version, args.InterfaceSize) = (feature, version, room);
    args.Interface = words.as_mut_ptr().cast();
    // SAFETY: the driver's function and context, live arguments, and room for more than is said.
    let status = unsafe { interface.QueryFeatureInterface.unwrap()(interface.Context, &mut args) };
    (status, words.iter().flat_map(|word| word.to_le_bytes()).collect(), args.InterfaceSize)
}

#[test]
fn features_are_known_before_the_adapter_starts() {
    let adapter = TestAdapter::add(&[]);
    let interface = features(&adapter);
    assert_eq!((interface.Size, interface.Version), (48, 1));
    let (status, it) = support_of(&interface, TESTING);
    assert_eq!(status, STATUS_SUCCESS);
    assert_eq!((it.MinSupportedVersion, it.MaxSupportedVersion), (1, 1));
    assert_eq!((it.SupportedByDriver, it.SupportedOnCurrentConfig), (TRUE, TRUE));
    let (status, it) = support_of(&interface, Feature::DXGK_FEATURE_HWSCH);
    assert_eq!(status, STATUS_SUCCESS);
    assert_eq!((it.MinSupportedVersion, it.MaxSupportedVersion, it.SupportedByDriver), (0, 0, FALSE));
    for unknown in [6, 30, 38, 0x1000_0000, -1] {
        let (status, it) = support_of(&interface, DXGK_FEATURE_ID(unknown));
        assert_eq!((status, it.SupportedByDriver), (STATUS_INVALID_PARAMETER, 7), "{unknown:#x}");
    }
    let refused = |version, size| {
        adapter
            .interface::<DXGKDDI_FEATURE_INTERFACE>(&GUID_WDDM_INTERFACE_FEATURE, version, size)
            .unwrap_err()
    };
    assert_eq!(refused(2, 48), STATUS_NOT_SUPPORTED);
    assert_eq!(refused(1, 47), STATUS_BUFFER_TOO_SMALL);
}

#[test]
fn a_features_functions_fill_the_room_and_no_more() {
    let adapter = TestAdapter::add(&[]);
    let interface = features(&adapter);
    let canary = |bytes: &[u8]| bytes.iter().all(|byte| *byte == 0xC5);
    for (feature, version, room, expected) in [
        (TESTING, 1, 7, STATUS_BUFFER_TOO_SMALL),
        (TESTING, 1, 0, STATUS_BUFFER_TOO_SMALL),
        (TESTING, 0, 8, STATUS_UNSUCCESSFUL),
        (TESTING, 2, 8, STATUS_UNSUCCESSFUL),
        (Feature::DXGK_FEATURE_NATIVE_FENCE, 1, 64, STATUS_UNSUCCESSFUL),
        (DXGK_FEATURE_ID(38), 1, 64, STATUS_INVALID_PARAMETER),
    ] {
        let (status, bytes, size) = functions_of(&interface, feature, version, room);
        assert_eq!((status, size), (expected, 0), "{feature:?} {version} {room}");
        assert!(canary(&bytes), "{feature:?} {version} {room}");
    }
    for room in [8, 9, 40] {
        let (status, bytes, size) = functions_of(&interface, TESTING, 1, room);
        assert_eq!((status, size), (STATUS_SUCCESS, 8));
        assert!(bytes[..8] != [0; 8] && bytes[..8] != [0xC5; 8]);
        let room = usize::from(room);
        assert!(bytes[8..room].iter().all(|byte| *byte == 0) && canary(&bytes[room..]), "{room}");
    }
}

#[test]
fn every_node_says_that_it_runs_test_buffers() {
    let adapter = TestAdapter::start(&[("VramBytes", 64 << 20)]);
    for node in 0..2 {
        let mut data = DXGKARG_GETNODEMETADATA::zeroed();
        // SAFETY: live arguments.
        let status =
            unsafe { adapter.table.DxgkDdiGetNodeMetadata.unwrap()(adapter.context, node, &mut data) };
        assert_eq!(status, STATUS_SUCCESS);
        assert!({ data.Flags }.contains(DXGK_NODEMETADATA_FLAGS::SupportBuildTestCommandBuffer));
    }
}

/// A process with a test context on a node, and pfnBuildTestCommandBuffer.
struct Bench<'a> {
    paging: Paging<'a>,
    build: DXGKDDI_BUILDTESTCOMMANDBUFFER,
}

impl<'a> Bench<'a> {
    fn new(adapter: &'a TestAdapter, node: u32) -> Self {
        Self::of(adapter, node, DXGK_CREATECONTEXTFLAGS::TestContext)
    }

    fn of(adapter: &'a TestAdapter, node: u32, flags: DXGK_CREATECONTEXTFLAGS) -> Self {
        let paging = Paging::of(adapter, DXGK_CREATEPROCESSFLAGS::empty(), node, flags);
        let (status, bytes, _) = functions_of(&features(adapter), TESTING, 1, 8);
        assert_eq!(status, STATUS_SUCCESS);
        // SAFETY: the interface is one function pointer, filled in.
        let interface =
            unsafe { bytes.as_ptr().cast::<DXGKDDI_KERNELMODETESTINGINTERFACE>().read_unaligned() };
        Self { paging, build: interface.pfnBuildTestCommandBuffer.unwrap() }
    }

    fn args(&self, command: D3DDDI_TESTCOMMANDBUFFER) -> DXGKARG_BUILDTESTCOMMANDBUFFER {
        let mut args = DXGKARG_BUILDTESTCOMMANDBUFFER::zeroed();
        (args.hContext, args.Command) = (self.paging.context, command);
        args
    }

    fn call(&self, args: &mut DXGKARG_BUILDTESTCOMMANDBUFFER) -> NTSTATUS {
        // SAFETY: the driver's function and context; the arguments and their buffer live.
        unsafe { (self.build)(self.paging.adapter.context, args) }
    }

    /// Builds a command into the DMA buffer in two calls; its bytes.
    fn built(&mut self, command: D3DDDI_TESTCOMMANDBUFFER) -> u32 {
        let mut args = self.args(command);
        assert_eq!(self.call(&mut args), STATUS_BUFFER_OVERFLOW);
        assert!((1..=4096).contains(&args.DmaBufferSize) && args.DmaBufferPrivateDataSize <= 1024);
        let needed = args.DmaBufferSize;
        self.paging.dma.bytes()[..needed as usize + 8].fill(0xEE);
        args.pDmaBuffer = self.paging.dma.bytes().as_mut_ptr().cast();
        args.DmaBufferSize = needed - 1;
        assert_eq!((self.call(&mut args), args.DmaBufferSize), (STATUS_BUFFER_OVERFLOW, needed));
        assert!(self.paging.dma.bytes()[..needed as usize].iter().all(|byte| *byte == 0xEE), "too early");
        assert_eq!((self.call(&mut args), args.DmaBufferSize), (STATUS_SUCCESS, needed));
        assert_eq!(self.paging.dma.bytes()[needed as usize..][..8], [0xEE; 8], "too much");
        needed
    }

    /// Builds a command and runs it to its end.
    fn run(&mut self, command: D3DDDI_TESTCOMMANDBUFFER) {
        let bytes = self.built(command);
        self.paging.submit(bytes);
        self.paging.wait();
    }

    fn ends_as(&self, kind: Interrupt) {
        self.paging.adapter.reports.wait(kind, self.paging.fence, self.paging.node);
    }
}

fn command(operation: D3DDDI_TESTCOMMANDBUFFEROP) -> D3DDDI_TESTCOMMANDBUFFER {
    let mut command = D3DDDI_TESTCOMMANDBUFFER::zeroed();
    command.Operation = operation;
    command
}

fn fill(to: u64, bytes: u32, pattern: u32) -> D3DDDI_TESTCOMMANDBUFFER {
    let mut command = command(D3DDDI_TESTCOMMANDBUFFEROP::D3DDDI_TESTCOMMANDBUFFEROP_FILL);
    command.u.Fill = D3DDDI_TESTCOMMANDBUFFER_FILL { DstAddress: to, NumBytes: bytes, Pattern: pattern };
    command
}

fn copy(from: u64, to: u64, bytes: u32) -> D3DDDI_TESTCOMMANDBUFFER {
    let mut command = command(D3DDDI_TESTCOMMANDBUFFEROP::D3DDDI_TESTCOMMANDBUFFEROP_COPY);
    command.u.Copy = D3DDDI_TESTCOMMANDBUFFER_COPY { SrcAddress: from, DstAddress: to, NumBytes: bytes };
    command
}

#[test]
fn test_buffers_fill_and_copy_on_every_node() {
    let adapter = TestAdapter::start(&[("VramBytes", 64 << 20)]);
    for node in [COMPUTE, COPY] {
        let mut bench = Bench::new(&adapter, node);
        // Four bytes off a word, over the end of a page, to the byte.
        bench.run(fill(LOCAL_VA + PAGE - 12, 20, 0xD4C3_B2A1));
        bench.run(copy(LOCAL_VA + PAGE - 20, SYSTEM_VA + 100, 36));
        let mut expected = [0u8; 36];
        expected[8..28].chunks_mut(4).for_each(|word| word.copy_from_slice(&0xD4C3_B2A1u32.to_le_bytes()));
        assert_eq!(bench.paging.memory.bytes()[100..136], expected);
        assert!(bench.paging.memory.bytes()[..100].iter().all(|byte| *byte == 0));
        bench.run(fill(LOCAL_VA + PAGE - 20, 36, 0));
        bench.run(fill(LOCAL_VA, 0, 1));
    }
}

#[test]
fn what_is_no_test_command_is_refused() {
    let adapter = TestAdapter::start(&[("VramBytes", 64 << 20)]);
    let bench = Bench::new(&adapter, COPY);
    let operations = [-1, 0, 5, 77].map(|number| command(D3DDDI_TESTCOMMANDBUFFEROP(number)));
    let ranges = [
        fill(LOCAL_VA, 6, 1),
        fill(u64::MAX - 3, 8, 1),
        copy(SYSTEM_VA, LOCAL_VA, 3),
        copy(u64::MAX - 3, LOCAL_VA, 8),
        copy(LOCAL_VA, u64::MAX - 3, 8),
    ];
    for command in operations.into_iter().chain(ranges) {
        let mut args = bench.args(command);
        assert_eq!(bench.call(&mut args), STATUS_INVALID_PARAMETER, "{:?}", command.Operation);
        assert_eq!(args.DmaBufferSize, 0);
    }
    let mut args = bench.args(fill(LOCAL_VA, 8, 1));
    args.Flags = D3DDDI_BUILDTESTCOMMANDBUFFERFLAGS::HardwareQueue;
    assert_eq!(bench.call(&mut args), STATUS_NOT_SUPPORTED, "there are no hardware queues");
    args.Flags = D3DDDI_BUILDTESTCOMMANDBUFFERFLAGS::from_bits_retain(2);
    assert_eq!(bench.call(&mut args), STATUS_INVALID_PARAMETER);
    let mut args = bench.args(fill(LOCAL_VA, 8, 1));
    args.hContext = std::ptr::without_provenance_mut(0x1234_5678_9ABC);
    assert_eq!(bench.call(&mut args), STATUS_INVALID_HANDLE);
    // SAFETY: a null argument is refused before it is followed.
    let status = unsafe { (bench.build)(adapter.context, std::ptr::null_mut()) };
    assert_eq!(status, STATUS_INVALID_PARAMETER);
    let waiting = TestAdapter::add(&[]);
    // SAFETY: live arguments; the adapter is not started.
    let status = unsafe { (bench.build)(waiting.context, &mut bench.args(fill(LOCAL_VA, 8, 1))) };
    assert_eq!(status, STATUS_INVALID_DEVICE_STATE);
}

/// A store of the kernel's: opcode 5.
fn privileged() -> Vec<u8> {
    [5u64 | 24 << 32, SYSTEM_VA, 0x77].iter().flat_map(|word| word.to_le_bytes()).collect()
}

#[test]
fn an_altered_buffer_faults_and_harms_nobody() {
    // An adapter each: what was reported is found by its fence.
    let start = || TestAdapter::start(&[("VramBytes", 64 << 20)]);
    let plain = DXGK_CREATECONTEXTFLAGS::empty();
    for flags in [DXGK_CREATECONTEXTFLAGS::TestContext, plain] {
        let adapter = start();
        let mut bench = Bench::of(&adapter, COPY, flags);
        let write = |bench: &mut Bench<'_>, bytes: &[u8]| {
            bench.paging.dma.bytes()[..bytes.len()].copy_from_slice(bytes);
            bench.paging.submit(bytes.len() as u32);
        };
        write(&mut bench, &privileged());
        bench.ends_as(Interrupt::DXGK_INTERRUPT_DMA_PAGE_FAULTED);
        write(&mut bench, &[0xFF; 32]);
        bench.ends_as(Interrupt::DXGK_INTERRUPT_DMA_PAGE_FAULTED);
        let bytes = bench.built(fill(LOCAL_VA, 64, 9)) as usize;
        // Its destination is where the process has nothing.
        bench.paging.dma.bytes()[8..16].copy_from_slice(&0x1F_0000u64.to_le_bytes());
        bench.paging.submit(bytes as u32);
        bench.ends_as(Interrupt::DXGK_INTERRUPT_DMA_PAGE_FAULTED);
        assert_eq!(bench.paging.memory.bytes()[..8], [0; 8]);
        bench.run(fill(SYSTEM_VA, 8, 0x0101_0101));
        assert_eq!(bench.paging.memory.bytes()[..8], [1; 8]);
    }
    // The kernel's own context runs the same, and so does paging on a process's, unless it is a test's.
    let adapter = start();
    let mut paging = Paging::new(&adapter);
    paging.dma.bytes()[..24].copy_from_slice(&privileged());
    paging.submit(24);
    paging.wait();
    assert_eq!(paging.memory.bytes()[..8], 0x77u64.to_le_bytes());
    for (flags, kind) in [
        (plain, Interrupt::DXGK_INTERRUPT_DMA_COMPLETED),
        (DXGK_CREATECONTEXTFLAGS::TestContext, Interrupt::DXGK_INTERRUPT_DMA_PAGE_FAULTED),
        (
            DXGK_CREATECONTEXTFLAGS::TestContext | DXGK_CREATECONTEXTFLAGS::SystemContext,
            Interrupt::DXGK_INTERRUPT_DMA_PAGE_FAULTED,
        ),
    ] {
        let adapter = start();
        let mut bench = Bench::of(&adapter, COPY, flags);
        bench.paging.dma.bytes()[..24].copy_from_slice(&privileged());
        bench.paging.submit_with(24, DXGK_SUBMITCOMMANDFLAGS::Paging);
        bench.ends_as(kind);
    }
}

#[test]
fn loops_end_as_they_promise() {
    type Operation = D3DDDI_TESTCOMMANDBUFFEROP;
    let adapter = TestAdapter::start(&[("VramBytes", 64 << 20)]);
    let mut bench = Bench::new(&adapter, COMPUTE);
    let bytes = bench.built(command(Operation::D3DDDI_TESTCOMMANDBUFFEROP_INFINITE_PREEMPTABLE_LOOP));
    bench.paging.submit(bytes);
    let mut preempt = DXGKARG_PREEMPTCOMMAND::zeroed();
    (preempt.NodeOrdinal, preempt.PreemptionFenceId) = (COMPUTE, 900);
    // SAFETY: live arguments.
    let status = unsafe { adapter.table.DxgkDdiPreemptCommand.unwrap()(adapter.context, &preempt) };
    assert_eq!(status, STATUS_SUCCESS);
    adapter.reports.wait(Interrupt::DXGK_INTERRUPT_DMA_PREEMPTED, 900, COMPUTE);
    bench.run(fill(LOCAL_VA, 8, 1));

    let bytes = bench.built(command(Operation::D3DDDI_TESTCOMMANDBUFFEROP_INFINITE_LOOP));
    bench.paging.submit(bytes);
    let responsive = || {
        let mut status = DXGKARG_QUERYENGINESTATUS::zeroed();
        status.NodeOrdinal = COMPUTE;
        // SAFETY: live arguments.
        let asked = unsafe { adapter.table.DxgkDdiQueryEngineStatus.unwrap()(adapter.context, &mut status) };
        assert_eq!(asked, STATUS_SUCCESS);
        status.EngineStatus.contains(DXGK_ENGINESTATUS::Responsive)
    };
    support::wait_until("it hangs", || !responsive());
    let mut reset = DXGKARG_RESETENGINE::zeroed();
    reset.NodeOrdinal = COMPUTE;
    // SAFETY: live arguments.
    let status = unsafe { adapter.table.DxgkDdiResetEngine.unwrap()(adapter.context, &mut reset) };
    assert_eq!((status, reset.LastAbortedFenceId), (STATUS_SUCCESS, bench.paging.fence));
    bench.run(fill(LOCAL_VA, 8, 2));
}

#[test]
fn a_command_that_was_cancelled_owes_nothing_and_the_others_are_done() {
    let adapter = TestAdapter::start(&[("VramBytes", 64 << 20)]);
    let caps: DXGK_DRIVERCAPS = adapter.query(DXGK_QUERYADAPTERINFOTYPE::DXGKQAITYPE_DRIVERCAPS, &[]);
    assert!(caps.SchedulingCaps.contains(DXGK_VIDSCHCAPS::CancelCommandAware));
    let mut bench = Bench::new(&adapter, COPY);
    let bytes = bench.built(fill(LOCAL_VA, PAGE as u32, 3));
    let mut args = DXGKARG_CANCELCOMMAND::zeroed();
    (args.DmaBufferVirtualAddress, args.DmaBufferSize) = (DMA_VA, bytes);
    for context in [bench.paging.context, std::ptr::null_mut()] {
        args.hContext = context;
        // SAFETY: live arguments.
        let status = unsafe { adapter.table.DxgkDdiCancelCommand.unwrap()(adapter.context, &args) };
        assert_eq!(status, STATUS_SUCCESS);
    }
    assert_eq!(adapter.reports.interrupts(), []);
    bench.paging.submit(bytes);
    bench.paging.wait();
    assert_eq!(adapter.reports.interrupts().len(), 1);
}
