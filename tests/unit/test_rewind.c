// SPDX-License-Identifier: MIT
/* Going back and on again gives bit for bit what an unbroken run gives: with dropout, batch normalisation, momentum, changed
 * rates, within epochs, with few snapshots and many. */
#include "check.h"
#include "netkit.h"
#include "runkit.h"

#include <unistd.h>

#include "train/trainer.h"

static Tensor x, y;

static Model *network(const char *optimizer)
{
    layer_reset_names();
    model_set_seed(3);
    Model *model = net_model("Dense units=16 activation=relu input_shape=4; BatchNormalization; Dropout rate=0.3; "
                             "Dense units=3 activation=softmax");
    kit_compile(model, optimizer, "sparse_categorical_crossentropy", "accuracy");
    return model;
}

static FitOptions options_of(int epochs)
{
    FitOptions options = kit_options(&x, &y, 16, epochs); /* 90 rows: 5 batches of 16, one of 10 */
    options.start_paused = true;
    options.validation_split = 0.1;
    return options;
}

/* Hashes of an unbroken run after each step, the rate lowered after step 9. */
static void unbroken(const char *optimizer, uint64_t *hashes, int n)
{
    Err err = ERR_INIT;
    Model *model = network(optimizer);
    FitOptions options = options_of(8);
    Run *run = kit_fit(model, &options);
    for (int i = 0; i <= n; i++) {
        hashes[i] = kit_hash(run);
        if (i == 9)
            assert_ok(run_set_rate(run, 0.003, &err));
        if (i < n)
            kit_step(run, 1);
    }
    assert_ok(run_stop(run, &err));
    kit_end(run, model);
}

static void back_and_forth(const char *optimizer, bool dense, size_t budget)
{
    Err err = ERR_INIT;
    uint64_t want[41];
    unbroken(optimizer, want, 40);
    Model *model = network(optimizer);
    FitOptions options = options_of(8);
    options.snapshot_budget = budget;
    Run *run = kit_fit(model, &options);
    if (dense)
        kit_dense(run);
    kit_step(run, 9);
    assert_ok(run_set_rate(run, 0.003, &err));
    kit_step(run, 31);
    assert_true(kit_hash(run) == want[40]);
    static const int stops[] = { 40, 39, 36, 35, 30, 17, 12, 10 };
    for (size_t i = 0; i < COUNT_OF(stops); i++) {
        assert_ok(run_rewind_to(run, stops[i], NULL, &err));
        assert_int_equal(run_state(run), RUN_PAUSED);
        assert_int_equal(kit_now(run).step, stops[i]);
        assert_true(kit_hash(run) == want[stops[i]]);
        kit_step(run, 1);
        if (stops[i] < 40)
            assert_true(kit_hash(run) == want[stops[i] + 1]);
    }
    assert_ok(run_rewind_to(run, 3, NULL, &err)); /* before the change: the rate as it was */
    assert_true(kit_hash(run) == want[3]);
    kit_step(run, 6);
    assert_true(kit_hash(run) == want[9]);
    assert_ok(run_set_rate(run, 0.003, &err));
    kit_step(run, 20);
    assert_true(kit_hash(run) == want[29]);
    assert_ok(run_rewind_to(run, 9, NULL, &err)); /* to the very step: the change belongs to what came after */
    assert_true(kit_hash(run) == want[9]);
    assert_ok(run_rewind_to(run, 0, NULL, &err));
    assert_true(kit_hash(run) == want[0]);
    assert_ok(run_stop(run, &err));
    kit_end(run, model);
}

static void test_bits(void **state)
{
    (void)state;
    static const char *const optimizers[] = { "sgd learning_rate=0.05 momentum=0.9 nesterov=true", "adam learning_rate=0.01",
                                              "rmsprop learning_rate=0.01 gradient_accumulation_steps=4 use_ema=true ema_momentum=0.9 "
                                              "ema_overwrite_frequency=3" };
    for (int i = 0; i < 3; i++)
        for (int dense = 0; dense < 2; dense++)
            back_and_forth(optimizers[i], dense, 0);
    back_and_forth(optimizers[1], true, 20000); /* room for a handful */
}

/* At the end of fit the moving averages become the weights; what follows goes on from them, what went before is as it was. */
static void test_averages(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    Model *model = network("sgd learning_rate=0.05 use_ema=true ema_momentum=0.9");
    FitOptions options = options_of(2);
    Run *run = kit_fit(model, &options);
    kit_step(run, 11);
    uint64_t before = kit_hash(run);
    assert_ok(run_step(run, 1, &err));
    kit_until(run, RUN_FINISHED);
    uint64_t after = kit_hash(run);
    const OptimizerBlock *block = &compiled_of(model, &err)->optimizer->blocks[0];
    assert_memory_equal(block->layer->block, block->slots[SLOT_AVERAGE], block->layer->n_trainable * sizeof(real));
    assert_ok(run_rewind_to(run, 11, NULL, &err));
    assert_true(kit_hash(run) == before);
    assert_ok(run_step(run, 1, &err));
    kit_until(run, RUN_FINISHED);
    assert_true(kit_hash(run) == after);
    kit_end(run, model);
}

static void test_epochs(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    Model *model = network("adam");
    FitOptions options = options_of(5);
    Run *run = kit_fit(model, &options);
    uint64_t ends[6];
    for (int i = 0; i <= 5; i++) {
        ends[i] = kit_hash(run);
        if (i < 4)
            kit_step(run, 6);
        else if (i == 4)
            assert_ok(run_resume(run, &err));
        if (i == 4)
            kit_wait(run);
    }
    assert_int_equal(run_state(run), RUN_FINISHED);
    const Fact *rows[8];
    assert_int_equal(run_history(run, rows, 8), 5);
    double third = rows[2]->metrics[0], validation = rows[2]->validation[0], fourth = rows[3]->metrics[0];
    assert_ok(run_rewind(run, 2, NULL, &err)); /* from the end of a finished run */
    assert_int_equal(kit_now(run).step, 18);
    assert_int_equal(kit_now(run).epoch, 4);
    assert_int_equal(kit_now(run).step_in_epoch, 0);
    assert_true(kit_hash(run) == ends[3]);
    assert_true(tensor_frozen(&x) && control_any_active());
    assert_int_equal(run_history(run, rows, 8), 3);
    assert_near(rows[2]->metrics[0], third, 0);
    assert_near(kit_now(run).validation[0], validation, 0);
    kit_step(run, 4);
    assert_ok(run_rewind(run, 1, NULL, &err)); /* within an epoch: to its beginning */
    assert_true(kit_hash(run) == ends[3]);
    TeleSeries series;
    telemetry_series(run_telemetry(run), 0, &series);
    assert_int_equal(series.buckets[series.n - 1].first + series.buckets[series.n - 1].n - 1, 18);
    assert_err(run_rewind(run, 9, NULL, &err), ERR_ARG, "begins at step 0");
    assert_err(run_rewind_to(run, 100, NULL, &err), ERR_ARG, "stands at step 18");
    assert_err(run_rewind_to(run, -1, NULL, &err), ERR_ARG, "count from 0");
    assert_true(kit_hash(run) == ends[3]);
    assert_ok(run_resume(run, &err));
    kit_wait(run);
    assert_true(kit_hash(run) == ends[5]);
    assert_int_equal(run_history(run, rows, 8), 5);
    assert_near(rows[3]->metrics[0], fourth, 0);
    assert_int_equal(rows[3]->branch, 2);
    int events = 0;
    for (size_t i = 0; i < telemetry_facts(run_telemetry(run)); i++)
        events += !strcmp(telemetry_fact(run_telemetry(run), i)->label, "rewind");
    assert_int_equal(events, 2);
    kit_end(run, model);
}

static void test_schedule(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    Model *model = network("sgd learning_rate=0.5");
    FitOptions options = options_of(5);
    Args args;
    const Schedule *falling = schedule_find("inverse_time_decay", &err);
    args_init(&args, falling->args, falling->n_args);
    assert_ok(args_parse(&args, 0, "0.5", "", &err) && args_parse(&args, 1, "1", "", &err) && args_parse(&args, 2, "1", "", &err));
    options.rate = rate_new(falling, &args, NULL, &err);
    assert_non_null(options.rate);
    Run *run = kit_fit(model, &options);
    rate_unref(options.rate);
    kit_step(run, 4);
    assert_near(kit_now(run).learning_rate, 0.125, 1e-12);
    assert_ok(run_set_rate(run, 0.2, &err)); /* ends the schedule */
    kit_step(run, 3);
    assert_near(kit_now(run).learning_rate, 0.2, 1e-12);
    uint64_t want = kit_hash(run);
    assert_ok(run_rewind_to(run, 5, NULL, &err));
    kit_step(run, 2);
    assert_true(kit_hash(run) == want);
    assert_ok(run_rewind_to(run, 2, NULL, &err)); /* in force again */
    kit_step(run, 3);
    assert_near(kit_now(run).learning_rate, 0.1, 1e-12);
    assert_ok(run_stop(run, &err));
    kit_end(run, model);
}

static bool change_weights(void *ctx, Err *err)
{
    Layer *layer = model_layer_at(ctx, 1, err);
    for (size_t i = 0; i < layer->n_elements; i++)
        layer->block[i] *= (real)0.5;
    return true;
}

/* Weights that somebody changed in between are kept for going back. */
static void test_changed_weights(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    Model *model = network("adam");
    FitOptions options = options_of(5);
    Run *run = kit_fit(model, &options);
    kit_step(run, 4);
    uint64_t before = kit_hash(run);
    assert_ok(run_do(run, change_weights, model, NULL, &err));
    uint64_t after = kit_hash(run);
    assert_true(before != after);
    kit_step(run, 3);
    uint64_t later = kit_hash(run);
    kit_step(run, 3);
    assert_ok(run_rewind_to(run, 7, NULL, &err));
    assert_true(kit_hash(run) == later);
    assert_ok(run_rewind_to(run, 4, NULL, &err));
    assert_true(kit_hash(run) == after);
    assert_ok(run_stop(run, &err));
    kit_end(run, model);
}

static void test_budget(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    Model *model = network("adam");
    FitOptions options = options_of(5);
    options.snapshot_budget = 100;
    Run *run = kit_fit(model, &options);
    kit_step(run, 4);
    assert_err(run_rewind_to(run, 2, NULL, &err), ERR_STATE, "budget");
    assert_int_equal(kit_now(run).n_snapshots, 0);
    assert_ok(run_set_budget(run, 1000000, &err));
    assert_int_equal(kit_now(run).n_snapshots, 1);
    kit_step(run, 2);
    assert_err(run_rewind_to(run, 2, NULL, &err), ERR_STATE, "can go back to step 4");
    assert_ok(run_rewind_to(run, 5, NULL, &err));
    _Atomic bool stop = true;
    kit_step(run, 20);
    assert_err(run_rewind_to(run, 9, &stop, &err), ERR_INTERRUPT, "");
    assert_ok(run_stop(run, &err));
    kit_end(run, model);
}

static int set_up(void **state)
{
    (void)state;
    control_record(false);
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

int main(void)
{
    alarm(300);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bits), cmocka_unit_test(test_averages), cmocka_unit_test(test_epochs),          cmocka_unit_test(test_schedule),
        cmocka_unit_test(test_budget),   cmocka_unit_test(test_changed_weights),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
