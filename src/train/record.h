// SPDX-License-Identifier: MIT
/* The files of one run, in a folder of its own: $XDG_STATE_HOME/hebb/runs/<time>-<pid>-<run>/
 *   run.json      what is fixed: model, metrics, data sizes; written at the start and when the state changes
 *   history.csv   a row an epoch, as Keras's CSVLogger writes it: epoch from 0, then the metrics sorted by name
 *   events.jsonl  one JSON object a line for every event
 *   series.csv    the curves by step, folded into buckets; rewritten now and then
 *   autosave.safetensors  to go on from (recorder.c)
 * One thread: the recorder. */
#ifndef TRAIN_RECORD_H
#define TRAIN_RECORD_H

#include "base/err.h"
#include "train/telemetry.h"

#define RECORD_PATH 1024
#define RECORD_AUTOSAVE "autosave.safetensors"
#define RECORD_KEPT 50 /* folders of older runs are removed */

typedef struct Record Record;

/* Decides the folder; nothing is touched before the first record_write. Fails: ERR_MEM, ERR_IO (no home). */
Record *record_new(Telemetry *tele, const char *resumed_from, char folder[RECORD_PATH], Err *err);
void record_free(Record *record);

/* Append what is new. `all`: rewrite series and state too. Fails: ERR_IO; what was not written is tried again at the next call. */
MUST_USE bool record_write(Record *record, Telemetry *tele, bool all, Err *err);
bool record_done(const Record *record, Telemetry *tele); /* nothing is left, or it cannot be written */

#endif
