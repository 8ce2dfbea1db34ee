// SPDX-License-Identifier: MIT
/* What a run leaves on disk: history as Keras's CSVLogger writes it, events, the plan, curves, an autosave to go on from. A full
 * disk is said once and costs no step; killed while saving, the old file or the new one is there, whole. */
#include "check.h"
#include "netkit.h"
#include "runkit.h"
#include "scratch.h"

#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "formats/safetensors.h"
#include "train/trainer.h"

static Tensor x, y;

static Model *network(void)
{
    layer_reset_names();
    model_set_seed(3);
    Model *model = net_model("Dense units=16 activation=relu input_shape=4; Dense units=3 activation=softmax");
    kit_compile(model, "adam learning_rate=0.01", "sparse_categorical_crossentropy", "accuracy");
    return model;
}

static FitOptions options_of(int epochs)
{
    FitOptions options = kit_options(&x, &y, 16, epochs);
    options.validation_split = 0.1;
    options.autosave = true;
    options.start_paused = true;
    return options;
}

static char *read_in(const char *folder, const char *name)
{
    char path[8192];
    size_t n;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return file_exists(path) ? scratch_read(path, &n) : NULL;
}

static void test_files(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    setenv("XDG_STATE_HOME", scratch_begin(), 1);
    Model *model = network();
    FitOptions options = options_of(4);
    Run *run = kit_fit(model, &options);
    char folder[4096], path[8192];
    snprintf(folder, sizeof folder, "%s", run_folder(run));
    assert_non_null(strstr(folder, "/runs/"));
    assert_ok(run_set_rate(run, 0.02, &err));
    assert_ok(run_resume(run, &err));
    kit_wait(run);
    uint64_t end = kit_hash_saved(run);
    assert_true(control_settle(10));
    char *history = read_in(folder, "history.csv"), *events = read_in(folder, "events.jsonl"), *plan = read_in(folder, "run.json");
    char *series = read_in(folder, "series.csv");
    assert_true(history && events && plan && series);
    assert_memory_equal(history, "epoch,accuracy,loss,val_accuracy,val_loss\n0,", 44);
    const Fact *rows[4];
    assert_int_equal(run_history(run, rows, 4), 4);
    char *last = strstr(history, "\n3,");
    assert_non_null(last);
    double accuracy, loss, val_accuracy, val_loss;
    assert_int_equal(sscanf(last, "\n3,%lf,%lf,%lf,%lf", &accuracy, &loss, &val_accuracy, &val_loss), 4);
    assert_true(accuracy == rows[3]->metrics[1] && loss == rows[3]->metrics[0] && val_loss == rows[3]->validation[0]);
    assert_non_null(strstr(events, "learning rate 0.01 -> 0.02, takes effect at step 1"));
    assert_non_null(strstr(plan, "\"state\": \"finished\""));
    assert_non_null(strstr(series, "\nlearning_rate,1,"));
    free(history);
    free(events);
    free(plan);
    free(series);
    run_unref(run);
    model_unref(model);
    snprintf(path, sizeof path, "%s/autosave.safetensors", folder);
    model = network(); /* the autosave goes on */
    options = options_of(4);
    options.resume = path;
    run = kit_fit(model, &options);
    assert_int_equal(kit_now(run).step, 24);
    assert_true(kit_hash_saved(run) == end);
    assert_ok(run_stop(run, &err));
    kit_end(run, model);
    assert_true(control_settle(10));
    scratch_end();
}

/* Every write fails: training ends well, and says what was lost, once. */
static void test_full_disk(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    setenv("XDG_STATE_HOME", scratch_begin(), 1);
    file_fail_after(0);
    Model *model = network();
    FitOptions options = options_of(20);
    Run *run = kit_fit(model, &options);
    assert_ok(run_resume(run, &err));
    kit_wait(run);
    assert_int_equal(run_state(run), RUN_FINISHED);
    int said = 0;
    for (double end = clock_now() + 10; !said && clock_now() < end; clock_sleep(0.01))
        for (size_t i = 0; i < telemetry_facts(run_telemetry(run)); i++)
            said += !strcmp(telemetry_fact(run_telemetry(run), i)->label, "recorder");
    assert_int_equal(said, 1);
    control_settle(5);
    file_fail_after(-1);
    kit_end(run, model);
    scratch_end();
}

static void test_not_recorded(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    setenv("XDG_STATE_HOME", scratch_begin(), 1);
    control_record(false);
    Model *model = network();
    FitOptions options = options_of(2);
    Run *run = kit_fit(model, &options);
    assert_string_equal(run_folder(run), "");
    assert_ok(run_resume(run, &err));
    kit_wait(run);
    assert_true(control_settle(5));
    assert_int_equal(scratch_count(), 0);
    kit_end(run, model);
    control_record(true);
    scratch_end();
}

static int count_told(Run *run, const char *label, const char *text)
{
    int n = 0;
    for (size_t i = 0; i < telemetry_facts(run_telemetry(run)); i++) {
        const Fact *fact = telemetry_fact(run_telemetry(run), i);
        n += !strcmp(fact->label, label) && strstr(fact->text, text);
    }
    return n;
}

/* A run that cannot be recorded says why, once, and trains. */
static void test_cannot_record(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    char *home = getenv("HOME") ? strdup(getenv("HOME")) : NULL;
    unsetenv("XDG_STATE_HOME");
    unsetenv("HOME");
    Model *model = network();
    FitOptions options = options_of(2);
    options.autosave = true;
    Run *run = kit_fit(model, &options);
    assert_string_equal(run_folder(run), "");
    assert_int_equal(count_told(run, "recorder", "not recorded"), 1);
    assert_int_equal(count_told(run, "recorder", "HOME"), 1);
    assert_ok(run_resume(run, &err));
    kit_wait(run);
    assert_int_equal(run_state(run), RUN_FINISHED);
    kit_end(run, model);
    if (home)
        setenv("HOME", home, 1);
    free(home);
}

/* The pause behind run_step is a pause: what stands then is autosaved, and can be gone on from. */
static void test_step_saves(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    setenv("XDG_STATE_HOME", scratch_begin(), 1);
    Model *model = network();
    FitOptions options = options_of(3);
    options.autosave = true;
    Run *run = kit_fit(model, &options);
    assert_ok(run_step(run, 2, &err));
    kit_at(run, 2);
    assert_true(recorder_finish(10));
    char path[8192];
    snprintf(path, sizeof path, "%s/autosave.safetensors", run_folder(run));
    Model *saved = compile_load(path, &err);
    if (!saved)
        fail_msg("%s", err.text);
    assert_int_equal(compiled_of(saved, &err)->optimizer->t, 2);
    model_unref(saved);
    assert_ok(run_stop(run, &err));
    kit_wait(run);
    assert_true(control_settle(10));
    kit_end(run, model);
    scratch_end();
}

/* A child saves over and over until it is killed at some moment. */
static void save_for_ever(const char *path)
{
    Err err = ERR_INIT;
    control_record(false);
    Model *model = network();
    FitOptions options = options_of(1000000);
    options.start_paused = false;
    Run *run = kit_fit(model, &options);
    while (run_save(run, path, &err))
        ;
    _exit(1);
}

static char program[4096];

static void test_killed(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    scratch_begin();
    char path[4096];
    snprintf(path, sizeof path, "%s", scratch_path("a.safetensors"));
    int found = 0;
    for (int i = 0; i < 12; i++) {
        pid_t child = fork();
        if (child == 0) {
            execl(program, program, "save", path, (char *)NULL);
            _exit(127);
        }
        for (double end = clock_now() + 10; !file_exists(path) && clock_now() < end;)
            clock_sleep(0.001);
        clock_sleep(0.003 * i);
        int status;
        kill(child, SIGKILL);
        waitpid(child, &status, 0);
        assert_true(WIFSIGNALED(status));
        Model *model = compile_load(path, &err);
        if (!model)
            fail_msg("after kill %d: %s", i, err.text);
        found += compiled_of(model, &err) != NULL;
        model_unref(model);
    }
    assert_int_equal(found, 12);
    assert_true(scratch_count() <= 2); /* at most one stale temporary file */
    scratch_end();
}

/* Folders of dead processes beyond the newest fifty go; foreign names stay. */
static void test_old_folders(void **state)
{
    (void)state;
    char runs[4096], path[8192];
    setenv("XDG_STATE_HOME", scratch_begin(), 1);
    snprintf(runs, sizeof runs, "%s", scratch_path("hebb/runs"));
    Err err = ERR_INIT;
    for (int i = 0; i < 60; i++) {
        snprintf(path, sizeof path, "%s/20200101-%06d-%d-1", runs, i, 4194304 + 10 + i); /* no process can have that id */
        assert_ok(file_make_folder(path, &err));
        strcat(path, "/history.csv");
        scratch_write(path, "x", 1);
    }
    snprintf(path, sizeof path, "%s/mine", runs);
    assert_ok(file_make_folder(path, &err));
    Model *model = network();
    FitOptions options = options_of(1);
    Run *run = kit_fit(model, &options);
    assert_true(control_settle(10));
    int n = 0;
    DIR *dir = opendir(runs);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        n += entry->d_name[0] != '.';
    closedir(dir);
    assert_int_equal(n, 50 + 1 + 1);
    assert_true(file_is_folder(path));
    kit_end(run, model);
    scratch_end();
}

static int set_up(void **state)
{
    (void)state;
    kit_blobs(&x, &y, 100, 4, 3, 1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tensor_unref(&x);
    tensor_unref(&y);
    return 0;
}

int main(int argc, char **argv)
{
    alarm(300);
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
    program[n > 0 ? n : 0] = 0;
    if (argc == 3 && !strcmp(argv[1], "save")) {
        set_up(NULL);
        save_for_ever(argv[2]);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),  cmocka_unit_test(test_full_disk),   cmocka_unit_test(test_not_recorded),
        cmocka_unit_test(test_cannot_record), cmocka_unit_test(test_step_saves),
        cmocka_unit_test(test_killed), cmocka_unit_test(test_old_folders),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
