// SPDX-License-Identifier: MIT
/* What the recorder's thread writes for others: an object that begins with a Writer, in the recorder's list until it is done. What
 * goes wrong is told once by the trainer. */
#ifndef TRAIN_WRITER_H
#define TRAIN_WRITER_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/err.h"

#define WRITER_TROUBLE 340 /* bytes; fits into an event with words around it */

typedef struct Writer {
    struct Writer *next; /* under the recorder's lock */
    void (*serve)(struct Writer *writer); /* each round; the recorder's thread, as the next two */
    bool (*done)(struct Writer *writer);  /* nothing will come, and nothing is left or it cannot be written */
    void (*drop)(struct Writer *writer);  /* give up the recorder's reference */
    bool told;                            /* the trainer's */
    _Atomic bool troubled;
    char trouble[WRITER_TROUBLE]; /* set before troubled */
} Writer;

/* The recorder's thread: the first trouble is kept. */
void writer_complain(Writer *writer, const Err *err);

/* Why it cannot write, told once; NULL: it can, or it was told. The trainer. */
const char *writer_trouble(Writer *writer);

/* recorder.c: hand it over, with a reference. Fails: ERR_IO when the thread cannot be started. */
MUST_USE bool recorder_add_writer(Writer *writer, Err *err);

#endif
