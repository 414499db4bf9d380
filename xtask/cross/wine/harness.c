/* The test program under Wine: installs the package from its INF, has migrations and the conformance checker run in the
   kernel, removes devices in the middle of a migration, unloads and loads again.

       harness INF ROUNDS FOLDER [FAULT]

   INF      the package's INF; SetupAPI does what it says
   ROUNDS   how often everything is done
   FOLDER   where the reports of the first round go, JSON: report.json of a migration, scattered.json of one whose
            VF lies in many pieces, check.json of the conformance checker
   FAULT    a setting of the fault-injection build, set to 1: only one migration is run then

   One program for the whole run, since Wine ends its services when the last one goes. Exit code 0: all was as it
   should be; 3: the migration came out other than identical; 1: anything else.

   Wine's kernel starts a root device when SetupDiInstallDevice has installed it, removes it (SURPRISE_REMOVAL, then
   REMOVE_DEVICE) when DIF_REMOVE has taken it away, and has no other order of these. */
#include <windows.h>
#include <winioctl.h>
#include <setupapi.h>
#include <newdev.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HARDWARE_ID "Root\\GPUP_KMD"
#define SERVICE "gpup_kmd"
#define DEVICES 2
#define MIB 1048576ull
/* The device's class, as in the INF. */
static GUID CLASS = {0xF01A9D53, 0x3FF6, 0x48D2, {0x9F, 0x97, 0xC8, 0xA7, 0x00, 0x4B, 0xE1, 0x0C}};

/* crates/dxgkrnl-standin/src/control.rs */
#define IOCTL_START CTL_CODE(FILE_DEVICE_VIDEO, 0x801, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define IOCTL_STATUS CTL_CODE(FILE_DEVICE_VIDEO, 0x802, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define IOCTL_REPORT CTL_CODE(FILE_DEVICE_VIDEO, 0x803, METHOD_BUFFERED, FILE_ANY_ACCESS)
#define IOCTL_CHECK CTL_CODE(FILE_DEVICE_VIDEO, 0x804, METHOD_BUFFERED, FILE_ANY_ACCESS)
struct start {
    DWORD vfs, vf;
    ULONG64 vf_bytes, seed, bandwidth;
    DWORD workload, fill, warm_up_ms, cool_down_ms, scattered, reserved;
};
struct status {
    DWORD adapters, failed_starts, running, phase, violations, adapters_in_use, unloads, pool_known;
    ULONG64 pool_blocks, pool_bytes, own_blocks;
};
#define PHASE_BROWNOUT 4

#define VFS 2
/* The checker needs more. */
#define MOST_VFS 4
#define VF_BYTES (16 * MIB)
#define VRAM_BYTES (64 * MIB)
/* Far beyond any machine: only a hang is a failure. */
#define PATIENCE_MS 600000

static SC_HANDLE manager;
static HDEVINFO set;
static SP_DEVINFO_DATA device[DEVICES];
static HANDLE dxgkrnl = INVALID_HANDLE_VALUE;
static char report[1 << 20];

static void fail(int code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    printf("FAILED: ");
    vprintf(format, arguments);
    printf("\n");
    va_end(arguments);
    exit(code);
}

static void need(BOOL done, const char *what)
{
    if (!done)
        fail(1, "%s: error %#lx", what, GetLastError());
}

/* ---- The kernel. */

static struct status status(void)
{
    struct status now;
    DWORD bytes;
    need(DeviceIoControl(dxgkrnl, IOCTL_STATUS, NULL, 0, &now, sizeof now, &bytes, NULL), "asking for the status");
    return now;
}

static void open_dxgkrnl(void)
{
    if (dxgkrnl != INVALID_HANDLE_VALUE)
        return;
    dxgkrnl = CreateFileA("\\\\.\\DxgKrnl", GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
    need(dxgkrnl != INVALID_HANDLE_VALUE, "opening \\\\.\\DxgKrnl: did the driver load?");
}

static void start(ULONG64 bandwidth, DWORD seed, BOOL scattered)
{
    struct start plan = {
        .vfs = VFS, .vf = 1, .vf_bytes = VF_BYTES, .seed = seed, .bandwidth = bandwidth,
        .workload = 0, .fill = 50, .warm_up_ms = 200, .cool_down_ms = 100, .scattered = scattered,
    };
    DWORD bytes;
    need(DeviceIoControl(dxgkrnl, IOCTL_START, &plan, sizeof plan, NULL, 0, &bytes, NULL), "starting a migration");
}

static void wait_for_end(void)
{
    DWORD begin = GetTickCount(), bytes;
    while (status().running) {
        if (GetTickCount() - begin > PATIENCE_MS)
            fail(1, "what was started does not end");
        Sleep(20);
    }
    need(DeviceIoControl(dxgkrnl, IOCTL_REPORT, NULL, 0, report, sizeof report - 1, &bytes, NULL), "the report");
    report[bytes] = 0;
}

static BOOL reported(const char *text)
{
    return strstr(report, text) != NULL;
}

static void check_rules(void)
{
    struct status now = status();
    if (now.violations)
        fail(1, "the driver broke the contract %lu times: see the log", now.violations);
    if (now.adapters_in_use)
        fail(1, "%lu adapters or drivers were still used when they went", now.adapters_in_use);
}

/* ---- Devices. */

static void set_number(HKEY key, const char *name, ULONG64 value)
{
    LONG error = RegSetValueExA(key, name, 0, REG_QWORD, (BYTE *)&value, sizeof value);
    if (error)
        fail(1, "setting %s: error %#lx", name, error);
}

/* As an administrator would before the driver is there: the INF keeps what it finds (NOCLOBBER). */
static void set_settings(SP_DEVINFO_DATA *data, const char *fault)
{
    HKEY key = SetupDiCreateDevRegKeyA(set, data, DICS_FLAG_GLOBAL, 0, DIREG_DRV, NULL, NULL);
    need(key != INVALID_HANDLE_VALUE, "creating the software key");
    set_number(key, "NumberOfVfs", MOST_VFS);
    set_number(key, "ScatterMapReserve", 1);
    set_number(key, "VramBytes", VRAM_BYTES);
    if (fault)
        set_number(key, fault, 1);
    RegCloseKey(key);
}

static void make_devices(const char *fault)
{
    static const char ids[] = HARDWARE_ID "\0";
    set = SetupDiCreateDeviceInfoList(&CLASS, NULL);
    need(set != INVALID_HANDLE_VALUE, "a device information set");
    for (int i = 0; i < DEVICES; i++) {
        device[i] = (SP_DEVINFO_DATA){.cbSize = sizeof device[i]};
        need(SetupDiCreateDeviceInfoA(set, "GPUP_KMD", &CLASS, NULL, NULL, DICD_GENERATE_ID, &device[i]),
             "making a device");
        need(SetupDiSetDeviceRegistryPropertyA(set, &device[i], SPDRP_HARDWAREID, (const BYTE *)ids, sizeof ids),
             "setting its hardware id");
        need(SetupDiCallClassInstaller(DIF_REGISTERDEVICE, set, &device[i]), "registering it");
        set_settings(&device[i], fault);
    }
}

static void remove_device(int which)
{
    need(SetupDiCallClassInstaller(DIF_REMOVE, set, &device[which]), "removing a device");
}

/* ---- The package. */

/* What SetupAPI made of the INF: the settings, the service, the file. */
static void check_installed(void)
{
    struct { QUERY_SERVICE_CONFIGA config; char room[1024]; } found;
    DWORD bytes, percent = 0, type = 0, size = sizeof percent;
    HKEY key = SetupDiOpenDevRegKey(set, &device[0], DICS_FLAG_GLOBAL, 0, DIREG_DRV, KEY_READ);
    need(key != INVALID_HANDLE_VALUE, "opening the software key");
    if (RegQueryValueExA(key, "EnginePercent", NULL, &type, (BYTE *)&percent, &size) || percent != 100)
        fail(1, "the INF's settings are not in the software key");
    RegCloseKey(key);
    SC_HANDLE service = OpenServiceA(manager, SERVICE, SERVICE_ALL_ACCESS);
    need(service != NULL, "opening the service that the INF adds");
    need(QueryServiceConfigA(service, &found.config, sizeof found, &bytes), "asking for the service");
    CloseServiceHandle(service);
    if (found.config.dwServiceType != SERVICE_KERNEL_DRIVER || found.config.dwStartType != SERVICE_DEMAND_START
        || strcmp(found.config.lpLoadOrderGroup, "Video"))
        fail(1, "the service is not as the INF says");
    need(GetFileAttributesA(found.config.lpBinaryPathName) != INVALID_FILE_ATTRIBUTES,
         "the file that the service names");
    printf("installed from the INF: service %s, %s\n", SERVICE, found.config.lpBinaryPathName);
}

static void install(const char *inf, BOOL first)
{
    BOOL reboot = FALSE;
    UINT line = 0;
    HINF parsed = SetupOpenInfFileA(inf, NULL, INF_STYLE_WIN4, &line);
    if (parsed == INVALID_HANDLE_VALUE)
        fail(1, "SetupAPI refuses %s: error %#lx in line %u", inf, GetLastError(), line);
    SetupCloseInfFile(parsed);
    need(UpdateDriverForPlugAndPlayDevicesA(NULL, HARDWARE_ID, inf, INSTALLFLAG_FORCE, &reboot),
         "installing from the INF");
    open_dxgkrnl();
    if (first)
        check_installed();
    DWORD begin = GetTickCount();
    for (struct status now = status(); now.adapters < DEVICES; now = status()) {
        if (now.failed_starts || GetTickCount() - begin > PATIENCE_MS)
            fail(1, "%lu of %d adapters have started", now.adapters, DEVICES);
        Sleep(20);
    }
}

/* A count that stays zero would show no leak: the VRAM of both adapters must be in it. */
static void check_pool_counted(void)
{
    struct status now = status();
    if (!now.pool_known)
        fail(1, "the driver's image does not count its pool");
    if (now.pool_bytes < DEVICES * VRAM_BYTES)
        fail(1, "the pool count misses the adapters' VRAM: %I64u bytes", now.pool_bytes);
}

static DWORD stop_service(const char *name)
{
    SERVICE_STATUS now = {0};
    SC_HANDLE service = OpenServiceA(manager, name, SERVICE_ALL_ACCESS);
    need(service != NULL, "opening a service");
    need(ControlService(service, SERVICE_CONTROL_STOP, &now), "stopping a service");
    for (DWORD begin = GetTickCount(); GetTickCount() - begin < PATIENCE_MS; Sleep(20)) {
        need(QueryServiceStatus(service, &now), "asking for a service's state");
        if (now.dwCurrentState == SERVICE_STOPPED)
            break;
    }
    CloseServiceHandle(service);
    return now.dwCurrentState;
}

/* Dxgkrnl is a part of Windows and there before any driver of a GPU: no INF adds it. */
static void add_dxgkrnl(void)
{
    SC_HANDLE service = CreateServiceA(manager, "DXGKrnl", "LDDM Graphics Subsystem", SERVICE_ALL_ACCESS,
                                       SERVICE_KERNEL_DRIVER, SERVICE_DEMAND_START, SERVICE_ERROR_NORMAL,
                                       "C:\\windows\\system32\\drivers\\dxgkrnl.sys", "Video", NULL, NULL, NULL, NULL);
    need(service != NULL, "adding the service DXGKrnl");
    /* A driver that only another one has loaded would go with that one: Wine ends the process of both. */
    need(StartServiceA(service, 0, NULL), "starting the stand-in");
    CloseServiceHandle(service);
}

/* ---- A round. */

static void write_report(const char *folder, const char *name)
{
    char path[MAX_PATH];
    snprintf(path, sizeof path, "%s\\%s", folder, name);
    FILE *file = fopen(path, "wb");
    need(file && fwrite(report, strlen(report), 1, file) == 1 && !fclose(file), "writing a report");
}

static void migrate(const char *folder, const char *name, BOOL scattered)
{
    start(0, 1, scattered);
    wait_for_end();
    if (folder)
        write_report(folder, name);
    if (!reported("\"verdict\":\"identical\""))
        fail(3, "the migration is not identical: %s", report);
    check_rules();
}

/* Every rule of the conformance checker. Who reads the report judges it. */
static void check(const char *folder)
{
    DWORD begin = GetTickCount(), bytes;
    need(DeviceIoControl(dxgkrnl, IOCTL_CHECK, NULL, 0, NULL, 0, &bytes, NULL), "starting the check");
    wait_for_end();
    write_report(folder, "check.json");
    printf("checked: %lu ms\n", GetTickCount() - begin);
}

/* Takes the source (0) or the target (1) away in the middle of a migration. */
static void migrate_and_remove(int which, DWORD seed)
{
    start(2 * MIB, seed, FALSE);
    DWORD begin = GetTickCount();
    for (struct status now = status(); now.phase < PHASE_BROWNOUT; now = status()) {
        if (!now.running || GetTickCount() - begin > PATIENCE_MS)
            fail(1, "the migration does not come to its brownout");
        Sleep(5);
    }
    Sleep(30 + seed % 7 * 10);
    if (!status().running)
        fail(1, "the migration was over before the device was removed");
    remove_device(which);
    wait_for_end();
    if (!reported("\"verdict\":\"failed\""))
        fail(1, "a migration without its device: %s", report);
    if (which == 1 && !reported("\"result_identical\":true"))
        fail(1, "without its target the source must run on: %s", report);
    remove_device(1 - which);
    SetupDiDestroyDeviceInfoList(set);
    if (status().adapters)
        fail(1, "an adapter outlived its device");
    check_rules();
}

static void unload(DWORD round)
{
    if (stop_service(SERVICE) != SERVICE_STOPPED)
        fail(1, "the driver does not unload");
    struct status now = status();
    check_rules();
    if (now.unloads != round)
        fail(1, "%lu unloads after %lu rounds", now.unloads, round);
    if (now.pool_blocks || now.pool_bytes)
        fail(1, "%I64u pool blocks with %I64u bytes are left", now.pool_blocks, now.pool_bytes);
    /* The stand-in keeps lists whose room grows at first, and the last report. */
    static ULONG64 own_blocks;
    if (round == 2)
        own_blocks = now.own_blocks;
    if (round > 2 && now.own_blocks > own_blocks)
        fail(1, "the stand-in has %I64u blocks, %I64u after two rounds", now.own_blocks, own_blocks);
}

int main(int count, char **arguments)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    if (count < 4)
        fail(1, "usage: harness INF ROUNDS FOLDER [FAULT]");
    const char *inf = arguments[1], *folder = arguments[3], *fault = count > 4 ? arguments[4] : NULL;
    DWORD rounds = fault ? 1 : (DWORD)atoi(arguments[2]);
    manager = OpenSCManagerA(NULL, NULL, SC_MANAGER_ALL_ACCESS);
    need(manager != NULL, "the service manager");
    add_dxgkrnl();
    for (DWORD round = 1; round <= rounds; round++) {
        DWORD begin = GetTickCount();
        make_devices(fault);
        install(inf, round == 1);
        check_pool_counted();
        migrate(round == 1 ? folder : NULL, "report.json", FALSE);
        if (fault)
            break;
        if (round == 1) {
            migrate(folder, "scattered.json", TRUE);
            check(folder);
            check_rules();
        }
        migrate_and_remove(round % 2, round);
        unload(round);
        printf("round %lu of %lu: identical; %s removed in mid-migration; unloaded, no pool left; %lu ms\n", round,
               rounds, round % 2 ? "target" : "source", GetTickCount() - begin);
    }
    CloseHandle(dxgkrnl);
    if (stop_service("DXGKrnl") != SERVICE_STOPPED)
        fail(1, "the stand-in does not unload");
    printf("HARNESS OK\n");
    return 0;
}
