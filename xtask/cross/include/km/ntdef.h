/* FIELD_OFFSET: mingw-w64 makes it a constant expression for GNU C only, and bindgen reads as MSVC. */
#include_next <ntdef.h>
#undef FIELD_OFFSET
#define FIELD_OFFSET(type, field) ((LONG)__builtin_offsetof(type, field))
