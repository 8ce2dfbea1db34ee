// SPDX-License-Identifier: MIT
/* Graphs: Sequential and functional models, how they grow, what they refuse, and their sizes. */
#include "check.h"

#include "base/mem.h"
#include "base/rng.h"
#include "nn/graph.h"

#include "netkit.h"

/* ---- sizes: trainers.md's reference models ---- */

static void test_counts(void **state)
{
    (void)state;
    static const struct {
        const char *layers;
        int64_t params;
    } rows[] = {
        { "Flatten input_shape=28,28; Dense units=128 activation=relu; Dropout rate=0.2; Dense units=10", 101770 }, /* TF quick start */
        { "Dense units=512 activation=relu input_shape=784; Dropout rate=0.2; Dense units=512 activation=relu; Dropout rate=0.2;"
          "Dense units=10 activation=softmax", 669706 }, /* Keras mnist_mlp */
        { "Conv2D filters=32 kernel_size=3 activation=relu input_shape=28,28,1; MaxPooling2D; Conv2D filters=64 kernel_size=3 activation=relu;"
          "MaxPooling2D; Flatten; Dropout rate=0.5; Dense units=10 activation=softmax", 34826 }, /* Keras demo_mnist_convnet */
        { "Conv2D filters=32 kernel_size=3 activation=relu input_shape=28,28,1; Conv2D filters=64 kernel_size=3 activation=relu; MaxPooling2D;"
          "Dropout rate=0.25; Flatten; Dense units=128 activation=relu; Dropout rate=0.5; Dense units=10 activation=softmax", 1199882 },
        { "Conv2D filters=32 kernel_size=3 input_shape=28,28,1; MaxPooling2D; Conv2D filters=64 kernel_size=3; MaxPooling2D;"
          "Conv2D filters=64 kernel_size=3; Flatten; Dense units=64; Dense units=10", 93322 }, /* first edition */
        { "Conv2D filters=32 kernel_size=3 input_shape=32,32,3; MaxPooling2D; Conv2D filters=64 kernel_size=3; MaxPooling2D;"
          "Conv2D filters=64 kernel_size=3; Flatten; Dense units=64; Dense units=10", 122570 }, /* TF CIFAR CNN */
        { "Conv2D filters=32 kernel_size=3 padding=same input_shape=32,32,3; Conv2D filters=32 kernel_size=3; MaxPooling2D; Dropout rate=0.25;"
          "Conv2D filters=64 kernel_size=3 padding=same; Conv2D filters=64 kernel_size=3; MaxPooling2D; Dropout rate=0.25; Flatten;"
          "Dense units=512 activation=relu; Dropout rate=0.5; Dense units=10 activation=softmax", 1250858 }, /* keras cifar10_cnn */
        { "Dense units=16 activation=relu input_shape=2; Dense units=16 activation=relu; Dense units=1", 337 }, /* micrograd */
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        Model *model = net_model(rows[i].layers);
        assert_true(model->built);
        assert_int_equal(model_count_params(model, false), rows[i].params);
        assert_int_equal(model_count_params(model, true), rows[i].params);
        model_unref(model);
    }
}

/* Planned only: its 528 MB of weights are never taken. */
static void test_vgg16(void **state)
{
    (void)state;
    Err err;
    static const char *const layers[] = { "64", "64", NULL, "128", "128", NULL, "256", "256", "256", NULL, "512", "512", "512", NULL,
                                          "512", "512", "512", NULL };
    Model *model = model_new("vgg", NULL, &err);
    assert_ok(graph_append_input(model, SHAPE(-1, 224, 224, 3), DTYPE_FLOAT32, NULL, &err));
    for (size_t i = 0; i < COUNT_OF(layers) + 4; i++) {
        char args[80] = "";
        static const char *const dense[] = { "units=4096 activation=relu", "units=4096 activation=relu", "units=1000 activation=softmax" };
        bool end = i >= COUNT_OF(layers), pool = !end && !layers[i], flat = i == COUNT_OF(layers);
        if (end && !flat)
            snprintf(args, sizeof args, "%s", dense[i - COUNT_OF(layers) - 1]);
        else if (!end && !pool)
            snprintf(args, sizeof args, "filters=%s kernel_size=3 padding=same activation=relu", layers[i]);
        Layer *layer = net_layer(flat ? "Flatten" : end ? "Dense" : pool ? "MaxPooling2D" : "Conv2D", args);
        int last = model->n_nodes - 1;
        assert_ok(graph_append(model, layer, &last, 1, &err));
        layer_unref(layer);
    }
    assert_int_equal(model_count_params(model, false), 138357544);
    double flops = 0;
    for (int i = 0; i < model->n_nodes; i++)
        flops += model->nodes[i].layer->n_params ? model->nodes[i].flops : 0;
    assert_near(flops, 15470264320.0, 1e-12); /* of its products, without biases */
    assert_true(mem_bytes() < 10 << 20);
    model_unref(model);
}

/* ---- Sequential ---- */

static void test_deferred(void **state)
{
    (void)state;
    Err err;
    layer_reset_names();
    Model *model = net_model("Dense units=4 activation=relu; Dense units=2");
    assert_false(model->built);
    assert_int_equal(model_count_params(model, false), 0);
    Node *none = NULL, *out;
    Tape tape;
    tape_init(&tape);
    tape_begin(&tape, TAPE_FORWARD, 0, 0);
    assert_err(model_forward(model, &tape, &none, &out, NULL, NULL, &err), ERR_STATE, "sequential is not built yet");
    tape_fini(&tape);
    Tensor x = net_values(SHAPE(5, 3), 1), y = net_predict(model, &x);
    assert_true(model->built);
    assert_shape(&y, 5, 2);
    assert_int_equal(model_count_params(model, false), 4 * 4 + 5 * 2);
    assert_string_equal(model_layer_at(model, 1, &err)->name, "dense");
    assert_string_equal(model_layer_at(model, -1, &err)->name, "dense_1");
    assert_err(model_layer_at(model, 3, &err) != NULL, ERR_ARG, "layers 1 to 2");
    assert_err(model_layer_at(model, 0, &err) != NULL, ERR_ARG, "layers 1 to 2");
    tensor_unref(&x);
    tensor_unref(&y);
    model_unref(model);
}

/* A first data that does not fit leaves the model unbuilt and ready for other data. */
static void test_deferred_refused(void **state)
{
    (void)state;
    Err err;
    layer_reset_names();
    Model *model = net_model("Dense units=4; Conv2D filters=2 kernel_size=3");
    Shape flat = SHAPE(-1, 36), image = SHAPE(-1, 6, 6, 1);
    assert_err(model_build(model, &flat, 1, &err), ERR_SHAPE, "conv2d wants images");
    assert_false(model->built);
    assert_int_equal(model->n_nodes, 2);
    assert_false(model->nodes[0].layer->built);
    assert_ok(model_build(model, &image, 1, &err));
    assert_int_equal(model->nodes[1].layer->n_elements, 8);
    assert_int_equal(model->n_nodes, 3);
    model_unref(model);
    model = model_sequential("empty", &err);
    assert_err(model_build(model, &flat, 1, &err), ERR_STATE, "empty has no layers");
    assert_err(model_pop(model, &err), ERR_STATE, "no layer to remove");
    model_unref(model);
}

static void refuse_add(Model *model, const char *kind, const char *args, ErrCode code, const char *part)
{
    Err err;
    int n_nodes = model->n_nodes, n_leaves = model->n_leaves;
    Layer *layer = net_layer(kind, args);
    assert_err(model_add(model, layer, &err), code, part);
    assert_false(layer->built);
    assert_int_equal(model->n_nodes, n_nodes);
    assert_int_equal(model->n_leaves, n_leaves);
    layer_unref(layer);
}

static void test_add_refused(void **state)
{
    (void)state;
    Err err;
    layer_reset_names();
    Model *model = net_model("Dense units=4 input_shape=3 name=head");
    refuse_add(model, "Conv2D", "filters=2 kernel_size=3", ERR_SHAPE, "conv2d wants images of shape (height, width, channels), got (4)");
    refuse_add(model, "Dense", "units=2 name=head", ERR_ARG, "two layers of sequential are called \"head\"");
    refuse_add(model, "Input", "shape=3", ERR_ARG, "an Input can only come first");
    refuse_add(model, "Add", "", ERR_ARG, "add wants at least 2 inputs");
    int run = 1;
    atomic_store(&model->owner, &run);
    refuse_add(model, "Dense", "units=2", ERR_STATE, "is being trained");
    atomic_store(&model->owner, NULL);
    net_add(model, "Dense units=2");
    assert_ok(model_pop(model, &err));
    assert_ok(model_pop(model, &err));
    assert_err(model_pop(model, &err), ERR_STATE, "no layer to remove");
    net_add(model, "Dense units=7");
    assert_int_equal(model_count_params(model, false), 28);
    model_unref(model);
}

/* Automatic names step aside; names of the user do not. */
static void test_names(void **state)
{
    (void)state;
    Err err;
    layer_reset_names();
    Model *model = net_model("Dense units=2 input_shape=3 name=dense; Dense units=2; Dense units=2");
    assert_string_equal(model_layer_at(model, 2, &err)->name, "dense_1");
    assert_string_equal(model_layer_at(model, 3, &err)->name, "dense_2");
    assert_ptr_equal(model_layer(model, "dense_2", &err), model_layer_at(model, 3, &err));
    assert_err(model_layer(model, "dens_2", &err) != NULL, ERR_NAME, "did you mean \"dense_2\"?");
    model_unref(model);
    Model *other = model_sequential(NULL, &err);
    assert_string_equal(other->name, "sequential_1");
    model_unref(other);
    assert_null(model_sequential("a/b", &err));
}

static void test_same_layer_twice(void **state)
{
    (void)state;
    Err err;
    Model *model = net_model("Dense units=3 input_shape=3");
    Layer *layer = model_layer_at(model, 1, &err);
    assert_ok(model_add(model, layer, &err)); /* the same weights once more */
    assert_int_equal(model_count_params(model, false), 12);
    assert_int_equal(model->n_leaves, 1);
    assert_null(model_layer_at(model, 2, &err));
    model_unref(model);
}

/* ---- functional ---- */

static Node *one_pass(Model *model, Tape *tape, Tensor *const *x, Node **out, TapeMode mode)
{
    Err err;
    Node *in[MODEL_INPUTS];
    tape_begin(tape, mode, 3, 0);
    for (int i = 0; i < model->n_inputs; i++)
        in[i] = tape_input(tape, x[i], &err);
    if (!model_forward(model, tape, in, out, NULL, NULL, &err))
        fail_msg("%s", err.text);
    return out[0];
}

/* y = x + dense(x): a skip, checked against its own parts. */
static void test_skip(void **state)
{
    (void)state;
    Err err;
    Symbol *x = net_input(SHAPE(4), NULL), *d = net_call("Dense units=4 name=inside", &x, 1), *y = net_call("Add", (Symbol *[]){ x, d }, 2);
    Model *model = model_functional(&x, 1, &y, 1, NULL, &err);
    assert_non_null(model);
    Model *part = model_functional(&x, 1, &d, 1, NULL, &err); /* shares the layer */
    assert_non_null(part);
    Tensor in = net_values(SHAPE(3, 4), 1), whole = net_predict(model, &in), half = net_predict(part, &in);
    for (int i = 0; i < 12; i++)
        assert_near(tensor_real(&whole)[i], tensor_real(&half)[i] + tensor_real(&in)[i], 1e-6);
    assert_ptr_equal(model_layer(model, "inside", &err), model_layer(part, "inside", &err));
    tensor_unref(&in);
    tensor_unref(&whole);
    tensor_unref(&half);
    symbol_unref(x);
    symbol_unref(d);
    symbol_unref(y);
    model_unref(model);
    model_unref(part);
}

/* Two inputs through one shared layer, two outputs; the shared layer has one gradient: the sum of both uses. */
static void test_shared_two_ends(void **state)
{
    (void)state;
    Err err;
    Symbol *a = net_input(SHAPE(3), "left"), *b = net_input(SHAPE(3), "right");
    Layer *shared = net_layer("Dense", "units=2 name=tower");
    Symbol *ta = symbol_call(shared, &a, 1, &err), *tb = symbol_call(shared, &b, 1, &err);
    Symbol *both = net_call("Concatenate", (Symbol *[]){ ta, tb }, 2), *sum = net_call("Add", (Symbol *[]){ ta, tb }, 2);
    Model *model = model_functional((Symbol *[]){ a, b }, 2, (Symbol *[]){ both, sum }, 2, "siamese", &err);
    assert_non_null(model);
    assert_int_equal(model->n_leaves, 3);
    assert_int_equal(model_count_params(model, false), 8);
    assert_string_equal(model_layer_at(model, 1, &err)->name, "left");
    Tensor xa = net_values(SHAPE(5, 3), 1), xb = net_values(SHAPE(5, 3), 2), out[2];
    assert_ok(model_predict_many(model, (const Tensor *[]){ &xa, &xb }, 2, 2, out, NULL, &err));
    assert_shape(&out[0], 5, 4);
    assert_shape(&out[1], 5, 2);
    for (int i = 0; i < 5; i++)
        assert_near(tensor_real(&out[1])[2 * i], tensor_real(&out[0])[4 * i] + tensor_real(&out[0])[4 * i + 2], 1e-6);
    real grad[8];
    shared->grad = grad;
    Tape tape;
    tape_init(&tape);
    Node *ends[2];
    one_pass(model, &tape, (Tensor *[]){ &xa, &xb }, ends, TAPE_TRAIN);
    Node *loss = tape_op(&tape, op_find("sum", NULL), &ends[1], 1, NULL, &err);
    assert_ok(tape_backward(&tape, loss, &err));
    assert_near(grad[6], 10, 1e-6); /* each bias reaches ten numbers */
    double want = 0;
    for (int i = 0; i < 5; i++)
        want += tensor_real(&xa)[3 * i] + tensor_real(&xb)[3 * i];
    assert_near(grad[0], want, 1e-5);
    shared->grad = NULL;
    tape_fini(&tape);
    tensor_unref(&out[0]);
    tensor_unref(&out[1]);
    Tensor one;
    assert_err(model_predict(model, &xa, 2, &one, NULL, &err), ERR_ARG, "siamese has 2 outputs");
    assert_err(model_predict_many(model, (const Tensor *[]){ &xa }, 1, 2, out, NULL, &err), ERR_ARG, "siamese has 2 inputs, got 1");
    tensor_unref(&xa);
    tensor_unref(&xb);
    Symbol *all[] = { a, b, ta, tb, both, sum };
    for (size_t i = 0; i < COUNT_OF(all); i++)
        symbol_unref(all[i]);
    layer_unref(shared);
    model_unref(model);
}

static void test_bad_graphs(void **state)
{
    (void)state;
    Err err;
    layer_reset_names();
    Symbol *a = net_input(SHAPE(3), "left"), *b = net_input(SHAPE(3), "right"), *sum = net_call("Add", (Symbol *[]){ a, b }, 2);
    assert_err(model_functional(&a, 1, &sum, 1, NULL, &err) != NULL, ERR_ARG, "depends on right, which is not among the model's inputs");
    assert_err(model_functional((Symbol *[]){ a, a }, 2, &sum, 1, NULL, &err) != NULL, ERR_ARG, "left is given twice");
    assert_err(model_functional(&a, 0, &sum, 1, NULL, &err) != NULL, ERR_ARG, "1 to 8 inputs");
    Symbol *one = net_call("Dense units=1 name=same", &a, 1), *two = net_call("Dense units=1 name=same", &a, 1),
           *ends[2] = { one, two };
    assert_err(model_functional(&a, 1, ends, 2, "twins", &err) != NULL, ERR_ARG, "two layers of twins are called \"same\"");
    Layer *conv = net_layer("Conv2D", "filters=1 kernel_size=3");
    assert_err(symbol_call(conv, &a, 1, &err) != NULL, ERR_SHAPE, "conv2d wants images");
    assert_false(conv->built);
    assert_err(symbol_call(conv, ends, 2, &err) != NULL, ERR_ARG, "conv2d wants 1 input, got 2");
    assert_null(symbol_input(SHAPE(0), DTYPE_FLOAT32, NULL, &err));
    assert_null(symbol_input(SHAPE(1, 1, 1, 1, 1, 1, 1, 1), DTYPE_FLOAT32, NULL, &err));
    assert_null(symbol_input((Shape){ 0 }, DTYPE_FLOAT32, NULL, &err));
    layer_unref(conv);
    Symbol *all[] = { a, b, sum, one, two };
    for (size_t i = 0; i < COUNT_OF(all); i++)
        symbol_unref(all[i]);
}

/* A model that begins in the middle of another's graph. */
static void test_cut_in_the_middle(void **state)
{
    (void)state;
    Err err;
    Symbol *x = net_input(SHAPE(4), NULL), *h = net_call("Dense units=3 activation=tanh", &x, 1), *y = net_call("Dense units=2", &h, 1);
    Model *whole = model_functional(&x, 1, &y, 1, NULL, &err), *front = model_functional(&x, 1, &h, 1, NULL, &err),
          *back = model_functional(&h, 1, &y, 1, NULL, &err);
    assert_true(whole && front && back);
    Tensor in = net_values(SHAPE(2, 4), 1), a = net_predict(whole, &in), b = net_predict(front, &in), c = net_predict(back, &b);
    assert_memory_equal(a.data, c.data, 4 * sizeof(real));
    Tensor *all[] = { &in, &a, &b, &c };
    for (size_t i = 0; i < COUNT_OF(all); i++)
        tensor_unref(all[i]);
    symbol_unref(x);
    symbol_unref(h);
    symbol_unref(y);
    model_unref(whole);
    model_unref(front);
    model_unref(back);
}

/* Thousands of layers in a row: neither making nor freeing may recurse. */
static void test_long_chain(void **state)
{
    (void)state;
    Err err;
    Symbol *first = net_input(SHAPE(1), NULL), *x = symbol_ref(first);
    for (int i = 0; i < 3000; i++) {
        Symbol *next = net_call("Activation activation=relu", &x, 1);
        symbol_unref(x);
        x = next;
    }
    Model *model = model_functional(&first, 1, &x, 1, NULL, &err);
    assert_non_null(model);
    assert_int_equal(model->n_nodes, 3001);
    model_unref(model);
    symbol_unref(first);
    symbol_unref(x);
}

/* ---- models as layers ---- */

static Layer *as_layer(Model *model)
{
    Err err;
    Layer *layer = model_as_layer(model, &err);
    if (!layer)
        fail_msg("%s", err.text);
    return layer;
}

static bool collect(void *ctx, Layer *layer, const char *path)
{
    (void)layer;
    strcat(ctx, path);
    strcat(ctx, " ");
    return true;
}

static void test_nested(void **state)
{
    (void)state;
    Err err;
    layer_reset_names();
    Model *inner = net_model("Dense units=4 input_shape=3 name=a; Dense units=3 name=b");
    Model *outer = model_sequential("outer", &err);
    Layer *layer = as_layer(inner);
    assert_ok(model_add(outer, layer, &err)); /* its input's shape is known */
    net_add(outer, "Dense units=2 name=a");
    char paths[200] = "";
    assert_true(model_each_layer(outer, collect, paths));
    assert_string_equal(paths, "sequential/a sequential/b a ");
    assert_int_equal(model_count_params(outer, false), 16 + 15 + 8);
    assert_ptr_equal(model_layer(outer, "sequential/b", &err), model_layer(inner, "b", &err));
    assert_err(model_layer(outer, "sequential/c", &err) != NULL, ERR_NAME, "did you mean \"sequential/");
    Layer *more = net_layer("Dense", "units=1");
    assert_err(model_add(inner, more, &err), ERR_STATE, "is a layer of another model");
    layer_unref(more);
    layer_set_trainable(layer, false);
    assert_int_equal(model_count_params(outer, true), 8);
    Tensor x = net_values(SHAPE(2, 3), 1), h = net_predict(inner, &x), y = net_predict(outer, &x);
    assert_shape(&y, 2, 2);
    tensor_unref(&x);
    tensor_unref(&h);
    tensor_unref(&y);
    layer_unref(layer);
    model_unref(outer);
    assert_int_equal(atomic_load(&inner->wrapped), 0);
    net_add(inner, "Dense units=1");
    model_unref(inner);
}

/* One model at two places, and two models of the same name. */
static void test_nested_shared(void **state)
{
    (void)state;
    Err err;
    layer_reset_names();
    Model *tower = net_model("Dense units=2 input_shape=3"), *other = model_sequential("sequential", &err);
    net_add(other, "Dense units=2 input_shape=3");
    Symbol *a = net_input(SHAPE(3), NULL), *b = net_input(SHAPE(3), NULL);
    Layer *one = as_layer(tower), *two = as_layer(tower), *three = as_layer(other);
    Symbol *s[] = { symbol_call(one, &a, 1, &err), symbol_call(two, &b, 1, &err), symbol_call(three, &b, 1, &err) };
    Symbol *y = net_call("Concatenate", s, 3);
    Model *model = model_functional((Symbol *[]){ a, b }, 2, &y, 1, NULL, &err);
    if (!model)
        fail_msg("%s", err.text);
    assert_int_equal(model_count_params(model, false), 16); /* the tower once */
    char paths[200] = "";
    model_each_layer(model, collect, paths);
    assert_string_equal(paths, "sequential/dense sequential_1/dense_1 concatenate ");
    Layer *all[] = { one, two, three };
    for (int i = 0; i < 3; i++) {
        layer_unref(all[i]);
        symbol_unref(s[i]);
    }
    symbol_unref(a);
    symbol_unref(b);
    symbol_unref(y);
    model_unref(tower);
    model_unref(other);
    Tensor xa = net_values(SHAPE(2, 3), 1), out;
    assert_ok(model_predict_many(model, (const Tensor *[]){ &xa, &xa }, 2, 8, &out, NULL, &err));
    assert_near(tensor_real(&out)[0], tensor_real(&out)[2], 0);
    tensor_unref(&xa);
    tensor_unref(&out);
    model_unref(model);
}

static void test_nested_deferred(void **state)
{
    (void)state;
    Err err;
    Model *inner = net_model("Dense units=4; Dense units=3"), *outer = model_sequential(NULL, &err);
    Layer *layer = as_layer(inner);
    assert_ok(model_add(outer, layer, &err));
    Layer *self = as_layer(outer);
    atomic_fetch_sub(&outer->wrapped, 1);
    assert_err(model_add(outer, self, &err), ERR_ARG, "cannot be a layer of itself");
    atomic_fetch_add(&outer->wrapped, 1);
    Tensor x = net_values(SHAPE(2, 5), 1), y = net_predict(outer, &x);
    assert_shape(&y, 2, 3);
    assert_true(inner->built);
    tensor_unref(&x);
    tensor_unref(&y);
    layer_unref(layer);
    layer_unref(self);
    model_unref(inner);
    model_unref(outer);
}

static void test_depth(void **state)
{
    (void)state;
    Err err;
    Model *model = net_model("Dense units=2 input_shape=2");
    int depth = 0;
    for (; depth < 30; depth++) {
        Model *outer = model_sequential("m", &err);
        Layer *layer = as_layer(model);
        bool done = model_add(outer, layer, &err);
        layer_unref(layer);
        model_unref(model);
        model = outer;
        if (!done)
            break;
    }
    assert_int_equal(depth, MODEL_DEPTH_MOST);
    assert_non_null(strstr(err.text, "deep"));
    model_unref(model);
}

/* ---- inputs ---- */

static void refuse_input(Model *model, Shape shape, const char *part)
{
    Err err;
    Tensor x = net_values(shape, 1), y;
    assert_err(model_predict(model, &x, 32, &y, NULL, &err), ERR_SHAPE, part);
    assert_null(y.data);
    tensor_unref(&x);
}

static void test_inputs(void **state)
{
    (void)state;
    Err err;
    layer_reset_names();
    layer_unref(net_layer("Dense", "units=1"));
    Model *model = net_model("Dense units=2 input_shape=784"), *image = net_model("Conv2D filters=1 kernel_size=3 input_shape=6,5,1");
    refuse_input(model, SHAPE(2, 28, 28, 1), "dense_1 wants inputs of shape (784), got (28, 28, 1); add nn.Flatten() before it");
    refuse_input(model, SHAPE(2, 100), "dense_1 wants inputs of shape (784), got (100)");
    refuse_input(model, SHAPE(784), "got one sample of shape (784); put the batch in front: x:reshape({1, 784})");
    refuse_input(image, SHAPE(2, 30), "conv2d wants inputs of shape (6, 5, 1), got (30); add nn.Reshape({6, 5, 1}) before it");
    Tensor x = net_values(SHAPE(3, 6, 5), 1), y = net_predict(image, &x), z; /* a last axis of 1 may be left out */
    assert_shape(&y, 3, 4, 3, 1);
    Tensor full = x;
    full.shape = SHAPE(3, 6, 5, 1);
    z = net_predict(image, &full);
    assert_memory_equal(y.data, z.data, tensor_size(&y));
    tensor_unref(&z);
    assert_err(model_predict(image, &x, 0, &z, NULL, &err), ERR_ARG, "batch_size must be at least 1");
    Tensor nothing = x;
    nothing.shape = SHAPE(0, 6, 5);
    assert_err(model_predict(image, &nothing, 2, &z, NULL, &err), ERR_DATA, "no rows");
    nothing.shape = (Shape){ 0 };
    assert_err(model_predict(image, &nothing, 2, &z, NULL, &err), ERR_SHAPE, "array of samples");
    _Atomic bool stop = true;
    assert_err(model_predict(image, &x, 2, &z, &stop, &err), ERR_INTERRUPT, "after 0 of 3");
    tensor_unref(&x);
    tensor_unref(&y);
    model_unref(model);
    model_unref(image);
}

/* Bytes and whole numbers go in as they are; batches of any size give the same rows. */
static void test_predict(void **state)
{
    (void)state;
    Err err;
    Model *model = net_model("Rescaling scale=0.01 input_shape=4,4,1; Flatten; Dense units=3 activation=softmax");
    Tensor x, f, y[4];
    assert_ok(tensor_new(&x, DTYPE_UINT8, SHAPE(7, 4, 4, 1), &err));
    for (int i = 0; i < 7 * 16; i++)
        tensor_byte(&x)[i] = (uint8_t)(i * 37);
    assert_ok(tensor_cast(&f, &x, DTYPE_FLOAT32, &err));
    assert_ok(model_predict(model, &x, 32, &y[0], NULL, &err));
    assert_ok(model_predict(model, &f, 32, &y[1], NULL, &err));
    assert_ok(model_predict(model, &x, 1, &y[2], NULL, &err));
    assert_ok(model_predict(model, &x, 3, &y[3], NULL, &err));
    for (int i = 0; i < 21; i++)
        for (int k = 1; k < 4; k++)
            assert_near(tensor_real(&y[k])[i], tensor_real(&y[0])[i], 1e-6);
    assert_shape(&y[3], 7, 3);
    for (int k = 0; k < 4; k++)
        tensor_unref(&y[k]);
    tensor_unref(&x);
    tensor_unref(&f);
    model_unref(model);
}

/* ---- memory ---- */

static Model *make_all(Err *err)
{
    Symbol *x = symbol_input(SHAPE(6, 6, 1), DTYPE_FLOAT32, NULL, err), *y = NULL;
    Layer *conv = x ? net_try_layer("Conv2D", "filters=2 kernel_size=3", err) : NULL, *flat = conv ? net_try_layer("Flatten", "", err) : NULL;
    Symbol *h = flat ? symbol_call(conv, &x, 1, err) : NULL;
    y = h ? symbol_call(flat, &h, 1, err) : NULL;
    Model *inner = y ? model_functional(&x, 1, &y, 1, NULL, err) : NULL, *outer = inner ? model_sequential(NULL, err) : NULL;
    Layer *wrap = outer ? model_as_layer(inner, err) : NULL, *dense = wrap ? net_try_layer("Dense", "units=3", err) : NULL;
    bool done = dense && model_add(outer, wrap, err) && model_add(outer, dense, err);
    symbol_unref(x);
    symbol_unref(h);
    symbol_unref(y);
    Layer *layers[] = { conv, flat, wrap, dense };
    for (int i = 0; i < 4; i++)
        layer_unref(layers[i]);
    model_unref(inner);
    if (!done)
        model_unref(outer);
    return done ? outer : NULL;
}

static void test_no_memory(void **state)
{
    (void)state;
    size_t before = mem_bytes();
    bool done = false;
    long n = 0;
    for (; !done && n < 300; n++) {
        Err err = ERR_INIT;
        mem_fail_after(n);
        Model *model = make_all(&err);
        mem_fail_after(-1);
        done = model != NULL;
        if (!done)
            assert_int_equal(err.code, ERR_MEM);
        model_unref(model);
        assert_int_equal(mem_bytes(), before);
    }
    assert_true(done && n > 10);
}

/* A pass of a model takes no memory once one like it has been. */
static void test_steady(void **state)
{
    (void)state;
    Model *model = net_model("Conv2D filters=2 kernel_size=3 activation=relu input_shape=8,8,1; MaxPooling2D; BatchNormalization; Flatten;"
                             "Dropout rate=0.5; Dense units=3 activation=softmax");
    Tensor x = net_values(SHAPE(4, 8, 8, 1), 1), *in = &x;
    Tape tape;
    Node *out;
    tape_init(&tape);
    one_pass(model, &tape, &in, &out, TAPE_TRAIN);
    uint64_t before = mem_count();
    for (int i = 0; i < 5; i++)
        one_pass(model, &tape, &in, &out, TAPE_TRAIN);
    assert_int_equal(mem_count(), before);
    tape_fini(&tape);
    tensor_unref(&x);
    model_unref(model);
}

static void see(void *ctx, int node, Node *value)
{
    int64_t *sizes = ctx;
    sizes[node] = tensor_count(&value->value);
}

static void test_hook_and_costs(void **state)
{
    (void)state;
    Err err;
    Model *model = net_model("Conv2D filters=2 kernel_size=3 padding=same input_shape=8,8,1; Flatten; Dense units=3");
    Tensor x = net_values(SHAPE(4, 8, 8, 1), 1);
    Tape tape;
    int64_t sizes[4] = { 0 };
    tape_init(&tape);
    tape_begin(&tape, TAPE_FORWARD, 0, 0);
    Node *in = tape_input(&tape, &x, &err), *out;
    assert_ok(model_forward(model, &tape, &in, &out, see, sizes, &err));
    assert_int_equal(sizes[0], 256);
    assert_int_equal(sizes[1], 512);
    assert_int_equal(sizes[3], 12);
    assert_string_equal(out->where, model_layer_at(model, 3, &err)->name);
    assert_near(model->nodes[1].flops, 64 * 9 * 2, 0);
    assert_int_equal(model->nodes[1].bytes, 64 * 2 * 4);
    assert_int_equal(model->nodes[2].bytes, 0);
    assert_near(model->nodes[3].flops, 128 * 3, 0);
    tape_fini(&tape);
    tensor_unref(&x);
    model_unref(model);
}

static void test_seed(void **state)
{
    (void)state;
    Err err;
    real first[12];
    for (int i = 0; i < 3; i++) {
        layer_reset_names();
        model_set_seed(i == 2 ? 2 : 1);
        Model *model = net_model("Dense units=4 input_shape=3");
        const real *w = tensor_real(&model_layer_at(model, 1, &err)->params[0].value);
        if (i == 0)
            memcpy(first, w, sizeof first);
        assert_true((memcmp(first, w, sizeof first) == 0) == (i < 2));
        model_unref(model);
    }
    model_set_seed(0);
    assert_int_equal(model_default_seed(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts),          cmocka_unit_test(test_vgg16),           cmocka_unit_test(test_deferred),
        cmocka_unit_test(test_deferred_refused), cmocka_unit_test(test_add_refused),    cmocka_unit_test(test_names),
        cmocka_unit_test(test_same_layer_twice), cmocka_unit_test(test_skip),           cmocka_unit_test(test_shared_two_ends),
        cmocka_unit_test(test_bad_graphs),      cmocka_unit_test(test_cut_in_the_middle), cmocka_unit_test(test_long_chain),
        cmocka_unit_test(test_nested),          cmocka_unit_test(test_nested_shared),   cmocka_unit_test(test_nested_deferred),
        cmocka_unit_test(test_depth),           cmocka_unit_test(test_inputs),          cmocka_unit_test(test_predict),
        cmocka_unit_test(test_no_memory),       cmocka_unit_test(test_steady),          cmocka_unit_test(test_hook_and_costs),
        cmocka_unit_test(test_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
