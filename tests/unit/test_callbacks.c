// SPDX-License-Identifier: MIT
/* Built-in callbacks: decisions against Keras's own (fixtures/train/make_callbacks.py), and the same end of a run whether it was
 * rewound, branched, saved and resumed, or not. */
#include "check.h"
#include "fixture.h"
#include "netkit.h"
#include "runkit.h"
#include "scratch.h"

#include <stdlib.h>

#include "train/callback.h"
#include "train/trainer.h"

static Tensor x, y;

static Model *network(const char *optimizer)
{
    layer_reset_names();
    model_set_seed(3);
    Model *model = net_model("Dense units=8 activation=relu input_shape=4; Dropout rate=0.3; Dense units=3 activation=softmax");
    kit_compile(model, optimizer, "sparse_categorical_crossentropy", "accuracy");
    return model;
}

static FitOptions options_of(int epochs, const char *kind_name, const char *words)
{
    Err err = ERR_INIT;
    FitOptions options = kit_options(&x, &y, 16, epochs);
    options.start_paused = true;
    options.validation_split = 0.2;
    const CallbackKind *kind = callback_find(kind_name, &err);
    Args args;
    assert_non_null(kind);
    args_init(&args, kind->args, kind->n_args);
    assert_ok(args_parse_words(&args, words, kind_name, &err));
    assert_ok(callback_new(kind, &args, NULL, &options.callbacks[options.n_callbacks++], &err));
    return options;
}

/* ---- decisions ---- */

typedef struct Case {
    Run *run;
    char *values, *want;
    bool stops;
    int line;
} Case;

static int count_stops(Run *run)
{
    int n = 0;
    for (size_t i = 0; i < telemetry_facts(run->tele); i++)
        n += !strcmp(telemetry_fact(run->tele, i)->label, "stop");
    return n;
}

/* On the trainer thread, where callbacks belong. */
static bool decide(void *ctx, Err *err)
{
    Case *c = ctx;
    RunCallback *callback = &c->run->callbacks[0];
    int epoch = 0, stopped = 0;
    c->run->optimizer->learning_rate = 0.1;
    for (char *rest = c->values, *end; !stopped && (strtod(rest, &end), end != rest); rest = end) {
        double value = strtod(rest, &end);
        if (!callback->epoch_end(callback->ctx, c->run, ++epoch, &value, NULL, err))
            return false;
        if (c->stops) {
            stopped = count_stops(c->run) ? epoch : 0;
            continue;
        }
        double want = strtod(c->want, &c->want);
        if (fabs(c->run->optimizer->learning_rate - want) > 1e-6 * want)
            return err_set(err, ERR_BUG, "line %d, epoch %d: rate %.9g, wanted %.9g", c->line, epoch, c->run->optimizer->learning_rate, want);
    }
    int want_stop = 0, want_best = 0, best = (int)callback->builtin->state[2];
    if (c->stops && sscanf(c->want, "%d %d", &want_stop, &want_best) == 2 && (want_stop != stopped || want_best != best))
        return err_set(err, ERR_BUG, "line %d: stopped %d, best %d; wanted %d, %d", c->line, stopped, best, want_stop, want_best);
    return true;
}

static void test_decisions(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    size_t size;
    char *text = fixture_read("train/callbacks.txt", &size), *save = NULL;
    int line = 0;
    assert_non_null(text);
    for (char *row = strtok_r(text, "\n", &save); row; row = strtok_r(NULL, "\n", &save)) {
        char *part[4] = { row };
        for (int i = 1; i < 4; i++) {
            part[i] = strchr(part[i - 1], '|');
            assert_non_null(part[i]);
            *part[i]++ = 0;
        }
        Model *model = network("sgd learning_rate=0.1");
        FitOptions options = options_of(50, part[0], part[1]);
        Run *run = kit_fit(model, &options);
        Case c = { run, part[2], part[3], !strcmp(part[0], "early_stopping"), ++line };
        assert_ok(run_do(run, decide, &c, NULL, &err));
        if (!run_has_ended(run) && !run_stop(run, &err))
            assert_int_equal(err.code, ERR_STATE); /* it stopped by itself meanwhile */
        kit_wait(run);
        kit_end(run, model);
    }
    assert_int_equal(line, 112);
    free(text);
}

/* ---- the same end, whatever happened on the way ---- */

typedef struct End {
    int64_t step;
    uint64_t hash;
    double rate;
} End;

static const char *const trials[][2] = {
    { "early_stopping", "patience=4 restore_best_weights=true" },
    { "early_stopping", "monitor=val_accuracy patience=3 min_delta=0.01 restore_best_weights=true" },
    { "reduce_lr_on_plateau", "patience=1 factor=0.5 cooldown=1" },
};

static Run *start(int trial, Model **model, const char *resume)
{
    FitOptions options = options_of(30, trials[trial][0], trials[trial][1]);
    options.resume = resume;
    *model = network("adam learning_rate=0.1");
    return kit_fit(*model, &options);
}

static End finish(Run *run)
{
    Err err = ERR_INIT;
    assert_ok(run_resume(run, &err));
    kit_wait(run);
    return (End){ kit_now(run).step, kit_hash(run), kit_now(run).learning_rate };
}

static void assert_same(End a, End b)
{
    assert_int_equal(a.step, b.step);
    assert_true(a.rate == b.rate);
    assert_true(a.hash == b.hash);
}

static void rewound(int trial, End want, bool dense)
{
    Err err = ERR_INIT;
    Model *model;
    Run *run = start(trial, &model, NULL);
    if (dense)
        kit_dense(run);
    kit_step(run, 20);
    assert_ok(run_rewind_to(run, 13, NULL, &err)); /* within an epoch */
    kit_step(run, 9);
    assert_ok(run_rewind_to(run, 18, NULL, &err)); /* the end of one */
    assert_same(finish(run), want);
    assert_ok(run_rewind_to(run, 12, NULL, &err)); /* of a run that has ended */
    assert_same(finish(run), want);
    assert_ok(run_rewind_to(run, 0, NULL, &err));
    assert_same(finish(run), want);
    for (size_t i = 0; i < telemetry_facts(run->tele); i++) /* built-in ones are restored whole */
        assert_null(strstr(telemetry_fact(run->tele, i)->text, "Lua callbacks"));
    kit_end(run, model);
}

static void branched(int trial, End want)
{
    Err err = ERR_INIT;
    Model *model, *copy;
    Run *run = start(trial, &model, NULL);
    kit_step(run, 22);
    Run *branch = run_branch(run, &copy, &err);
    assert_non_null(branch);
    assert_same(finish(branch), want);
    assert_same(finish(run), want);
    kit_end(branch, copy);
    kit_end(run, model);
}

static void resumed(int trial, End want)
{
    Err err = ERR_INIT;
    Model *model;
    Run *run = start(trial, &model, NULL);
    char path[300];
    snprintf(path, sizeof path, "%s/run.safetensors", scratch_begin());
    kit_step(run, 21);
    assert_ok(run_save(run, path, &err));
    assert_ok(run_stop(run, &err));
    kit_wait(run);
    kit_end(run, model);
    run = start(trial, &model, path);
    assert_int_equal(kit_now(run).step, 21);
    End got = finish(run);
    scratch_end();
    assert_int_equal(got.step, want.step);
    if (sizeof(real) == sizeof(float)) /* files are float32 */
        assert_same(got, want);
    kit_end(run, model);
}

static void test_same_end(void **state)
{
    (void)state;
    for (int trial = 0; trial < (int)COUNT_OF(trials); trial++) {
        Model *model;
        Run *run = start(trial, &model, NULL);
        End want = finish(run);
        if (!strcmp(trials[trial][0], "early_stopping"))
            assert_in_range(want.step, 24, 6 * 30 - 1); /* it did stop, and not before the tests' turnings */
        else
            assert_true(want.rate < 0.1);
        kit_end(run, model);
        rewound(trial, want, false);
        rewound(trial, want, true);
        branched(trial, want);
        resumed(trial, want);
    }
}

/* ---- refusals, NaN ---- */

static void test_refusals(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    Model *model = network("adam");
    FitOptions options = options_of(2, "early_stopping", "");
    options.validation_split = 0;
    assert_err(run_new(model, &options, &err), ERR_ARG, "watches val_loss, which is not among the values of this run (loss, accuracy); give validation_split");
    options = options_of(2, "early_stopping", "monitor=auc");
    assert_err(run_new(model, &options, &err), ERR_ARG, "watches auc, which is not among the values of this run (loss, accuracy, val_loss, val_accuracy)");
    Args args;
    const Schedule *schedule = schedule_find("constant", &err);
    args_init(&args, schedule->args, schedule->n_args);
    assert_ok(args_set_number(&args, 0, 0.1, "constant", &err));
    Rate *rate = rate_new(schedule, &args, NULL, &err);
    options = options_of(2, "reduce_lr_on_plateau", "");
    options.rate = rate;
    assert_err(run_new(model, &options, &err), ERR_ARG, "use one of them");
    rate_unref(rate);
    assert_err(callback_find("early_stoping", &err), ERR_NAME, "early_stopping");
    model_unref(model);
}

static void test_nan_ends_the_run(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    Model *model = network("sgd learning_rate=1e9 momentum=0.99");
    FitOptions options = options_of(5, "terminate_on_nan", "");
    options.fail_on_trouble = true;
    Run *run = kit_fit(model, &options);
    assert_ok(run_resume(run, &err));
    kit_wait(run);
    assert_int_equal(run_state(run), RUN_STOPPED);
    assert_non_null(strstr(kit_now(run).reason, "usual causes"));
    kit_end(run, model);
}

/* ---- work that nobody asked for ---- */

static int n_values;
static Metric counted;
static double (*value_of)(const Args *args, double *sums, int64_t width);

static double count_value(const Args *args, double *sums, int64_t width)
{
    n_values++;
    return value_of(args, sums, width);
}

static bool count_metric(void *ctx, Err *err)
{
    (void)err;
    Measure *metric = &((Run *)ctx)->compiled.metrics[0];
    counted = *metric->metric;
    value_of = counted.value;
    counted.value = count_value;
    metric->metric = &counted;
    return true;
}

/* The epoch's values so far are for those alone who get them at each batch. */
static void test_epoch_values(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    Model *model = network("sgd learning_rate=0.1");
    FitOptions options = options_of(1, "early_stopping", "patience=3");
    options.batch_size = 2;
    Run *run = kit_fit(model, &options);
    assert_ok(run_do(run, count_metric, run, NULL, &err));
    n_values = 0;
    assert_ok(run_resume(run, &err));
    kit_wait(run);
    assert_int_equal(run_state(run), RUN_FINISHED);
    assert_int_equal(kit_now(run).step, 48);
    assert_true(n_values > 48 && n_values < 2 * 48); /* of each batch by itself; of the epoch when watchers are told */
    kit_end(run, model);
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
        cmocka_unit_test(test_decisions),
        cmocka_unit_test(test_same_end),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_nan_ends_the_run),
        cmocka_unit_test(test_epoch_values),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
