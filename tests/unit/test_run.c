// SPDX-License-Identifier: MIT
/* Runs from outside: they learn, obey, tell what happened, and survive bad data. */
#include "check.h"
#include "netkit.h"
#include "runkit.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/pool.h"

static Model *classifier(const char *optimizer)
{
    layer_reset_names();
    model_set_seed(3);
    Model *model = net_model("Dense units=16 activation=relu input_shape=4; Dense units=3 activation=softmax");
    kit_compile(model, optimizer, "sparse_categorical_crossentropy", "accuracy");
    return model;
}

static void test_xor(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    Tensor x, y;
    kit_xor(&x, &y);
    model_set_seed(2);
    Model *model = net_model("Dense units=8 activation=tanh input_shape=2; Dense units=1 activation=sigmoid");
    kit_compile(model, "adam learning_rate=0.05", "binary_crossentropy", "accuracy");
    FitOptions options = kit_options(&x, &y, 4, 300);
    Run *run = kit_fit(model, &options);
    kit_wait(run);
    assert_int_equal(run_state(run), RUN_FINISHED);
    TeleNow now = kit_now(run);
    assert_int_equal(now.step, 300);
    assert_int_equal(now.epoch, 300);
    assert_near(now.metrics[1], 1, 0);
    double logs[2];
    uint32_t confusion[4] = { 0 };
    Samples given = kit_samples(&x, &y);
    assert_ok(compile_evaluate(model, &given, 3, logs, confusion, 2, NULL, &err));
    assert_near(logs[1], 1, 0);
    assert_true(logs[0] < 0.2);
    assert_true(confusion[0] == 2 && confusion[3] == 2);
    kit_end(run, model);
    tensor_unref(&x);
    tensor_unref(&y);
}

/* An epoch's row is Keras's: means weighted by samples over the batches as they were; the last, smaller one counts. */
static void test_history(void **state)
{
    (void)state;
    Tensor x, y;
    kit_blobs(&x, &y, 103, 4, 3, 1);
    Model *model = classifier("sgd learning_rate=0.1");
    FitOptions options = kit_options(&x, &y, 10, 3);
    options.validation_split = 0.2;
    Run *run = kit_fit(model, &options);
    kit_wait(run);
    const TelePlan *plan = telemetry_plan(run_telemetry(run));
    assert_int_equal(plan->samples_per_epoch, 82); /* floor(103 * 0.8) */
    assert_int_equal(plan->steps_per_epoch, 9);
    assert_true(plan->validates);
    assert_string_equal(plan->metrics[0], "loss");
    assert_string_equal(plan->metrics[1], "accuracy");
    const Fact *rows[4];
    assert_int_equal(run_history(run, rows, 4), 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(rows[i]->epoch, i + 1);
        assert_int_equal(rows[i]->step, 9 * (i + 1));
        assert_true(rows[i]->metrics[0] > 0 && rows[i]->validation[0] > 0);
        double hits = rows[i]->metrics[1] * 82, checked = rows[i]->validation[1] * 21;
        assert_near(hits, round(hits), 1e-9);
        assert_near(checked, round(checked), 1e-9);
    }
    assert_true(rows[2]->metrics[0] < rows[0]->metrics[0]);
    TeleSeries series;
    telemetry_series(run_telemetry(run), 0, &series);
    assert_int_equal(series.n_steps, 27);
    double sum = 0; /* the buckets hold single steps here: their means give the epoch's */
    for (int i = 0; i < 9; i++)
        sum += (double)series.buckets[i].mean * (i < 8 ? 10 : 2);
    assert_near(sum / 82, rows[0]->metrics[0], 1e-5);
    const TeleConfusion *picture = telemetry_picture(run_telemetry(run), PICTURE_CONFUSION);
    assert_non_null(picture);
    assert_int_equal(picture->total, 21);
    assert_true(picture->validation && picture->epoch == 3 && picture->n == 3);
    assert_string_equal(picture->labels[2], "2");
    assert_near(picture->right / 21.0, rows[2]->validation[1], 1e-9);
    telemetry_picture_free(picture);
    kit_end(run, model);
    tensor_unref(&x);
    tensor_unref(&y);
}

static void test_steering(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    Tensor x, y;
    kit_blobs(&x, &y, 96, 4, 3, 1);
    Model *model = classifier("sgd learning_rate=0.1");
    FitOptions options = kit_options(&x, &y, 32, 1000000);
    options.start_paused = true;
    Run *run = kit_fit(model, &options);
    kit_at(run, 0);
    assert_true(control_any_active());
    assert_ok(run_step(run, 2, &err));
    kit_at(run, 2);
    assert_ok(run_set_rate(run, 0.01, &err));
    Buf when = BUF_INIT;
    run_when(run, &when);
    assert_string_equal(buf_text(&when), "takes effect at the next step (step 3)");
    buf_fini(&when);
    assert_ok(run_step(run, 1, &err));
    kit_at(run, 3);
    TeleNow now = kit_now(run);
    assert_near(now.learning_rate, 0.01, 1e-12);
    assert_int_equal(now.epoch, 2);
    assert_int_equal(now.step_in_epoch, 0);
    const Fact *last = NULL;
    for (size_t i = 0; i < telemetry_facts(run_telemetry(run)); i++)
        if (telemetry_fact(run_telemetry(run), i)->kind == FACT_EVENT)
            last = telemetry_fact(run_telemetry(run), i);
    assert_non_null(last);
    assert_true(last->by_user && last->step == 2);
    assert_string_equal(last->label, "lr 0.01");
    assert_string_equal(last->text, "learning rate 0.1 -> 0.01, takes effect at step 3");
    assert_ok(run_resume(run, &err));
    kit_until(run, RUN_TRAINING);
    assert_ok(run_pause(run, &err));
    kit_until(run, RUN_PAUSED);
    assert_err(run_set_rate(run, -1, &err), ERR_ARG, "at least 0");
    assert_err(run_step(run, 0, &err), ERR_ARG, "at least 1");
    assert_err(run_set_epochs(run, 0, &err), ERR_ARG, "at least 1");
    assert_ok(run_stop(run, &err));
    kit_wait(run);
    assert_int_equal(run_state(run), RUN_STOPPED);
    assert_err(run_pause(run, &err), ERR_STATE, "is stopped");
    assert_true(!tensor_frozen(&x));
    int done = kit_now(run).epoch;
    assert_ok(run_set_epochs(run, done + 2, &err)); /* an ended run goes on */
    kit_wait(run);
    assert_int_equal(run_state(run), RUN_FINISHED);
    assert_int_equal(kit_now(run).epoch, done + 2);
    kit_end(run, model);
    tensor_unref(&x);
    tensor_unref(&y);
}

static bool count_rows(void *ctx, Err *err)
{
    (void)err;
    ++*(int *)ctx;
    return true;
}

static bool refuse(void *ctx, Err *err)
{
    (void)ctx;
    return err_set(err, ERR_DATA, "as asked");
}

static void test_requests(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    Tensor x, y;
    int n = 0;
    kit_blobs(&x, &y, 64, 4, 3, 1);
    Model *model = classifier("sgd");
    FitOptions options = kit_options(&x, &y, 32, 1000000);
    Run *run = kit_fit(model, &options);
    for (int i = 0; i < 50; i++)
        assert_ok(run_do(run, count_rows, &n, NULL, &err));
    assert_ok(model_do(model, count_rows, &n, NULL, &err));
    assert_err(run_do(run, refuse, NULL, NULL, &err), ERR_DATA, "as asked");
    assert_true(tensor_frozen(&x) && tensor_frozen(&y));
    assert_err(run_new(model, &options, &err) != NULL, ERR_STATE, "is being trained by run");
    assert_err(compile_model(model, &(Compiled){ .outputs = { { .loss = loss_at(0) } }, .n_outputs = 1 }, &err), ERR_ARG, "optimizer");
    _Atomic bool stop = true;
    assert_err(run_wait(run, -1, &stop, NULL, NULL, &err), ERR_INTERRUPT, "interrupted");
    assert_ok(run_wait(run, 0.01, NULL, NULL, NULL, &err));
    assert_int_equal(run_state(run), RUN_TRAINING);
    assert_ok(run_stop(run, &err));
    kit_wait(run);
    assert_ok(run_do(run, count_rows, &n, NULL, &err)); /* ended: at once, here */
    assert_int_equal(n, 52);
    Run *latest = control_latest();
    assert_ptr_equal(latest, run);
    run_unref(latest);
    kit_end(run, model);
    tensor_unref(&x);
    tensor_unref(&y);
}

/* NaN in the data: named, nothing applied, the run stands; without anybody who could resume it fails. */
static void test_trouble(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    Tensor x, y;
    kit_blobs(&x, &y, 64, 4, 3, 1);
    tensor_real(&x)[50 * 4] = (real)NAN;
    for (int alone = 0; alone < 2; alone++) {
        Model *model = classifier("adam");
        FitOptions options = kit_options(&x, &y, 32, 5);
        options.shuffle = false;
        options.fail_on_trouble = alone;
        options.start_paused = true;
        Run *run = kit_fit(model, &options);
        assert_ok(run_step(run, 1, &err));
        kit_at(run, 1);
        uint64_t good = kit_hash(run);
        assert_ok(run_resume(run, &err));
        kit_wait(run);
        assert_int_equal(run_state(run), alone ? RUN_FAILED : RUN_TROUBLE);
        assert_int_equal(kit_now(run).step, 1);
        if (!strstr(kit_now(run).reason, "step 2: the batch's data holds NaN"))
            fail_msg("%s", kit_now(run).reason);
        assert_true(kit_hash(run) == good);
        if (!alone) {
            assert_ok(run_resume(run, &err)); /* again the same batch */
            kit_wait(run);
            assert_int_equal(run_state(run), RUN_TROUBLE);
            assert_ok(run_stop(run, &err));
            kit_wait(run);
        }
        kit_end(run, model);
    }
    tensor_unref(&x);
    tensor_unref(&y);
}

/* A rate far too high: the layer is named, the weights stay finite. */
static void test_diverges(void **state)
{
    (void)state;
    Tensor x, y;
    kit_blobs(&x, &y, 64, 4, 1, 1);
    Tensor target;
    Err err = ERR_INIT;
    assert_ok(tensor_cast(&target, &y, DTYPE_FLOAT32, &err));
    Model *model = net_model("Dense units=16 activation=relu input_shape=4; Dense units=1");
    kit_compile(model, "sgd learning_rate=1e9", "mse", NULL);
    FitOptions options = kit_options(&x, &target, 32, 50);
    for (int64_t i = 0; i < 64; i++)
        tensor_real(&target)[i] = (real)i;
    Run *run = kit_fit(model, &options);
    kit_wait(run);
    assert_int_equal(run_state(run), RUN_TROUBLE);
    if (!strstr(kit_now(run).reason, "dense"))
        fail_msg("%s", kit_now(run).reason);
    assert_non_null(strstr(kit_now(run).reason, "learning rate"));
    Layer *layer = model_layer_at(model, 1, &err);
    for (size_t i = 0; i < layer->n_elements; i++)
        assert_true(isfinite(layer->block[i]));
    kit_end(run, model);
    tensor_unref(&x);
    tensor_unref(&y);
    tensor_unref(&target);
}

static void test_refusals(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    Tensor x, y, empty, short_y;
    kit_blobs(&x, &y, 60, 4, 3, 1);
    assert_ok(tensor_new(&empty, DTYPE_FLOAT32, SHAPE(0, 4), &err));
    assert_ok(tensor_rows(&short_y, &y, 0, 59, &err));
    Model *plain = net_model("Dense units=3 input_shape=4"), *model = classifier("adam");
    FitOptions options = kit_options(&x, &y, 32, 1);
    assert_err(run_new(plain, &options, &err) != NULL, ERR_STATE, "compile");
    options.data.y[0] = short_y;
    assert_err(run_new(model, &options, &err) != NULL, ERR_SHAPE, "x has 60 samples, y has 59");
    options = kit_options(&empty, &y, 32, 1);
    assert_err(run_new(model, &options, &err) != NULL, ERR_DATA, "empty");
    options = kit_options(&x, &y, 0, 1);
    assert_err(run_new(model, &options, &err) != NULL, ERR_ARG, "batch_size");
    options = kit_options(&x, &y, 32, 0);
    assert_err(run_new(model, &options, &err) != NULL, ERR_ARG, "epochs");
    options = kit_options(&x, &y, 32, 1);
    options.validation_split = 1;
    assert_err(run_new(model, &options, &err) != NULL, ERR_ARG, "validation_split");
    options = kit_options(&x, &x, 32, 1);
    assert_err(run_new(model, &options, &err) != NULL, ERR_SHAPE, "class numbers");
    tensor_int(&y)[17] = 3;
    options = kit_options(&x, &y, 32, 1);
    assert_err(run_new(model, &options, &err) != NULL, ERR_DATA, "label 3 of sample 18");
    assert_false(tensor_frozen(&x));
    Tensor narrow;
    assert_ok(tensor_reshape(&narrow, &x, SHAPE(120, 2), &err));
    options = kit_options(&narrow, &narrow, 32, 1);
    assert_err(run_new(model, &options, &err) != NULL, ERR_SHAPE, "");
    tensor_unref(&narrow);
    model_unref(plain);
    model_unref(model);
    tensor_unref(&x);
    tensor_unref(&y);
    tensor_unref(&empty);
    tensor_unref(&short_y);
}

/* fit(2) and then fit(4, initial_epoch = 2) is fit(4). */
static void test_initial_epoch(void **state)
{
    (void)state;
    Tensor x, y;
    uint64_t hash[2];
    kit_blobs(&x, &y, 70, 4, 3, 1);
    for (int split = 0; split < 2; split++) {
        Model *model = classifier("adam");
        FitOptions options = kit_options(&x, &y, 16, split ? 2 : 4);
        Run *run = kit_fit(model, &options);
        kit_wait(run);
        if (split) {
            run_unref(run);
            options = kit_options(&x, &y, 16, 4);
            options.initial_epoch = 2;
            run = kit_fit(model, &options);
            kit_wait(run);
        }
        hash[split] = kit_hash(run);
        kit_end(run, model);
    }
    assert_true(hash[0] == hash[1]);
    tensor_unref(&x);
    tensor_unref(&y);
}

/* Weights per class: a class of weight 0 does not pull at all. */
static void test_class_weight(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    Tensor x, y, part_x, part_y;
    kit_blobs(&x, &y, 60, 4, 3, 1);
    real weights[3] = { 1, 1, 0 }, twice[3] = { 2, 2, 2 };
    for (int64_t i = 0; i < 60; i++)
        tensor_int(&y)[i] = i < 30 ? (int32_t)(i & 1) : 2;
    assert_ok(tensor_rows(&part_x, &x, 0, 30, &err));
    assert_ok(tensor_rows(&part_y, &y, 0, 30, &err));
    double loss[3];
    for (int i = 0; i < 3; i++) {
        Model *model = classifier("sgd");
        FitOptions options = kit_options(i == 1 ? &part_x : &x, i == 1 ? &part_y : &y, 60, 1);
        options.class_weight = i == 0 ? weights : i == 2 ? twice : NULL;
        options.n_classes = 3;
        Run *run = kit_fit(model, &options);
        kit_wait(run);
        loss[i] = kit_now(run).metrics[0];
        kit_end(run, model);
    }
    assert_near(loss[0], loss[1] / 2, 1e-5); /* the sum of half of them, over all */
    assert_true(loss[2] > 2 * loss[0]);
    Model *model = classifier("sgd");
    FitOptions options = kit_options(&x, &y, 60, 1);
    options.class_weight = weights;
    options.n_classes = 2;
    assert_err(run_new(model, &options, &err) != NULL, ERR_ARG, "class_weight names 2 classes");
    model_unref(model);
    tensor_unref(&part_x);
    tensor_unref(&part_y);
    tensor_unref(&x);
    tensor_unref(&y);
}

typedef struct Calls {
    int train_begin, epoch_begin, batch_end, epoch_end, train_end, released;
    int stop_at; /* epoch */
    int fail_at;
} Calls;

static bool on_train_begin(void *ctx, Run *run, Err *err)
{
    (void)run, (void)err;
    ((Calls *)ctx)->train_begin++;
    return true;
}

static bool on_epoch_begin(void *ctx, Run *run, int epoch, Err *err)
{
    (void)run, (void)err;
    return ((Calls *)ctx)->epoch_begin++ == epoch - 1;
}

static bool on_batch_end(void *ctx, Run *run, int64_t step, const double *logs, Err *err)
{
    (void)run, (void)err;
    ((Calls *)ctx)->batch_end++;
    return step >= 1 && logs[0] > 0;
}

static bool on_epoch_end(void *ctx, Run *run, int epoch, const double *logs, const double *validation, Err *err)
{
    Calls *calls = ctx;
    calls->epoch_end++;
    if (calls->fail_at == epoch)
        return err_set(err, ERR_DATA, "no more");
    return (calls->stop_at != epoch || run_stop(run, err)) && logs[0] > 0 && !validation;
}

static bool on_train_end(void *ctx, Run *run, Err *err)
{
    (void)run, (void)err;
    ((Calls *)ctx)->train_end++;
    return true;
}

static void on_release(void *ctx)
{
    ((Calls *)ctx)->released++;
}

static void test_callbacks(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    Tensor x, y;
    kit_blobs(&x, &y, 64, 4, 3, 1);
    Model *model = classifier("sgd");
    static Calls calls, failing; /* the list may release a run after this test */
    calls = (Calls){ .stop_at = 3 };
    RunCallback callback = { .name = "test", .ctx = &calls, .train_begin = on_train_begin, .epoch_begin = on_epoch_begin, .batch_end = on_batch_end,
                              .epoch_end = on_epoch_end, .train_end = on_train_end, .release = on_release };
    FitOptions options = kit_options(&x, &y, 32, 100);
    options.callbacks[0] = callback;
    options.n_callbacks = 1;
    Run *run = kit_fit(model, &options);
    kit_wait(run);
    assert_int_equal(run_state(run), RUN_STOPPED);
    assert_true(calls.train_begin == 1 && calls.epoch_begin == 3 && calls.batch_end == 6 && calls.epoch_end == 3 && calls.train_end == 1);
    kit_end(run, model);
    assert_int_equal(calls.released, 0); /* the list keeps the newest */
    model = classifier("sgd");
    failing = (Calls){ .fail_at = 2 };
    callback.ctx = &failing;
    options = kit_options(&x, &y, 32, 100);
    options.callbacks[0] = callback;
    options.n_callbacks = 1;
    run = kit_fit(model, &options);
    assert_int_equal(calls.released, 1);
    kit_wait(run);
    assert_int_equal(run_state(run), RUN_TROUBLE);
    assert_string_equal(kit_now(run).reason, "callback test: no more");
    assert_int_equal(kit_now(run).step, 4);
    assert_ok(run_resume(run, &err));
    failing.stop_at = 3;
    kit_wait(run);
    assert_int_equal(run_state(run), RUN_STOPPED);
    kit_end(run, model);
    options = kit_options(&x, &y, 0, 1); /* refused: released all the same */
    options.callbacks[0] = callback;
    options.n_callbacks = 1;
    model = classifier("sgd");
    assert_null(run_new(model, &options, &err));
    assert_int_equal(failing.released, 1);
    model_unref(model);
    tensor_unref(&x);
    tensor_unref(&y);
}

/* In the steady state a step allocates nothing, watched or not, whatever the layers. */
static void steady(const char *layers, int steps)
{
    Err err = ERR_INIT;
    Tensor x, y;
    kit_blobs(&x, &y, 32 * (steps + 20), 36, 3, 1);
    Model *model = net_model(layers);
    kit_compile(model, "adam", "sparse_categorical_crossentropy", "accuracy");
    FitOptions options = kit_options(&x, &y, 32, 1000);
    options.start_paused = true;
    Run *run = kit_fit(model, &options);
    assert_ok(run_step(run, 5, &err));
    kit_at(run, 5);
    assert_ok(run_step(run, steps, &err));
    uint64_t before = mem_count(); /* the request itself is one; posted before */
    kit_at(run, 5 + steps);
    if (mem_count() != before)
        fail_msg("%llu allocations in %d steps of %s", (unsigned long long)(mem_count() - before), steps, layers);
    assert_ok(run_stop(run, &err));
    kit_wait(run);
    kit_end(run, model);
    tensor_unref(&x);
    tensor_unref(&y);
}

static void test_steady(void **state)
{
    (void)state;
    steady("Dense units=16 activation=relu input_shape=36; BatchNormalization; Dropout rate=0.2; Dense units=3 activation=softmax", 400);
    steady("Reshape target_shape=6,6,1 input_shape=36; Conv2D filters=4 kernel_size=3 activation=relu; BatchNormalization; MaxPooling2D; "
           "SpatialDropout2D rate=0.2; DepthwiseConv2D kernel_size=2 padding=same; LayerNormalization; Flatten; Dropout rate=0.2; Dense units=3 activation=softmax", 40);
    steady("Reshape target_shape=9,4 input_shape=36; TransformerEncoder intermediate_dim=8 num_heads=2 dropout=0.1; GlobalAveragePooling1D; "
           "Dense units=3 activation=softmax", 40);
    steady("Reshape target_shape=9,4 input_shape=36; LSTM units=5 return_sequences=true dropout=0.1 recurrent_dropout=0.1; GRU units=4 return_sequences=true; "
           "SimpleRNN units=4; Dense units=3 activation=softmax", 40);
}

/* Every allocation that can fail, does: an error or a run in trouble, never a crash. */
static void test_memory(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    Tensor x, y;
    kit_blobs(&x, &y, 64, 4, 3, 1);
    int made = 0;
    for (long n = 0; n < 400 && made < 3; n++) {
        Model *model = classifier("adam");
        FitOptions options = kit_options(&x, &y, 32, 2);
        mem_fail_after(n);
        Run *run = run_new(model, &options, &err);
        if (run) {
            kit_wait(run);
            made += run_state(run) == RUN_FINISHED;
        } else {
            assert_int_equal(err.code, ERR_MEM);
        }
        mem_fail_after(-1);
        if (run && run_state(run) == RUN_TROUBLE) {
            assert_ok(run_resume(run, &err)); /* memory is back: it goes on */
            kit_wait(run);
            assert_int_equal(run_state(run), RUN_FINISHED);
        }
        kit_end(run, model);
    }
    assert_int_equal(made, 3);
    assert_false(tensor_frozen(&x));
    tensor_unref(&x);
    tensor_unref(&y);
}

int main(void)
{
    alarm(300);
    control_record(false);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_xor),           cmocka_unit_test(test_history),   cmocka_unit_test(test_steering),
        cmocka_unit_test(test_requests),      cmocka_unit_test(test_trouble),   cmocka_unit_test(test_diverges),
        cmocka_unit_test(test_refusals),      cmocka_unit_test(test_initial_epoch),
        cmocka_unit_test(test_class_weight),  cmocka_unit_test(test_callbacks), cmocka_unit_test(test_steady),
        cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
