// SPDX-License-Identifier: MIT
#include "train/deposit.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "train/hand.h"
#include "train/saved.h"

#define WAIT_S 10.0

struct Deposit {
    Writer writer; /* first: the recorder's list */
    _Atomic int refs;
    Hand hand;
    _Atomic bool over;
    /* what follows belongs to whoever may fill or write */
    Model *replica;  /* owned */
    Saved saved;
    Telemetry *tele; /* reference */
    bool weights_only;
    char path[CALLBACK_PATH];
};

static void unref(Deposit *deposit)
{
    if (atomic_fetch_sub(&deposit->refs, 1) > 1)
        return;
    model_unref(deposit->replica);
    saved_fini(&deposit->saved);
    telemetry_unref(deposit->tele);
    mem_free(deposit);
}

/* ---- the recorder's thread ---- */

static bool make_folder(const char *path, Err *err)
{
    char folder[CALLBACK_PATH];
    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (!slash || slash == folder)
        return true;
    *slash = '\0';
    return file_is_folder(folder) || file_make_folder(folder, err);
}

static void serve(Writer *writer)
{
    Deposit *d = (Deposit *)writer;
    Err err = ERR_INIT;
    if (!hand_take(&d->hand))
        return;
    bool ok = make_folder(d->path, &err) &&
              (d->weights_only ? model_save(d->replica, d->path, NULL, &err) : saved_write(&d->saved, d->tele, d->replica, d->path, &err));
    if (!ok)
        writer_complain(writer, &err);
    hand_clear(&d->hand);
}

static bool done(Writer *writer)
{
    Deposit *d = (Deposit *)writer;
    return atomic_load(&d->over) && hand_is(&d->hand, HAND_EMPTY);
}

static void drop(Writer *writer)
{
    unref((Deposit *)writer);
}

/* ---- the trainer ---- */

Deposit *deposit_new(Err *err)
{
    Deposit *d = mem_zero(1, sizeof *d, err);
    if (!d)
        return NULL;
    d->writer = (Writer){ .serve = serve, .done = done, .drop = drop };
    atomic_init(&d->refs, 2);
    if (recorder_add_writer(&d->writer, err))
        return d;
    unref(d);
    unref(d);
    return NULL;
}

static bool take_hand(Deposit *d, const char *path, Err *err)
{
    double end = clock_now() + WAIT_S;
    while (!hand_fill(&d->hand, !strcmp(d->path, path))) {
        if (clock_now() > end)
            return err_set(err, ERR_IO, "%.200s: the disk is too slow, %.200s is not written yet", path, d->path);
        if (!recorder_finish(WAIT_S / 4)) /* hurries it */
            clock_sleep(0.002);
    }
    return true;
}

bool deposit_fill(Deposit *d, Run *run, const char *path, bool weights_only, Err *err)
{
    if (!take_hand(d, path, err))
        return false;
    if (!d->tele)
        d->tele = telemetry_ref(run->tele);
    if ((!d->replica && !(d->replica = replica_new(run->model, &run->compiled, err))) || !saved_take(run, &d->saved, err)) {
        hand_clear(&d->hand);
        return false;
    }
    replica_fill(d->replica, run);
    snprintf(d->path, sizeof d->path, "%s", path);
    d->weights_only = weights_only;
    hand_give(&d->hand);
    recorder_wake();
    return true;
}

void deposit_close(Deposit *deposit)
{
    if (!deposit)
        return;
    atomic_store(&deposit->over, true);
    unref(deposit);
}

Writer *deposit_writer(Deposit *deposit)
{
    return &deposit->writer;
}
