// SPDX-License-Identifier: MIT
/* Replacing a file: the new content goes to ".NAME.PID-RANDOM.tmp" beside the target (rename cannot cross file systems),
 * then fsync(file), rename, fsync(folder). A failed fsync is never repeated: after EIO the kernel drops the pages and a
 * second call would report success; the caller still holds the data and writes a new file.
 * The temporary file is locked while it is written. One left behind by a killed process is removed by the next save of
 * the same target: its process must be gone and its lock free (the lock covers other machines and containers).
 * Source: PostgreSQL's durable_rename and its "fsync errors" page. */
#define _XOPEN_SOURCE 700 /* realpath */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"

#define PATH_ROOM 4096
#define NAME_ROOM 256
#define WRITE_ROOM ((size_t)1 << 18)
#define LINKS_MOST 40
#define STEM_MOST 180 /* bytes of the target's name in the temporary name, which must stay below 255 */

struct FileOut {
    char *path;            /* owned: the file that is replaced, links resolved */
    const char *name;      /* its last part, within path */
    char temp[NAME_ROOM];  /* in the same folder; "" once renamed */
    int folder, file;      /* descriptors, -1 when closed */
    unsigned char *buffer; /* owned, WRITE_ROOM bytes */
    size_t used;
    bool failed; /* a write failed: commit is refused */
};

static _Atomic long fail_after = -1;

void file_fail_after(long n)
{
    atomic_store(&fail_after, n);
}

/* True, with errno set, when the test wants this step to fail. */
static bool fails_now(void)
{
    long left = atomic_load(&fail_after);
    if (left < 0)
        return false;
    if (left > 0) {
        atomic_store(&fail_after, left - 1);
        return false;
    }
    errno = ENOSPC;
    return true;
}

static bool refuse(Err *err, const char *what, const char *path)
{
    int reason = errno;
    const char *remedy = reason == ENOSPC || reason == EDQUOT ? "; free some space or save elsewhere"
        : reason == EACCES || reason == EPERM || reason == EROFS ? "; choose a folder that you may write to"
        : "";
    return err_set(err, ERR_IO, "%s: %s: %s%s", path, what, strerror(reason), remedy);
}

/* Descriptors 0 to 2 may have been closed by whoever started us; a data file there would receive stray messages. */
static int above_standard(int fd)
{
    if (fd < 0 || fd > 2)
        return fd;
    int higher = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    int reason = errno;
    close(fd);
    errno = reason;
    return higher;
}

static int sync_now(int fd)
{
    return fails_now() ? -1 : fsync(fd);
}

bool file_join(char *out, size_t size, const char *folder, const char *name)
{
    size_t n = strlen(folder);
    const char *between = n == 0 || folder[n - 1] == '/' ? "" : "/";
    int length = snprintf(out, size, "%s%s%s", folder, between, name);
    return length >= 0 && (size_t)length < size;
}

/* ---- replacing ---- */

/* Where a chain of symbolic links ends (the last one need not exist), so that the file is replaced and not the link. */
static bool resolve(const char *path, char out[PATH_ROOM], Err *err)
{
    if (snprintf(out, PATH_ROOM, "%s", path) >= PATH_ROOM)
        return err_set(err, ERR_IO, "a path of %zu bytes is too long", strlen(path));
    for (int hop = 0; hop < LINKS_MOST; hop++) {
        char target[PATH_ROOM];
        ssize_t n = readlink(out, target, sizeof target - 1);
        if (n < 0)
            return true;
        target[n] = '\0';
        char *slash = strrchr(out, '/');
        if (target[0] == '/' || !slash)
            slash = NULL;
        size_t kept = slash ? (size_t)(slash - out) + 1 : 0;
        if (kept + (size_t)n >= PATH_ROOM)
            return err_set(err, ERR_IO, "%s: the link leads to a path that is too long", path);
        memcpy(out + kept, target, (size_t)n + 1);
    }
    return err_set(err, ERR_IO, "%s: more than %d symbolic links in a row", path, LINKS_MOST);
}

static bool open_folder(FileOut *out, Err *err)
{
    char folder[PATH_ROOM];
    size_t n = (size_t)(out->name - out->path);
    memcpy(folder, n ? out->path : ".", n ? n : 1);
    folder[n ? n : 1] = '\0';
    out->folder = above_standard(open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (out->folder >= 0)
        return true;
    if (errno == ENOENT)
        return err_set(err, ERR_IO, "%s: the folder %s does not exist; make it first", out->path, folder);
    return refuse(err, "the folder cannot be opened", out->path);
}

static bool left_behind(const FileOut *out, const char *name, const char *stem)
{
    size_t n = strlen(stem), length = strlen(name);
    if (strncmp(name, stem, n) != 0 || length < 4 || strcmp(name + length - 4, ".tmp") != 0)
        return false;
    char *end;
    long pid = strtol(name + n, &end, 10);
    if (*end != '-' || pid <= 0 || pid == (long)getpid() || kill((pid_t)pid, 0) == 0 || errno != ESRCH)
        return false;
    int fd = openat(out->folder, name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return false;
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    bool is_free = fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type == F_UNLCK;
    close(fd);
    return is_free;
}

static void remove_left_behind(const FileOut *out, const char *stem)
{
    int fd = openat(out->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *list = fd < 0 ? NULL : fdopendir(fd);
    if (!list) {
        if (fd >= 0)
            close(fd);
        return;
    }
    for (struct dirent *row; (row = readdir(list));)
        if (left_behind(out, row->d_name, stem))
            unlinkat(out->folder, row->d_name, 0);
    closedir(list);
}

static bool open_temp(FileOut *out, unsigned mode, Err *err)
{
    static _Atomic uint64_t counter;
    char stem[NAME_ROOM];
    snprintf(stem, sizeof stem, ".%.*s.", STEM_MOST, out->name);
    remove_left_behind(out, stem);
    for (int attempt = 0; attempt < 100; attempt++) {
        uint64_t random = rng_mix((uint64_t)(clock_now() * 1e9), atomic_fetch_add(&counter, 1));
        snprintf(out->temp, sizeof out->temp, "%.*s%ld-%08llx.tmp", STEM_MOST + 2, stem, (long)getpid(),
                 (unsigned long long)(random & 0xFFFFFFFFu));
        out->file = above_standard(openat(out->folder, out->temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, (mode_t)mode));
        if (out->file >= 0) {
            struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
            (void)fcntl(out->file, F_SETLK, &lock); /* a file system without locks only loses the tidying */
            return true;
        }
        if (errno != EEXIST)
            break;
    }
    out->temp[0] = '\0';
    return refuse(err, "a file beside it cannot be created", out->path);
}

/* The target's own permissions and, where we may, its owner. */
static bool keep_permissions(FileOut *out, const struct stat *old, Err *err)
{
    if (old->st_uid != geteuid() || old->st_gid != getegid()) {
        if (fchown(out->file, old->st_uid, old->st_gid) != 0 && fchown(out->file, (uid_t)-1, old->st_gid) != 0)
            errno = 0; /* not ours to give: the file becomes the saver's, as with any editor */
    }
    if (fchmod(out->file, old->st_mode & 0777) == 0)
        return true;
    return refuse(err, "its permissions cannot be kept", out->path);
}

static bool file_out_open(FileOut *out, unsigned mode, Err *err)
{
    if (!*out->name || strcmp(out->name, ".") == 0 || strcmp(out->name, "..") == 0)
        return err_set(err, ERR_IO, "\"%s\" names a folder, a file name is wanted", out->path);
    struct stat old;
    bool exists = stat(out->path, &old) == 0;
    if (exists && S_ISDIR(old.st_mode))
        return err_set(err, ERR_IO, "%s is a folder; add a file name", out->path);
    if (exists && !S_ISREG(old.st_mode))
        return err_set(err, ERR_IO, "%s is not a regular file and cannot be replaced", out->path);
    if (exists && access(out->path, W_OK) != 0)
        return refuse(err, "the file there is write-protected", out->path);
    if (!open_folder(out, err) || !open_temp(out, mode, err))
        return false;
    return !exists || keep_permissions(out, &old, err);
}

FileOut *file_out_new(const char *path, unsigned mode, Err *err)
{
    char target[PATH_ROOM];
    if (!resolve(path, target, err))
        return NULL;
    FileOut *out = mem_zero(1, sizeof *out, err);
    if (!out)
        return NULL;
    out->folder = out->file = -1;
    out->path = mem_copy_text(target, err);
    out->buffer = mem_alloc(WRITE_ROOM, 1, err);
    if (out->path && out->buffer) {
        char *slash = strrchr(out->path, '/');
        out->name = slash ? slash + 1 : out->path;
        if (file_out_open(out, mode, err))
            return out;
    }
    file_out_free(out);
    return NULL;
}

static bool write_all(FileOut *out, const unsigned char *bytes, size_t n, Err *err)
{
    while (n > 0) {
        ssize_t done = fails_now() ? -1 : write(out->file, bytes, n > (1u << 30) ? 1u << 30 : n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0) {
            out->failed = true;
            if (done == 0)
                errno = EIO;
            return refuse(err, "writing failed (the old file, if any, is untouched)", out->path);
        }
        bytes += done;
        n -= (size_t)done;
    }
    return true;
}

static bool flush(FileOut *out, Err *err)
{
    size_t n = out->used;
    out->used = 0;
    return write_all(out, out->buffer, n, err);
}

bool file_out_write(FileOut *out, const void *bytes, size_t n, Err *err)
{
    if (out->failed || out->file < 0)
        return err_set(err, ERR_STATE, "%s: written to after a failure or after the end", out->path);
    if (out->used + n > WRITE_ROOM && !flush(out, err))
        return false;
    if (n >= WRITE_ROOM)
        return write_all(out, bytes, n, err);
    if (n)
        memcpy(out->buffer + out->used, bytes, n);
    out->used += n;
    return true;
}

/* Network file systems and quotas may report the failure of a write only here. */
static bool close_file(FileOut *out, Err *err)
{
    int fd = out->file;
    out->file = -1;
    return close(fd) == 0 || errno == EINTR || refuse(err, "closing failed (the old file, if any, is untouched)", out->path);
}

bool file_out_commit(FileOut *out, Err *err)
{
    if (out->failed || out->file < 0)
        return err_set(err, ERR_STATE, "%s: committed twice, or after a failed write", out->path);
    if (!flush(out, err))
        return false;
    out->failed = true; /* until all is done: a second attempt must start anew */
    if (sync_now(out->file) != 0)
        return refuse(err, "the disk did not take the data (the old file, if any, is untouched)", out->path);
    if (!close_file(out, err))
        return false;
    if (fails_now() || renameat(out->folder, out->temp, out->folder, out->name) != 0)
        return refuse(err, "the new file cannot take its place (the old one, if any, is untouched)", out->path);
    out->temp[0] = '\0';
    if (sync_now(out->folder) != 0 && errno != EINVAL && errno != EBADF) /* some file systems cannot sync a folder */
        return refuse(err, "the new file stands, but the folder could not be synced: a power cut may bring the old one back", out->path);
    return true;
}

void file_out_free(FileOut *out)
{
    if (!out)
        return;
    if (out->file >= 0)
        close(out->file);
    if (out->temp[0])
        unlinkat(out->folder, out->temp, 0);
    if (out->folder >= 0)
        close(out->folder);
    mem_free(out->buffer);
    mem_free(out->path);
    mem_free(out);
}

bool file_replace(const char *path, const void *bytes, size_t n, unsigned mode, Err *err)
{
    FileOut *out = file_out_new(path, mode, err);
    bool ok = out && file_out_write(out, bytes, n, err) && file_out_commit(out, err);
    file_out_free(out);
    return ok;
}

/* ---- reading ---- */

static bool read_rest(int fd, const char *path, Buf *out, size_t most, size_t expected, Err *err)
{
    size_t start = out->size;
    for (;;) {
        size_t have = out->size - start;
        size_t want = have < expected ? expected - have : (size_t)1 << 16;
        if (want > most - have)
            want = most - have + 1; /* one byte more than allowed tells that there is more */
        char *to = buf_extend(out, want);
        if (!to)
            return buf_ok(out, err);
        ssize_t n;
        do
            n = read(fd, to, want > (1u << 30) ? 1u << 30 : want);
        while (n < 0 && errno == EINTR);
        out->size -= want - (n > 0 ? (size_t)n : 0);
        if (n < 0)
            return refuse(err, "cannot be read", path);
        if (n == 0)
            return true;
        if (out->size - start > most)
            return err_set(err, ERR_DATA, "%s holds more than %zu bytes, the most that is read here", path, most);
    }
}

bool file_read(const char *path, Buf *out, size_t most, Err *err)
{
    int fd = above_standard(open(path, O_RDONLY | O_CLOEXEC));
    if (fd < 0)
        return refuse(err, "cannot be opened", path);
    struct stat st;
    bool ok = fstat(fd, &st) == 0 || refuse(err, "cannot be examined", path);
    if (ok && S_ISDIR(st.st_mode))
        ok = err_set(err, ERR_IO, "%s is a folder, a file is wanted", path);
    if (ok && (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)))
        ok = err_set(err, ERR_IO, "%s is a device, a file is wanted", path);
    if (most > SIZE_MAX / 4)
        most = SIZE_MAX / 4;
    size_t expected = ok && S_ISREG(st.st_mode) ? (size_t)st.st_size : 0;
    if (ok && expected > most)
        ok = err_set(err, ERR_DATA, "%s holds %zu bytes, more than the %zu that are read here", path, expected, most);
    size_t start = out->size;
    ok = ok && read_rest(fd, path, out, most, expected, err);
    if (!ok)
        out->size = start;
    close(fd);
    return ok;
}

/* ---- folders ---- */

bool file_exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

bool file_is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool file_make_folder(const char *path, Err *err)
{
    char part[PATH_ROOM];
    if (snprintf(part, sizeof part, "%s", path) >= (int)sizeof part)
        return err_set(err, ERR_IO, "a path of %zu bytes is too long", strlen(path));
    for (char *p = part + 1; part[0]; p++) {
        if (*p != '/' && *p != '\0')
            continue;
        char kept = *p;
        *p = '\0';
        int failed = mkdir(part, 0700) ? errno : 0;
        if (failed && !file_is_folder(part)) {
            errno = failed; /* the reason is that of mkdir, not of the look after it */
            return refuse(err, "the folder cannot be made", part);
        }
        if (!kept)
            break;
        *p = kept;
    }
    return true;
}

bool file_xdg(char *out, size_t size, const char *kind)
{
    static const struct {
        const char *kind, *variable, *fallback;
    } rows[] = {
        { "CONFIG", "XDG_CONFIG_HOME", ".config/hebb" },
        { "DATA", "XDG_DATA_HOME", ".local/share/hebb" },
        { "STATE", "XDG_STATE_HOME", ".local/state/hebb" },
        { "CACHE", "XDG_CACHE_HOME", ".cache/hebb" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (strcmp(rows[i].kind, kind) != 0)
            continue;
        const char *set = getenv(rows[i].variable), *home = getenv("HOME");
        if (set && set[0] == '/') /* the specification: relative paths are ignored */
            return file_join(out, size, set, "hebb");
        return home && home[0] && file_join(out, size, home, rows[i].fallback);
    }
    return false;
}

static bool resource_in(char *out, size_t size, const char *root, const char *name)
{
    return root && root[0] && file_join(out, size, root, name) && file_exists(out);
}

/* The running program as a path, cut to its folder. */
static bool program_folder(char out[PATH_ROOM])
{
    ssize_t n = readlink("/proc/self/exe", out, PATH_ROOM - 1);
    if (n <= 0)
        return false;
    out[n] = '\0';
    char *slash = strrchr(out, '/');
    if (!slash)
        return false;
    *slash = '\0';
    return true;
}

bool file_resource(char *out, size_t size, const char *name)
{
    if (resource_in(out, size, getenv("HEBB_HOME"), name))
        return true;
    char folder[PATH_ROOM], makefile[PATH_ROOM];
    if (program_folder(folder)) {
        char shared[PATH_ROOM];
        if (file_join(shared, sizeof shared, folder, "../share/hebb") && resource_in(out, size, shared, name))
            return true;
        for (char *slash = folder; (slash = strstr(slash, "/build/")); slash++) { /* TREE/build/MODE/hebb, …/tests/test_x */
            char kept = *slash;
            *slash = '\0';
            if (file_join(makefile, sizeof makefile, folder, "Makefile") && file_exists(makefile) && resource_in(out, size, folder, name))
                return true;
            *slash = kept;
        }
    }
#ifdef HEBB_DATADIR
    return resource_in(out, size, HEBB_DATADIR, name);
#else
    return false;
#endif
}
