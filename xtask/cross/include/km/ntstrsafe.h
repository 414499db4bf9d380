/* wdk-sys includes it by name from the km folder. */
#include_next <ntstrsafe.h>
