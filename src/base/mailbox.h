// SPDX-License-Identifier: MIT
/* A queue between threads. Posting never blocks and never fails: a message brings its own link (put a Mail first in the
 * struct). Any number of posters, one taker. The taker may wait, or poll the descriptor beside others. */
#ifndef BASE_MAILBOX_H
#define BASE_MAILBOX_H

#include "base/err.h"

typedef struct Mail {
    struct Mail *next;
} Mail;

typedef struct Mailbox Mailbox;

/* Fails: ERR_MEM, ERR_IO (no more descriptors). */
MUST_USE Mailbox *mailbox_new(Err *err);

/* The box must be empty or its messages owned elsewhere: they are not freed. */
void mailbox_free(Mailbox *box);

/* Give a message away. Any thread. */
void mailbox_post(Mailbox *box, Mail *mail);

/* Wake the taker without a message ("look again"). Any thread, also a signal handler. */
void mailbox_wake(Mailbox *box);

/* The oldest message, now the caller's, or NULL at once. */
Mail *mailbox_take(Mailbox *box);

/* Sleep until a message or a wake-up may be there, at most seconds (negative: no limit). */
void mailbox_wait(Mailbox *box, double seconds);

/* Readable while something may be there; mailbox_take until NULL, then mailbox_drain, clears it. */
int mailbox_fd(const Mailbox *box);
void mailbox_drain(Mailbox *box);

#endif
