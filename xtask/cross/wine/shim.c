/* Kernel functions that Wine's ntoskrnl lacks or only stubs, in terms of those it has.
   Stands in front of the second link only: the packaged driver imports the real ones.
   What this file calls and the driver may not import is listed in shim.def. */
#include <ntifs.h>

/* Defines a function under its kernel name, whatever the headers say of it (inline, other type). */
#define KERNEL(type, name, arguments) \
    type NTAPI shim_##name arguments __asm__(#name); \
    type NTAPI shim_##name arguments

/* Zeroes unless POOL_FLAG_UNINITIALIZED (2) is given. */
KERNEL(PVOID, ExAllocatePool2, (ULONG64 flags, SIZE_T bytes, ULONG tag))
{
    volatile char *block = ExAllocatePoolWithTag(NonPagedPool, bytes ? bytes : 1, tag);
    if (block && !(flags & 2))
        for (SIZE_T i = 0; i < bytes; i++)
            block[i] = 0;
    return (PVOID)block;
}
