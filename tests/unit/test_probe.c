// SPDX-License-Identifier: MIT
/* What a watched layer shows: attention as heads whose rows are shares, whatever layer does it; inputs as plain numbers. */
#include "check.h"
#include "netkit.h"
#include "runkit.h"

#include <math.h>
#include <unistd.h>

#include "base/clock.h"

#define ROWS 40
#define TIME 6

static Tensor x, y;

/* The picture of this layer and sample of a paused run. */
static const TeleProbe *picture(Run *run, int layer, int sample)
{
    Telemetry *tele = run_telemetry(run);
    run_choose_probe(run, layer, sample);
    telemetry_watch(tele, PICTURE_PROBE, true);
    const TeleProbe *probe = NULL;
    for (double end = clock_now() + 20; clock_now() < end; clock_sleep(0.002)) {
        telemetry_picture_free(probe);
        probe = telemetry_picture(tele, PICTURE_PROBE);
        if (probe && probe->layer == layer && probe->sample == sample)
            break;
    }
    assert_non_null(probe);
    assert_int_equal(probe->layer, layer);
    assert_int_equal(probe->sample, sample);
    return probe;
}

static Run *paused(Model *model, const char *loss)
{
    Err err = ERR_INIT;
    kit_compile(model, "adam", loss, NULL);
    FitOptions options = kit_options(&x, &y, 8, 3);
    options.start_paused = true;
    Run *run = kit_fit(model, &options);
    assert_ok(run_step(run, 2, &err));
    kit_at(run, 2);
    return run;
}

/* Each row of each head adds to 1; `causal`: nothing after the query counts. */
static void assert_heads(const TeleProbe *probe, int heads, bool causal)
{
    assert_true(probe->heads);
    assert_int_equal(probe->n_maps, heads);
    assert_true(probe->h == TIME && probe->w == TIME);
    for (int m = 0; m < heads; m++)
        for (int i = 0; i < TIME; i++) {
            double sum = 0;
            for (int j = 0; j < TIME; j++) {
                double v = (double)probe->low[m] + (double)probe->maps[(m * TIME + i) * TIME + j] * (double)(probe->high[m] - probe->low[m]);
                assert_true(v >= -1e-6 && v <= 1 + 1e-6);
                if (causal && j > i)
                    assert_near(v, 0, 1e-6);
                sum += v;
            }
            assert_near(sum, 1, 1e-4);
        }
}

static void test_heads(void **state)
{
    (void)state;
    layer_reset_names();
    Model *model = net_model("Embedding input_dim=20 output_dim=8 input_shape=6 mask_zero=true; TransformerEncoder intermediate_dim=8 num_heads=2; "
                             "TransformerDecoder intermediate_dim=8 num_heads=4; Dense units=8; GlobalAveragePooling1D; Dense units=3 activation=softmax");
    Run *run = paused(model, "sparse_categorical_crossentropy");
    const TeleProbe *probe = picture(run, 0, 3);
    assert_false(probe->heads); /* the embedding has none */
    assert_int_equal(probe->n_numbers, TIME);
    for (int i = 0; i < TIME; i++)
        assert_near(probe->numbers[i], tensor_int(&x)[3 * TIME + i], 0);
    telemetry_picture_free(probe);
    probe = picture(run, 1, 5);
    assert_heads(probe, 2, false);
    for (int m = 0; m < 2; m++) /* sample 5 ends in padding, which no other step looks at */
        for (int i = 0; i < TIME - 1; i++)
            assert_near(probe->maps[(m * TIME + i) * TIME + TIME - 1], 0, 1e-6);
    telemetry_picture_free(probe);
    probe = picture(run, 2, 4);
    assert_heads(probe, 4, true);
    telemetry_picture_free(probe);
    probe = picture(run, 3, 4);
    assert_false(probe->heads); /* what comes behind attention has none of its own */
    assert_true(probe->h == TIME && probe->w == 8);
    telemetry_picture_free(probe);
    kit_end(run, model);
}

/* Tables of numbers are shown as such, wide rows of fractions are not. */
static void test_numbers(void **state)
{
    (void)state;
    Tensor ids = x;
    for (int width = 4; width <= 100; width += 96) {
        layer_reset_names();
        x = net_values(SHAPE(ROWS, width), 7);
        char text[128];
        snprintf(text, sizeof text, "Dense units=3 activation=softmax input_shape=%d", width);
        Model *model = net_model(text);
        Run *run = paused(model, "sparse_categorical_crossentropy");
        const TeleProbe *probe = picture(run, 0, 2);
        assert_int_equal(probe->n_numbers, width <= 64 ? width : 0);
        for (int i = 0; i < probe->n_numbers; i++)
            assert_near(probe->numbers[i], tensor_get(&x, 2 * width + i), 1e-6);
        telemetry_picture_free(probe);
        kit_end(run, model);
        tensor_unref(&x);
    }
    x = ids;
}

static int set_up(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    control_record(false);
    if (!tensor_new(&x, DTYPE_INT32, SHAPE(ROWS, TIME), &err) || !tensor_new(&y, DTYPE_INT32, SHAPE(ROWS), &err))
        return 1;
    for (int i = 0; i < ROWS; i++) {
        tensor_int(&y)[i] = i % 3;
        for (int t = 0; t < TIME; t++)
            tensor_int(&x)[i * TIME + t] = i == 5 && t == TIME - 1 ? 0 : 1 + (i * 7 + t * 3) % 19;
    }
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
        cmocka_unit_test(test_heads),
        cmocka_unit_test(test_numbers),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
