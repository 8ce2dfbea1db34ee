// SPDX-License-Identifier: MIT
/* Files of callbacks: CSVLogger's byte for byte against Keras's, events against TensorBoard's own protocol buffers
 * (fixtures/train/make_logs.py), runs that write them, a disk that is full for a while, folders that cannot be. */
#include "check.h"
#include "fixture.h"
#include "netkit.h"
#include "runkit.h"
#include "scratch.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include "base/file.h"
#include "formats/png.h"
#include "formats/tfevents.h"
#include "train/callback.h"
#include "train/trainer.h"

static Tensor x, y;

static Run *start(const char *name, const char *words, const char *file, bool validates, Model **model)
{
    Err err = ERR_INIT;
    Args args;
    const CallbackKind *kind = callback_find(name, &err);
    assert_non_null(kind);
    layer_reset_names();
    model_set_seed(3);
    *model = net_model("Dense units=5 activation=relu input_shape=4; Dense units=3 activation=softmax");
    kit_compile(*model, "sgd learning_rate=0.1", "sparse_categorical_crossentropy", "accuracy");
    FitOptions options = kit_options(&x, &y, 16, 3);
    options.start_paused = true;
    options.validation_split = validates ? 0.2 : 0;
    args_init(&args, kind->args, kind->n_args);
    assert_ok(args_parse_words(&args, words, name, &err));
    assert_ok(callback_new(kind, &args, file, &options.callbacks[options.n_callbacks++], &err));
    return kit_fit(*model, &options);
}

static void finish(Run *run, Model *model)
{
    Err err = ERR_INIT;
    assert_ok(run_resume(run, &err));
    kit_wait(run);
    kit_end(run, model);
}

/* ---- CSV ---- */

static const double losses[] = { 0.6931471824645996, 1.0, 1e-05, 12345678.0, 0.1 }, accuracies[] = { 0.5, 0.25, 0.875, 1e16, 3e-4 };

static bool five_epochs(void *ctx, Err *err)
{
    Run *run = ctx;
    RunCallback *callback = &run->callbacks[0];
    for (int i = 0; i < 5; i++) {
        double logs[] = { losses[i], accuracies[i] }, validation[] = { accuracies[i], losses[i] };
        if (!callback->epoch_end(callback->ctx, run, i + 1, logs, run->check.n ? validation : NULL, err))
            return false;
    }
    return recorder_finish(10);
}

static void write_log(const char *words, const char *path, bool validates)
{
    Err err = ERR_INIT;
    Model *model;
    Run *run = start("csv_logger", words, path, validates, &model);
    assert_ok(run_do(run, five_epochs, run, NULL, &err));
    assert_ok(run_stop(run, &err));
    kit_wait(run);
    kit_end(run, model);
}

static void same_bytes(const char *path, const char *fixture, size_t times)
{
    size_t n, m;
    char *got = scratch_read(path, &n), *want = fixture_read(fixture, &m);
    assert_non_null(want);
    assert_int_equal(n, m * times - (times - 1) * (size_t)(strchr(want, '\n') + 1 - want));
    assert_memory_equal(got, want, m);
    free(got);
    free(want);
}

static void test_csv(void **state)
{
    (void)state;
    scratch_begin();
    const char *path = scratch_path("log.csv");
    scratch_write(path, "old", 3);
    write_log("", path, true); /* anew */
    same_bytes(path, "train/log_val.csv", 1);
    write_log("append=true", path, true);
    same_bytes(path, "train/log_val.csv", 2);
    write_log("separator=;", path, false);
    same_bytes(path, "train/log.csv", 1);
    scratch_end();
}

/* ---- events ---- */

static void test_bytes(void **state)
{
    (void)state;
    Buf out = BUF_INIT;
    real ramp[200], alike[7];
    size_t m;
    char *want = fixture_read("train/log.tfevents", &m);
    assert_non_null(want);
    assert_int_equal(tfevents_crc("123456789", 9), 0xE3069283u); /* the check value of CRC-32C */
    for (int i = 0; i < 200; i++)
        ramp[i] = (real)(i * i % 97) / 8 - 3;
    for (int i = 0; i < 7; i++)
        alike[i] = (real)2.5;
    tfevents_version(&out, 1e9);
    tfevents_scalar(&out, (EventMark){ 1e9 + 0.25, 0, "epoch_loss" }, 0.1f);
    tfevents_scalar(&out, (EventMark){ 1e9 + 1, 300, "epoch_accuracy" }, -1e-30f);
    tfevents_histogram(&out, (EventMark){ 1e9 + 2, (int64_t)1 << 40, "dense/kernel/histogram" }, ramp, 200);
    tfevents_histogram(&out, (EventMark){ 1e9 + 3, 2, "dense/bias/histogram" }, alike, 7);
    assert_false(out.failed);
    assert_int_equal(out.size, m);
    assert_memory_equal(out.data, want, m);
    buf_fini(&out);
    free(want);
}

static uint64_t little(const unsigned char *p, int n)
{
    uint64_t value = 0;
    for (int i = n; i-- > 0;)
        value = value << 8 | p[i];
    return value;
}

/* Check every record of the one file in folder/run; how often its events hold this text. */
static int count_events(const char *folder, const char *run, const char *part)
{
    char path[900] = "", sub[500];
    snprintf(sub, sizeof sub, "%s/%s", folder, run);
    DIR *dir = opendir(sub);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));)
        if (strstr(entry->d_name, "events.out.tfevents."))
            snprintf(path, sizeof path, "%s/%s", sub, entry->d_name);
    closedir(dir);
    size_t n, at = 0;
    int found = 0;
    unsigned char *bytes = (unsigned char *)scratch_read(path, &n);
    while (at < n) {
        size_t size = little(bytes + at, 8);
        assert_true(at + 16 + size <= n);
        assert_int_equal(little(bytes + at + 8, 4), tfevents_mask(tfevents_crc(bytes + at, 8)));
        assert_int_equal(little(bytes + at + 12 + size, 4), tfevents_mask(tfevents_crc(bytes + at + 12, size)));
        for (size_t i = 0; i + strlen(part) <= size; i++)
            found += !memcmp(bytes + at + 12 + i, part, strlen(part));
        at += 16 + size;
    }
    free(bytes);
    return found;
}

static void test_tensor_board(void **state)
{
    (void)state;
    char folder[300];
    Model *model;
    snprintf(folder, sizeof folder, "%s/logs", scratch_begin());
    Run *run = start("tensor_board", "histogram_freq=2 write_images=true update_freq=4", folder, true, &model);
    finish(run, model);
    assert_int_equal(count_events(folder, "train", "brain.Event:2"), 1);
    assert_int_equal(count_events(folder, "train", "epoch_learning_rate"), 3);
    assert_int_equal(count_events(folder, "train", "batch_accuracy"), 18 / 4); /* 96 rows, 6 steps an epoch */
    assert_int_equal(count_events(folder, "train", "dense/kernel/histogram"), 2); /* epochs 0 and 2 */
    assert_int_equal(count_events(folder, "train", "dense_1/bias/image"), 2);
    assert_int_equal(count_events(folder, "train", "IEND"), 8);
    assert_int_equal(count_events(folder, "validation", "epoch_accuracy"), 3);
    assert_int_equal(count_events(folder, "validation", "evaluation_loss_vs_iterations"), 3);
    scratch_end();
}

static void test_png(void **state)
{
    (void)state;
    Buf out = BUF_INIT;
    const uint8_t pixels[6] = { 0, 1, 2, 253, 254, 255 };
    png_grey(&out, pixels, 2, 3);
    assert_false(out.failed);
    const unsigned char *p = (const unsigned char *)out.data;
    assert_memory_equal(p, "\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x03\0\0\0\x02\x08\0\0\0\0", 29);
    assert_memory_equal(p + 37, "IDAT", 4);
    uLongf size = 8;
    unsigned char rows[8];
    assert_int_equal(uncompress(rows, &size, p + 41, p[36]), Z_OK);
    assert_int_equal(size, 8);
    assert_memory_equal(rows, "\0\0\1\2\0\xfd\xfe\xff", 8);
    assert_memory_equal(out.data + out.size - 12, "\0\0\0\0IEND\xae\x42\x60\x82", 12);
    buf_fini(&out);
}

/* ---- what goes wrong ---- */

static void test_full_disk(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    Model *model;
    if (access("/dev/full", W_OK))
        skip();
    Run *run = start("csv_logger", "", "/dev/full", true, &model);
    assert_ok(run_resume(run, &err));
    kit_wait(run);
    assert_int_equal(run_state(run), RUN_FINISHED);
    int told = 0;
    for (size_t i = 0; i < telemetry_facts(run->tele); i++)
        told += strstr(telemetry_fact(run->tele, i)->text, "/dev/full: No space left") != NULL;
    assert_int_equal(told, 1);
    kit_end(run, model);
}

static void test_refusals(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    RunCallback callback;
    Args args;
    Model *model = net_model("Dense units=3 activation=softmax input_shape=4");
    kit_compile(model, "sgd", "sparse_categorical_crossentropy", NULL);
    const CallbackKind *kind = callback_find("csv_logger", &err);
    args_init(&args, kind->args, kind->n_args);
    assert_err(callback_new(kind, &args, NULL, &callback, &err), ERR_ARG, "wants filename");
    FitOptions options = kit_options(&x, &y, 16, 3);
    assert_ok(callback_new(kind, &args, "/nowhere/at/all.csv", &options.callbacks[options.n_callbacks++], &err));
    assert_err(run_new(model, &options, &err), ERR_IO, "/nowhere/at/all.csv: No such file");
    scratch_begin();
    options = kit_options(&x, &y, 16, 3);
    assert_ok(callback_new(kind, &args, scratch_path("log.csv"), &options.callbacks[0], &err));
    options.callbacks[0].builtin->fenced = true; /* as under --safe */
    options.n_callbacks = 1;
    assert_err(run_new(model, &options, &err), ERR_IO, "with --safe");
    options = kit_options(&x, &y, 16, 3);
    assert_ok(callback_new(kind, &args, scratch_path("log.csv"), &options.callbacks[0], &err));
    options.n_callbacks = 1;
    options.resume = "/nowhere"; /* the run never starts: no empty file is left */
    assert_err(run_new(model, &options, &err), ERR_IO, "/nowhere");
    assert_true(recorder_finish(10));
    assert_int_equal(scratch_count(), 0);
    assert_ok(args_set_text(&args, 0, "ab", "csv_logger", &err));
    assert_err(callback_new(kind, &args, scratch_path("x.csv"), &callback, &err), ERR_ARG, "one character");
    scratch_end();
    model_unref(model);
}

/* A run that never starts leaves no file, and takes none away from one that starts right behind it. */
static void test_never_started(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    Buf bytes = BUF_INIT;
    size_t n;
    scratch_begin();
    const char *path = scratch_path("log.csv");
    Sink *first = sink_open(path, false, &err);
    assert_non_null(first);
    sink_close(first);
    Sink *second = sink_open(path, false, &err);
    assert_non_null(second);
    buf_puts(&bytes, "epoch\r\n");
    sink_put(second, &bytes);
    sink_close(second);
    buf_fini(&bytes);
    assert_true(recorder_finish(10));
    assert_int_equal(scratch_count(), 1);
    char *got = scratch_read(path, &n);
    assert_string_equal(got, "epoch\r\n");
    free(got);
    scratch_end();
}

/* ---- saved runs ---- */

static Run *begin_saved(const char *name, const char *words, const char *file, int epochs, const char *resume, Model **model)
{
    Err err = ERR_INIT;
    Args args;
    const CallbackKind *kind = callback_find(name, &err);
    assert_non_null(kind);
    layer_reset_names();
    model_set_seed(3);
    *model = net_model("Dense units=5 activation=relu input_shape=4; Dropout rate=0.2; Dense units=3 activation=softmax");
    kit_compile(*model, "adam learning_rate=0.01", "sparse_categorical_crossentropy", "accuracy");
    FitOptions options = kit_options(&x, &y, 16, epochs);
    options.start_paused = true;
    options.validation_split = 0.2;
    options.resume = resume;
    args_init(&args, kind->args, kind->n_args);
    assert_ok(args_parse_words(&args, words, name, &err));
    assert_ok(callback_new(kind, &args, file, &options.callbacks[options.n_callbacks++], &err));
    Run *run = run_new(*model, &options, &err);
    if (!run)
        print_message("%s\n", err.text);
    assert_non_null(run);
    return run;
}

static uint64_t end_saved(Run *run, Model *const *model)
{
    Err err = ERR_INIT;
    assert_ok(run_resume(run, &err));
    kit_wait(run);
    assert_int_equal(run_state(run), RUN_FINISHED);
    uint64_t hash = kit_hash_saved(run);
    kit_end(run, *model);
    return hash;
}

/* Every file of a run leads to the same end as the unbroken run. */
static void test_checkpoints(void **state)
{
    (void)state;
    Model *model;
    char folder[300], path[600];
    snprintf(folder, sizeof folder, "%s/kept", scratch_begin());
    snprintf(path, sizeof path, "%s/{epoch:02d}-{val_loss:.1f}.safetensors", folder);
    uint64_t want = end_saved(begin_saved("model_checkpoint", "", path, 5, NULL, &model), &model);
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    int n = 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] == '.')
            continue;
        int epoch;
        double loss;
        assert_int_equal(sscanf(entry->d_name, "%2d-%lf.safetensors", &epoch, &loss), 2);
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        Run *run = begin_saved("terminate_on_nan", "", NULL, 5, path, &model);
        assert_int_equal(kit_now(run).step, 6 * epoch);
        if (epoch == 5)
            kit_end(run, model);
        else if (sizeof(real) == sizeof(float))
            assert_int_equal(end_saved(run, &model), want);
        else
            kit_end(run, model);
        n++;
    }
    closedir(dir);
    assert_int_equal(n, 5);
    snprintf(path, sizeof path, "%s/b{epoch}-{batch}", folder); /* by batches: the third is an epoch's last */
    end_saved(begin_saved("model_checkpoint", "save_freq=4", path, 2, NULL, &model), &model);
    snprintf(path, sizeof path, "%s/b2-6", folder);
    Run *run = begin_saved("terminate_on_nan", "", NULL, 5, path, &model);
    assert_int_equal(kit_now(run).step, 12);
    kit_end(run, model);
    snprintf(path, sizeof path, "%s/b2-2", folder);
    run = begin_saved("terminate_on_nan", "", NULL, 5, path, &model);
    assert_int_equal(kit_now(run).step, 8);
    uint64_t got = end_saved(run, &model);
    if (sizeof(real) == sizeof(float))
        assert_int_equal(got, want);
    scratch_end();
}

static void test_best_only(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    Model *model;
    scratch_begin();
    const double values[] = { 3, 4, 2, 2, (double)NAN, 1, 5 };
    Run *run = begin_saved("model_checkpoint", "monitor=loss save_best_only=true save_weights_only=true initial_value_threshold=3.5", scratch_path("e{epoch}"), 9, NULL, &model);
    RunCallback *callback = &run->callbacks[0];
    for (int i = 0; i < 7; i++) { /* paused: nobody else calls it */
        double logs[2] = { values[i], 0 };
        assert_ok(callback->epoch_end(callback->ctx, run, i + 1, logs, logs, &err));
        assert_ok(callbacks_epoch_done(run, &err));
    }
    assert_true(recorder_finish(10));
    for (int i = 1; i <= 7; i++) {
        char name[16];
        snprintf(name, sizeof name, "e%d", i);
        assert_int_equal(file_exists(scratch_path(name)), i == 1 || i == 3 || i == 6);
    }
    assert_ok(model_load_weights(model, scratch_path("e6"), NULL, NULL, &err));
    kit_end(run, model);
    scratch_end();
}

static void test_backup(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    Model *model;
    char folder[300], path[400];
    snprintf(folder, sizeof folder, "%s/backup", scratch_begin());
    snprintf(path, sizeof path, "%s/latest.safetensors", folder);
    uint64_t want = end_saved(begin_saved("terminate_on_nan", "", NULL, 5, NULL, &model), &model);
    for (int freq = 0; freq < 8; freq += 3) { /* by epochs, by 3 and by 6 batches */
        char words[32];
        snprintf(words, sizeof words, "save_freq=%d", freq);
        Run *run = begin_saved("backup_and_restore", words, folder, 5, NULL, &model);
        assert_ok(run_step(run, 13, &err));
        kit_at(run, 13);
        assert_ok(run_stop(run, &err));
        kit_wait(run);
        assert_true(recorder_finish(10));
        kit_end(run, model);
        assert_true(file_exists(path));
        run = begin_saved("backup_and_restore", words, folder, 5, NULL, &model);
        assert_int_equal(kit_now(run).step, 12);
        uint64_t got = end_saved(run, &model);
        if (sizeof(real) == sizeof(float))
            assert_int_equal(got, want);
        assert_false(file_exists(path));
    }
    scratch_end();
}

static void test_bad_names(void **state)
{
    (void)state;
    static const char *const rows[][3] = {
        { "{epoch:x}", "", "cannot read \"{epoch:x}\"" },     { "a{epoch", "", "cannot read \"{epoch\"" },
        { "{val_loss:d}", "", "cannot read" },                { "{auc:.2f}", "", "there is no value \"auc\"" },
        { "{batch}", "", "there is no value \"batch\"" },     { "{val_loss}-{batch}", "save_freq=3", "there is no value \"val_loss\"" },
        { "x", "save_freq=3 save_best_only=true", "val_loss" }, { "x", "monitor=f1 save_best_only=true", "watches f1" },
    };
    Err err = ERR_INIT;
    Model *model = net_model("Dense units=3 activation=softmax input_shape=4");
    kit_compile(model, "sgd", "sparse_categorical_crossentropy", "accuracy");
    const CallbackKind *kind = callback_find("model_checkpoint", &err);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        Args args;
        FitOptions options = kit_options(&x, &y, 16, 3);
        options.validation_split = 0.2;
        args_init(&args, kind->args, kind->n_args);
        assert_ok(args_parse_words(&args, rows[i][1], "model_checkpoint", &err));
        assert_ok(callback_new(kind, &args, rows[i][0], &options.callbacks[options.n_callbacks++], &err));
        assert_err(run_new(model, &options, &err), ERR_ARG, rows[i][2]);
        err_clear(&err);
    }
    model_unref(model);
}

static int begin(void **state)
{
    (void)state;
    kit_blobs(&x, &y, 120, 4, 3, 7);
    return 0;
}

static int end(void **state)
{
    (void)state;
    tensor_unref(&x);
    tensor_unref(&y);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_csv),       cmocka_unit_test(test_bytes),    cmocka_unit_test(test_tensor_board), cmocka_unit_test(test_png),
        cmocka_unit_test(test_full_disk), cmocka_unit_test(test_refusals), cmocka_unit_test(test_never_started), cmocka_unit_test(test_checkpoints), cmocka_unit_test(test_best_only),
        cmocka_unit_test(test_backup),    cmocka_unit_test(test_bad_names),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
