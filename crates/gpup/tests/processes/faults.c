/* Faults of a disk, preloaded before the C library: each call on the folder GPUP_FAULT_UNDER or below it is counted, and one of
 * them, or all from it on, goes wrong.
 *
 * GPUP_FAULT_LOG    gets a line for each call: its number, its name and the path
 * GPUP_FAULT_AT     number of the call, from 1; 0 = none
 * GPUP_FAULT_TIMES  how many calls in a row, 1 if it is not set
 * GPUP_FAULT        an errno: the call fails and does nothing
 *                   short: a write or read does half of what it is asked for
 *                   lost: the call is done, and yet says EIO
 *                   kill-before, kill-after: the process dies, by SIGKILL
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum fate { PASS, FAIL, SHORT, LOST, KILL_BEFORE, KILL_AFTER };

static char under[PATH_MAX];
static long at, times = 1, number_of_error;
static enum fate fate = PASS;
static int log_fd = -1;
static atomic_long calls;

static const struct {
    const char *name;
    int number;
} errors[] = {
    {"ENOSPC", ENOSPC}, {"EIO", EIO},       {"EINTR", EINTR}, {"EMFILE", EMFILE}, {"EACCES", EACCES},
    {"EDQUOT", EDQUOT}, {"EFBIG", EFBIG},   {"EPERM", EPERM}, {"EROFS", EROFS},   {"EOPNOTSUPP", EOPNOTSUPP},
};

__attribute__((constructor)) static void begin(void)
{
    const char *text = getenv("GPUP_FAULT_UNDER");
    if (!text)
        return;
    const char *what = getenv("GPUP_FAULT"), *log = getenv("GPUP_FAULT_LOG");
    if (getenv("GPUP_FAULT_AT"))
        at = atol(getenv("GPUP_FAULT_AT"));
    if (getenv("GPUP_FAULT_TIMES"))
        times = atol(getenv("GPUP_FAULT_TIMES"));
    if (what && !strcmp(what, "short"))
        fate = SHORT;
    else if (what && !strcmp(what, "lost"))
        fate = LOST;
    else if (what && !strcmp(what, "kill-before"))
        fate = KILL_BEFORE;
    else if (what && !strcmp(what, "kill-after"))
        fate = KILL_AFTER;
    for (size_t i = 0; what && i < sizeof errors / sizeof *errors; i++)
        if (!strcmp(what, errors[i].name)) {
            fate = FAIL;
            number_of_error = errors[i].number;
        }
    if (what && fate == PASS)
        abort();
    if (log)
        log_fd = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    strncpy(under, text, sizeof under - 1);
}

/* Whether a path is the folder or below it. */
static int is_ours(const char *path)
{
    size_t length = strlen(under);
    return length && path && !strncmp(path, under, length) && (path[length] == '/' || !path[length]);
}

/* Counts a call on `path` and says what is to become of it. */
static enum fate judge(const char *name, const char *path)
{
    char line[PATH_MAX + 64];
    if (!is_ours(path))
        return PASS;
    long number = atomic_fetch_add(&calls, 1) + 1;
    if (log_fd >= 0) {
        int length = snprintf(line, sizeof line, "%ld %s %s\n", number, name, path);
        syscall(SYS_write, log_fd, line, length);
    }
    enum fate mine = at && number >= at && number - at < times ? fate : PASS;
    if (mine == KILL_BEFORE)
        kill(getpid(), SIGKILL);
    if (mine == FAIL)
        errno = number_of_error;
    return mine;
}

/* The path of an open file. */
static enum fate judge_file(const char *name, int file)
{
    char link[64], path[PATH_MAX];
    if (!*under)
        return PASS;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
    if (length <= 0)
        return PASS;
    path[length] = 0;
    return judge(name, path);
}

/* What a call comes to that has been done. */
static long after(enum fate mine, long result)
{
    if (mine == KILL_AFTER)
        kill(getpid(), SIGKILL);
    if (mine == LOST && result >= 0) {
        errno = EIO;
        return -1;
    }
    return result;
}

#define REAL(name, ...)                                                                                             \
    static __typeof__(name) *real;                                                                                  \
    if (!real)                                                                                                      \
        real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name);

#define MODE                                                                                                        \
    mode_t mode = 0;                                                                                                \
    if (flags & (O_CREAT | __O_TMPFILE)) {                                                                          \
        va_list list;                                                                                               \
        va_start(list, flags);                                                                                      \
        mode = va_arg(list, mode_t);                                                                                \
        va_end(list);                                                                                               \
    }

/* The real one is called in place, for its value is a file that a lost answer would leak: it is closed again. */
#define OPEN(call)                                                                                                  \
    enum fate mine = judge("open", path);                                                                           \
    if (mine == FAIL)                                                                                               \
        return -1;                                                                                                  \
    int file = call;                                                                                                \
    if (mine == LOST && file >= 0)                                                                                  \
        syscall(SYS_close, file);                                                                                   \
    return after(mine, file);

int open(const char *path, int flags, ...)
{
    REAL(open)
    MODE
    OPEN(real(path, flags, mode))
}

int open64(const char *path, int flags, ...)
{
    REAL(open64)
    MODE
    OPEN(real(path, flags, mode))
}

int openat(int folder, const char *path, int flags, ...)
{
    REAL(openat)
    MODE
    OPEN(real(folder, path, flags, mode))
}

int openat64(int folder, const char *path, int flags, ...)
{
    REAL(openat64)
    MODE
    OPEN(real(folder, path, flags, mode))
}

#define MOVE(name, bytes, all, half)                                                                                \
    enum fate mine = judge_file(name, file);                                                                        \
    if (mine == FAIL)                                                                                               \
        return -1;                                                                                                  \
    return after(mine, mine == SHORT && (bytes) > 1 ? half : all);

ssize_t write(int file, const void *from, size_t bytes)
{
    REAL(write)
    MOVE("write", bytes, real(file, from, bytes), real(file, from, bytes / 2))
}

ssize_t read(int file, void *to, size_t bytes)
{
    REAL(read)
    MOVE("read", bytes, real(file, to, bytes), real(file, to, bytes / 2))
}

ssize_t writev(int file, const struct iovec *from, int pieces)
{
    REAL(writev)
    MOVE("write", pieces, real(file, from, pieces), real(file, from, pieces / 2))
}

ssize_t readv(int file, const struct iovec *to, int pieces)
{
    REAL(readv)
    MOVE("read", pieces, real(file, to, pieces), real(file, to, pieces / 2))
}

ssize_t pwrite64(int file, const void *from, size_t bytes, off64_t to)
{
    REAL(pwrite64)
    MOVE("write", bytes, real(file, from, bytes, to), real(file, from, bytes / 2, to))
}

ssize_t pread64(int file, void *to, size_t bytes, off64_t from)
{
    REAL(pread64)
    MOVE("read", bytes, real(file, to, bytes, from), real(file, to, bytes / 2, from))
}

#define DO(judged, call)                                                                                            \
    enum fate mine = judged;                                                                                        \
    return mine == FAIL ? -1 : after(mine, call);

int fsync(int file)
{
    REAL(fsync)
    DO(judge_file("fsync", file), real(file))
}

int fdatasync(int file)
{
    REAL(fdatasync)
    DO(judge_file("fsync", file), real(file))
}

int ftruncate64(int file, off64_t bytes)
{
    REAL(ftruncate64)
    DO(judge_file("truncate", file), real(file, bytes))
}

/* A file is closed even where close says that something went wrong. */
int close(int file)
{
    REAL(close)
    enum fate mine = judge_file("close", file);
    long number = errno, result = real(file);
    if (mine != FAIL)
        return after(mine, result);
    errno = number;
    return -1;
}

int rename(const char *from, const char *to)
{
    REAL(rename)
    DO(judge("rename", to), real(from, to))
}

int renameat(int from_folder, const char *from, int to_folder, const char *to)
{
    REAL(renameat)
    DO(judge("rename", to), real(from_folder, from, to_folder, to))
}

int renameat2(int from_folder, const char *from, int to_folder, const char *to, unsigned flags)
{
    REAL(renameat2)
    DO(judge("rename", to), real(from_folder, from, to_folder, to, flags))
}

int link(const char *from, const char *to)
{
    REAL(link)
    DO(judge("link", to), real(from, to))
}

int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags)
{
    REAL(linkat)
    DO(judge("link", to), real(from_folder, from, to_folder, to, flags))
}

int unlink(const char *path)
{
    REAL(unlink)
    DO(judge("unlink", path), real(path))
}

int unlinkat(int folder, const char *path, int flags)
{
    REAL(unlinkat)
    DO(judge("unlink", path), real(folder, path, flags))
}
