// SPDX-License-Identifier: MIT
/* Two buffers: the trainer appends to `in` under a lock that is held for copying only; the recorder exchanges it for the empty `out`
 * and writes that without the lock. Both keep their memory, so that a steady stream allocates nothing. */
#include "train/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

struct Sink {
    Writer writer; /* first: the recorder's list */
    _Atomic int refs;
    char *path; /* owned */
    int fd;
    bool made, held; /* by sink_open; it held bytes then, which stay */
    pthread_mutex_t lock;
    Buf in;     /* under the lock */
    bool lost;  /* under the lock: bytes found no room */
    Buf out;    /* the recorder's, as what follows */
    bool begun; /* the first byte is written */
    int failures; /* rounds in a row */
    _Atomic bool over;
    bool fed; /* the trainer's: something was put */
};

static void unref(Sink *sink)
{
    if (atomic_fetch_sub(&sink->refs, 1) > 1)
        return;
    if (sink->fd >= 0)
        close(sink->fd);
    buf_fini(&sink->in);
    buf_fini(&sink->out);
    pthread_mutex_destroy(&sink->lock);
    mem_free(sink->path);
    mem_free(sink);
}

/* O_NONBLOCK: a pipe that nobody reads is an error, not a wait. */
static bool open_file(Sink *sink, bool append, Err *err)
{
    int flags = O_WRONLY | O_CLOEXEC | O_APPEND | O_NONBLOCK;
    struct stat info;
    sink->fd = open(sink->path, flags | O_CREAT | O_EXCL, 0666);
    sink->made = sink->fd >= 0;
    if (sink->fd < 0 && errno == EEXIST)
        sink->fd = open(sink->path, flags);
    if (sink->fd < 0 || fstat(sink->fd, &info))
        return err_set(err, ERR_IO, "%.200s: %s", sink->path, strerror(errno));
    sink->held = append && info.st_size > 0;
    return true;
}

bool sink_is_empty(const Sink *sink)
{
    return !sink->held && !sink->fed;
}

void sink_put(Sink *sink, const Buf *bytes)
{
    sink->fed = true;
    pthread_mutex_lock(&sink->lock);
    size_t before = sink->in.size;
    if (before + bytes->size <= SINK_PENDING)
        buf_write(&sink->in, bytes->data, bytes->size);
    if (bytes->failed || sink->in.failed || before + bytes->size > SINK_PENDING) {
        sink->in.size = before; /* a piece is there whole or not at all */
        sink->in.failed = false;
        sink->lost = true;
    }
    pthread_mutex_unlock(&sink->lock);
}

void sink_close(Sink *sink)
{
    if (!sink)
        return;
    if (sink->made && !sink->fed)
        unlink(sink->path); /* the run never started; here, before another one can open it */
    atomic_store(&sink->over, true);
    unref(sink);
}

/* ---- the recorder's thread ---- */

/* What is left after a failure stands at the beginning of the buffer. */
static bool flush(Sink *sink, Err *err)
{
    Buf *out = &sink->out;
    size_t done = 0;
    if (out->size > 0 && !sink->begun && !sink->held && ftruncate(sink->fd, 0) && errno != EINVAL)
        return err_set(err, ERR_IO, "%.100s: %s", sink->path, strerror(errno));
    while (done < out->size) {
        ssize_t n = write(sink->fd, out->data + done, out->size - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            break;
        done += (size_t)n;
        sink->begun = true;
    }
    if (done > 0)
        memmove(out->data, out->data + done, out->size - done);
    out->size -= done;
    return out->size == 0 || err_set(err, ERR_IO, "%.100s: %s", sink->path, strerror(errno));
}

static void serve(Writer *writer)
{
    Sink *sink = (Sink *)writer;
    Err err = ERR_INIT;
    bool ok = flush(sink, &err);
    pthread_mutex_lock(&sink->lock);
    if (sink->out.size == 0) {
        Buf empty = sink->out;
        sink->out = sink->in;
        sink->in = empty;
    }
    bool lost = sink->lost;
    sink->lost = false;
    pthread_mutex_unlock(&sink->lock);
    ok = ok && flush(sink, &err);
    if (lost && ok)
        ok = err_set(&err, ERR_MEM, "%.100s: memory ran out, rows are missing", sink->path);
    sink->failures = ok ? 0 : sink->failures + 1;
    if (!ok)
        writer_complain(writer, &err);
}

static bool done(Writer *writer)
{
    Sink *sink = (Sink *)writer;
    if (!atomic_load(&sink->over))
        return false;
    pthread_mutex_lock(&sink->lock);
    bool left = sink->in.size > 0 || sink->out.size > 0;
    pthread_mutex_unlock(&sink->lock);
    return !left || sink->failures > 1;
}

static void drop(Writer *writer)
{
    unref((Sink *)writer);
}

/* ---- making ---- */

Sink *sink_open(const char *path, bool append, Err *err)
{
    Sink *sink = mem_zero(1, sizeof *sink, err);
    if (!sink)
        return NULL;
    sink->writer = (Writer){ .serve = serve, .done = done, .drop = drop };
    atomic_init(&sink->refs, 1);
    pthread_mutex_init(&sink->lock, NULL);
    sink->fd = -1;
    if ((sink->path = mem_copy_text(path, err)) && open_file(sink, append, err)) {
        atomic_fetch_add(&sink->refs, 1);
        if (recorder_add_writer(&sink->writer, err))
            return sink;
        unref(sink);
    }
    sink_close(sink);
    return NULL;
}

Writer *sink_writer(Sink *sink)
{
    return &sink->writer;
}
