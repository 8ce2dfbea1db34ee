// SPDX-License-Identifier: MIT
/* A run saved in one process goes on in another exactly where it stood: the files at the end are equal, byte for byte. The other
 * process is this program again, executed with the work as arguments. In double precision files hold rounded numbers, and what
 * goes on from them is equal to that rounding. */
#include "check.h"
#include "netkit.h"
#include "runkit.h"
#include "scratch.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/pool.h"

static Model *network(void)
{
    layer_reset_names();
    model_set_seed(3);
    Model *model = net_model("Dense units=16 activation=relu input_shape=4; BatchNormalization; Dropout rate=0.3; "
                             "Dense units=3 activation=softmax");
    kit_compile(model, "adam learning_rate=0.01 gradient_accumulation_steps=4 use_ema=true ema_momentum=0.9 clipnorm=1", "sparse_categorical_crossentropy", "accuracy");
    return model;
}

static FitOptions options_of(const Tensor *x, const Tensor *y)
{
    FitOptions options = kit_options(x, y, 16, 6); /* 90 rows: 5 batches of 16, one of 10 */
    options.validation_split = 0.1;
    options.start_paused = true;
    return options;
}

/* Train from `resume` (or the start) to `step` and save there. */
static void work(const char *resume, int64_t step, const char *save)
{
    Err err = ERR_INIT;
    Tensor x, y;
    kit_blobs(&x, &y, 100, 4, 3, 1);
    Model *model = network();
    FitOptions options = options_of(&x, &y);
    options.resume = resume;
    if (resume)
        options.seed = 999; /* the file's counts */
    Run *run = kit_fit(model, &options);
    int64_t at = kit_now(run).step;
    if (step >= 36) {
        assert_ok(run_resume(run, &err));
        kit_wait(run);
    } else {
        assert_ok(run_step(run, step - at, &err));
        kit_at(run, step);
    }
    assert_ok(run_save(run, save, &err));
    if (run_state(run) != RUN_FINISHED)
        assert_ok(run_stop(run, &err));
    kit_end(run, model);
    tensor_unref(&x);
    tensor_unref(&y);
}

static char program[4096];

static void work_elsewhere(const char *resume, int64_t step, const char *save, const char *threads)
{
    char number[24];
    int status = -1;
    snprintf(number, sizeof number, "%lld", (long long)step);
    pid_t child = fork();
    if (child == 0) {
        execl(program, program, "work", resume, number, save, threads, (char *)NULL);
        _exit(127);
    }
    assert_true(child > 0 && waitpid(child, &status, 0) == child);
    assert_int_equal(status, 0);
}

static void assert_same_file(const char *a, const char *b)
{
    size_t n, m;
    char *x = scratch_read(a, &n), *y = scratch_read(b, &m);
    assert_int_equal(n, m);
    assert_memory_equal(x, y, n);
    free(x);
    free(y);
}

#ifdef HEBB_F64
#define SAVED_ERROR 1e-5
typedef struct Leaves {
    Layer *layer[16];
    int n;
} Leaves;

static bool note_leaf(void *ctx, Layer *layer, const char *path)
{
    (void)path;
    Leaves *leaves = ctx;
    assert_true(leaves->n < (int)COUNT_OF(leaves->layer));
    leaves->layer[leaves->n++] = layer;
    return true;
}

static void assert_same_end(const char *a, const char *b)
{
    Err err = ERR_INIT;
    Model *x = compile_load(a, &err), *y = compile_load(b, &err);
    if (!x || !y)
        fail_msg("%s", err.text);
    assert_true(compiled_of(x, &err)->optimizer->t == compiled_of(y, &err)->optimizer->t);
    Leaves one = { .n = 0 }, two = { .n = 0 };
    model_each_layer(x, note_leaf, &one);
    model_each_layer(y, note_leaf, &two);
    assert_true(one.n == two.n && one.n > 3);
    for (int l = 0; l < one.n; l++) {
        assert_true(one.layer[l]->n_elements == two.layer[l]->n_elements);
        for (int64_t i = 0; i < (int64_t)one.layer[l]->n_elements; i++)
            assert_near(one.layer[l]->block[i], two.layer[l]->block[i], SAVED_ERROR);
    }
    model_unref(x);
    model_unref(y);
}
#else
#define SAVED_ERROR 0
#define assert_same_end assert_same_file
#endif

static void test_processes(void **state)
{
    (void)state;
    scratch_begin();
    char whole[4096], part[4096], end[4096];
    snprintf(whole, sizeof whole, "%s", scratch_path("whole.safetensors"));
    snprintf(part, sizeof part, "%s", scratch_path("part.safetensors"));
    snprintf(end, sizeof end, "%s", scratch_path("end.safetensors"));
    work(NULL, 36, whole);
    static const int64_t stops[] = { 4, 6, 17, 30 };
    for (size_t i = 0; i < COUNT_OF(stops); i++) {
        work(NULL, stops[i], part);
        work_elsewhere(part, 36, end, i % 2 ? "2" : "1");
        assert_same_end(end, whole);
    }
    work_elsewhere("-", 9, part, "2"); /* both halves elsewhere */
    work_elsewhere(part, 23, end, "1");
    work_elsewhere(end, 36, part, "3");
    assert_same_end(part, whole);
    scratch_end();
}

static void test_history_goes_on(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    Tensor x, y;
    scratch_begin();
    const char *path = scratch_path("part.safetensors");
    work(NULL, 15, path);
    kit_blobs(&x, &y, 100, 4, 3, 1);
    Model *model = network();
    FitOptions options = options_of(&x, &y);
    options.resume = path;
    Run *run = kit_fit(model, &options);
    const Fact *rows[8];
    assert_int_equal(kit_now(run).step, 15);
    assert_int_equal(kit_now(run).epoch, 3);
    assert_int_equal(run_history(run, rows, 8), 2);
    assert_int_equal(rows[1]->epoch, 2);
    assert_true(rows[1]->metrics[0] > 0 && rows[1]->validation[1] > 0);
    assert_ok(run_resume(run, &err));
    kit_wait(run);
    assert_int_equal(run_history(run, rows, 8), 6);
    assert_err(run_rewind_to(run, 10, NULL, &err), ERR_STATE, "can go back to step 15");
    kit_end(run, model);
    tensor_unref(&x);
    tensor_unref(&y);
    scratch_end();
}

static void refused(const char *path, int what, ErrCode code, const char *part)
{
    Err err = ERR_INIT;
    Tensor x, y;
    kit_blobs(&x, &y, 100, 4, 3, what == 1 ? 2 : 1);
    Model *model = network();
    FitOptions options = options_of(&x, &y);
    options.resume = path;
    options.batch_size = what == 2 ? 8 : 16;
    options.shuffle = what != 3;
    options.validation_split = what == 4 ? 0 : 0.1;
    assert_err(run_new(model, &options, &err) != NULL, code, part);
    assert_false(tensor_frozen(&x));
    model_unref(model);
    tensor_unref(&x);
    tensor_unref(&y);
}

static void test_refusals(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    scratch_begin();
    char path[4096], model_path[4096];
    snprintf(path, sizeof path, "%s", scratch_path("run.safetensors"));
    snprintf(model_path, sizeof model_path, "%s", scratch_path("model.safetensors"));
    work(NULL, 8, path);
    refused(path, 1, ERR_DATA, "other data");
    refused(path, 2, ERR_ARG, "batch_size = 16, not 8");
    refused(path, 3, ERR_ARG, "shuffle = true");
    refused(path, 4, ERR_ARG, "90 samples, this is 100");
    refused("/nowhere/x.safetensors", 0, ERR_IO, "/nowhere/x.safetensors");
    Model *model = network();
    assert_ok(compile_save(model, model_path, &err));
    refused(model_path, 0, ERR_DATA, "no run to go on from");
    model_unref(model);
    size_t n;
    char *bytes = scratch_read(path, &n);
    for (size_t i = 0; i < 40; i++) { /* every cut of the file is refused */
        scratch_write(model_path, bytes, n * i / 40);
        refused(model_path, 0, ERR_DATA, "");
    }
    static const char *const positions[] = { "first_epoch", "first_step" }; /* behind where the run stands */
    for (size_t i = 0; i < COUNT_OF(positions); i++) {
        size_t at = 0, length = strlen(positions[i]);
        while (at + length < n && memcmp(bytes + at, positions[i], length))
            at++;
        at += strcspn(bytes + at, "0123456789");
        assert_true(at < n);
        char was = bytes[at];
        bytes[at] = '9';
        scratch_write(model_path, bytes, n);
        refused(model_path, 0, ERR_DATA, "position makes no sense");
        bytes[at] = was;
    }
    free(bytes);
    scratch_end();
}

/* Model and optimizer in one file: training on with single batches gives the same. */
static void test_compiled(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    Tensor x, y;
    double logs[2][2];
    scratch_begin();
    kit_blobs(&x, &y, 32, 4, 3, 1);
    Model *model = network();
    for (int i = 0; i < 3; i++)
        kit_train_batch(model, &x, &y, logs[0]);
    assert_ok(compile_save(model, scratch_path("a.safetensors"), &err));
    Model *loaded = compile_load(scratch_path("a.safetensors"), &err);
    if (!loaded)
        fail_msg("%s", err.text);
    assert_ok(compile_save(loaded, scratch_path("b.safetensors"), &err));
    assert_same_file(scratch_path("a.safetensors"), scratch_path("b.safetensors"));
    Compiled *compiled = compiled_of(loaded, &err);
    assert_non_null(compiled);
    assert_string_equal(compiled->outputs[0].loss->name, "sparse_categorical_crossentropy");
    assert_string_equal(compiled->metrics[0].name, "accuracy");
    assert_int_equal(compiled->optimizer->t, 3);
    loaded->seed = model->seed;
    kit_train_batch(model, &x, &y, logs[0]);
    kit_train_batch(loaded, &x, &y, logs[1]);
    assert_near(logs[1][0], logs[0][0], SAVED_ERROR);
    model_unref(model);
    model_unref(loaded);
    tensor_unref(&x);
    tensor_unref(&y);
    scratch_end();
}

static void test_branch(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    Tensor x, y;
    kit_blobs(&x, &y, 100, 4, 3, 1);
    Model *model = network(), *copy = NULL;
    FitOptions options = options_of(&x, &y);
    Run *run = kit_fit(model, &options);
    assert_ok(run_step(run, 9, &err));
    kit_at(run, 9);
    Run *branch = run_branch(run, &copy, &err);
    if (!branch)
        fail_msg("%s", err.text);
    kit_at(branch, 9);
    assert_true(copy != model && run_model(branch) == copy);
    assert_ok(run_resume(run, &err));
    kit_wait(run);
    assert_int_equal(kit_now(branch).step, 9);
    assert_ok(run_resume(branch, &err));
    kit_wait(branch);
    assert_true(kit_hash(branch) == kit_hash(run));
    const Fact *rows[8];
    assert_int_equal(run_history(branch, rows, 8), 6);
    kit_end(branch, copy);
    kit_end(run, model);
    tensor_unref(&x);
    tensor_unref(&y);
}

static int set_up(void **state)
{
    (void)state;
    control_record(false);
    return 0;
}

int main(int argc, char **argv)
{
    alarm(300);
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
    program[n > 0 ? n : 0] = 0;
    if (argc == 6 && !strcmp(argv[1], "work")) {
        Err err = ERR_INIT;
        control_record(false);
        if (!pool_start(atoi(argv[5]), &err))
            return 1;
        work(strcmp(argv[2], "-") ? argv[2] : NULL, atoll(argv[3]), argv[4]);
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_processes), cmocka_unit_test(test_history_goes_on), cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_compiled),  cmocka_unit_test(test_branch),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
