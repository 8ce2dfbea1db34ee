// SPDX-License-Identifier: MIT
/* The thread that writes files for all runs of the process: history.csv, events.jsonl, run.json, series.csv and the autosave. It
 * reads telemetry like any other watcher. An autosave is handed over in a replica (hand.h); nobody waits for a disk, but for a run's very
 * last save. The trainer learns of trouble here by a flag and says it once as an event. */
#include "train/record.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "train/hand.h"
#include "train/jobsave.h"
#include "train/saved.h"
#include "train/writer.h"

#define FLUSH_S 1.0
#define SAVE_S 60.0
#define LEAST_S 0.05 /* between two rounds, however many events there are */
#define LAST_SAVE_S 10.0
#define NO_THREAD "the system refused to start the thread that writes files"

struct Recording {
    _Atomic int refs;
    Record *record;       /* owned; of the recorder thread */
    char folder[RECORD_PATH];
    struct Recording *next; /* under the recorder's lock */
    Telemetry *tele;      /* reference */
    /* the autosave */
    Model *replica;       /* owned; belongs to whoever may fill or write */
    Saved saved;
    JobSave *job;         /* the trainer's: that of a job; NULL: none yet */
    Hand hand;
    bool refused;         /* the trainer's: no memory for the replica was said */
    double saved_s;       /* the trainer's: when it filled the last one */
    int64_t saved_step;
    bool saved_ended;
    _Atomic bool over;    /* the run was released: one last round */
    _Atomic bool troubled;
    char trouble[WRITER_TROUBLE]; /* set before troubled */
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t wake, rested;
    Recording *first;
    Writer *writers;
    pthread_t thread;
    bool started, off;
    uint64_t rounds, asked; /* finished rounds; the round that somebody waits for */
    bool running;           /* a round is in progress */
    _Atomic bool woken;
} recorder = { .lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER, .rested = PTHREAD_COND_INITIALIZER };

void control_record(bool on)
{
    pthread_mutex_lock(&recorder.lock);
    recorder.off = !on;
    pthread_mutex_unlock(&recorder.lock);
}

static void unref(Recording *recording)
{
    if (!recording || atomic_fetch_sub(&recording->refs, 1) > 1)
        return;
    record_free(recording->record);
    model_unref(recording->replica);
    saved_fini(&recording->saved);
    telemetry_unref(recording->tele);
    mem_free(recording);
}

/* ---- the recorder's thread ---- */

static void complain(Recording *recording, const Err *err)
{
    if (atomic_load(&recording->troubled))
        return;
    snprintf(recording->trouble, sizeof recording->trouble, "%.330s", err->text);
    atomic_store(&recording->troubled, true);
}

static void write_autosave(Recording *recording)
{
    Err err = ERR_INIT;
    char path[RECORD_PATH + 32];
    if (!hand_take(&recording->hand))
        return;
    snprintf(path, sizeof path, "%s/" RECORD_AUTOSAVE, recording->folder);
    if (!saved_write(&recording->saved, recording->tele, recording->replica, path, &err))
        complain(recording, &err);
    hand_clear(&recording->hand);
}

static void serve(Recording *recording)
{
    Err err = ERR_INIT;
    bool last = atomic_load(&recording->over);
    if (!record_write(recording->record, recording->tele, last, &err))
        complain(recording, &err);
    write_autosave(recording);
}

/* The list as it is now, each with a reference: entries are added at the front and removed by this thread alone. */
static void round_of_all(void)
{
    pthread_mutex_lock(&recorder.lock);
    Recording *first = recorder.first;
    pthread_mutex_unlock(&recorder.lock);
    for (Recording *r = first; r; r = r->next)
        serve(r);
    pthread_mutex_lock(&recorder.lock);
    for (Recording **at = &recorder.first; *at;) {
        Recording *r = *at;
        if (!atomic_load(&r->over) || hand_is(&r->hand, HAND_FULL) || !record_done(r->record, r->tele)) {
            at = &r->next;
            continue;
        }
        *at = r->next;
        unref(r);
    }
    pthread_mutex_unlock(&recorder.lock);
}

/* The same for what others have written. */
static void round_of_writers(void)
{
    pthread_mutex_lock(&recorder.lock);
    Writer *first = recorder.writers;
    pthread_mutex_unlock(&recorder.lock);
    for (Writer *writer = first; writer; writer = writer->next)
        writer->serve(writer);
    pthread_mutex_lock(&recorder.lock);
    for (Writer **at = &recorder.writers; *at;) {
        Writer *writer = *at;
        if (!writer->done(writer)) {
            at = &writer->next;
            continue;
        }
        *at = writer->next;
        writer->drop(writer);
    }
    pthread_mutex_unlock(&recorder.lock);
}

static void *recorder_main(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&recorder.lock);
    for (;;) {
        if (recorder.asked <= recorder.rounds && !atomic_load(&recorder.woken)) {
            struct timespec until = run_moment(CLOCK_REALTIME, FLUSH_S);
            pthread_cond_timedwait(&recorder.wake, &recorder.lock, &until);
        }
        bool hurry = recorder.asked > recorder.rounds;
        atomic_store(&recorder.woken, false);
        pthread_mutex_unlock(&recorder.lock);
        round_of_all();
        round_of_writers();
        if (!hurry)
            clock_sleep(LEAST_S);
        pthread_mutex_lock(&recorder.lock);
        recorder.rounds++;
        pthread_cond_broadcast(&recorder.rested);
    }
    return NULL;
}

/* ---- the others ---- */

void recorder_wake(void)
{
    if (atomic_exchange(&recorder.woken, true))
        return;
    pthread_mutex_lock(&recorder.lock);
    pthread_cond_signal(&recorder.wake);
    pthread_mutex_unlock(&recorder.lock);
}

bool recorder_finish(double seconds)
{
    bool ok = true;
    struct timespec until = run_moment(CLOCK_REALTIME, seconds);
    pthread_mutex_lock(&recorder.lock);
    if (recorder.started && (recorder.first || recorder.writers)) {
        uint64_t wanted = recorder.rounds + 2; /* the one in progress may have begun too early */
        recorder.asked = recorder.asked > wanted ? recorder.asked : wanted;
        pthread_cond_signal(&recorder.wake);
        while (recorder.rounds < wanted && ok)
            ok = !pthread_cond_timedwait(&recorder.rested, &recorder.lock, &until);
        ok = recorder.rounds >= wanted;
    }
    pthread_mutex_unlock(&recorder.lock);
    return ok;
}

/* With the lock held. */
static bool start_thread(void)
{
    sigset_t all, before;
    if (recorder.started)
        return true;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    recorder.started = !pthread_create(&recorder.thread, NULL, recorder_main, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (recorder.started)
        pthread_detach(recorder.thread);
    return recorder.started;
}

void recorder_add(Run *run, const char *resumed_from)
{
    Recording *recording = NULL;
    Err err = ERR_INIT;
    pthread_mutex_lock(&recorder.lock);
    if (!recorder.off && (recording = mem_zero(1, sizeof *recording, &err))) {
        atomic_init(&recording->refs, 2); /* the run's and the list's */
        recording->tele = telemetry_ref(run->tele);
        recording->saved_step = -1;
        recording->saved_s = clock_now();
        recording->record = record_new(run->tele, resumed_from, recording->folder, &err);
        if (recording->record && (start_thread() || err_set(&err, ERR_IO, NO_THREAD))) {
            recording->next = recorder.first;
            recorder.first = recording;
        } else {
            unref(recording);
            unref(recording);
            recording = NULL;
        }
    }
    pthread_mutex_unlock(&recorder.lock);
    run->recording = recording;
    if (err.code != ERR_OK) /* training goes on all the same */
        report_event(run, false, "recorder", "this run is not recorded, nor autosaved: %.140s", err.text);
}

bool recorder_add_writer(Writer *writer, Err *err)
{
    pthread_mutex_lock(&recorder.lock);
    bool ok = start_thread();
    if (ok) {
        writer->next = recorder.writers;
        recorder.writers = writer;
    }
    pthread_mutex_unlock(&recorder.lock);
    return ok || err_set(err, ERR_IO, NO_THREAD);
}

/* ---- troubles of writers ---- */

void writer_complain(Writer *writer, const Err *err)
{
    if (atomic_load(&writer->troubled))
        return;
    snprintf(writer->trouble, sizeof writer->trouble, "%.330s", err->text);
    atomic_store(&writer->troubled, true);
}

const char *writer_trouble(Writer *writer)
{
    if (!writer || writer->told || !atomic_load(&writer->troubled))
        return NULL;
    writer->told = true;
    return writer->trouble;
}

void recorder_drop(Run *run)
{
    if (!run->recording)
        return;
    jobsave_close(run->recording->job);
    run->recording->job = NULL;
    atomic_store(&run->recording->over, true);
    unref(run->recording);
    run->recording = NULL;
    recorder_wake();
}

const char *run_folder(const Run *run)
{
    return run->recording ? run->recording->folder : "";
}

static void refuse_save(Run *run, const Err *err)
{
    Recording *r = run->recording;
    r->saved_s = clock_now();
    if (!r->refused)
        report_event(run, false, "autosave", "no autosave: %.330s", err->text);
    r->refused = true;
}

/* A job's models, each into a file of its own. */
static void save_job(Run *run, bool end)
{
    Recording *r = run->recording;
    Err err = ERR_INIT;
    if (!r->job && !r->refused && !(r->job = jobsave_new(run, &err)))
        refuse_save(run, &err);
    if (!r->job || !jobsave_fill(r->job, run, end))
        return;
    r->saved_s = clock_now();
    r->saved_step = run->at.step;
    r->saved_ended = end;
}

void recorder_save(Run *run, SaveReason reason)
{
    Recording *r = run->recording;
    bool end = reason == SAVE_END;
    if (!r || !run->autosave || (r->saved_step == run->at.step && r->saved_ended == end))
        return;
    Err err = ERR_INIT;
    if (run->job) {
        save_job(run, end);
        return;
    }
    if (!hand_fill_within(&r->hand, end ? LAST_SAVE_S : 0))
        return; /* later */
    if (!r->replica && !(r->replica = replica_new(run->model, &run->compiled, &err))) {
        hand_clear(&r->hand);
        refuse_save(run, &err);
        return;
    }
    if (!saved_take(run, &r->saved, &err)) {
        hand_clear(&r->hand);
        return; /* memory: tried again at the next occasion */
    }
    replica_fill(r->replica, run);
    r->saved_s = clock_now();
    r->saved_step = run->at.step;
    r->saved_ended = end;
    hand_give(&r->hand);
    recorder_wake();
}

void recorder_step(Run *run)
{
    Recording *r = run->recording;
    if (!r)
        return;
    if (run->going && run->last_s - r->saved_s >= SAVE_S)
        recorder_save(run, SAVE_MINUTE);
    const char *why = r->job ? writer_trouble(jobsave_writer(r->job)) : NULL;
    if (why)
        report_event(run, false, "recorder", "saving the models failed, training goes on: %s", why);
    if (atomic_load_explicit(&r->troubled, memory_order_acquire) && !run->trouble_said) {
        run->trouble_said = true;
        report_event(run, false, "recorder", "recording failed, training goes on: %s", r->trouble);
    }
}
