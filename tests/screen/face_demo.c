// SPDX-License-Identifier: MIT
/* The dashboard without the rest of the program, for tests in a terminal: a host that answers small commands on a thread of
 * its own, and a run that a thread pretends to train.
 *
 *   echo TEXT     prints TEXT                    loop           works until it is interrupted
 *   run           a run in training              end            ends it
 *   flood N       prints N lines                 std TEXT       TEXT to stdout, "err TEXT" to stderr
 *   crash         SIGSEGV                        quit           leaves by itself
 *   anything else "N bytes, L lines: first line" of the block
 *
 * Options: --theme NAME, --safe, --plain (line mode), --stats FILE (what the screen cost, written at the end). */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mailbox.h"
#include "base/mem.h"
#include "screen.h"
#include "train/control.h"
#include "ui/face.h"
#include "ui/plain.h"

/* ---- a run that is none ---- */

struct Run {
    Telemetry *tele;
    pthread_t thread;
    atomic_int state;
    atomic_long steps_left;
    atomic_bool stop;
};

static struct Run run;
static atomic_int n_runs;

int control_count(void)
{
    return atomic_load(&n_runs);
}

Run *control_run(int i)
{
    return i >= 0 && i < control_count() ? &run : NULL;
}

Run *control_latest(void)
{
    return control_run(control_count() - 1);
}

bool control_any_active(void)
{
    return control_count() && atomic_load(&run.state) < RUN_FINISHED;
}

Run *run_ref(Run *it)
{
    return it;
}

void run_unref(Run *it)
{
    (void)it;
}

Telemetry *run_telemetry(Run *it)
{
    return it->tele;
}

int run_id(const Run *it)
{
    return telemetry_plan(it->tele)->run_id;
}

RunState run_state(const Run *it)
{
    return (RunState)atomic_load(&it->state);
}

static bool steer(Run *it, long steps, Err *err)
{
    if (atomic_load(&it->state) >= RUN_FINISHED)
        return err_set(err, ERR_STATE, "run 1 is finished; start another one");
    atomic_store(&it->steps_left, steps);
    return true;
}

bool run_pause(Run *it, Err *err)
{
    return steer(it, 0, err);
}

bool run_resume(Run *it, Err *err)
{
    return steer(it, 1L << 40, err);
}

bool run_step(Run *it, int64_t n, Err *err)
{
    return steer(it, n, err);
}

bool run_stop(Run *it, Err *err)
{
    atomic_store(&it->stop, true);
    return steer(it, 1, err);
}

bool run_set_rate(Run *it, double rate, Err *err)
{
    (void)rate;
    return steer(it, 1L << 40, err);
}

void run_choose_probe(Run *it, int layer, int sample)
{
    (void)it;
    (void)layer;
    (void)sample;
}

void control_stop_all(void)
{
    atomic_store(&run.stop, true);
}

static void now_set(RunState state, int64_t step, double loss)
{
    TeleNow now = { .state = state, .epoch = 1 + (int)(step / 108), .step = step, .step_in_epoch = step % 108, .rate = 41236, .left_s = 60 };
    for (int i = 0; i < TELE_METRICS; i++)
        now.metrics[i] = now.validation[i] = loss;
    telemetry_set_now(run.tele, &now);
    atomic_store(&run.state, (int)state);
    face_wake();
}

static void *train(void *unused)
{
    int64_t step = 324;
    double metrics[TELE_METRICS] = { 0 };
    (void)unused;
    while (!atomic_load(&run.stop)) {
        if (atomic_load(&run.steps_left) <= 0) {
            if (atomic_load(&run.state) != RUN_PAUSED)
                now_set(RUN_PAUSED, step, metrics[0]);
            clock_sleep(0.005);
            continue;
        }
        atomic_fetch_sub(&run.steps_left, 1);
        step++;
        metrics[0] = 2.0 / (1.0 + 0.01 * (double)step) + 0.02 * (double)(step % 7);
        metrics[1] = 1 - metrics[0] / 3;
        telemetry_add_step(run.tele, step, metrics, 1e-3);
        now_set(RUN_TRAINING, step, metrics[0]);
        clock_sleep(0.005);
    }
    now_set(RUN_STOPPED, step, metrics[0]);
    return NULL;
}

static void run_start(void)
{
    if (control_count())
        return;
    run.tele = screen_run(3);
    atomic_store(&run.steps_left, 1L << 40);
    atomic_store(&run.state, RUN_TRAINING);
    pthread_create(&run.thread, NULL, train, NULL);
    atomic_store(&n_runs, 1);
    face_wake();
}

static void run_end(void)
{
    if (!control_count())
        return;
    atomic_store(&run.stop, true);
    pthread_join(run.thread, NULL);
    telemetry_unref(run.tele);
}

/* ---- a host that is no Lua ---- */

typedef struct Block {
    Mail mail;
    char text[];
} Block;

static Mailbox *box;
static Console *console;
static NameIndex *names;
static atomic_int waiting;
static atomic_bool interrupted, leaving;

static void say(LineKind kind, const char *format, ...)
{
    char text[600];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (console)
        console_puts(console, kind, text);
    else
        fputs(text, stdout);
}

static void summarise(const char *text)
{
    int lines = 1;
    for (const char *s = text; *s; s++)
        lines += *s == '\n';
    say(LINE_VALUE, "%zu bytes, %d lines: %.*s\n", strlen(text), lines, (int)strcspn(text, "\n"), text);
}

static void loop(void)
{
    while (!atomic_load(&interrupted) && !atomic_load(&leaving))
        clock_sleep(0.01);
    say(LINE_ERROR, "interrupted\n");
}

static void execute(const char *text)
{
    atomic_store(&interrupted, false);
    if (!strncmp(text, "echo ", 5)) {
        say(LINE_OUT, "%s\n", text + 5);
    } else if (!strcmp(text, "loop")) {
        loop();
    } else if (!strcmp(text, "run")) {
        run_start();
    } else if (!strcmp(text, "end")) {
        atomic_store(&run.stop, true);
    } else if (!strncmp(text, "flood ", 6)) {
        for (int i = 0, n = atoi(text + 6); i < n; i++)
            say(LINE_OUT, "flood line %d\n", i);
    } else if (!strncmp(text, "std ", 4)) {
        printf("%s\n", text + 4);
        fflush(stdout);
        fprintf(stderr, "err %s\n", text + 4);
    } else if (!strcmp(text, "crash")) {
        raise(SIGSEGV);
    } else if (!strcmp(text, "quit")) {
        face_quit();
    } else {
        summarise(text);
    }
}

static void *serve(void *unused)
{
    (void)unused;
    while (!atomic_load(&leaving)) {
        Block *block = (Block *)mailbox_take(box);
        if (!block) {
            mailbox_wait(box, 1);
            continue;
        }
        execute(block->text);
        mem_free(block);
        atomic_fetch_sub(&waiting, 1);
        face_wake();
    }
    return NULL;
}

static void host_submit(void *ctx, const char *text)
{
    (void)ctx;
    Block *block = mem_alloc(1, sizeof *block + strlen(text) + 1, NULL);
    strcpy(block->text, text);
    atomic_fetch_add(&waiting, 1);
    mailbox_post(box, &block->mail);
}

static void host_submit_now(void *ctx, const char *text)
{
    (void)ctx;
    execute(text);
}

static void host_interrupt(void *ctx)
{
    (void)ctx;
    atomic_store(&interrupted, true);
}

static bool host_busy(void *ctx)
{
    (void)ctx;
    return atomic_load(&waiting) > 0;
}

static int host_queued(void *ctx)
{
    (void)ctx;
    int n = atomic_load(&waiting);
    return n > 1 ? n - 1 : 0;
}

static void host_clear(void *ctx)
{
    (void)ctx;
    for (Mail *mail; (mail = mailbox_take(box)); mem_free(mail))
        atomic_fetch_sub(&waiting, 1);
}

/* Brackets balance, and every function, do, then has its end. */
static bool host_complete(void *ctx, const char *text)
{
    static const char *const opens[] = { "function", "do", "then" };
    int depth = 0;
    (void)ctx;
    for (const char *s = text; *s; s++) {
        depth += (*s == '(' || *s == '{') - (*s == ')' || *s == '}');
        bool start = s == text || strchr(" \n\t", s[-1]);
        for (int i = 0; i < 3 && start; i++) {
            size_t n = strlen(opens[i]);
            depth += !strncmp(s, opens[i], n) && (!s[n] || strchr(" \n(", s[n]));
        }
        depth -= start && !strncmp(s, "end", 3) && (!s[3] || strchr(" \n)", s[3]));
    }
    return depth <= 0;
}

static NameIndex *host_index(void *ctx)
{
    (void)ctx;
    return index_ref(names);
}

static const char *host_help(void *ctx, const char *name, Buf *out)
{
    (void)ctx;
    if (strcmp(name, "nn.Dense"))
        return NULL;
    buf_puts(out, "nn.Dense(units, {…})\n\nA layer in which every unit sees every input.\nSee also: nn.Conv2D");
    return buf_text(out);
}

static NameIndex *names_make(void)
{
    static const NameRow rows[] = {
        { "nn", 't', "layers and models" },
        { "nn.Dense", 'f', "nn.Dense(units, {activation = nil, use_bias = true})" },
        { "nn.Dense(units", 'a', "outputs, a whole number" },
        { "nn.Dense(activation", 'a', "\"relu\", \"sigmoid\" or \"softmax\"" },
        { "nn.Dense(use_bias", 'a', "true or false" },
        { "nn.Conv2D", 'f', "nn.Conv2D(filters, kernel_size, {strides = 1, padding = \"valid\"})" },
        { "nn.Dropout", 'f', "nn.Dropout(rate)" },
        { "model", 't', "" },
        { "model:fit", 'm', "model:fit(x, y, {epochs = 1, batch_size = 32})" },
        { "model:summary", 'm', "" },
        { "print", 'f', "print(…)" },
        { "größe", 'v', "" },
    };
    NameIndex *index = index_new(NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        index_add(index, rows[i].path, rows[i].kind, rows[i].about);
    return index_finish(index, NULL);
}

static void stats_write(const char *path)
{
    FaceStats stats;
    FILE *file = path ? fopen(path, "w") : NULL;
    if (!file)
        return;
    face_stats(&stats);
    fprintf(file, "frames %llu bytes %llu most_bytes %zu most_us %.0f cpu_s %.3f\n", (unsigned long long)stats.frames,
            (unsigned long long)stats.bytes, stats.most_bytes, stats.most_s * 1e6, clock_thread_cpu());
    fclose(file);
}

int main(int argc, char **argv)
{
    Err err = ERR_INIT;
    FaceOptions options = { 0 };
    const char *stats = NULL;
    bool start = false, lost = false;
    for (int i = 1; i < argc; i++) {
        options.no_history |= !strcmp(argv[i], "--safe");
        start |= !strcmp(argv[i], "--run");
        if (!strcmp(argv[i], "--theme") && i + 1 < argc)
            options.theme = argv[++i];
        if (!strcmp(argv[i], "--stats") && i + 1 < argc)
            stats = argv[++i];
    }
    (void)host_submit_now;
    if (!face_possible(&err)) {
        fprintf(stderr, "face_demo: %s\n", err.text);
        return 3;
    }
    names = names_make();
    box = mailbox_new(&err);
    console = console_new(&err);
    pthread_t thread;
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &old);
    pthread_create(&thread, NULL, serve, NULL);
    if (start)
        run_start();
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    FaceHost host = { NULL, host_submit, host_interrupt, host_busy, host_queued, host_clear, host_complete, host_index, host_help, NULL, -1 };
    bool ok = face_dashboard(&host, &options, console, &lost, &err);
    stats_write(stats);
    if (!ok)
        fprintf(stderr, "face_demo: %s\n", err.text);
    atomic_store(&leaving, true);
    mailbox_wake(box);
    pthread_join(thread, NULL);
    run_end();
    host_clear(NULL);
    mailbox_free(box);
    console_free(console);
    index_unref(names);
    if (ok && !lost)
        puts("face_demo: left");
    return !ok ? 1 : lost ? 4 : 0;
}
