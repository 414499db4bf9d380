/* What the driver calls and mingw-w64's DDK headers are too old to declare, or define inline.
   Each declaration follows the function's page on learn.microsoft.com. */
#pragma once

/* Inline in mingw-w64 (reads CR8); ntoskrnl.exe exports it, and the driver imports it. */
#define KeGetCurrentIrql mingw_KeGetCurrentIrql
#include_next <ntifs.h>
#undef KeGetCurrentIrql
KIRQL NTAPI KeGetCurrentIrql(VOID);

/* wdm.h, Windows 10 version 2004: "ExAllocatePool2 function". */
typedef ULONG64 POOL_FLAGS;
NTKERNELAPI PVOID NTAPI ExAllocatePool2(POOL_FLAGS Flags, SIZE_T NumberOfBytes, ULONG Tag);

/* wdm.h, Windows 10: "MmMapIoSpaceEx function". */
NTKERNELAPI PVOID NTAPI MmMapIoSpaceEx(PHYSICAL_ADDRESS PhysicalAddress, SIZE_T NumberOfBytes, ULONG Protect);
