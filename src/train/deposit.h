// SPDX-License-Identifier: MIT
/* A model on its way to a file. The trainer copies weights, optimizer and position into a replica at a boundary; the recorder's
 * thread writes them (hand.h). What is not yet written may be filled anew only when it is for the same file. */
#ifndef TRAIN_DEPOSIT_H
#define TRAIN_DEPOSIT_H

#include "train/trainer.h"
#include "train/writer.h"

typedef struct Deposit Deposit;

/* Replica and memory come with the first fill. In the recorder's list. Fails: ERR_MEM, ERR_IO. */
MUST_USE Deposit *deposit_new(Err *err);

/* The run as it stands, for this file (its folder is made if need be). weights_only: without optimizer and position. Waits for the
 * disk only while an earlier file of another name is not written yet. Fails: ERR_MEM; ERR_IO when that takes too long. */
MUST_USE bool deposit_fill(Deposit *deposit, Run *run, const char *path, bool weights_only, Err *err);

/* What was filled is still written. NULL is allowed. */
void deposit_close(Deposit *deposit);
Writer *deposit_writer(Deposit *deposit);

#endif
