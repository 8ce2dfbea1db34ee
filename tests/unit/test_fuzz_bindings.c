// SPDX-License-Identifier: MIT
/* Everything that Lua can reach, called with arguments that make no sense (tests/lua/fuzz_bindings.lua draws the calls): each
 * call returns or raises a readable sentence; none crashes, goes on after Ctrl-C, takes absurd memory or writes outside the
 * folder. Each round is a process of its own, in a folder of its own, so that a crash is a failed test which names the call.
 *   HEBB_FUZZ_SEED=n     the first seed (1); HEBB_FUZZ_ROUNDS=n  more rounds than the suite makes; HEBB_FUZZ_CALLS=n  calls of each
 *   HEBB_FUZZ_TRACE=1    every call on standard error before it is made */
#include "check.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/pool.h"
#include "scratch.h"
#include "script/script.h"
#include "train/control.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SLOWER 10
#else
#define SLOWER 1
#endif
#define FAULTS_MOST 30
#define ENGINE_MEMORY ((size_t)200 << 20)  /* what the engine may hold: more is refused as on a small machine */
#define PROCESS_MEMORY ((long)800 << 10)   /* KB resident: what slips past the engine's counting shows here */

/* Shared with the parent, which reads it when the child has ended. */
typedef struct Board {
    char call[2000];
    long n, told; /* calls begun, and those that the Lua side told */
    int n_faults;
    char faults[FAULTS_MOST][1200];
} Board;

static Board *board;
static bool trace;
static _Atomic double began; /* clock of the call that is going on; 0: none */
static _Atomic bool over;
static Script *script;

static long setting(const char *name, long fallback)
{
    const char *text = getenv(name);
    return text && *text ? atol(text) : fallback;
}

static void fault(const char *what)
{
    char call[500];
    snprintf(call, sizeof call, "%.499s", board->call);
    if (board->n_faults < FAULTS_MOST)
        snprintf(board->faults[board->n_faults], sizeof board->faults[0], "%.600s\n#     in call %ld: %s", what, board->n, call);
    for (char *c = board->n_faults < FAULTS_MOST ? board->faults[board->n_faults] : (char[]){ "" }; *c; c++)
        *c = *c == '\n' || (*c >= ' ' && *c < 127) ? *c : '?'; /* the test's report stays a text */
    board->n_faults++;
}

/* The Lua side speaks through notes: "call …" before a call, "fault …" after it. All else that is said is dropped. */
static void say(void *ctx, SayKind kind, const char *text, size_t n)
{
    (void)ctx;
    if (kind != SAY_NOTE || n < 2 || text[0] != '\1')
        return;
    if (text[1] == 'c') {
        snprintf(board->call, sizeof board->call, "%.*s", (int)(n - 2), text + 2);
        board->told++;
        if (trace)
            fprintf(stderr, "%ld %s\n", board->n, board->call);
    } else {
        char what[700];
        snprintf(what, sizeof what, "%.*s", (int)(n - 2), text + 2);
        fault(what);
    }
}

static void publish(void *ctx, NameIndex *take)
{
    (void)ctx;
    index_unref(take);
}

static void leave(void *ctx, int status)
{
    (void)ctx, (void)status;
    fault("os.exit was reached");
}

static double cpu_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Ctrl-C for a call that takes long (a training of 1e9 epochs does, rightly); one that goes on all the same hangs: in a loop,
 * which is told by the processor's time, as the machine may be busy, or in a wait. */
static void *watch(void *arg)
{
    double seen = 0, cpu = 0;
    (void)arg;
    while (!atomic_load(&over)) {
        double since = atomic_load(&began);
        usleep(20000);
        if (since <= 0 || atomic_load(&began) != since)
            continue;
        if (since != seen)
            seen = since, cpu = cpu_now();
        if (clock_now() - since > 0.3 * SLOWER)
            script_interrupt(script);
        if (cpu_now() - cpu > 20.0 * SLOWER || clock_now() - since > 120.0 * SLOWER)
            abort();
    }
    return NULL;
}

static void enter(const char *block)
{
    atomic_store(&began, clock_now());
    script_enter(script, block);
    atomic_store(&began, 0);
    script_clear_interrupt(script);
}

static void child(const char *driver, long seed, bool safe, long calls)
{
    ScriptHost host = { .say = say, .publish = publish, .leave = leave };
    ScriptOptions options = { .safe = safe, .seed = (uint64_t)seed, .columns = 80 };
    Err err = ERR_INIT;
    pthread_t watcher;
    char start[400];
    mem_limit(ENGINE_MEMORY);
    control_record(false);
    script = script_new(&host, &options, &err);
    if (!script || pthread_create(&watcher, NULL, watch, NULL)) {
        fault("no interpreter");
        return;
    }
    char *argv[] = { NULL };
    if (!script_run_text(script, driver, strlen(driver), "=fuzz", 0, argv, &err))
        fault(err.text);
    snprintf(start, sizeof start, "__fuzz = __fuzz(%ld, %s, function(text) io.stderr:write('\\1c' .. text) end)", seed, safe ? "true" : "false");
    enter(start);
    enter("do local one, note = __fuzz, io.stderr; function __step() local wrong = one(); if wrong then note:write('\\1f' .. wrong) end end end");
    for (board->n = 1; board->n <= calls; board->n++)
        enter("__step()");
    enter("for _, run in pairs(nn.runs()) do run:stop() end");
    atomic_store(&over, true);
    pthread_join(watcher, NULL);
    script_free(script);
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
#if SLOWER == 1
    if (used.ru_maxrss > PROCESS_MEMORY)
        fault("the process took more memory than the limit of the engine explains");
#endif
}

/* A folder with what a script may reach and, beside it, what it may not. */
static void furnish(void)
{
    char made[3][1100];
    const char *const names[] = { "inside", "outside", "home" };
    for (int i = 0; i < 3; i++) {
        snprintf(made[i], sizeof made[i], "%s", scratch_path(names[i]));
        assert_int_equal(mkdir(made[i], 0700), 0);
    }
    assert_int_equal(symlink("../outside", scratch_path("inside/link")), 0);
    assert_int_equal(symlink("../outside/none", scratch_path("inside/dead")), 0);
    setenv("HOME", made[2], 1);
    setenv("XDG_STATE_HOME", made[2], 1);
    setenv("XDG_DATA_HOME", made[2], 1);
    assert_int_equal(chdir(made[0]), 0);
}

static bool is_empty(const char *path)
{
    return rmdir(path) == 0; /* refuses a folder that holds something */
}

static void round_of(long seed, bool safe, long calls)
{
    char top[1100];
    size_t n;
    assert_non_null(getcwd(top, sizeof top));
    char *text = scratch_read("tests/lua/fuzz_bindings.lua", &n), *driver = malloc(n + 100);
    sprintf(driver, "__fuzz = function(...) %s\nend", text);
    *board = (Board){ 0 };
    scratch_begin();
    furnish();
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        freopen("/dev/null", "r", stdin);
        child(driver, seed, safe, calls);
        exit(0);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    bool clean = is_empty(scratch_path("outside")) && (!safe || is_empty(scratch_path("home")));
    for (int i = 0; i < board->n_faults && i < FAULTS_MOST; i++)
        print_message("# %s\n", board->faults[i]);
    assert_int_equal(chdir(top), 0);
    scratch_end();
    free(driver);
    free(text);
    if (WIFSIGNALED(status) || WEXITSTATUS(status) != 0)
        fail_msg("seed %ld%s ended by %s %d in call %ld: %s", seed, safe ? " --safe" : "", WIFSIGNALED(status) ? "signal" : "status",
                 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), board->n, board->call);
    if (board->n_faults)
        fail_msg("seed %ld%s: %d faults", seed, safe ? " --safe" : "", board->n_faults);
    if (!clean)
        fail_msg("seed %ld%s: something was written outside the folder", seed, safe ? " --safe" : "");
    assert_int_equal(board->n, calls + 1);
    assert_true(board->told > calls / 10 * 9); /* some drawn code does not compile */
}

static void rounds(bool safe)
{
    long first = setting("HEBB_FUZZ_SEED", 1), n = setting("HEBB_FUZZ_ROUNDS", 1), calls = setting("HEBB_FUZZ_CALLS", SLOWER > 1 ? 600 : 3000);
    trace = setting("HEBB_FUZZ_TRACE", 0) != 0;
    for (long i = 0; i < n; i++)
        round_of(first + i, safe, calls);
}

static void test_open(void **state)
{
    (void)state;
    rounds(false);
}

static void test_safe(void **state)
{
    (void)state;
    rounds(true);
}

int main(void)
{
    board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (board == MAP_FAILED)
        return 2;
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_open), cmocka_unit_test(test_safe) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
