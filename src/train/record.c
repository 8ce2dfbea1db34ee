// SPDX-License-Identifier: MIT
/* Rows are appended as whole lines with one write each round: after kill -9 at most what happened since the last round is
 * missing, and a line is never torn by ourselves. A failed write is tried again from the same fact. */
#include "train/record.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"

#define SERIES_S 10.0

struct Record {
    char root[RECORD_PATH]; /* …/runs */
    char folder[RECORD_PATH];
    char resumed_from[RECORD_PATH];
    bool made;
    int failures;
    int history, events; /* descriptors; -1: not open */
    size_t n_facts;      /* written */
    RunState state;      /* that run.json holds */
    double series_s, began_s;
    uint64_t series_version;
};

Record *record_new(Telemetry *tele, const char *resumed_from, char folder[RECORD_PATH], Err *err)
{
    char state[RECORD_PATH], stamp[32];
    Record *record = mem_zero(1, sizeof *record, err);
    time_t now = (time_t)clock_wall();
    struct tm local;
    if (!record)
        return NULL;
    record->history = record->events = -1;
    record->state = (RunState)-1;
    record->began_s = clock_wall();
    snprintf(record->resumed_from, sizeof record->resumed_from, "%s", resumed_from ? resumed_from : "");
    strftime(stamp, sizeof stamp, "%Y%m%d-%H%M%S", localtime_r(&now, &local));
    bool ok = file_xdg(state, sizeof state, "STATE") && file_join(record->root, sizeof record->root, state, "runs");
    int n = ok ? snprintf(record->folder, RECORD_PATH, "%.*s/%s-%ld-%d", RECORD_PATH - 64, record->root, stamp, (long)getpid(),
                          telemetry_plan(tele)->run_id)
               : 0;
    if (!ok || n >= RECORD_PATH - 32) {
        err_set(err, ERR_IO, ok ? "the path of its folder is too long" : "there is no folder for it: neither XDG_STATE_HOME nor HOME is set");
        mem_free(record);
        return NULL;
    }
    memcpy(folder, record->folder, RECORD_PATH);
    return record;
}

void record_free(Record *record)
{
    if (!record)
        return;
    if (record->history >= 0)
        close(record->history);
    if (record->events >= 0)
        close(record->events);
    mem_free(record);
}

/* ---- folders ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Ours look like 20260131-235959-1234-1. The process of a folder that is in use lives. */
static bool is_old_run(const char *name)
{
    int date, clock, run, end = 0;
    long pid;
    if (sscanf(name, "%8d-%6d-%ld-%d%n", &date, &clock, &pid, &run, &end) != 4 || name[end])
        return false;
    return pid != (long)getpid() && kill((pid_t)pid, 0) && errno == ESRCH;
}

/* The files that we write, and temporary ones that a killed process left; a folder with anything else in it stays. */
static void remove_run(const char *root, const char *name)
{
    static const char *const known[] = { "run.json", "history.csv", "events.jsonl", "series.csv", RECORD_AUTOSAVE };
    char path[2 * RECORD_PATH], folder[RECORD_PATH + 300];
    snprintf(folder, sizeof folder, "%s/%s", root, name);
    DIR *dir = opendir(folder);
    for (struct dirent *entry; dir && (entry = readdir(dir)) != NULL;) {
        bool ours = false;
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
            size_t n = strlen(known[i]);
            ours |= !strcmp(entry->d_name, known[i]) || (entry->d_name[0] == '.' && !strncmp(entry->d_name + 1, known[i], n));
        }
        snprintf(path, sizeof path, "%s/%.255s", folder, entry->d_name);
        if (ours)
            unlink(path);
    }
    if (dir)
        closedir(dir);
    rmdir(folder);
}

static void remove_old(const char *root)
{
    char **names = NULL;
    size_t n = 0, room = 0;
    DIR *dir = opendir(root);
    for (struct dirent *entry; dir && (entry = readdir(dir)) != NULL;) {
        if (!is_old_run(entry->d_name))
            continue;
        if (n == room) {
            char **more = mem_grow(names, room ? 2 * room : 64, sizeof *more, NULL);
            if (!more)
                break;
            names = more;
            room = room ? 2 * room : 64;
        }
        if (!(names[n] = mem_copy_text(entry->d_name, NULL)))
            break;
        n++;
    }
    if (dir)
        closedir(dir);
    if (n > 0)
        qsort(names, n, sizeof *names, by_name);
    for (size_t i = 0; i < n; i++) {
        if (i + RECORD_KEPT < n)
            remove_run(root, names[i]);
        mem_free(names[i]);
    }
    mem_free(names);
}

static int open_append(const char *folder, const char *name, Err *err)
{
    char path[RECORD_PATH + 32];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
        err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    return fd;
}

static bool append(int fd, Buf *buf, const char *what, Err *err)
{
    const char *at = buf->data;
    for (size_t left = buf->size; left > 0;) {
        ssize_t n = write(fd, at, left);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(err, ERR_IO, "%s: %s", what, strerror(errno));
        at += n;
        left -= (size_t)n;
    }
    return true;
}

/* ---- history.csv ---- */

/* The columns: metrics and, with "val_" before them, validation's; sorted by name as Keras does. */
typedef struct Column {
    char name[TELE_VALUE + 4];
    int metric;
    bool validation;
} Column;

static int by_column(const void *a, const void *b)
{
    return strcmp(((const Column *)a)->name, ((const Column *)b)->name);
}

static int columns_of(const TelePlan *plan, Column out[2 * TELE_METRICS])
{
    int n = 0;
    for (int v = 0; v < 1 + plan->validates; v++)
        for (int i = 0; i < plan->n_metrics; i++, n++) {
            out[n].metric = i;
            out[n].validation = v;
            snprintf(out[n].name, sizeof out[n].name, "%s%s", v ? "val_" : "", plan->metrics[i]);
        }
    qsort(out, (size_t)n, sizeof *out, by_column);
    return n;
}

static void write_head(Buf *out, const Column *columns, int n)
{
    buf_puts(out, "epoch");
    for (int i = 0; i < n; i++)
        buf_printf(out, ",%s", columns[i].name);
    buf_put(out, '\n');
}

static void write_row(Buf *out, const Fact *fact, const Column *columns, int n)
{
    buf_printf(out, "%d", fact->epoch - 1);
    for (int i = 0; i < n; i++) {
        double value = columns[i].validation ? fact->validation[columns[i].metric] : fact->metrics[columns[i].metric];
        if (isfinite(value))
            buf_printf(out, ",%.17g", value);
        else
            buf_puts(out, ",NA");
    }
    buf_put(out, '\n');
}

static void write_event(Buf *out, const Fact *fact)
{
    json_t *root = json_pack("{s:s, s:s, s:i, s:I, s:i, s:b, s:f}", "label", fact->label, "text", fact->text, "epoch", fact->epoch, "step",
                             (json_int_t)fact->step, "branch", fact->branch, "by_user", fact->by_user, "time", fact->wall_s);
    char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;
    if (text)
        buf_printf(out, "%s\n", text);
    free(text);
    json_decref(root);
}

static bool write_facts(Record *record, Telemetry *tele, Err *err)
{
    Column columns[2 * TELE_METRICS];
    int n_columns = columns_of(telemetry_plan(tele), columns);
    size_t n = telemetry_facts(tele);
    Buf rows = BUF_INIT, events = BUF_INIT;
    if (record->history < 0) {
        if ((record->history = open_append(record->folder, "history.csv", err)) < 0)
            return false;
        write_head(&rows, columns, n_columns);
    }
    for (size_t i = record->n_facts; i < n; i++) {
        const Fact *fact = telemetry_fact(tele, i);
        if (fact->kind == FACT_EPOCH)
            write_row(&rows, fact, columns, n_columns);
        else
            write_event(&events, fact);
    }
    bool ok = buf_ok(&rows, err) && buf_ok(&events, err);
    if (ok && events.size > 0 && record->events < 0)
        ok = (record->events = open_append(record->folder, "events.jsonl", err)) >= 0;
    ok = ok && append(record->history, &rows, "history.csv", err) && (events.size == 0 || append(record->events, &events, "events.jsonl", err));
    buf_fini(&rows);
    buf_fini(&events);
    if (ok)
        record->n_facts = n;
    return ok;
}

/* ---- the plan and the curves ---- */

static bool replace(const Record *record, const char *name, Buf *content, Err *err)
{
    char path[RECORD_PATH + 32];
    snprintf(path, sizeof path, "%s/%s", record->folder, name);
    return buf_ok(content, err) && file_replace(path, content->data, content->size, 0600, err);
}

static bool write_plan(Record *record, Telemetry *tele, RunState state, Err *err)
{
    const TelePlan *plan = telemetry_plan(tele);
    TeleNow now;
    char seed[24];
    json_t *metrics = json_array();
    telemetry_now(tele, &now);
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)plan->seed);
    for (int i = 0; i < plan->n_metrics; i++)
        json_array_append_new(metrics, json_string(plan->metrics[i]));
    json_t *root = json_pack("{s:i, s:i, s:s, s:s, s:s, s:s, s:o, s:b, s:i, s:i, s:I, s:I, s:i, s:i, s:i, s:s, s:f, s:f, s:I, s:s}", "version", 1, "run",
                             plan->run_id, "program", "hebb " HEBB_VERSION, "model", plan->model, "state", run_state_name(state), "reason", now.reason,
                             "metrics", metrics, "validates", plan->validates, "first_epoch", plan->first_epoch, "epochs", now.n_epochs,
                             "steps_per_epoch", (json_int_t)plan->steps_per_epoch, "samples_per_epoch", (json_int_t)plan->samples_per_epoch,
                             "batch_size", plan->batch_size, "classes", plan->n_classes, "threads", plan->threads, "seed", seed, "began",
                             record->began_s, "written", clock_wall(), "pid", (json_int_t)getpid(), "resumed_from", record->resumed_from);
    char *text = root ? json_dumps(root, JSON_INDENT(1)) : NULL;
    Buf buf = BUF_INIT;
    if (text)
        buf_printf(&buf, "%s\n", text);
    bool ok = text ? replace(record, "run.json", &buf, err) : err_set(err, ERR_MEM, "out of memory for run.json");
    free(text);
    json_decref(root);
    buf_fini(&buf);
    if (ok)
        record->state = state;
    return ok;
}

static bool write_series(Record *record, Telemetry *tele, Err *err)
{
    const TelePlan *plan = telemetry_plan(tele);
    uint64_t version = telemetry_facts(tele) + 1;
    TeleSeries *series = mem_alloc(1, sizeof *series, err);
    Buf buf = BUF_INIT;
    if (!series)
        return false;
    buf_puts(&buf, "name,first,steps,min,max,mean,last,bad\n");
    for (int k = 0; k <= plan->n_metrics; k++) {
        telemetry_series(tele, k, series);
        for (int i = 0; i < series->n; i++) {
            const TeleBucket *b = &series->buckets[i];
            buf_printf(&buf, "%s,%lld,%lld,%.6g,%.6g,%.6g,%.6g,%d\n", k < plan->n_metrics ? plan->metrics[k] : "learning_rate",
                       (long long)b->first, (long long)b->n, (double)b->min, (double)b->max, (double)b->mean, (double)b->last, b->n_bad);
        }
    }
    bool ok = replace(record, "series.csv", &buf, err);
    buf_fini(&buf);
    mem_free(series);
    record->series_s = clock_now();
    record->series_version = version;
    return ok;
}

/* ---- a round ---- */

static bool make_folder(Record *record, Err *err)
{
    if (record->made)
        return true;
    if (!file_make_folder(record->folder, err))
        return false;
    remove_old(record->root);
    record->made = true;
    return true;
}

bool record_write(Record *record, Telemetry *tele, bool all, Err *err)
{
    TeleNow now;
    telemetry_now(tele, &now);
    bool changed = now.state != record->state, due = clock_now() - record->series_s >= SERIES_S && now.state == RUN_TRAINING;
    bool ok = make_folder(record, err) && (record->n_facts == telemetry_facts(tele) || write_facts(record, tele, err));
    if (ok && (changed || (all && record->series_version == 0)))
        ok = write_plan(record, tele, now.state, err);
    if (ok && now.step > 0 && (changed || due))
        ok = write_series(record, tele, err);
    record->failures = ok ? 0 : record->failures + 1;
    return ok;
}

bool record_done(const Record *record, Telemetry *tele)
{
    return record->failures > 1 || (record->made && record->n_facts == telemetry_facts(tele));
}
