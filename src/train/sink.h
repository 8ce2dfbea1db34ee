// SPDX-License-Identifier: MIT
/* A file that a built-in callback writes as a run goes on. The callback gives bytes, on the trainer's thread, which never waits for a
 * disk; the recorder's thread writes them, at least once a second. What a full disk refuses is kept and tried again each round, so
 * that no row is lost or torn, up to SINK_PENDING bytes. Counted: the callback and the recorder have a reference each. */
#ifndef TRAIN_SINK_H
#define TRAIN_SINK_H

#include "base/buf.h"
#include "train/writer.h"

#define SINK_PENDING ((size_t)16 << 20)

typedef struct Sink Sink;

/* Made if it is not there, so that what is wrong with the path is known before a run starts; what it held goes with the first byte
 * that is written, or stays before it (append). Fails: ERR_IO, ERR_MEM. */
MUST_USE Sink *sink_open(const char *path, bool append, Err *err);
bool sink_is_empty(const Sink *sink); /* nothing was put yet, and nothing stays before it; the trainer */

void sink_put(Sink *sink, const Buf *bytes); /* the trainer; a copy */

/* The callback's reference; what was put is still written. NULL is allowed. */
void sink_close(Sink *sink);
Writer *sink_writer(Sink *sink);

#endif
