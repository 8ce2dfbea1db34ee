// SPDX-License-Identifier: MIT
/* The models of a job on their way to files, one for each: FOLDER/NAME.safetensors, with _ for what no file's name should hold. As
 * deposit.h: the thread that does the step copies the weights at a boundary, the recorder's thread writes them, nobody waits but for the
 * very last. Optimizers and position are not in them: what a job keeps for itself is not known here. */
#ifndef TRAIN_JOBSAVE_H
#define TRAIN_JOBSAVE_H

#include "train/trainer.h"
#include "train/writer.h"

typedef struct JobSave JobSave;

/* Copies of the models, and room in the recorder's list. Fails: ERR_MEM, ERR_IO. */
MUST_USE JobSave *jobsave_new(Run *run, Err *err);

/* The models as they stand. False: the last ones are still being written (patient: after waiting for that). */
bool jobsave_fill(JobSave *save, Run *run, bool patient);

void jobsave_close(JobSave *save); /* what was filled is still written. NULL is allowed */
Writer *jobsave_writer(JobSave *save);

#endif
