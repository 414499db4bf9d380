/* A few of the interface's declarations, written by hand after Microsoft's pages, for the test of the generator.
   TAMPER_n breaks one thing each. */
#include <stdint.h>

typedef uint32_t UINT;
typedef int32_t NTSTATUS;
typedef struct { uint32_t a; uint16_t b, c; uint8_t d[8]; } GUID;

#define STATUS_BUFFER_TOO_SMALL ((NTSTATUS)0xC0000023)
#define DXGK_MMIO_RANGES_EMULATED_PAGE ((uint64_t)-1)
#ifdef TAMPER_NUMBER
#define DXGK_VIRTUALIZED_HOST_VIRTUAL_DEVICE 0x400
#else
#define DXGK_VIRTUALIZED_HOST_VIRTUAL_DEVICE 0x800
#endif

typedef enum {
    DXGK_GPUP_MIGRATIONTYPE_SOURCE = 0,
#ifdef TAMPER_ENUMERATOR
    DXGK_GPUP_MIGRATIONTYPE_TARGET = 2,
#else
    DXGK_GPUP_MIGRATIONTYPE_TARGET = 1,
#endif
} DXGK_GPUP_MIGRATIONTYPE;

typedef struct {
#ifdef TAMPER_OFFSET
    DXGK_GPUP_MIGRATIONTYPE MigrationType;
    UINT vfIndex;
#else
    UINT vfIndex;
    DXGK_GPUP_MIGRATIONTYPE MigrationType;
#endif
} DXGKARG_GPUP_PREPARE_LIVE_MIGRATION;

typedef struct {
    union {
        struct {
            UINT VirtualMachineHibernation : 1;
#ifdef TAMPER_BIT
            UINT LiveMigration : 1;
            UINT HotDriverUpdate : 1;
#else
            UINT HotDriverUpdate : 1;
            UINT LiveMigration : 1;
#endif
            UINT ScatterMapReserve : 1;
            UINT Reserved : 28;
        };
        UINT Value;
    } Caps;
#ifdef TAMPER_SIZE
    UINT More;
#endif
} DXGK_GPUPCAPS;

typedef struct {
    uint64_t MessageAddress;
#ifdef TAMPER_FIELD_SIZE
    uint16_t MessageData;
#else
    UINT MessageData;
#endif
    UINT VectorControl;
} DXGK_INTERRUPT_TABLE_ENTRY;

#ifdef TAMPER_GUID
static const GUID GUID_DXGKDDI_SRIOV_INTERFACE =
    { 0xd7172248, 0xf296, 0x4c50, { 0xa6, 0xf5, 0xd2, 0x5d, 0x80, 0x73, 0x06, 0x3b } };
#else
static const GUID GUID_DXGKDDI_SRIOV_INTERFACE =
    { 0xd7172248, 0xf296, 0x4c50, { 0xa6, 0xf5, 0xd2, 0x5d, 0x80, 0x73, 0x06, 0x3a } };
#endif
