// SPDX-License-Identifier: MIT
/* Runs of a model with two inputs and two outputs: the same bits for any number of threads, watched or not; nothing is allocated in the
 * steady state; what compile refuses. What the numbers are is tested against Keras in lua/test_outputs.lua. */
#include "check.h"
#include "netkit.h"
#include "runkit.h"
#include "scratch.h"

#include "base/mem.h"
#include "base/pool.h"

#define ROWS 200

static Samples data;

static int make_data(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    control_record(false); /* its thread allocates now and then */
    data = (Samples){ .n_x = 2, .n_y = 2, .n_w = 2 };
    data.x[0] = net_values(SHAPE(ROWS, 64), 1);
    data.x[1] = net_values(SHAPE(ROWS, 3), 2);
    data.y[0] = net_values(SHAPE(ROWS, 1), 3);
    if (!tensor_new(&data.y[1], DTYPE_INT32, SHAPE(ROWS), &err) || !tensor_new(&data.w[1], DTYPE_FLOAT32, SHAPE(ROWS), &err))
        return -1;
    for (int i = 0; i < ROWS; i++) {
        tensor_int(&data.y[1])[i] = i * 7 % 3;
        tensor_real(&data.w[1])[i] = (real)(1 + i % 4);
    }
    return 0;
}

static int drop_data(void **state)
{
    (void)state;
    samples_unref(&data);
    return 0;
}

static Model *network(void)
{
    Err err = ERR_INIT;
    layer_reset_names();
    model_set_seed(3);
    Symbol *in[2] = { net_input(SHAPE(64), "left"), net_input(SHAPE(3), "right") };
    Symbol *both = net_call("Concatenate", in, 2), *h = net_call("Dense units=48 activation=relu", &both, 1), *drop = net_call("Dropout rate=0.2", &h, 1);
    Symbol *out[2] = { net_call("Dense units=1 name=price", &drop, 1), net_call("Dense units=3 activation=softmax name=kind", &drop, 1) };
    Model *model = model_functional(in, 2, out, 2, NULL, &err);
    assert_non_null(model);
    Symbol *all[] = { in[0], in[1], both, h, drop, out[0], out[1] };
    for (int i = 0; i < 7; i++)
        symbol_unref(all[i]);
    return model;
}

/* The first output is for the first loss (NULL: none), the second for the second; one metric each. */
static Compiled compiled_for(const char *first, const char *second)
{
    Err err = ERR_INIT;
    const char *losses[2] = { first, second }, *metrics[2] = { "mean_absolute_error", "accuracy" };
    Compiled c = { .n_outputs = 2, .n_metrics = 2 };
    Args args;
    const OptimizerKind *adam = optimizer_find("adam", &err);
    optimizer_args_init(&args, adam);
    c.optimizer = optimizer_new(adam, &args, &err);
    assert_non_null(c.optimizer);
    for (int i = 0; i < 2; i++) {
        Objective *o = &c.outputs[i];
        *o = (Objective){ .loss = losses[i] ? loss_find(losses[i], &err) : NULL, .weight = i + 0.5 };
        if (o->loss)
            args_init(&o->args, o->loss->args, o->loss->n_args);
        Measure *m = &c.metrics[i];
        *m = (Measure){ .metric = metric_find(metrics[i], &err), .output = i, .weighted = i };
        args_init(&m->args, m->metric->args, m->metric->n_args);
        snprintf(m->name, sizeof m->name, "%s", metrics[i]);
    }
    return c;
}

static Model *compiled_network(void)
{
    Err err = ERR_INIT;
    Model *model = network();
    Compiled c = compiled_for("mean_squared_error", "sparse_categorical_crossentropy");
    assert_ok(compile_model(model, &c, &err));
    return model;
}

static FitOptions options_of(int epochs)
{
    FitOptions options;
    fit_options_init(&options);
    options.data = data;
    options.batch_size = 16;
    options.epochs = epochs;
    options.autosave = false;
    options.seed = 7;
    options.validation_split = 0.1;
    return options;
}

static void the_same_bits_for_any_number_of_threads(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    uint64_t hash[3];
    for (int i = 0; i < 3; i++) {
        assert_ok(pool_start(i == 1 ? 2 : 1, &err));
        Model *model = compiled_network();
        FitOptions options = options_of(3);
        Run *run = kit_fit(model, &options);
        if (i == 2) {
            telemetry_watch(run_telemetry(run), PICTURE_LAYERS, true);
            telemetry_watch(run_telemetry(run), PICTURE_PROBE, true);
        }
        kit_wait(run);
        assert_int_equal(run_state(run), RUN_FINISHED);
        hash[i] = kit_hash(run);
        const TelePlan *plan = telemetry_plan(run_telemetry(run));
        assert_int_equal(plan->n_metrics, 5);
        assert_string_equal(plan->metrics[1], "price_loss");
        assert_string_equal(plan->metrics[4], "kind_accuracy");
        assert_int_equal(plan->n_classes, 3);
        const TeleConfusion *counts = telemetry_picture(run_telemetry(run), PICTURE_CONFUSION);
        assert_non_null(counts);
        assert_string_equal(counts->output, "kind");
        assert_int_equal(counts->total, ROWS / 10);
        telemetry_picture_free(counts);
        kit_end(run, model);
        pool_stop();
    }
    assert_true(hash[0] == hash[1] && hash[0] == hash[2]);
}

static void a_step_allocates_nothing(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    Model *model = compiled_network();
    FitOptions options = options_of(1000);
    options.start_paused = true;
    options.steps_per_epoch = 500; /* goes through the rows more than once */
    Run *run = kit_fit(model, &options);
    assert_ok(run_step(run, 30, &err));
    kit_at(run, 30);
    assert_ok(run_step(run, 300, &err));
    uint64_t before = mem_count();
    kit_at(run, 330);
    assert_int_equal(mem_count(), before);
    assert_ok(run_stop(run, &err));
    kit_wait(run);
    kit_end(run, model);
}

static void compile_refuses(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    Model *model = network();
    Compiled c = compiled_for("mean_squared_error", "mean_squared_error");
    c.n_outputs = 1;
    assert_err(compile_model(model, &c, &err), ERR_ARG, "has 2 outputs, got losses for 1");
    assert_null(c.optimizer); /* taken over all the same */
    c = compiled_for(NULL, NULL);
    assert_err(compile_model(model, &c, &err), ERR_ARG, "wants an optimizer and a loss");
    assert_null(model->compiled);
    c = compiled_for(NULL, "sparse_categorical_crossentropy");
    assert_ok(compile_model(model, &c, &err));
    const Compiled *kept = compiled_of(model, &err);
    assert_int_equal(kept->n_values, 3); /* one loss: it is not told twice */
    assert_true(compiled_wants_target(kept, 0) && compiled_falls(kept, 0) && compiled_falls(kept, 1) && !compiled_falls(kept, 2));
    model_unref(model);
}

/* Names as Keras tells them: of two alike the weighted one says so, then they are numbered. */
static void names_are_told_apart(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    Model *model = network();
    Compiled c = compiled_for("mean_squared_error", "sparse_categorical_crossentropy");
    for (c.n_metrics = 2; c.n_metrics < 6; c.n_metrics++) {
        c.metrics[c.n_metrics] = c.metrics[0];
        c.metrics[c.n_metrics].weighted = c.n_metrics > 3;
    }
    assert_ok(compile_model(model, &c, &err));
    static const char *const want[] = { "loss", "price_loss", "kind_loss", "price_mean_absolute_error", "kind_accuracy", "price_mean_absolute_error_1",
                                        "price_mean_absolute_error_2", "price_weighted_mean_absolute_error", "price_weighted_mean_absolute_error_1" };
    const Compiled *kept = compiled_of(model, &err);
    assert_int_equal(kept->n_values, 9);
    for (int i = 0; i < 9; i++)
        assert_string_equal(kept->values[i], want[i]);
    model_unref(model);
}

/* Training, evaluating and compiling by a file: each is refused as a whole when memory runs out, or done. */
static void memory_may_run_out(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    char path[4096];
    scratch_begin();
    snprintf(path, sizeof path, "%s", scratch_path("m.safetensors"));
    Model *model = compiled_network();
    double logs[COMPILE_VALUES];
    assert_ok(compile_train_batch(model, &data, NULL, 0, logs, &err));
    assert_ok(compile_save(model, path, &err));
    for (int what = 0; what < 4; what++) {
        size_t held = mem_bytes();
        bool ok = false;
        for (long n = 0; !ok; n++) {
            assert_true(n < 5000);
            Run *run = NULL;
            Model *loaded = NULL;
            FitOptions options = options_of(2);
            options.start_paused = true;
            err_clear(&err);
            mem_fail_after(n);
            if (what == 0)
                ok = compile_train_batch(model, &data, NULL, 0, logs, &err);
            else if (what == 1)
                ok = compile_evaluate(model, &data, 16, logs, NULL, 0, NULL, &err);
            else if (what == 2)
                ok = (loaded = compile_load(path, &err)) != NULL;
            else
                ok = (run = run_new(model, &options, &err)) != NULL;
            mem_fail_after(-1);
            if (!ok && err.code != ERR_MEM)
                fail_msg("%d, allocation %ld: %s", what, n, err.text);
            model_unref(loaded);
            if (run) {
                assert_ok(run_stop(run, &err));
                kit_wait(run);
                run_unref(run);
            }
            assert_false(tensor_frozen(&data.x[1]));
            if (!ok && what > 1 && mem_bytes() != held) /* the tape keeps what a step made room for */
                fail_msg("%d, allocation %ld: %zu bytes stay", what, n, mem_bytes() - held);
        }
    }
    model_unref(model);
    scratch_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_bits_for_any_number_of_threads),
        cmocka_unit_test(a_step_allocates_nothing),
        cmocka_unit_test(compile_refuses),
        cmocka_unit_test(names_are_told_apart),
        cmocka_unit_test(memory_may_run_out),
    };
    return cmocka_run_group_tests(tests, make_data, drop_data);
}
