// SPDX-License-Identifier: MIT
/* The ring of snapshots, and going back. A snapshot is taken at an epoch's end and now and then within long epochs; when the
 * budget is full, one is dropped whose neighbours lie close for their age, so that the recent past stays dense and the start
 * stays reachable. Going back restores the nearest earlier snapshot and trains silently from there with the changes that
 * were made then: every step can be reached, bit for bit. */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "tensor/kern.h"
#include "train/callback.h"
#include "train/trainer.h"

#define SHOTS_MOST 256
#define EPOCH_LEAST_S 0.02 /* epochs shorter than this share a snapshot: replaying them costs less than keeping them */
#define STEP_LEAST_S 2.0
#define COST_SHARE 100 /* snapshots within an epoch take at most 1 % of the time */

/* ---- the state as one array ---- */

static size_t count_reals(const Run *run)
{
    size_t n = 0;
    for (int i = 0; i < run->n_layers; i++)
        n += run->layers[i]->n_elements;
    for (int i = 0; i < run->optimizer->n_blocks; i++)
        n += (size_t)__builtin_popcount(optimizer_slots(run->optimizer)) * run->optimizer->blocks[i].layer->n_trainable;
    return n + (run->sums.n * sizeof(double) + sizeof(real) - 1) / sizeof(real);
}

static real *move(real *data, real *block, size_t n, bool restore)
{
    if (restore)
        kern_copy(block, data, (int64_t)n);
    else
        kern_copy(data, block, (int64_t)n);
    return data + n;
}

void run_state_copy(Run *run, real *data, bool restore)
{
    for (int i = 0; i < run->n_layers; i++)
        data = move(data, run->layers[i]->block, run->layers[i]->n_elements, restore);
    for (int i = 0; i < run->optimizer->n_blocks; i++) {
        OptimizerBlock *block = &run->optimizer->blocks[i];
        for (int s = 0; s < OPTIMIZER_SLOTS; s++)
            if (block->slots[s])
                data = move(data, block->slots[s], block->layer->n_trainable, restore);
    }
    if (restore)
        memcpy(run->sums.v, data, run->sums.n * sizeof(double));
    else
        memcpy(data, run->sums.v, run->sums.n * sizeof(double));
}

uint64_t run_weights_hash(const Run *run)
{
    uint64_t lanes[4] = { 1, 2, 3, 4 };
    for (int i = 0; i < run->n_layers; i++) {
        const Layer *layer = run->layers[i];
        size_t n = layer->n_elements;
        for (size_t j = 0; j < n; j++) {
            uint64_t word = 0;
            memcpy(&word, &layer->block[j], sizeof *layer->block);
            lanes[j & 3] = (lanes[j & 3] ^ word) * 0x9E3779B97F4A7C15u;
        }
        lanes[i & 3] += layer->trainable ? 1 : 3;
    }
    return lanes[0] ^ lanes[1] >> 7 ^ lanes[2] << 9 ^ lanes[3] >> 13;
}

/* ---- the ring ---- */

void ring_init(Run *run, size_t budget)
{
    Ring *ring = &run->ring;
    *ring = (Ring){ .budget = budget, .every_s = STEP_LEAST_S };
    ring->n_reals = count_reals(run);
    ring->size = ring->n_reals * sizeof(real) + sizeof(Snapshot);
}

void ring_fini(Run *run)
{
    for (int i = 0; i < run->ring.n; i++)
        mem_free(run->ring.shots[i].data);
    mem_free(run->ring.shots);
    mem_free(run->ring.spare);
    run->ring = (Ring){ 0 };
}

static void drop(Ring *ring, int i)
{
    if (ring->spare)
        mem_free(ring->shots[i].data);
    else
        ring->spare = ring->shots[i].data;
    memmove(&ring->shots[i], &ring->shots[i + 1], (size_t)(--ring->n - i) * sizeof *ring->shots);
}

/* Which one is missed least: neither the first, nor the newest, nor one where weights were changed, while there is another. */
static int least_missed(const Ring *ring, int64_t now)
{
    int best = -1;
    double best_cost = HUGE_VAL;
    for (int i = 1; i < ring->n - 1; i++) {
        double gap = (double)(ring->shots[i + 1].at.step - ring->shots[i - 1].at.step);
        double cost = gap / (double)(now - ring->shots[i].at.step + 1);
        cost *= ring->shots[i].at.batch > 0 ? 0.5 : 1; /* epoch ends are asked for more often */
        if (!ring->shots[i].barrier && cost < best_cost) {
            best = i;
            best_cost = cost;
        }
    }
    return best >= 0 ? best : 0;
}

static bool make_room(Run *run)
{
    Ring *ring = &run->ring;
    while (ring->n > 0 && ((size_t)(ring->n + 1) * ring->size > ring->budget || ring->n >= SHOTS_MOST))
        drop(ring, least_missed(ring, run->at.step));
    if (ring->size > ring->budget) {
        if (!ring->refused)
            report_event(run, false, "snapshots", "no snapshots: one takes %.1f MB, the budget is %.1f MB; without them there is no rewind",
                         (double)ring->size / 1e6, (double)ring->budget / 1e6);
        ring->refused = true;
        return false;
    }
    if (!ring->shots && !(ring->shots = mem_alloc(SHOTS_MOST, sizeof *ring->shots, NULL)))
        return false;
    return ring->spare || (ring->spare = mem_alloc(ring->n_reals + 1, sizeof(real), NULL));
}

void ring_take(Run *run, bool barrier)
{
    Ring *ring = &run->ring;
    double began = clock_now();
    if (run->job)
        return; /* its Lua variables cannot be restored */
    while (ring->n > 0 && ring->shots[ring->n - 1].at.step >= run->at.step && (barrier || ring->shots[ring->n - 1].at.step > run->at.step))
        drop(ring, ring->n - 1); /* what is taken now stands for this step */
    if (!make_room(run))
        return;
    Snapshot *shot = &ring->shots[ring->n++];
    *shot = (Snapshot){ run->at, run->optimizer->learning_rate, run->optimizer->t, run->n_changes, barrier, ring->spare };
    ring->spare = NULL;
    run_state_copy(run, shot->data, false);
    ring->last_s = clock_now();
    ring->cost_s = ring->last_s - began;
}

void ring_epoch(Run *run)
{
    const Ring *ring = &run->ring;
    if (run->job)
        return;
    bool stands = ring->n > 0 && ring->shots[ring->n - 1].at.step == run->at.step;
    if (!stands && (clock_now() - ring->last_s >= EPOCH_LEAST_S || ring->every_s <= 0))
        ring_take(run, false);
}

void ring_step(Run *run)
{
    const Ring *ring = &run->ring;
    if (run->job)
        return;
    double least = ring->cost_s * COST_SHARE > ring->every_s ? ring->cost_s * COST_SHARE : ring->every_s;
    if (run->last_s - ring->last_s >= least || ring->every_s <= 0) /* last_s: when the step ended */
        ring_take(run, false);
}

void ring_limit(Run *run, size_t budget)
{
    Ring *ring = &run->ring;
    ring->budget = budget;
    ring->refused = false;
    while (ring->n > 0 && (size_t)ring->n * ring->size > budget)
        drop(ring, least_missed(ring, run->at.step));
    mem_free(ring->spare);
    ring->spare = NULL;
    if (ring->n == 0)
        ring_take(run, false);
}

/* ---- changes ---- */

bool run_log_change(Run *run, double learning_rate, Err *err)
{
    if (run->n_changes == run->changes_room) {
        int room = run->changes_room ? 2 * run->changes_room : 16;
        Change *more = mem_grow(run->changes, (size_t)room, sizeof *more, err);
        if (!more)
            return false;
        run->changes = more;
        run->changes_room = room;
    }
    run->changes[run->n_changes++] = (Change){ .step = run->at.step, .learning_rate = learning_rate };
    return true;
}

/* Settings made at the target itself belong to what came after it, but for those of callbacks at the end of an epoch. */
static int changes_before(const Run *run, int64_t step)
{
    int n = run->n_changes;
    while (n > 0 && run->changes[n - 1].step >= step && !(run->changes[n - 1].step == step && run->changes[n - 1].at_end))
        n--;
    return n;
}

/* ---- going back ---- */

/* The newest snapshot from which step can be replayed; -1: none. */
static int find_start(const Run *run, int64_t step)
{
    for (int i = run->ring.n - 1; i >= 0; i--) {
        const Snapshot *shot = &run->ring.shots[i];
        if (shot->at.step <= step && (shot->n_changes <= changes_before(run, step) || shot->barrier))
            return i;
    }
    return -1;
}

static void restore(Run *run, const Snapshot *shot)
{
    run->at = shot->at;
    run->optimizer->learning_rate = shot->learning_rate;
    run->optimizer->t = shot->t;
    run_state_copy(run, shot->data, true);
    run->check_row = 0;
}

/* The changes, from number `next` on, that were made up to where it stands; returns the next. */
static int make_changes(Run *run, int next, int n_changes)
{
    for (; next < n_changes && run->changes[next].step <= run->at.step; next++) {
        run->optimizer->learning_rate = run->changes[next].learning_rate;
        run->at.scheduled = false;
    }
    return next;
}

/* Train silently from that snapshot to the step, with the changes that were made on the way. */
static bool replay(Run *run, int start, int64_t step, const _Atomic bool *stop, Err *err)
{
    int change = run->ring.shots[start].n_changes, n_changes = changes_before(run, step);
    restore(run, &run->ring.shots[start]);
    run->silent = true;
    bool ok = true;
    while (ok && run->at.step < step) {
        change = make_changes(run, change, n_changes);
        if ((stop && atomic_load(stop)) || atomic_load(&run->quit) || atomic_load(&run->stop_all))
            ok = err_set(err, ERR_INTERRUPT, "rewind: interrupted at step %lld", (long long)run->at.step);
        if (run->at.batch == trainer_batches(run))
            trainer_next_epoch(run);
        ok = ok && trainer_update(run, err);
    }
    if (run->at.batch == trainer_batches(run))
        trainer_next_epoch(run);
    if (ok)
        make_changes(run, change, n_changes);
    run->silent = false;
    return ok;
}

/* Weights of earlier steps that callbacks must hold when the run stands at `step`: go there and take them. */
static bool refill(Run *run, int64_t step, const _Atomic bool *stop, Err *err)
{
    for (int64_t wanted, last = -1; (wanted = callbacks_missing(run, step)) > last; last = wanted) {
        int start = find_start(run, wanted);
        if (start < 0)
            return true; /* older than the oldest snapshot: they are let go */
        if (!replay(run, start, wanted, stop, err))
            return false;
        callbacks_refill(run);
    }
    return true;
}

/* The last validation values that were known at this step. */
static void recall_validation(Run *run)
{
    for (size_t i = telemetry_facts(run->tele); i-- > 0;) {
        const Fact *fact = telemetry_fact(run->tele, i);
        if (fact->kind == FACT_EPOCH && fact->step <= run->at.step && !isnan(fact->validation[0])) {
            memcpy(run->at.validation, fact->validation, sizeof run->at.validation);
            return;
        }
    }
}

bool ring_rewind(Run *run, int64_t step, const _Atomic bool *stop, Err *err)
{
    Ring *ring = &run->ring;
    if (step < run->first_step)
        return err_set(err, ERR_ARG, "run %d begins at step %lld: there is nothing before it", run->id, (long long)run->first_step);
    int start = find_start(run, step);
    if (start < 0 && ring->n == 0)
        return err_set(err, ERR_STATE, "run %d has no snapshots: its budget of %.1f MB is too small for one of %.1f MB", run->id,
                       (double)ring->budget / 1e6, (double)ring->size / 1e6);
    if (start < 0)
        return err_set(err, ERR_STATE, "run %d can go back to step %lld at most: that is its oldest snapshot", run->id,
                       (long long)ring->shots[0].at.step);
    int n_changes = changes_before(run, step);
    bool ok = refill(run, step, stop, err);
    while (ring->n > start + 1)
        drop(ring, ring->n - 1);
    ok = ok && replay(run, start, step, stop, err);
    callbacks_return(run);
    run->n_changes = n_changes > ring->shots[start].n_changes ? n_changes : ring->shots[start].n_changes;
    recall_validation(run);
    return ok;
}
