// SPDX-License-Identifier: MIT
/* The n-th allocation fails, then the n-th write, for every n until all passes: weights into a model that stands, files of trained
 * models, runs started, gone on with, saved and recorded, tokenisers. After each failure there is a reason, nothing has changed,
 * the old file is whole, and no memory stays behind. */
#include "check.h"
#include "netkit.h"
#include "runkit.h"
#include "scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "data/tokenizer.h"
#include "train/trainer.h"

#define MOST 3000

static Tensor x, y;

static int set_up(void **state)
{
    (void)state;
    setenv("XDG_STATE_HOME", scratch_begin(), 1);
    layer_reset_names();
    kit_blobs(&x, &y, 60, 4, 3, 1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    mem_fail_after(-1);
    file_fail_after(-1);
    tensor_unref(&x);
    tensor_unref(&y);
    control_record(false);
    scratch_end();
    return 0;
}

static Model *network(uint64_t seed)
{
    layer_reset_names();
    model_set_seed(seed);
    Model *model = net_model("Dense units=6 activation=relu input_shape=4; BatchNormalization; Dense units=3 activation=softmax");
    kit_compile(model, "adam learning_rate=0.01", "sparse_categorical_crossentropy", "accuracy");
    return model;
}

static FitOptions options_of(int epochs)
{
    FitOptions options = kit_options(&x, &y, 16, epochs);
    options.validation_split = 0.1;
    options.start_paused = true;
    return options;
}

/* A run that stands after three steps, in the middle of its first epoch. */
static Run *run_at_three(Model *model)
{
    FitOptions options = options_of(3);
    Run *run = kit_fit(model, &options);
    kit_step(run, 3);
    return run;
}

/* A file of such a run, which has ended. */
static const char *file_at_three(void)
{
    Err err = ERR_INIT;
    Model *model = network(1);
    Run *run = run_at_three(model);
    const char *path = scratch_path("m.safetensors");
    assert_ok(run_save(run, path, &err));
    assert_ok(run_stop(run, &err));
    kit_wait(run);
    kit_end(run, model);
    return path;
}

static void check_failure(const Err *err, bool memory, long n)
{
    if (err->code != (memory ? ERR_MEM : ERR_IO) || !err->text[0])
        fail_msg("%s %ld: %s \"%s\"", memory ? "allocation" : "write", n, err_tag(err->code), err->text);
}

static void fail_from(bool memory, long n)
{
    (memory ? mem_fail_after : file_fail_after)(n);
}

/* ---- models ---- */

static void tell(void *ctx, LoadKind kind, const char *name, const char *reason)
{
    if (kind != LOAD_MATCHED)
        buf_printf(ctx, "%s %s\n", name, reason);
}

static void test_load_weights(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    Model *from = network(1), *to = network(2);
    const char *path = scratch_path("w.safetensors");
    assert_ok(model_save(from, path, NULL, &err));
    uint64_t before = kit_hash_model(to);
    size_t held = mem_bytes();
    bool done = false;
    for (long n = 0; !done; n++) {
        Buf report = BUF_INIT;
        int loaded = 0;
        assert_true(n < MOST);
        err_clear(&err);
        mem_fail_after(n);
        done = model_load_weights(to, path, &(LoadOptions){ .tell = tell, .ctx = &report }, &loaded, &err);
        mem_fail_after(-1);
        buf_fini(&report);
        if (!done) {
            check_failure(&err, true, n);
            assert_true(kit_hash_model(to) == before);
        }
        assert_int_equal(mem_bytes(), held);
    }
    assert_true(kit_hash_model(to) == kit_hash_model(from));
    model_unref(from);
    model_unref(to);
}

/* A trained model, its optimizer's slots too. */
static void test_save(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    control_record(false);
    Model *model = network(1);
    Run *run = run_at_three(model);
    const char *path = scratch_path("m.safetensors");
    assert_ok(run_save(run, path, &err));
    uint64_t old = kit_hash_saved(run);
    kit_step(run, 1);
    uint64_t now = kit_hash(run);
    for (int memory = 1; memory >= 0; memory--) {
        bool done = false;
        for (long n = 0; !done; n++) {
            assert_true(n < MOST);
            err_clear(&err);
            fail_from(memory, n);
            done = run_save(run, path, &err);
            fail_from(memory, -1);
            if (!done)
                check_failure(&err, memory, n);
            assert_true(kit_hash(run) == now);
            Model *again = compile_load(path, &err);
            if (!again)
                fail_msg("%s %ld: %s", memory ? "allocation" : "write", n, err.text);
            int64_t t = compiled_of(again, &err)->optimizer->t;
            assert_true(t == 4 || (!done && t == 3)); /* the old one, or the new one when renaming was past */
            model_unref(again);
        }
        assert_int_equal(scratch_count(), 1); /* no temporary file is left */
        if (memory) { /* the old one again */
            Model *again = network(1);
            Run *second = run_at_three(again);
            assert_true(kit_hash_saved(second) == old);
            assert_ok(run_save(second, path, &err));
            assert_ok(run_stop(second, &err));
            kit_end(second, again);
        }
    }
    assert_ok(run_stop(run, &err));
    kit_end(run, model);
}

static void test_load(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    control_record(false);
    const char *path = file_at_three();
    size_t held = mem_bytes();
    bool done = false;
    for (long n = 0; !done; n++) {
        assert_true(n < MOST);
        err_clear(&err);
        mem_fail_after(n);
        Model *again = compile_load(path, &err);
        mem_fail_after(-1);
        done = again != NULL;
        if (!done)
            check_failure(&err, true, n);
        else
            assert_int_equal(compiled_of(again, &err)->optimizer->t, 3);
        model_unref(again);
        assert_int_equal(mem_bytes(), held);
    }
}

/* ---- runs ---- */

static int released;

static bool fine(void *ctx, Run *run, Err *err)
{
    (void)ctx, (void)run, (void)err;
    return true;
}

static void release(void *ctx)
{
    (void)ctx;
    released++;
}

/* fit with all that it can be given: what is handed over is released, the model is as before, the data can be written again. */
static void start_runs(const char *resume)
{
    Err err = ERR_INIT;
    static const real class_weight[] = { 1, 2, 1 };
    static const char *const names[] = { "red", "green", "blue" };
    Model *model = network(5);
    FitOptions first = options_of(1); /* so that the optimizer has slots that can be lost */
    Run *earlier = kit_fit(model, &first);
    kit_step(earlier, 2);
    assert_ok(run_stop(earlier, &err));
    kit_wait(earlier);
    run_unref(earlier);
    uint64_t before = kit_hash_model(model);
    int made = 0;
    for (long n = 0; !made; n++) {
        assert_true(n < MOST);
        FitOptions options = options_of(3);
        options.class_weight = class_weight;
        options.n_classes = 3;
        options.class_names = names;
        options.autosave = true;
        options.resume = resume;
        options.callbacks[options.n_callbacks++] = (RunCallback){ .name = "test", .train_begin = fine, .release = release };
        released = 0;
        err_clear(&err);
        mem_fail_after(n);
        Run *run = run_new(model, &options, &err);
        if (run)
            kit_until(run, RUN_PAUSED);
        mem_fail_after(-1);
        if (run) {
            made++;
            assert_int_equal(kit_now(run).step, resume ? 3 : 0);
            assert_ok(run_stop(run, &err));
            kit_wait(run);
            run_unref(run); /* the list keeps it, as the newest */
        } else {
            assert_int_equal(released, 1);
            check_failure(&err, true, n);
            if (kit_hash_model(model) != before)
                fail_msg("allocation %ld: a refused fit changed the model", n);
        }
        assert_false(tensor_frozen(&x));
    }
    model_unref(model);
}

static void test_start(void **state)
{
    (void)state;
    control_record(false);
    start_runs(NULL);
    control_record(true);
    start_runs(NULL);
    assert_true(control_settle(10));
}

/* Going on from a file: a refusal leaves weights and slots as they were. */
static void test_resume(void **state)
{
    (void)state;
    control_record(false);
    start_runs(file_at_three());
}

/* A pause is an event, at which the run is autosaved. */
static bool pause_once(void *ctx, Run *run, int64_t step, const double *logs, Err *err)
{
    bool *paused = ctx;
    (void)step, (void)logs;
    return *paused || (*paused = run_pause(run, err));
}

/* The disk is full from the n-th write on: training ends well, what was autosaved before can be gone on from, and once all
 * writes pass everything stands there. */
static void test_recorder(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    control_record(true);
    int whole = 0, old = 0, new = 0;
    for (long n = 0; !whole; n++) {
        assert_true(n < 200);
        Model *model = network(1);
        FitOptions options = options_of(2);
        options.autosave = true;
        options.start_paused = false;
        bool paused = false;
        options.callbacks[options.n_callbacks++] = (RunCallback){ .name = "test", .ctx = &paused, .batch_end = pause_once };
        file_fail_after(n);
        Run *run = kit_fit(model, &options);
        kit_until(run, RUN_PAUSED);
        assert_true(recorder_finish(10));
        assert_ok(run_resume(run, &err));
        kit_wait(run);
        assert_int_equal(run_state(run), RUN_FINISHED);
        assert_true(recorder_finish(10));
        bool troubled = false;
        for (size_t i = 0; i < telemetry_facts(run_telemetry(run)); i++)
            troubled |= !strcmp(telemetry_fact(run_telemetry(run), i)->label, "recorder");
        char path[8192];
        snprintf(path, sizeof path, "%s/autosave.safetensors", run_folder(run));
        kit_end(run, model);
        file_fail_after(-1);
        if (file_exists(path)) {
            Model *again = compile_load(path, &err);
            if (!again)
                fail_msg("write %ld: %s", n, err.text);
            int64_t t = compiled_of(again, &err)->optimizer->t;
            old += t < 8;
            new += t == 8;
            whole += t == 8 && !troubled;
            model_unref(again);
        }
    }
    assert_true(old > 0 && new > 0);
}

/* ---- tokenisers ---- */

static const char text[] = "the low lower lowest, the new newer newest; slow snow in the low town. ";

static Tokenizer *learn(const TokenKind *kind, const char *from, Err *err)
{
    Args args;
    args_init(&args, kind->args, kind->n_args);
    if (!args_set_number(&args, args_find(&args, "vocab_size"), 280, "test", err) || !args_set_number(&args, args_find(&args, "min_frequency"), 1, "test", err))
        return NULL;
    Tokenizer *t = tokenizer_new(kind, &args, err);
    TokenText given = { from, strlen(from) };
    if (t && tokenizer_train(t, &given, 1, NULL, err))
        return t;
    if (t)
        assert_false(t->trained);
    tokenizer_unref(t);
    return NULL;
}

/* Encodes and decodes to what was there; false when memory runs out. */
static bool there_and_back(const Tokenizer *t, Err *err)
{
    Buf ids = BUF_INIT, back = BUF_INIT;
    EncodeOptions options = { 0 };
    bool ok = tokenizer_encode(t, text, sizeof text - 1, &options, &ids, err) &&
              tokenizer_decode(t, (const int32_t *)(void *)ids.data, (int64_t)(ids.size / sizeof(int32_t)), true, &back, err);
    buf_fini(&ids);
    buf_fini(&back);
    return ok;
}

static void tokenizer_memory(const TokenKind *kind, const char *path)
{
    Err err = ERR_INIT;
    size_t held = mem_bytes();
    bool done = false;
    for (long n = 0; !done; n++) {
        assert_true(n < MOST);
        err_clear(&err);
        mem_fail_after(n);
        Tokenizer *t = learn(kind, text, &err), *again = NULL;
        done = t && there_and_back(t, &err) && tokenizer_save(t, path, &err) && (again = tokenizer_load(path, &err));
        mem_fail_after(-1);
        if (!done)
            check_failure(&err, true, n);
        tokenizer_unref(t);
        tokenizer_unref(again);
        assert_int_equal(mem_bytes(), held);
    }
}

static void tokenizer_writes(const TokenKind *kind, const char *path)
{
    Err err = ERR_INIT;
    Tokenizer *more = learn(kind, "other texts, with zebras", &err);
    assert_non_null(more);
    bool done = false;
    long n = 0;
    for (; !done; n++) {
        size_t before, after, wanted;
        char *old = scratch_read(path, &before);
        assert_true(n < MOST);
        file_fail_after(n);
        done = tokenizer_save(more, path, &err);
        file_fail_after(-1);
        if (!done)
            check_failure(&err, false, n);
        char *now = scratch_read(path, &after);
        Buf json = BUF_INIT;
        assert_ok(tokenizer_write(more, &json, &err));
        wanted = json.size;
        if (done || after != before || memcmp(old, now, after)) /* not the old one: then wholly the new one */
            assert_true(after == wanted && !memcmp(now, json.data, wanted));
        buf_fini(&json);
        free(old);
        free(now);
        assert_int_equal(scratch_count(), 1);
    }
    assert_true(n > 3);
    tokenizer_unref(more);
}

static void test_tokenizers(void **state)
{
    (void)state;
    const char *path = scratch_path("t.json");
    for (int i = 0; token_kind_at(i); i++) {
        tokenizer_memory(token_kind_at(i), path);
        tokenizer_writes(token_kind_at(i), path);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, set_up, tear_down)

int main(void)
{
    alarm(300);
    const struct CMUnitTest tests[] = {
        TEST(load_weights), TEST(save), TEST(load), TEST(start), TEST(resume), TEST(recorder), TEST(tokenizers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
