// SPDX-License-Identifier: MIT
/* Callbacks of evaluate and predict: called by the lua thread itself between two batches, which a model under training does not allow. */
#ifndef SCRIPT_WATCH_H
#define SCRIPT_WATCH_H

#include "script/bind_net.h"

typedef struct Watch {
    lua_State *L;
    int list;           /* stack index of the tables; 0: there are no callbacks */
    const char *verb;   /* "test" or "predict" */
    Model *model;
    const double *logs; /* of evaluate, filled as it goes on; NULL: predict */
    Tensor *out;        /* [n_outputs] of predict, rows of which are handed over; NULL: evaluate */
    BatchHook hook;
} Watch;

/* From the value at index: nil, a table of functions or a list; the list is pushed. Calls on_…_begin. Raises, also when a run trains the
 * model. */
void watch_begin(lua_State *L, int index, Watch *watch);
void watch_end(Watch *watch); /* on_…_end with the logs; raises */

#endif
