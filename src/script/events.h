// SPDX-License-Identifier: MIT
/* What callbacks can be told of, and what fit may be given as callbacks. The lua thread. */
#ifndef SCRIPT_EVENTS_H
#define SCRIPT_EVENTS_H

#include "script/bind_net.h"

typedef enum {
    ON_TRAIN_BEGIN,
    ON_EPOCH_BEGIN,
    ON_BATCH_BEGIN,
    ON_BATCH_END,
    ON_TEST_BEGIN,
    ON_TEST_BATCH_BEGIN,
    ON_TEST_BATCH_END,
    ON_TEST_END,
    ON_EPOCH_END,
    ON_TRAIN_END,
    ON_PREDICT_BEGIN, /* fit never calls these */
    ON_PREDICT_BATCH_BEGIN,
    ON_PREDICT_BATCH_END,
    ON_PREDICT_END,
    ON_COUNT,
    ON_STEP = ON_COUNT /* of a job: it has no name */
} Event;

typedef struct EventRow {
    const char *name, *also; /* Keras's second name */
    bool numbered;           /* of an epoch or a batch: its number comes first */
} EventRow;
extern const EventRow events[ON_COUNT];

/* Push the list of tables among the value at index: a table of functions, a built-in callback, or a list of both; has[] tells which events
 * they know. Raises for what is no callback. */
void events_list(lua_State *L, int index, bool has[ON_COUNT]);

/* Built-in ones of the list, or the value by itself, into out: how many, or -1. Nothing raises between the first that is made and the end. */
int events_builtin(lua_State *L, int index, RunCallback *out, Err *err);

#endif
