// SPDX-License-Identifier: MIT
/* Steering runs from outside: what the dashboard's keys, signals and scripts share. Any thread. Commands are checked when
 * they are posted and take effect at the next step boundary; nothing here waits for the trainer. */
#ifndef TRAIN_CONTROL_H
#define TRAIN_CONTROL_H

#include "base/err.h"
#include "train/telemetry.h"

typedef struct Run Run;

/* The runs of this process, newest last. Each result is a reference to be given back with run_unref. */
int control_count(void);
Run *control_run(int i);   /* 0 … count-1; NULL when out of range */
Run *control_latest(void); /* the newest; NULL when there was none */
bool control_any_active(void); /* some run is training, waiting or at a pause with work left */
bool control_any_going(void);  /* some run goes on by itself: not at a pause, where somebody must resume it */

Run *run_ref(Run *run);
void run_unref(Run *run);

Telemetry *run_telemetry(Run *run); /* borrowed for the run's life */
int run_id(const Run *run);
RunState run_state(const Run *run);
bool run_has_ended(const Run *run); /* finished, stopped or failed */

/* Fails: ERR_STATE when the run has ended ("run 1 is finished; …"). */
MUST_USE bool run_pause(Run *run, Err *err);
MUST_USE bool run_resume(Run *run, Err *err);
MUST_USE bool run_step(Run *run, int64_t n, Err *err); /* n updates, then pause */
MUST_USE bool run_stop(Run *run, Err *err);            /* end at the next boundary; history and weights stay */
MUST_USE bool run_set_rate(Run *run, double learning_rate, Err *err);

/* Which layer and which probe sample the activation picture shows; values beyond the last are clamped. Layer -1, as at first:
 * the one that shows most (the first with a kernel whose output is an image, else the first with a kernel). */
void run_choose_probe(Run *run, int layer, int sample);

/* Ask all runs to stop (SIGTERM) at their next boundary and save. Not from a signal handler. */
void control_stop_all(void);

/* Before the process leaves: stop all runs, wait until they have ended and what they recorded is on disk, at most so many
 * seconds. False when time ran out. */
bool control_settle(double seconds);

/* Record runs from now on (the default), or write nothing (--safe). */
void control_record(bool on);

#endif
