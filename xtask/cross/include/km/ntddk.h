/* In the WDK either of ntddk.h and ntifs.h may come first; the fix-ups are in ntifs.h. */
#include "ntifs.h"
#define KeGetCurrentIrql mingw_KeGetCurrentIrql
#include_next <ntddk.h>
#undef KeGetCurrentIrql
