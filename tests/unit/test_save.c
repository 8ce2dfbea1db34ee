// SPDX-License-Identifier: MIT
/* Models on disk: what comes back, what is refused, and what stays when writing fails. */
#include "check.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "formats/safetensors.h"
#include "nn/model.h"

#include "netkit.h"
#include "scratch.h"

static int begin(void **state)
{
    (void)state;
    scratch_begin();
    layer_reset_names();
    return 0;
}

static int end(void **state)
{
    (void)state;
    scratch_end();
    return 0;
}

/* Convolution, moving averages, a shared layer, a nested model, two inputs, two outputs, a frozen layer, names of both kinds. */
static Model *make_rich(void)
{
    Err err;
    Model *tower = net_model("Conv2D filters=2 kernel_size=3 input_shape=6,5,1 name=scan; BatchNormalization; Flatten");
    Symbol *a = net_input(SHAPE(6, 5, 1), "left"), *b = net_input(SHAPE(6, 5, 1), "right");
    Layer *wrap = model_as_layer(tower, &err), *head = net_layer("Dense", "units=3 activation=tanh");
    assert_true(wrap && head);
    Symbol *ta = symbol_call(wrap, &a, 1, &err), *tb = symbol_call(wrap, &b, 1, &err), *ha = symbol_call(head, &ta, 1, &err),
           *hb = symbol_call(head, &tb, 1, &err);
    Symbol *sum = net_call("Add", (Symbol *[]){ ha, hb }, 2), *y = net_call("Dense units=2 activation=softmax trainable=false", &sum, 1);
    Model *model = model_functional((Symbol *[]){ a, b }, 2, (Symbol *[]){ y, sum }, 2, "rich", &err);
    assert_non_null(model);
    Symbol *all[] = { a, b, ta, tb, ha, hb, sum, y };
    for (size_t i = 0; i < COUNT_OF(all); i++)
        symbol_unref(all[i]);
    layer_unref(wrap);
    layer_unref(head);
    model_unref(tower);
    return model;
}

static Model *load(const char *path)
{
    Err err;
    Model *model = model_load(path, &err);
    if (!model)
        fail_msg("%s", err.text);
    return model;
}

static void save(Model *model, const char *path)
{
    Err err;
    assert_ok(model_save(model, path, NULL, &err));
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

static void assert_same_weights(const Model *a, const Model *b)
{
    assert_int_equal(a->n_leaves, b->n_leaves);
    for (int i = 0; i < a->n_leaves; i++) {
        const Layer *x = a->leaves[i].layer, *y = b->leaves[i].layer;
        assert_int_equal(x->n_elements, y->n_elements);
        for (size_t k = 0; k < x->n_elements; k++)
            assert_true((float)x->block[k] == (float)y->block[k]);
    }
}

/* ---- what comes back ---- */

static void test_round_trip(void **state)
{
    (void)state;
    Err err;
    Model *model = make_rich();
    model->leaves[1].layer->block[5] = (real)0.125; /* a moving average that has moved */
    save(model, scratch_path("a.safetensors"));
    save(model, scratch_path("b.safetensors"));
    assert_same_file(scratch_path("a.safetensors"), scratch_path("b.safetensors"));
    Model *again = load(scratch_path("a.safetensors"));
    assert_same_weights(model, again);
    assert_string_equal(again->name, "rich");
    assert_string_equal(again->leaves[0].path, "sequential/scan");
    assert_true(again->leaves[0].layer->named);
    assert_false(again->leaves[1].layer->named);
    assert_int_equal(model_count_params(again, true), model_count_params(model, true));
    assert_true(model_count_params(again, true) < model_count_params(again, false));
    Tensor xa = net_values(SHAPE(3, 6, 5, 1), 1), xb = net_values(SHAPE(3, 6, 5, 1), 2), p[2], q[2];
    assert_ok(model_predict_many(model, (const Tensor *[]){ &xa, &xb }, 2, 2, p, NULL, &err));
    assert_ok(model_predict_many(again, (const Tensor *[]){ &xa, &xb }, 2, 2, q, NULL, &err));
    for (int i = 0; i < 2; i++)
        assert_memory_equal(p[i].data, q[i].data, tensor_size(&p[i]));
    save(again, scratch_path("c.safetensors"));
    assert_same_file(scratch_path("a.safetensors"), scratch_path("c.safetensors"));
    Tensor *all[] = { &xa, &xb, &p[0], &p[1], &q[0], &q[1] };
    for (size_t i = 0; i < COUNT_OF(all); i++)
        tensor_unref(all[i]);
    model_unref(model);
    model_unref(again);
}

/* A loaded Sequential grows on, and new automatic names do not meet loaded ones. */
static void test_grow_on(void **state)
{
    (void)state;
    Err err;
    Model *model = net_model("Dense units=4 input_shape=3; Dense units=2");
    save(model, scratch_path("m.safetensors"));
    model_unref(model);
    layer_reset_names();
    model = load(scratch_path("m.safetensors"));
    assert_true(model->sequential);
    net_add(model, "Dense units=1");
    assert_string_equal(model_layer_at(model, -1, &err)->name, "dense_2");
    assert_ok(model_pop(model, &err));
    Model *next = model_sequential(NULL, &err);
    assert_string_equal(next->name, "sequential_1");
    model_unref(next);
    model_unref(model);
}

/* Every record of the table of layers keeps its arguments. */
static void test_every_layer(void **state)
{
    (void)state;
    Err err;
    for (int i = 0; layer_at(i); i++)
        for (int k = 0; k < layer_at(i)->n_cases; k++) {
            const LayerKind *kind = layer_at(i);
            const LayerCase *c = &kind->cases[k];
            if (kind->is_input)
                continue;
            Symbol *in[4];
            for (int n = 0; n < c->n_in; n++) {
                Shape sample = { .rank = c->in[n].rank - 1 };
                memcpy(sample.d, c->in[n].d + 1, sizeof sample.d - sizeof *sample.d);
                if (sample.rank == 0) { /* a case without axes behind the batch cannot enter a model */
                    in[n] = NULL;
                    continue;
                }
                in[n] = net_input(sample, NULL);
            }
            if (!in[0])
                continue;
            Layer *layer = net_case(kind, c, &err);
            assert_non_null(layer);
            Symbol *y = symbol_call(layer, in, c->n_in, &err);
            assert_non_null(y);
            Model *model = model_functional(in, c->n_in, &y, 1, NULL, &err);
            assert_non_null(model);
            save(model, scratch_path("one.safetensors"));
            Model *again = load(scratch_path("one.safetensors"));
            Layer *back = model_layer(again, layer->name, &err);
            Buf had = BUF_INIT, has = BUF_INIT;
            for (int n = 0; n < layer->args.n; n++) {
                args_write(&had, &layer->args, n);
                args_write(&has, &back->args, n);
            }
            assert_string_equal(buf_text(&had), buf_text(&has));
            assert_same_weights(model, again);
            buf_fini(&had);
            buf_fini(&has);
            model_unref(again);
            model_unref(model);
            symbol_unref(y);
            layer_unref(layer);
            for (int n = 0; n < c->n_in; n++)
                symbol_unref(in[n]);
        }
}

static void test_extra(void **state)
{
    (void)state;
    Err err;
    Model *model = net_model("Dense units=2 input_shape=3 name=optimizer");
    Tensor slot = net_values(SHAPE(4), 3), one = net_values(SHAPE(1), 4);
    const char *names[] = { "optimizer/m", "optimizer/v", "history" }, *keys[] = { "hebb.run" }, *values[] = { "{\"epoch\":3}" };
    Tensor tensors[] = { slot, slot, one };
    ModelExtra extra = { 3, names, tensors, 1, keys, values };
    assert_ok(model_save(model, scratch_path("m.safetensors"), &extra, &err));
    Model *again = load(scratch_path("m.safetensors"));
    assert_same_weights(model, again);
    Buf text = BUF_INIT;
    assert_true(model_load_key(scratch_path("m.safetensors"), "hebb.run", &text, &err));
    assert_string_equal(buf_text(&text), "{\"epoch\":3}");
    assert_false(model_load_key(scratch_path("m.safetensors"), "none", &text, &err));
    assert_int_equal(err.code, ERR_OK);
    assert_false(model_load_key(scratch_path("absent.safetensors"), "none", &text, &err));
    assert_int_equal(err.code, ERR_IO);
    names[0] = "optimizer/kernel"; /* the name of a weight */
    assert_false(model_save(model, scratch_path("m.safetensors"), &extra, &err));
    assert_non_null(strstr(err.text, "optimizer/kernel"));
    buf_fini(&text);
    tensor_unref(&slot);
    tensor_unref(&one);
    model_unref(model);
    model_unref(again);
}

static void test_json(void **state)
{
    (void)state;
    Err err;
    Model *model = net_model("Dense units=2 activation=relu input_shape=3"), *unbuilt = net_model("Dense units=2");
    Buf text = BUF_INIT, more = BUF_INIT;
    assert_ok(model_to_json(model, &text, &err));
    assert_string_equal(buf_text(&text),
                        "{\"format\":1,\"layers\":[{\"kind\":\"Input\",\"name\":\"input_layer\",\"args\":{\"shape\":\"3\",\"dtype\":\"float32\",\"batch_size\":\"nil\"}},"
                        "{\"kind\":\"Dense\",\"name\":\"dense\",\"args\":{\"units\":\"2\",\"activation\":\"relu\",\"use_bias\":\"true\","
                        "\"kernel_initializer\":\"glorot_uniform\",\"bias_initializer\":\"zeros\"}}],"
                        "\"models\":[{\"kind\":\"Sequential\",\"name\":\"sequential\",\"nodes\":[{\"layer\":0},{\"layer\":1,\"in\":[0]}],"
                        "\"inputs\":[0],\"outputs\":[1]}]}");
    Model *again = model_from_json(buf_text(&text), &err);
    assert_non_null(again);
    assert_same_weights(model, again); /* the same seed and names */
    assert_ok(model_to_json(again, &more, &err));
    assert_string_equal(buf_text(&text), buf_text(&more));
    assert_err(model_to_json(unbuilt, &more, &err), ERR_STATE, "not built yet");
    assert_err(model_save(unbuilt, scratch_path("u.safetensors"), NULL, &err), ERR_STATE, "not built yet");
    buf_fini(&text);
    buf_fini(&more);
    model_unref(model);
    model_unref(again);
    model_unref(unbuilt);
}

/* ---- weights into another model ---- */

static void tell(void *ctx, LoadKind kind, const char *name, const char *reason)
{
    if (kind != LOAD_MATCHED)
        buf_printf(ctx, "%s %s\n", name, reason);
}

static void test_load_weights(void **state)
{
    (void)state;
    Err err;
    int n;
    Model *model = net_model("Dense units=4 input_shape=3; Dense units=2");
    save(model, scratch_path("m.safetensors"));
    Model *other = net_model("Dense units=4 input_shape=3; Dense units=2"); /* dense_2, dense_3 */
    Buf report = BUF_INIT;
    assert_ok(model_load_weights(other, scratch_path("m.safetensors"), &(LoadOptions){ .tell = tell, .ctx = &report }, &n, &err));
    assert_int_equal(n, 4);
    assert_non_null(strstr(buf_text(&report), "in the order of the layers"));
    assert_same_weights(model, other);
    layer_reset_names();
    Model *wide = net_model("Dense units=5 input_shape=3; Dense units=2"), *deep = net_model("Dense units=2 input_shape=3 name=dense; Dense units=4");
    real kept[20];
    memcpy(kept, wide->leaves[0].layer->block, sizeof kept);
    assert_err(model_load_weights(wide, scratch_path("m.safetensors"), NULL, &n, &err), ERR_DATA,
               "dense/kernel has shape (3, 4) in the file, the model wants (3, 5) (and 2 more)");
    assert_memory_equal(kept, wide->leaves[0].layer->block, sizeof kept);
    assert_int_equal(n, 0);
    buf_reset(&report);
    assert_ok(model_load_weights(wide, scratch_path("m.safetensors"), &(LoadOptions){ .skip_mismatch = true, .tell = tell, .ctx = &report }, &n, &err));
    assert_int_equal(n, 1); /* the last bias */
    assert_non_null(strstr(buf_text(&report), "dense_1/kernel has shape (4, 2)"));
    buf_reset(&report); /* by name: what one side lacks is left out, another shape is refused */
    Model *part = net_model("Dense units=4 input_shape=3 name=dense; Dense units=7 name=head");
    assert_ok(model_load_weights(part, scratch_path("m.safetensors"), &(LoadOptions){ .by_name = true, .tell = tell, .ctx = &report }, &n, &err));
    assert_int_equal(n, 2);
    assert_non_null(strstr(buf_text(&report), "head/kernel is missing in the file"));
    assert_non_null(strstr(buf_text(&report), "dense_1/bias stands in the file"));
    assert_memory_equal(part->leaves[0].layer->block, model->leaves[0].layer->block, 16 * sizeof(real));
    model_unref(part);
    assert_err(model_load_weights(wide, scratch_path("m.safetensors"), &(LoadOptions){ .by_name = true }, &n, &err), ERR_DATA, "dense/kernel has shape");
    assert_ok(model_load_weights(wide, scratch_path("m.safetensors"), &(LoadOptions){ .by_name = true, .skip_mismatch = true }, &n, &err));
    assert_int_equal(n, 1);
    assert_err(model_load_weights(deep, scratch_path("m.safetensors"), NULL, NULL, &err), ERR_DATA, "dense/kernel has shape");
    buf_fini(&report);
    model_unref(model);
    model_unref(other);
    model_unref(wide);
    model_unref(deep);
}

/* Tensors of another program, without an architecture. */
static void test_foreign_weights(void **state)
{
    (void)state;
    Err err;
    int n;
    Model *model = net_model("Dense units=2 input_shape=3 name=fc");
    Tensor kernel = net_values(SHAPE(3, 2), 1), bias = net_values(SHAPE(2), 2), labels;
    assert_ok(tensor_zero(&labels, DTYPE_INT32, SHAPE(2), &err));
    NamedTensor items[] = { { "fc/bias", bias }, { "fc/kernel", kernel }, { "fc/extra", bias } };
    const char *path = scratch_path("w.safetensors");
    assert_ok(safetensors_save(path, items, 2, NULL, 0, 0666, &err));
    assert_ok(model_load_weights(model, path, NULL, &n, &err));
    assert_int_equal(n, 2);
    assert_near(model->leaves[0].layer->block[7], tensor_real(&bias)[1], 0);
    assert_err(model_load(path, &err) != NULL, ERR_DATA, "the file holds tensors but no model of hebb");
    assert_ok(safetensors_save(path, items, 3, NULL, 0, 0666, &err));
    assert_err(model_load_weights(model, path, NULL, &n, &err), ERR_DATA, "fc/extra stands in the file, but no layer");
    assert_ok(safetensors_save(path, items, 1, NULL, 0, 0666, &err));
    assert_err(model_load_weights(model, path, NULL, &n, &err), ERR_DATA, "fc/kernel is missing in the file");
    items[0].tensor = labels;
    assert_ok(safetensors_save(path, items, 2, NULL, 0, 0666, &err));
    assert_err(model_load_weights(model, path, NULL, &n, &err), ERR_DATA, "fc/bias has type I32");
    items[0].name = "other/bias";
    items[1].name = "other/kernel";
    assert_ok(safetensors_save(path, items, 2, NULL, 0, 0666, &err));
    assert_err(model_load_weights(model, path, &(LoadOptions){ .skip_mismatch = true }, &n, &err), ERR_DATA, "no weight of the file has a name of");
    assert_err(model_load_weights(model, scratch_path("absent"), &(LoadOptions){ .skip_mismatch = true }, &n, &err), ERR_IO, "absent");
    tensor_unref(&kernel);
    tensor_unref(&bias);
    tensor_unref(&labels);
    model_unref(model);
}

/* The model's own file, with weights gone, added or reshaped. */
static void test_wrong_weights(void **state)
{
    (void)state;
    Err err;
    Model *model = net_model("Dense units=2 input_shape=3 name=fc");
    Buf json = BUF_INIT;
    assert_ok(model_to_json(model, &json, &err));
    SafeMeta meta[] = { { "hebb.model", buf_text(&json) } };
    Tensor kernel = net_values(SHAPE(3, 2), 1), bias = net_values(SHAPE(2), 2), turned = net_values(SHAPE(2, 3), 3);
    const char *path = scratch_path("w.safetensors");
    NamedTensor items[] = { { "fc/bias", bias }, { "fc/kernel", kernel }, { "fc2/kernel", kernel } };
    assert_ok(safetensors_save(path, items, 1, meta, 1, 0666, &err));
    assert_err(model_load(path, &err) != NULL, ERR_DATA, "fc/kernel is missing in the file");
    assert_ok(safetensors_save(path, items, 3, meta, 1, 0666, &err));
    assert_err(model_load(path, &err) != NULL, ERR_DATA, "fc2/kernel stands in the file");
    items[1].tensor = turned;
    assert_ok(safetensors_save(path, items, 2, meta, 1, 0666, &err));
    assert_err(model_load(path, &err) != NULL, ERR_DATA, "fc/kernel has shape (2, 3) in the file, the model wants (3, 2)");
    buf_fini(&json);
    Tensor *all[] = { &kernel, &bias, &turned };
    for (size_t i = 0; i < COUNT_OF(all); i++)
        tensor_unref(all[i]);
    model_unref(model);
}

/* A layer of a thousand million units, and weights of two numbers: refused before memory is taken. */
static void test_greedy_file(void **state)
{
    (void)state;
    Err err;
    const char *json = "{\"format\":1,\"layers\":[{\"kind\":\"Input\",\"name\":\"i\",\"args\":{\"shape\":\"100000\"}},"
                       "{\"kind\":\"Dense\",\"name\":\"d\",\"args\":{\"units\":\"1000000000\"}}],\"models\":[{\"kind\":\"Sequential\","
                       "\"name\":\"s\",\"nodes\":[{\"layer\":0},{\"layer\":1,\"in\":[0]}],\"inputs\":[0],\"outputs\":[1]}]}";
    SafeMeta meta[] = { { "hebb.model", json } };
    Tensor bias = net_values(SHAPE(2), 2);
    NamedTensor items[] = { { "d/kernel", bias } };
    assert_ok(safetensors_save(scratch_path("w"), items, 1, meta, 1, 0666, &err));
    size_t before = mem_bytes();
    assert_err(model_load(scratch_path("w"), &err) != NULL, ERR_DATA, "d/kernel has shape (2) in the file, the model wants (100000, 1000000000)");
    assert_int_equal(mem_bytes(), before);
    assert_true(mem_peak() < 64 << 20);
    tensor_unref(&bias);
}

/* ---- damaged files ---- */

static size_t sample_file(const char *path, char **bytes)
{
    size_t n;
    Model *model = net_model("Dense units=3 activation=relu input_shape=2; BatchNormalization; Dense units=2");
    save(model, path);
    model_unref(model);
    *bytes = scratch_read(path, &n);
    return n;
}

static void test_truncated(void **state)
{
    (void)state;
    char *bytes;
    size_t n = sample_file(scratch_path("m"), &bytes), step = n / 400 + 1;
    for (size_t size = 0; size < n; size += step) {
        Err err = ERR_INIT;
        scratch_write(scratch_path("t"), bytes, size);
        assert_null(model_load(scratch_path("t"), &err));
        assert_int_equal(err.code, ERR_DATA);
        assert_true(strlen(err.text) > 10);
    }
    free(bytes);
}

/* Every bit of the header, and some of the weights: a message, or a model of the declared shapes. */
static void test_bit_flips(void **state)
{
    (void)state;
    Err err;
    char *bytes;
    size_t n = sample_file(scratch_path("m"), &bytes), before = mem_bytes();
    int refused = 0, loaded = 0;
    Rng rng;
    rng_init(&rng, 5, RNG_TEST, 0);
    for (int i = 0; i < 1500; i++) {
        size_t at = i < 64 ? (size_t)i : (size_t)rng_below(&rng, 8 * n);
        bytes[at / 8] ^= (char)(1 << at % 8);
        scratch_write(scratch_path("t"), bytes, n);
        bytes[at / 8] ^= (char)(1 << at % 8);
        err_clear(&err);
        Model *model = model_load(scratch_path("t"), &err);
        refused += !model;
        loaded += model != NULL;
        assert_true(model ? model->built : err.code != ERR_OK && err.code != ERR_BUG && strlen(err.text) > 10);
        model_unref(model);
        assert_int_equal(mem_bytes(), before);
    }
    assert_true(refused > 500 && loaded > 20);
    free(bytes);
}

#define INPUT "{\"kind\":\"Input\",\"name\":\"i\",\"args\":{\"shape\":\"3\"}}"
#define DENSE "{\"kind\":\"Dense\",\"name\":\"d\",\"args\":{\"units\":\"2\"}}"
#define TOP(layers, models) "{\"format\":1,\"layers\":[" layers "],\"models\":[" models "]}"
#define MODEL(kind, nodes, ends) "{\"kind\":\"" kind "\",\"name\":\"m\",\"nodes\":[" nodes "]," ends "}"
#define ENDS "\"inputs\":[0],\"outputs\":[1]"
#define CHAIN "{\"layer\":0},{\"layer\":1,\"in\":[0]}"
#define GOOD MODEL("Sequential", CHAIN, ENDS)

static void test_hostile_json(void **state)
{
    (void)state;
    Err err;
    static const struct {
        const char *json, *part;
    } rows[] = {
        { "", "no JSON" },
        { "[]", "no architecture" },
        { "{\"format\":1}", "no architecture" },
        { "{\"format\":2,\"layers\":[],\"models\":[]}", "format 2" },
        { "{\"format\":\"1\",\"layers\":[],\"models\":[]}", "needs format 1" },
        { TOP("", ""), "0 models" },
        { TOP(INPUT "," DENSE, "7"), "a model needs its kind" },
        { TOP("7", GOOD), "a layer needs its kind" },
        { TOP("{\"kind\":\"Dense\",\"name\":\"d\"}", GOOD), "a layer needs its kind, its name and its arguments" },
        { TOP(INPUT ",{\"kind\":\"Dnse\",\"name\":\"d\",\"args\":{}}", GOOD), "there is no layer \"Dnse\" (did you mean \"Dense\"?)" },
        { TOP(INPUT ",{\"kind\":\"Functional\",\"name\":\"d\",\"args\":{}}", GOOD), "there is no layer \"Functional\"" },
        { TOP(INPUT ",{\"kind\":\"os.execute\",\"name\":\"d\",\"args\":{}}", GOOD), "there is no layer" },
        { TOP(INPUT ",{\"kind\":\"Dense\",\"name\":\"d\",\"args\":{\"unit\":\"2\"}}", GOOD), "no argument \"unit\" (did you mean \"units\"?)" },
        { TOP(INPUT ",{\"kind\":\"Dense\",\"name\":\"d\",\"args\":{\"units\":2}}", GOOD), "units must be given as a text" },
        { TOP(INPUT ",{\"kind\":\"Dense\",\"name\":\"d\",\"args\":{\"units\":\"-2\"}}", GOOD), "units must be a whole number" },
        { TOP(INPUT ",{\"kind\":\"Dense\",\"name\":\"d\",\"args\":{\"units\":\"1e300\"}}", GOOD), "units must be" },
        { TOP(INPUT ",{\"kind\":\"Dense\",\"name\":\"d\",\"args\":{\"units\":\"nan\"}}", GOOD), "units must be" },
        { TOP(INPUT ",{\"kind\":\"Dense\",\"name\":\"d\",\"args\":{}}", GOOD), "units is missing" },
        { TOP(INPUT ",{\"kind\":\"Dense\",\"name\":\"a/b\",\"args\":{\"units\":\"2\"}}", GOOD), "cannot hold '/'" },
        { TOP(INPUT ",{\"kind\":\"Dense\",\"kind\":\"Dense\",\"name\":\"d\",\"args\":{\"units\":\"2\"}}", GOOD), "duplicate" },
        { TOP("{\"kind\":\"Input\",\"name\":\"i\",\"args\":{\"shape\":\"0\"}}", GOOD), "shape must be" },
        { TOP("{\"kind\":\"Input\",\"name\":\"i\",\"args\":{\"shape\":\"1073741824,1073741824\"}}," DENSE, GOOD), "more elements" },
        { TOP(INPUT "," DENSE, MODEL("Sequential", "", ENDS)), "a model needs its kind" },
        { TOP(INPUT "," DENSE, MODEL("Lambda", CHAIN, ENDS)), "a model needs its kind" },
        { TOP(INPUT "," DENSE, MODEL("Sequential", "{\"layer\":0},{\"layer\":1}", ENDS)), "must be a chain" },
        { TOP(INPUT "," DENSE, MODEL("Sequential", "{\"layer\":0},{\"layer\":2,\"in\":[0]}", ENDS)), "a node needs a layer" },
        { TOP(INPUT "," DENSE, MODEL("Sequential", "{\"layer\":0},{\"layer\":-1,\"in\":[0]}", ENDS)), "a node needs a layer" },
        { TOP(INPUT "," DENSE, MODEL("Functional", "{\"layer\":0},{\"layer\":1,\"in\":[1]}", ENDS)), "must be earlier nodes" },
        { TOP(INPUT "," DENSE, MODEL("Functional", "{\"layer\":0},{\"layer\":1,\"in\":[0,0]}", ENDS)), "d wants 1 input, got 2" },
        { TOP(INPUT "," DENSE, MODEL("Functional", "{\"layer\":0},{\"layer\":1,\"in\":\"0\"}", ENDS)), "must be earlier nodes" },
        { TOP(INPUT "," DENSE, MODEL("Functional", "{\"layer\":0},{\"layer\":1,\"in\":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]}", ENDS)), "earlier nodes" },
        { TOP(INPUT "," DENSE, MODEL("Functional", "{\"layer\":0},{\"model\":0,\"name\":\"x\",\"in\":[0]}", ENDS)), "a node needs a layer" },
        { TOP(INPUT "," DENSE, MODEL("Functional", CHAIN, "\"inputs\":[0],\"outputs\":[2]")), "outputs must be nodes" },
        { TOP(INPUT "," DENSE, MODEL("Functional", CHAIN, "\"inputs\":[],\"outputs\":[1]")), "inputs and outputs" },
        { TOP(INPUT "," DENSE, MODEL("Functional", CHAIN, "\"inputs\":[1],\"outputs\":[1]")), "must be different Input layers" },
        { TOP(INPUT "," DENSE, MODEL("Functional", CHAIN, "\"inputs\":[0,0],\"outputs\":[1]")), "must be different Input layers" },
        { TOP(INPUT "," DENSE "," INPUT, MODEL("Functional", CHAIN ",{\"layer\":2}", ENDS)), "an Input layer is not among" },
        { TOP(INPUT ",{\"kind\":\"Dense\",\"name\":\"i\",\"named\":true,\"args\":{\"units\":\"2\"}}", GOOD), "two layers of m are called" },
        { TOP(INPUT "," DENSE, MODEL("Sequential", CHAIN, "\"inputs\":[0],\"outputs\":[0]")), "among the model's inputs" },
        { TOP(INPUT "," DENSE, MODEL("Functional", "{\"layer\":0},{\"layer\":1,\"in\":[0]},{\"layer\":0}", ENDS)), "among the model's inputs" },
        { TOP(INPUT "," DENSE, GOOD) "x", "no JSON" },
        { "{\"format\":1,\"layers\":{},\"models\":[]}", "no architecture" },
    };
    size_t before = mem_bytes();
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        err_clear(&err);
        Model *model = model_from_json(rows[i].json, &err);
        if (model || err.code != ERR_DATA || !strstr(err.text, rows[i].part))
            fail_msg("row %zu: wanted \"%s\", got %s \"%s\"", i, rows[i].part, err_tag(err.code), err.text);
        assert_int_equal(mem_bytes(), before);
    }
    Model *good = model_from_json(TOP(INPUT "," DENSE, GOOD), &err);
    assert_non_null(good);
    model_unref(good);
}

/* Lists within lists, and more layers than a model may have. */
static void test_large_json(void **state)
{
    (void)state;
    Err err;
    Buf text = BUF_INIT;
    for (int i = 0; i < 100000; i++)
        buf_put(&text, '[');
    assert_err(model_from_json(buf_text(&text), &err) != NULL, ERR_DATA, "no JSON");
    buf_reset(&text);
    buf_puts(&text, "{\"format\":1,\"layers\":[0");
    for (int i = 0; i < 5000; i++)
        buf_puts(&text, ",0");
    buf_puts(&text, "],\"models\":[0]}");
    assert_err(model_from_json(buf_text(&text), &err) != NULL, ERR_DATA, "lists 5001 layers");
    for (int i = 0; i < 5 << 20; i++)
        buf_put(&text, ' ');
    assert_err(model_from_json(buf_text(&text), &err) != NULL, ERR_DATA, "bytes; at most");
    buf_fini(&text);
}

/* Ten uses of ten uses of ten uses …: a pass would never end. */
static void test_explosion(void **state)
{
    (void)state;
    Err err;
    Buf text = BUF_INIT;
    buf_puts(&text, "{\"format\":1,\"layers\":[" INPUT ",{\"kind\":\"Activation\",\"name\":\"a\",\"args\":{\"activation\":\"relu\"}}],\"models\":[" GOOD);
    for (int m = 0; m < 12; m++) {
        buf_printf(&text, ",{\"kind\":\"Functional\",\"name\":\"m%d\",\"nodes\":[{\"layer\":0}", m);
        for (int i = 0; i < 10; i++)
            buf_printf(&text, ",{\"model\":%d,\"name\":\"x\",\"in\":[%d]}", m, i);
        buf_puts(&text, "],\"inputs\":[0],\"outputs\":[10]}");
    }
    buf_puts(&text, "]}");
    assert_err(model_from_json(buf_text(&text), &err) != NULL, ERR_DATA, "more than 100000 layers");
    buf_fini(&text);
}

/* ---- when writing fails ---- */

static void test_write_fails(void **state)
{
    (void)state;
    Err err;
    Model *model = net_model("Dense units=3 input_shape=2");
    const char *path = scratch_path("m.safetensors"), *copy = scratch_path("copy");
    save(model, path);
    save(model, copy);
    model->leaves[0].layer->block[0] = 7;
    long n = 0;
    for (bool done = false; !done; n++) {
        assert_true(n < 100);
        file_fail_after(n);
        done = model_save(model, path, NULL, &err);
        file_fail_after(-1);
        if (!done) {
            assert_int_equal(err.code, ERR_IO);
            assert_non_null(strstr(err.text, "m.safetensors"));
            Model *again = load(path); /* the old one or, after its renaming, the new one */
            assert_true(again->leaves[0].layer->block[0] == 7 || (assert_same_file(path, copy), true));
            model_unref(again);
        }
        assert_int_equal(scratch_count(), 2); /* no temporary file is left */
    }
    assert_true(n > 3);
    assert_err(model_save(model, scratch_path("no/such/folder"), NULL, &err), ERR_IO, "no/such/folder");
    model_unref(model);
}

static void test_no_memory(void **state)
{
    (void)state;
    Model *model = make_rich();
    const char *path = scratch_path("m.safetensors");
    save(model, path);
    size_t before = mem_bytes();
    bool done = false;
    for (long n = 0; !done; n++) {
        Err err = ERR_INIT;
        assert_true(n < 1000);
        mem_fail_after(n);
        Model *again = model_load(path, &err);
        done = again && model_save(again, path, NULL, &err) && model_load_weights(again, path, NULL, NULL, &err);
        mem_fail_after(-1);
        if (!done && err.code != ERR_MEM)
            fail_msg("allocation %ld: %s \"%s\"", n, err_tag(err.code), err.text);
        model_unref(again);
        assert_int_equal(mem_bytes(), before);
    }
    model_unref(load(path));
    model_unref(model);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(round_trip),    TEST(grow_on),   TEST(every_layer),  TEST(extra),      TEST(json),      TEST(load_weights), TEST(foreign_weights),
        TEST(wrong_weights), TEST(greedy_file), TEST(truncated),  TEST(bit_flips),  TEST(hostile_json), TEST(large_json), TEST(explosion),
        TEST(write_fails),   TEST(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
