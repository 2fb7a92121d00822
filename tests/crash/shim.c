/* A disk that misbehaves on request: loaded into a program with LD_PRELOAD, it stands between the program and the C library's file calls.

   Promises: only files below one directory are touched; every other call goes straight through. Rules are read from a small shared
   mapping, so a test changes them while the program runs, and sees how often each rule matched and acted. With a trace, every write,
   truncation, creation, rename, unlink and completed sync is recorded in the order in which the program could know of it.
   Does not: see what goes past the C library (io_uring, writes through a shared mapping). The store uses neither for its data.

   Environment:
     FAULT_SHIM_DIRECTORY   the directory, absolute
     FAULT_SHIM_CONTROL     the rules, laid out as `struct control` (written by fault_shim.py)
     FAULT_SHIM_TRACE       where to record, optional
     FAULT_SHIM_WITNESS     a file outside the directory: what is written to it is what somebody was told; recorded, never disturbed

   Build: cc -O2 -shared -fPIC -o shim.so shim.c -ldl -lpthread */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* What a call is, as bits, so that one rule can mean several. A write through a descriptor opened O_DSYNC or O_SYNC has both write bits. */
enum {
    WRITE = 1, DURABLE_WRITE = 2, SYNC = 4, OPEN_TO_READ = 8, OPEN_TO_WRITE = 16, RENAME = 32, UNLINK = 64, TRUNCATE = 128, MAKE_DIRECTORY = 256
};
enum { NOTHING, FAIL, HALF, TORN, KILL_BEFORE, KILL_AFTER, SLEEP };

#define RULES 8
#define PART_BYTES 56

struct rule {
    uint32_t operations;    /* bits; 0 means that the rule is off */
    uint32_t action;
    int32_t argument;       /* FAIL: an errno; SLEEP: milliseconds */
    uint32_t reserved;
    uint64_t first, last;   /* acts on the matching calls number first to last, counted from 1 */
    uint64_t matched, acted;
    char part[PART_BYTES];  /* the path must contain it; empty matches all */
};

struct control {
    struct rule rules[RULES];
};

struct __attribute__((packed)) record {
    uint8_t kind;           /* W write, D durable write, S sync, F failed sync, C create, T truncate, R rename, U unlink, M make directory, A told to somebody */
    uint8_t reserved[3];
    uint32_t path_bytes, other_bytes;
    uint64_t offset, data_bytes;
};

static char directory[PATH_MAX], witness[PATH_MAX];
static size_t directory_bytes;
static struct control *control;
static int trace = -1;
static pthread_mutex_t trace_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t prepared = PTHREAD_ONCE_INIT;

static ssize_t (*next_write)(int, const void *, size_t);
static ssize_t (*next_pwrite)(int, const void *, size_t, off64_t);
static ssize_t (*next_writev)(int, const struct iovec *, int);
static ssize_t (*next_pwritev)(int, const struct iovec *, int, off64_t);
static int (*next_fsync)(int), (*next_fdatasync)(int);
static int (*next_open)(const char *, int, ...), (*next_openat)(int, const char *, int, ...);
static int (*next_rename)(const char *, const char *), (*next_unlink)(const char *);
static int (*next_ftruncate)(int, off64_t), (*next_mkdir)(const char *, mode_t);

static void prepare(void) {
    next_write = dlsym(RTLD_NEXT, "write");
    next_pwrite = dlsym(RTLD_NEXT, "pwrite64");
    next_writev = dlsym(RTLD_NEXT, "writev");
    next_pwritev = dlsym(RTLD_NEXT, "pwritev64");
    next_fsync = dlsym(RTLD_NEXT, "fsync");
    next_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    next_open = dlsym(RTLD_NEXT, "open64");
    next_openat = dlsym(RTLD_NEXT, "openat64");
    next_rename = dlsym(RTLD_NEXT, "rename");
    next_unlink = dlsym(RTLD_NEXT, "unlink");
    next_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
    next_mkdir = dlsym(RTLD_NEXT, "mkdir");
    const char *where = getenv("FAULT_SHIM_DIRECTORY"), *rules = getenv("FAULT_SHIM_CONTROL");
    const char *record_to = getenv("FAULT_SHIM_TRACE"), *told = getenv("FAULT_SHIM_WITNESS");
    if (told) snprintf(witness, sizeof witness, "%s", told);
    if (rules) {
        int handle = next_open(rules, O_RDWR | O_CLOEXEC);
        if (handle >= 0) {
            void *mapped = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, handle, 0);
            if (mapped != MAP_FAILED) control = mapped;
            close(handle);
        }
    }
    if (record_to) trace = next_open(record_to, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (where) {
        snprintf(directory, sizeof directory, "%s", where);
        directory_bytes = strlen(directory);
    }
}

static int is_inside(const char *path) {
    return directory_bytes && !strncmp(path, directory, directory_bytes) && (path[directory_bytes] == '/' || !path[directory_bytes]);
}

static int path_of(int descriptor, char *path) {
    char link[40];
    if (!directory_bytes) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    return is_inside(path) || (witness[0] && !strcmp(path, witness));
}

static int path_named(const char *name, char *path) {
    if (!directory_bytes) return 0;
    if (name[0] == '/') snprintf(path, PATH_MAX, "%s", name);
    else {
        char here[PATH_MAX / 2];
        if (!getcwd(here, sizeof here)) return 0;
        snprintf(path, PATH_MAX, "%s/%s", here, name);
    }
    return is_inside(path);
}

static int is_witness(const char *path) { return witness[0] && !strcmp(path, witness); }

/* The action for this call, NOTHING for most. What is to happen before the call happens here; the first rule that acts is the only one. */
static int decide(uint32_t operation, const char *path) {
    if (!control || is_witness(path)) return NOTHING;
    for (struct rule *rule = control->rules; rule < control->rules + RULES; rule++) {
        if (!(__atomic_load_n(&rule->operations, __ATOMIC_ACQUIRE) & operation)) continue;
        if (rule->part[0] && !strstr(path, rule->part)) continue;
        uint64_t number = __atomic_add_fetch(&rule->matched, 1, __ATOMIC_ACQ_REL);
        if (number < rule->first || number > rule->last) continue;
        __atomic_add_fetch(&rule->acted, 1, __ATOMIC_ACQ_REL);
        switch (rule->action) {
        case FAIL: errno = rule->argument; return FAIL;
        case KILL_BEFORE: kill(getpid(), SIGKILL); return NOTHING;
        case SLEEP: {
            struct timespec pause = {rule->argument / 1000, rule->argument % 1000 * 1000000L};
            nanosleep(&pause, NULL);
            return NOTHING;
        }
        default: return (int)rule->action;
        }
    }
    return NOTHING;
}

static void record(char kind, const char *path, const char *other, uint64_t offset, const void *data, uint64_t data_bytes) {
    if (trace < 0) return;
    struct record head = {.kind = kind, .path_bytes = strlen(path), .other_bytes = strlen(other), .offset = offset, .data_bytes = data_bytes};
    struct iovec parts[] = {{&head, sizeof head}, {(void *)path, head.path_bytes}, {(void *)other, head.other_bytes}, {(void *)data, data_bytes}};
    int before = errno;
    pthread_mutex_lock(&trace_lock);
    if (next_writev(trace, parts, 4) < 0) abort();  /* a trace with a hole would prove nothing */
    pthread_mutex_unlock(&trace_lock);
    errno = before;
}

static void end_if(int action, int wanted) {
    if (action == wanted || action == KILL_AFTER) kill(getpid(), SIGKILL);
}

static ssize_t written(int descriptor, const char *path, const void *data, size_t size, off64_t offset, int is_positioned) {
    int flags = fcntl(descriptor, F_GETFL), is_durable = flags >= 0 && (flags & O_DSYNC);
    int action = decide(is_durable ? WRITE | DURABLE_WRITE : WRITE, path);
    if (action == FAIL) return -1;
    size_t part = (action == HALF || action == TORN) && size > 1 ? size / 2 : size;
    if (!is_positioned) offset = lseek(descriptor, 0, flags & O_APPEND ? SEEK_END : SEEK_CUR);
    ssize_t done = is_positioned ? next_pwrite(descriptor, data, part, offset) : next_write(descriptor, data, part);
    if (done > 0) record(is_witness(path) ? 'A' : is_durable ? 'D' : 'W', path, "", (uint64_t)offset, data, (uint64_t)done);
    end_if(action, TORN);
    return done;
}

ssize_t write(int descriptor, const void *data, size_t size) {
    char path[PATH_MAX];
    pthread_once(&prepared, prepare);
    return path_of(descriptor, path) ? written(descriptor, path, data, size, 0, 0) : next_write(descriptor, data, size);
}

ssize_t pwrite64(int descriptor, const void *data, size_t size, off64_t offset) {
    char path[PATH_MAX];
    pthread_once(&prepared, prepare);
    return path_of(descriptor, path) ? written(descriptor, path, data, size, offset, 1) : next_pwrite(descriptor, data, size, offset);
}

ssize_t pwrite(int descriptor, const void *data, size_t size, off_t offset) { return pwrite64(descriptor, data, size, offset); }

/* Several buffers become one write: a disk sees no difference, and a half of it may end within any of them. */
static ssize_t written_together(int descriptor, const char *path, const struct iovec *parts, int count, off64_t offset, int is_positioned) {
    size_t size = 0, at = 0;
    for (int i = 0; i < count; i++) size += parts[i].iov_len;
    char *joined = malloc(size ? size : 1);
    if (!joined) { errno = ENOMEM; return -1; }
    for (int i = 0; i < count; at += parts[i++].iov_len) memcpy(joined + at, parts[i].iov_base, parts[i].iov_len);
    ssize_t done = written(descriptor, path, joined, size, offset, is_positioned);
    int before = errno;
    free(joined);
    errno = before;
    return done;
}

ssize_t writev(int descriptor, const struct iovec *parts, int count) {
    char path[PATH_MAX];
    pthread_once(&prepared, prepare);
    return path_of(descriptor, path) ? written_together(descriptor, path, parts, count, 0, 0) : next_writev(descriptor, parts, count);
}

ssize_t pwritev64(int descriptor, const struct iovec *parts, int count, off64_t offset) {
    char path[PATH_MAX];
    pthread_once(&prepared, prepare);
    return path_of(descriptor, path) ? written_together(descriptor, path, parts, count, offset, 1) : next_pwritev(descriptor, parts, count, offset);
}

ssize_t pwritev(int descriptor, const struct iovec *parts, int count, off_t offset) { return pwritev64(descriptor, parts, count, offset); }

static int synced(int descriptor, int (*sync)(int)) {
    char path[PATH_MAX];
    if (!path_of(descriptor, path)) return sync(descriptor);
    int action = decide(SYNC, path);
    if (action == FAIL) { record('F', path, "", 0, "", 0); return -1; }
    int failed = sync(descriptor);
    if (!failed && !is_witness(path)) record('S', path, "", 0, "", 0);
    end_if(action, KILL_AFTER);
    return failed;
}

int fsync(int descriptor) { pthread_once(&prepared, prepare); return synced(descriptor, next_fsync); }
int fdatasync(int descriptor) { pthread_once(&prepared, prepare); return synced(descriptor, next_fdatasync); }

static int opened(int at, const char *name, int flags, mode_t mode) {
    char path[PATH_MAX];
    pthread_once(&prepared, prepare);
    if (at != AT_FDCWD || !path_named(name, path)) return next_openat(at, name, flags, mode);
    int is_to_write = (flags & O_ACCMODE) != O_RDONLY || flags & (O_CREAT | O_TRUNC);
    int action = decide(is_to_write ? OPEN_TO_WRITE : OPEN_TO_READ, path);
    if (action == FAIL) return -1;
    struct stat before;
    int was_there = !stat(path, &before);
    int descriptor = next_openat(at, name, flags, mode);
    if (descriptor >= 0 && flags & O_CREAT && !was_there) record('C', path, "", 0, "", 0);
    if (descriptor >= 0 && flags & O_TRUNC && was_there && before.st_size) record('T', path, "", 0, "", 0);
    end_if(action, KILL_AFTER);
    return descriptor;
}

#define MODE_OF(flags) \
    mode_t mode = 0; \
    if (flags & (O_CREAT | __O_TMPFILE)) { va_list rest; va_start(rest, flags); mode = (mode_t)va_arg(rest, int); va_end(rest); }

int open(const char *name, int flags, ...) { MODE_OF(flags) return opened(AT_FDCWD, name, flags, mode); }
int open64(const char *name, int flags, ...) { MODE_OF(flags) return opened(AT_FDCWD, name, flags, mode); }
int openat(int at, const char *name, int flags, ...) { MODE_OF(flags) return opened(at, name, flags, mode); }
int openat64(int at, const char *name, int flags, ...) { MODE_OF(flags) return opened(at, name, flags, mode); }

int rename(const char *source, const char *target) {
    char from[PATH_MAX], to[PATH_MAX];
    pthread_once(&prepared, prepare);
    if (!path_named(source, from) || !path_named(target, to)) return next_rename(source, target);
    int action = decide(RENAME, to);
    if (action == FAIL) return -1;
    int failed = next_rename(source, target);
    if (!failed) record('R', from, to, 0, "", 0);
    end_if(action, KILL_AFTER);
    return failed;
}

int unlink(const char *name) {
    char path[PATH_MAX];
    pthread_once(&prepared, prepare);
    if (!path_named(name, path)) return next_unlink(name);
    int action = decide(UNLINK, path);
    if (action == FAIL) return -1;
    int failed = next_unlink(name);
    if (!failed) record('U', path, "", 0, "", 0);
    end_if(action, KILL_AFTER);
    return failed;
}

int ftruncate64(int descriptor, off64_t size) {
    char path[PATH_MAX];
    pthread_once(&prepared, prepare);
    if (!path_of(descriptor, path)) return next_ftruncate(descriptor, size);
    int action = decide(TRUNCATE, path);
    if (action == FAIL) return -1;
    int failed = next_ftruncate(descriptor, size);
    if (!failed) record('T', path, "", (uint64_t)size, "", 0);
    end_if(action, KILL_AFTER);
    return failed;
}

int ftruncate(int descriptor, off_t size) { return ftruncate64(descriptor, size); }

int mkdir(const char *name, mode_t mode) {
    char path[PATH_MAX];
    pthread_once(&prepared, prepare);
    if (!path_named(name, path)) return next_mkdir(name, mode);
    int action = decide(MAKE_DIRECTORY, path);
    if (action == FAIL) return -1;
    int failed = next_mkdir(name, mode);
    if (!failed) record('M', path, "", 0, "", 0);
    end_if(action, KILL_AFTER);
    return failed;
}
