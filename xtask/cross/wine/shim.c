/* Kernel functions that Wine's ntoskrnl lacks or only stubs, in terms of those it has.
   Stands in front of the second link only: the packaged driver imports the real ones.
   What this file calls and the driver may not import is listed in shim.def.

   Wine's kernel is a user process: physical addresses are virtual ones here, threads are taken away from the
   processor at any level, and the level is a number kept for checks. Every image has a copy of this file's data;
   only the level is the thread's. */
#include <ntifs.h>

/* Defines a function under its kernel name, whatever the headers say of it (inline, other type). */
#define KERNEL(type, name, arguments) \
    type NTAPI shim_##name arguments __asm__(#name); \
    type NTAPI shim_##name arguments
#define KERNEL_FAST(type, name, arguments) \
    type __fastcall shim_##name arguments __asm__(#name); \
    type __fastcall shim_##name arguments


#define PAGE 4096ull
#define THIS_PROCESS ((HANDLE)(LONG_PTR)-1)

/* What the image has allocated and not freed: exported, for whoever unloads it. */
struct count {
    volatile LONG64 blocks, bytes;
};
__declspec(dllexport) struct count ShimPool;

static void stop(const char *why, ULONG_PTR a, ULONG_PTR b)
{
    DbgPrint("shim: %s (%p, %p)\n", why, (void *)a, (void *)b);
    ZwTerminateProcess(THIS_PROCESS, STATUS_ASSERTION_FAILURE);
    for (;;)
        ;
}

/* ---- The interrupt request level, and the image that has raised it: of the thread, in the last of its TLS slots,
   which nothing in Wine's kernel process uses. TEB.TlsSlots is at 0x1480 on x64; gs:0x30 holds the TEB's address.
   An image answers for its own levels only: a Dxgkrnl that the driver calls at a device's level is the kernel. */

static ULONG_PTR *slot(int number)
{
    char *teb;
    __asm__("movq %%gs:0x30, %0" : "=r"(teb));
    return (ULONG_PTR *)(teb + 0x1480) + number;
}

static ULONG_PTR *level(void)
{
    return slot(63);
}

static void raise(KIRQL irql)
{
    if (*level() <= APC_LEVEL)
        *slot(62) = (ULONG_PTR)&ShimPool;
    if (*level() < irql)
        *level() = irql;
}

static void must_be_at_most(KIRQL most, const char *function)
{
    if (*level() > most && *slot(62) == (ULONG_PTR)&ShimPool)
        stop(function, *level(), most);
}

KERNEL(KIRQL, KeGetCurrentIrql, (void))
{
    return (KIRQL)*level();
}

KERNEL_FAST(KIRQL, KfRaiseIrql, (KIRQL irql))
{
    KIRQL before = (KIRQL)*level();
    if (irql < before)
        stop("KfRaiseIrql lowers", irql, before);
    raise(irql);
    return before;
}

KERNEL(void, KeLowerIrql, (KIRQL irql))
{
    if (irql > *level())
        stop("KeLowerIrql raises", irql, *level());
    *level() = irql;
}

/* ---- Locks. A waiter sleeps after a while: the holder may have lost the processor. */

static void take(volatile ULONG_PTR *word)
{
    for (unsigned tries = 0; InterlockedCompareExchangePointer((void *volatile *)word, (void *)1, NULL); tries++) {
        LARGE_INTEGER tick = {.QuadPart = -10000};
        if (tries < 64)
            YieldProcessor();
        else if (tries < 4096)
            ZwYieldExecution();
        else
            KeDelayExecutionThread(KernelMode, FALSE, &tick);
    }
}

static void leave(volatile ULONG_PTR *word)
{
    if (!InterlockedExchangePointer((void *volatile *)word, NULL))
        stop("a lock that is free is given back", (ULONG_PTR)word, 0);
}

KERNEL(KIRQL, KeAcquireSpinLockRaiseToDpc, (PKSPIN_LOCK lock))
{
    KIRQL before = (KIRQL)*level();
    must_be_at_most(DISPATCH_LEVEL, "KeAcquireSpinLockRaiseToDpc above DISPATCH_LEVEL");
    take((volatile ULONG_PTR *)lock);
    raise(DISPATCH_LEVEL);
    return before;
}

KERNEL(void, KeReleaseSpinLock, (PKSPIN_LOCK lock, KIRQL irql))
{
    if (*level() < DISPATCH_LEVEL || irql > *level())
        stop("KeReleaseSpinLock not at DISPATCH_LEVEL", *level(), irql);
    leave((volatile ULONG_PTR *)lock);
    *level() = irql;
}

KERNEL(void, ExInitializePushLock, (ULONG_PTR *lock))
{
    *lock = 0;
}

KERNEL(void, ExAcquirePushLockExclusiveEx, (ULONG_PTR *lock, ULONG flags))
{
    must_be_at_most(APC_LEVEL, "a push lock above APC_LEVEL");
    take(lock);
}

KERNEL(void, ExReleasePushLockExclusiveEx, (ULONG_PTR *lock, ULONG flags))
{
    leave(lock);
}

/* ---- Pool. A block lies behind a header, and its end behind a mark; from a page on it begins on one. */

struct header {
    ULONG64 magic, bytes;
    void *room;
    ULONG tag, whole_pages;
};
#define MAGIC 0x6C6F6F706D696873ull
#define MARK 0xE5
#define MARKS 16ull
#define TAGS 16

static struct {
    volatile LONG tag;
    struct count count;
} by_tag[TAGS];

static void add(struct count *count, LONG64 blocks, LONG64 bytes)
{
    InterlockedExchangeAdd64(&count->blocks, blocks);
    InterlockedExchangeAdd64(&count->bytes, bytes);
}

static void account(ULONG tag, LONG64 blocks, LONG64 bytes)
{
    add(&ShimPool, blocks, bytes);
    for (unsigned i = 0; i < TAGS; i++) {
        LONG known = InterlockedCompareExchange(&by_tag[i].tag, (LONG)tag, 0);
        if (known == 0 || known == (LONG)tag) {
            add(&by_tag[i].count, blocks, bytes);
            return;
        }
    }
}

/* Prints what is left under each tag, and answers how many blocks that is: exported, for whoever unloads the image. */
__declspec(dllexport) ULONG64 NTAPI ShimPoolReport(void)
{
    for (unsigned i = 0; i < TAGS && by_tag[i].tag; i++)
        DbgPrint("shim: pool %.4s: %I64u blocks, %I64u bytes\n", (char *)&by_tag[i].tag,
                 by_tag[i].count.blocks, by_tag[i].count.bytes);
    return ShimPool.blocks;
}

/* The heap of the process, which is where Wine's pool comes from too: PEB.ProcessHeap. */
static void *heap(void)
{
    char *peb;
    __asm__("movq %%gs:0x60, %0" : "=r"(peb));
    return *(void **)(peb + 0x30);
}

static void *allocate(SIZE_T bytes, ULONG tag)
{
    SIZE_T front = bytes >= PAGE ? PAGE : sizeof(struct header), size = front + bytes + MARKS;
    char *room = NULL, *block;
    if (bytes + 2 * PAGE < bytes)
        return NULL;
    if (bytes >= PAGE) {
        if (ZwAllocateVirtualMemory(THIS_PROCESS, (void **)&room, 0, &size, MEM_COMMIT, PAGE_READWRITE))
            return NULL;
    } else {
        room = RtlAllocateHeap(heap(), HEAP_ZERO_MEMORY, size);
        if (!room)
            return NULL;
    }
    block = room + front;
    ((struct header *)block)[-1] = (struct header){MAGIC, bytes, room, tag, bytes >= PAGE};
    __builtin_memset(block + bytes, MARK, MARKS);
    account(tag, 1, bytes);
    return block;
}

static void release(char *block, ULONG tag, const char *function)
{
    struct header *header = (struct header *)block - 1;
    void *room;
    SIZE_T size = 0;
    if (!block || header->magic != MAGIC)
        stop("this is no block of the pool", (ULONG_PTR)block, (ULONG_PTR)function);
    if (tag && tag != header->tag)
        stop("a block is freed under another tag", tag, header->tag);
    for (SIZE_T i = 0; i < MARKS; i++)
        if ((UCHAR)block[header->bytes + i] != MARK)
            stop("something was written behind the end of a block", (ULONG_PTR)block, header->bytes);
    account(header->tag, -1, -(LONG64)header->bytes);
    header->magic = 0;
    room = header->room;
    if (header->whole_pages)
        ZwFreeVirtualMemory(THIS_PROCESS, &room, &size, MEM_RELEASE);
    else
        RtlFreeHeap(heap(), 0, room);
}

KERNEL(PVOID, ExAllocatePool2, (ULONG64 flags, SIZE_T bytes, ULONG tag))
{
    must_be_at_most(DISPATCH_LEVEL, "ExAllocatePool2 above DISPATCH_LEVEL");
    return bytes && tag ? allocate(bytes, tag) : NULL;
}

KERNEL(void, ExFreePoolWithTag, (PVOID block, ULONG tag))
{
    must_be_at_most(DISPATCH_LEVEL, "ExFreePoolWithTag above DISPATCH_LEVEL");
    release(block, tag, "ExFreePoolWithTag");
}

KERNEL(void, ExFreePool, (PVOID block))
{
    must_be_at_most(DISPATCH_LEVEL, "ExFreePool above DISPATCH_LEVEL");
    release(block, 0, "ExFreePool");
}

/* ---- Memory by physical address, which is the virtual one. */

KERNEL(PVOID, MmAllocateContiguousNodeMemory, (SIZE_T bytes, PHYSICAL_ADDRESS lowest, PHYSICAL_ADDRESS highest,
                                               PHYSICAL_ADDRESS boundary, ULONG protect, ULONG node))
{
    /* Not zeroed by the kernel, so not here. */
    char *block = allocate(bytes < PAGE ? PAGE : bytes, 'gtnC');
    if (block)
        __builtin_memset(block, 0xCC, bytes);
    return block;
}

KERNEL(void, MmFreeContiguousMemory, (PVOID block))
{
    release(block, 'gtnC', "MmFreeContiguousMemory");
}

/* Wine's own has four bytes for a frame number where Windows has eight. */
KERNEL(PMDL, IoAllocateMdl, (PVOID address, ULONG bytes, BOOLEAN secondary, BOOLEAN quota, PIRP irp))
{
    ULONG offset = (ULONG_PTR)address % PAGE;
    SIZE_T pages = ((SIZE_T)offset + bytes + PAGE - 1) / PAGE, size = sizeof(MDL) + pages * sizeof(ULONG_PTR);
    PMDL mdl = irp ? NULL : allocate(size, 'gtlM');
    if (mdl)
        *mdl = (MDL){.Size = (CSHORT)size, .StartVa = (char *)address - offset, .ByteCount = bytes, .ByteOffset = offset};
    return mdl;
}

KERNEL(void, IoFreeMdl, (PMDL mdl))
{
    release((char *)mdl, 'gtlM', "IoFreeMdl");
}

KERNEL(void, MmBuildMdlForNonPagedPool, (PMDL mdl))
{
    ULONG_PTR *frames = (ULONG_PTR *)(mdl + 1), first = (ULONG_PTR)mdl->StartVa / PAGE;
    SIZE_T pages = (mdl->ByteOffset + mdl->ByteCount + PAGE - 1) / PAGE;
    for (SIZE_T i = 0; i < pages; i++)
        frames[i] = first + i;
    mdl->MdlFlags |= MDL_SOURCE_IS_NONPAGED_POOL;
    mdl->MappedSystemVa = (char *)mdl->StartVa + mdl->ByteOffset;
}

/* Reserved addresses: blocks that know their size and tag, and which list is mapped through them. Here the page itself
   is seen, so nothing is ever at the reserved address. */

static struct reserved {
    struct reserved *next;
    SIZE_T bytes;
    ULONG tag;
    PMDL mapped;
} *all_reserved;

KERNEL(PVOID, MmAllocateMappingAddress, (SIZE_T bytes, ULONG tag))
{
    must_be_at_most(APC_LEVEL, "MmAllocateMappingAddress above APC_LEVEL");
    struct reserved *reserved = allocate(sizeof *reserved, tag);
    if (reserved) {
        *reserved = (struct reserved){.next = all_reserved, .bytes = bytes, .tag = tag};
        all_reserved = reserved;
    }
    return reserved;
}

KERNEL(void, MmFreeMappingAddress, (PVOID address, ULONG tag))
{
    struct reserved *reserved = address;
    must_be_at_most(APC_LEVEL, "MmFreeMappingAddress above APC_LEVEL");
    if (reserved->tag != tag || reserved->mapped)
        stop("a reserved address is freed under another tag, or while it is mapped", (ULONG_PTR)address, tag);
    for (struct reserved **link = &all_reserved; *link; link = &(*link)->next)
        if (*link == reserved) {
            *link = reserved->next;
            break;
        }
    release(address, tag, "MmFreeMappingAddress");
}

KERNEL(PVOID, MmMapLockedPagesWithReservedMapping, (PVOID address, ULONG tag, PMDL mdl, MEMORY_CACHING_TYPE cache))
{
    struct reserved *reserved = address;
    ULONG_PTR *frames = (ULONG_PTR *)(mdl + 1);
    must_be_at_most(DISPATCH_LEVEL, "MmMapLockedPagesWithReservedMapping above DISPATCH_LEVEL");
    if (reserved->tag != tag || reserved->mapped || reserved->bytes < mdl->ByteOffset + mdl->ByteCount)
        stop("a list is mapped at an address that is reserved for something else", (ULONG_PTR)mdl, (ULONG_PTR)address);
    if (!(mdl->MdlFlags & MDL_PAGES_LOCKED) || (mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA))
        stop("a list is mapped that is not locked, or mapped already", (ULONG_PTR)mdl, mdl->MdlFlags);
    reserved->mapped = mdl;
    mdl->MdlFlags |= MDL_MAPPED_TO_SYSTEM_VA;
    mdl->MappedSystemVa = (char *)(frames[0] * PAGE) + mdl->ByteOffset;
    return mdl->MappedSystemVa;
}

KERNEL(void, MmUnmapReservedMapping, (PVOID address, ULONG tag, PMDL mdl))
{
    struct reserved *reserved = all_reserved;
    must_be_at_most(DISPATCH_LEVEL, "MmUnmapReservedMapping above DISPATCH_LEVEL");
    while (reserved && (reserved->mapped != mdl || reserved->tag != tag))
        reserved = reserved->next;
    if (!(mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA) || mdl->MappedSystemVa != address || !reserved)
        stop("a list is unmapped that is not mapped there", (ULONG_PTR)mdl, (ULONG_PTR)address);
    reserved->mapped = NULL;
    mdl->MdlFlags &= ~MDL_MAPPED_TO_SYSTEM_VA;
}

KERNEL(PVOID, MmMapIoSpaceEx, (PHYSICAL_ADDRESS address, SIZE_T bytes, ULONG protect))
{
    return (PVOID)(ULONG_PTR)address.QuadPart;
}

KERNEL(void, MmUnmapIoSpace, (PVOID address, SIZE_T bytes))
{
}

/* ---- Who calls: whoever runs Wine, which has no other accounts. */

KERNEL(void, SeCaptureSubjectContext, (PSECURITY_SUBJECT_CONTEXT context))
{
    *context = (SECURITY_SUBJECT_CONTEXT){.PrimaryToken = context};
}

KERNEL(void, SeLockSubjectContext, (PSECURITY_SUBJECT_CONTEXT context))
{
}

KERNEL(void, SeUnlockSubjectContext, (PSECURITY_SUBJECT_CONTEXT context))
{
}

KERNEL(void, SeReleaseSubjectContext, (PSECURITY_SUBJECT_CONTEXT context))
{
}

KERNEL(BOOLEAN, SeTokenIsAdmin, (PACCESS_TOKEN token))
{
    return TRUE;
}

/* ---- Devices. Wine's own answers a made-up device. Not to be called from a dispatch routine. */

KERNEL(NTSTATUS, IoGetDeviceObjectPointer, (PUNICODE_STRING name, ACCESS_MASK access, PFILE_OBJECT *file,
                                            PDEVICE_OBJECT *device))
{
    OBJECT_ATTRIBUTES attributes;
    IO_STATUS_BLOCK block;
    HANDLE handle;
    NTSTATUS status;
    InitializeObjectAttributes(&attributes, name, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE, NULL, NULL);
    status = ZwOpenFile(&handle, access, &attributes, &block, FILE_SHARE_READ | FILE_SHARE_WRITE, 0);
    if (!NT_SUCCESS(status))
        return status;
    /* Wine opens before the device's driver has handled the create; a request behind it waits for that. */
    ZwFlushBuffersFile(handle, &block);
    status = ObReferenceObjectByHandle(handle, 0, (POBJECT_TYPE)IoFileObjectType, KernelMode, (PVOID *)file, NULL);
    if (NT_SUCCESS(status))
        *device = (*file)->DeviceObject;
    ZwClose(handle);
    return status;
}

/* ---- ETW: nobody listens. */

KERNEL(NTSTATUS, EtwRegister, (const GUID *provider, PVOID callback, PVOID context, ULONG64 *handle))
{
    *handle = 1;
    return STATUS_SUCCESS;
}

KERNEL(NTSTATUS, EtwUnregister, (ULONG64 handle))
{
    return handle == 1 ? STATUS_SUCCESS : STATUS_INVALID_HANDLE;
}

KERNEL(NTSTATUS, EtwSetInformation, (ULONG64 handle, ULONG class, PVOID information, ULONG bytes))
{
    return STATUS_SUCCESS;
}

KERNEL(NTSTATUS, EtwWriteTransfer, (ULONG64 handle, const void *event, const GUID *activity, const GUID *related,
                                    ULONG count, void *data))
{
    return STATUS_SUCCESS;
}

/* ---- The end. wdk-panic's bug check has the file's name, its length, the line and the column. */

KERNEL(void, KeBugCheckEx, (ULONG code, ULONG_PTR a, ULONG_PTR b, ULONG_PTR c, ULONG_PTR d))
{
    if (code == 0x52504E43)
        DbgPrint("shim: panic at %.*s:%u:%u\n", (int)b, (char *)a, (unsigned)c, (unsigned)d);
    stop("bug check", code, a);
}
