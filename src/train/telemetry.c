// SPDX-License-Identifier: MIT
/* Everything that readers touch is atomic: counts that are published after what they count (facts), words under a sequence
 * lock (now, series), or a counted block (pictures). A Telemetry and the pictures that are out share one count of
 * references. Nothing here takes a lock. */
#include "train/telemetry.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "train/picture.h"
#include "train/series.h"

#define FACTS_FIRST 16 /* facts of the first block; each block holds twice as many as the one before */
#define FACTS_BLOCKS 40

typedef struct Facts {
    atomic_size_t count;
    Fact *blocks[FACTS_BLOCKS]; /* owned; written before the count that reaches into them */
    Fact reserve;               /* what there was no memory for */
    bool in_reserve;
    long lost;
} Facts;

struct Telemetry {
    atomic_int references;
    TelePlan plan;
    _Atomic uint64_t version;
    atomic_bool woken; /* the waker has been called and nobody has looked since */
    RunState state; /* the writer's own copy of what now holds */
    atomic_uint now_number;
    SeqWord now[SEQ_WORDS(sizeof(TeleNow))];
    Facts facts;
    atomic_int watchers[PICTURE_KINDS];
    PictureShelf shelves[PICTURE_KINDS];
    int n_series;
    Series series[]; /* the plan's metrics, then the learning rate */
};

_Static_assert(sizeof(TeleNow) % 8 == 0 && sizeof(TeleBucket) % 8 == 0 && sizeof(SeriesTail) % 8 == 0, "copied by words");

const char *run_state_name(RunState state)
{
    static const char *const names[] = {
        [RUN_WAITING] = "waiting",   [RUN_TRAINING] = "training", [RUN_PAUSED] = "paused",   [RUN_TROUBLE] = "trouble",
        [RUN_CALLBACK] = "callback", [RUN_FINISHED] = "finished", [RUN_STOPPED] = "stopped", [RUN_FAILED] = "failed",
    };
    return (unsigned)state < sizeof names / sizeof names[0] ? names[state] : "unknown";
}

int telemetry_last_epoch(const TelePlan *plan, const TeleNow *now)
{
    int planned = now->n_epochs > 0 ? now->n_epochs : plan->n_epochs;
    return planned > now->epoch ? planned : now->epoch;
}

/* ---- life ---- */

Telemetry *telemetry_new(const TelePlan *plan, Err *err)
{
    if (plan->n_metrics < 1 || plan->n_metrics > TELE_METRICS) {
        err_set(err, ERR_ARG, "a run shows 1 to %d metrics (the loss is the first), got %d", TELE_METRICS, plan->n_metrics);
        return NULL;
    }
    int n_series = plan->n_metrics + 1;
    Telemetry *tele = mem_zero(1, sizeof *tele + (size_t)n_series * sizeof(Series), err);
    if (!tele)
        return NULL;
    atomic_init(&tele->references, 1);
    atomic_init(&tele->version, 1); /* a watcher's 0 means that it has not looked yet */
    tele->plan = *plan;
    tele->n_series = n_series;
    TeleNow now = { .state = RUN_WAITING, .epoch = plan->first_epoch, .left_s = -1 };
    for (int i = 0; i < TELE_METRICS; i++)
        now.metrics[i] = now.validation[i] = (double)NAN;
    seq_store(tele->now, &now, sizeof now);
    return tele;
}

Telemetry *telemetry_ref(Telemetry *tele)
{
    if (tele)
        atomic_fetch_add_explicit(&tele->references, 1, memory_order_relaxed);
    return tele;
}

void telemetry_unref(Telemetry *tele)
{
    if (!tele || atomic_fetch_sub_explicit(&tele->references, 1, memory_order_acq_rel) != 1)
        return;
    for (int i = 0; i < FACTS_BLOCKS; i++)
        mem_free(tele->facts.blocks[i]);
    for (int i = 0; i < PICTURE_KINDS; i++)
        picture_shelf_fini(&tele->shelves[i]);
    mem_free(tele);
}

/* ---- news ---- */

static void (*_Atomic waker)(void *ctx);
static void *_Atomic waker_ctx;

void telemetry_set_waker(void (*wake)(void *ctx), void *ctx)
{
    atomic_store(&waker, NULL);
    atomic_store(&waker_ctx, ctx);
    atomic_store(&waker, wake);
}

static void call_waker(void)
{
    void (*wake)(void *) = atomic_load(&waker);
    if (wake)
        wake(atomic_load(&waker_ctx));
}

/* Something changed. `loud`: call the waker; else only if somebody has looked since its last call, so that a thousand steps
 * between two looks cost one wake-up. */
static void announce(Telemetry *tele, bool loud)
{
    atomic_fetch_add(&tele->version, 1);
    bool again = atomic_exchange(&tele->woken, true);
    if (loud || !again)
        call_waker();
}

uint64_t telemetry_version(const Telemetry *tele)
{
    Telemetry *own = (Telemetry *)tele;
    if (atomic_load_explicit(&own->woken, memory_order_relaxed))
        atomic_store(&own->woken, false);
    return atomic_load(&own->version);
}

/* ---- now and series ---- */

const TelePlan *telemetry_plan(const Telemetry *tele)
{
    return &tele->plan;
}

void telemetry_now(const Telemetry *tele, TeleNow *out)
{
    Telemetry *own = (Telemetry *)tele;
    unsigned at;
    do {
        at = seq_enter(&own->now_number);
        seq_fetch(out, own->now, sizeof *out);
    } while (seq_changed(&own->now_number, at));
}

/* A new state is worth a wake-up of its own; numbers can wait for the next look. */
void telemetry_set_now(Telemetry *tele, const TeleNow *now)
{
    bool loud = tele->state != now->state;
    tele->state = now->state;
    seq_begin(&tele->now_number);
    seq_store(tele->now, now, sizeof *now);
    seq_end(&tele->now_number);
    announce(tele, loud);
}

void telemetry_series(const Telemetry *tele, int i, TeleSeries *out)
{
    if (i < 0 || i >= tele->n_series) {
        out->n = 0;
        out->width = 1;
        out->n_steps = 0;
        return;
    }
    series_read((Series *)&tele->series[i], out);
}

void telemetry_add_step(Telemetry *tele, int64_t step, const double *metrics, double learning_rate)
{
    for (int i = 0; i < tele->n_series - 1; i++)
        series_add(&tele->series[i], step, metrics[i]);
    series_add(&tele->series[tele->n_series - 1], step, learning_rate);
    announce(tele, false);
}

void telemetry_cut(Telemetry *tele, int64_t step)
{
    for (int i = 0; i < tele->n_series; i++)
        series_cut(&tele->series[i], step);
    announce(tele, true);
}

/* ---- facts: an array in blocks that never move, so that readers may keep pointers ---- */

/* Block and place of fact i: block b holds FACTS_FIRST << b facts. */
static void place_fact(size_t i, int *block, size_t *place)
{
    size_t size = FACTS_FIRST;
    *block = 0;
    while (i >= size) {
        i -= size;
        size *= 2;
        ++*block;
    }
    *place = i;
}

size_t telemetry_facts(const Telemetry *tele)
{
    return atomic_load_explicit(&((Telemetry *)tele)->facts.count, memory_order_acquire);
}

const Fact *telemetry_fact(const Telemetry *tele, size_t i)
{
    if (i >= telemetry_facts(tele))
        return NULL;
    int block;
    size_t place;
    place_fact(i, &block, &place);
    return &tele->facts.blocks[block][place];
}

/* Write first, count afterwards: a reader that sees the count sees the fact. */
static bool append(Facts *facts, const Fact *fact)
{
    int block;
    size_t place, n = atomic_load_explicit(&facts->count, memory_order_relaxed);
    place_fact(n, &block, &place);
    if (block >= FACTS_BLOCKS)
        return false;
    if (!facts->blocks[block])
        facts->blocks[block] = mem_alloc((size_t)FACTS_FIRST << block, sizeof(Fact), NULL);
    if (!facts->blocks[block])
        return false;
    facts->blocks[block][place] = *fact;
    atomic_store_explicit(&facts->count, n + 1, memory_order_release);
    return true;
}

/* Tell of what was lost, beside the fact that could be kept again. */
static bool append_loss(Facts *facts, const Fact *beside)
{
    Fact loss = { .kind = FACT_EVENT, .epoch = beside->epoch, .step = beside->step, .wall_s = clock_wall(), .branch = beside->branch };
    for (int i = 0; i < TELE_METRICS; i++)
        loss.metrics[i] = loss.validation[i] = (double)NAN;
    loss.learning_rate = beside->learning_rate;
    snprintf(loss.label, sizeof loss.label, "lost");
    snprintf(loss.text, sizeof loss.text, "memory ran out: %ld entr%s of the history could not be kept", facts->lost,
             facts->lost == 1 ? "y" : "ies");
    return append(facts, &loss);
}

void telemetry_add_fact(Telemetry *tele, const Fact *fact)
{
    Facts *facts = &tele->facts;
    if (facts->in_reserve && append(facts, &facts->reserve))
        facts->in_reserve = false;
    if (facts->lost && !facts->in_reserve && append_loss(facts, fact))
        facts->lost = 0;
    if (facts->in_reserve || facts->lost) {
        facts->lost++;
    } else if (!append(facts, fact)) {
        facts->reserve = *fact;
        facts->in_reserve = true;
    }
    announce(tele, true);
}

/* ---- pictures ---- */

const void *telemetry_picture(Telemetry *tele, PictureKind kind)
{
    const void *picture = picture_get(&tele->shelves[kind]);
    if (picture)
        telemetry_ref(tele);
    return picture;
}

void telemetry_picture_free(const void *picture)
{
    if (!picture)
        return;
    Telemetry *tele = picture_owner(picture);
    picture_put(picture);
    telemetry_unref(tele);
}

void telemetry_watch(Telemetry *tele, PictureKind kind, bool on)
{
    atomic_fetch_add(&tele->watchers[kind], on ? 1 : -1);
}

bool telemetry_watched(const Telemetry *tele, PictureKind kind)
{
    return atomic_load_explicit(&((Telemetry *)tele)->watchers[kind], memory_order_relaxed) > 0;
}

void *telemetry_picture_new(Telemetry *tele, PictureKind kind, size_t size)
{
    return picture_new(&tele->shelves[kind], tele, size);
}

void telemetry_set_picture(Telemetry *tele, PictureKind kind, void *take)
{
    picture_set(&tele->shelves[kind], take);
    announce(tele, true);
}
