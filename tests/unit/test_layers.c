// SPDX-License-Identifier: MIT
/* Every record of the table of layers: what it must carry, and each of its cases built, run, and its gradients compared with
 * central differences through the tape. */
#include "check.h"

#include "base/mem.h"
#include "base/rng.h"
#include "nn/graph.h"
#include "nn/init.h"
#include "tensor/kern.h"

#include "netkit.h"

#define SEED 11
#define LEAVES 64

/* ---- the records ---- */

static void test_records(void **state)
{
    (void)state;
    for (int i = 0; layer_at(i); i++) {
        const LayerKind *kind = layer_at(i);
        if (!kind->doc || strlen(kind->doc) < 20 || !strstr(kind->doc, "Shapes:"))
            fail_msg("%s needs a doc with its shapes", kind->name);
        if (!kind->example || !strstr(kind->example, "assert(") || !strstr(kind->example, kind->name))
            fail_msg("%s needs an example that asserts", kind->name);
        if (kind->n_cases < 1)
            fail_msg("%s needs a case for its tests", kind->name);
        for (int k = 0; k < kind->n_args; k++)
            if (!kind->args[k].help || !kind->args[k].help[0])
                fail_msg("%s: argument %s needs a help", kind->name, kind->args[k].name);
        assert_true(kind->build && kind->forward && kind->prefix && kind->in_most >= kind->in_least && kind->in_most <= OP_IN_MOST);
        Args args; /* every default is accepted by its own row */
        args_init(&args, kind->args, kind->n_args);
        for (int k = 0; k < kind->n_args; k++)
            if (kind->args[k].fallback && strcmp(kind->args[k].fallback, "nil") && !args.v[k].given)
                fail_msg("%s: the default of %s is not accepted", kind->name, kind->args[k].name);
        assert_ptr_equal(layer_find(kind->name, NULL), kind);
    }
    Err err;
    assert_err(layer_find("Dens", &err) != NULL, ERR_NAME, "did you mean \"Dense\"?");
    assert_err(layer_find("Sequential", &err) != NULL, ERR_NAME, "Sequential");
}

/* ---- cases ---- */

typedef struct Rig {
    Layer *layer;
    const LayerCase *c;
    Tensor in[OP_IN_MOST];
    real *weight; /* [count of all outputs]: the loss is the sum of weight * out */
    Layer *leaves[LEAVES]; /* the layer itself, or those that it is made of; borrowed */
    int n_leaves;
    Tape tape;
} Rig;

static Node *output(Node *first, int i)
{
    return i ? first->also[i - 1] : first;
}

static int64_t count_outputs(Node *first)
{
    int64_t n = 0;
    for (int i = 0; i <= first->n_also; i++)
        n += tensor_count(&output(first, i)->value);
    return n;
}

static Node *op2(Rig *rig, const char *op, Node *a, Node *b, Err *err)
{
    return a && b ? tape_op(&rig->tape, op_find(op, NULL), (Node *[]){ a, b }, 2, NULL, err) : NULL;
}

/* The loss as an op of the tape: products with fixed weights, summed. */
static Node *weighted_sum(Rig *rig, Node *first, Err *err)
{
    Node *sum = NULL;
    real *weight = rig->weight;
    for (int i = 0; i <= first->n_also; i++) {
        Node *y = output(first, i);
        Tensor tensor = tensor_borrow(DTYPE_FLOAT32, y->value.shape, weight);
        Node *product = op2(rig, "multiply", y, tape_input(&rig->tape, &tensor, err), err);
        Node *part = product ? tape_op(&rig->tape, op_find("sum", NULL), &product, 1, NULL, err) : NULL;
        sum = i ? op2(rig, "add", sum, part, err) : part;
        weight += tensor_count(&y->value);
    }
    return sum;
}

static Node *pass(Rig *rig, TapeMode mode, Node **in, Err *err)
{
    tape_begin(&rig->tape, mode, SEED, 3);
    for (int i = 0; i < rig->c->n_in; i++)
        if (!(in[i] = tape_param(&rig->tape, &rig->in[i], NULL, err)))
            return NULL;
    return layer_forward(rig->layer, &rig->tape, in, rig->c->n_in, err);
}

static double loss_of(Rig *rig)
{
    Err err;
    Node *in[OP_IN_MOST], *y = pass(rig, TAPE_TRAIN, in, &err);
    assert_non_null(y);
    double sum = 0;
    const real *weight = rig->weight;
    for (int k = 0; k <= y->n_also; k++)
        for (int64_t i = 0; i < tensor_count(&output(y, k)->value); i++)
            sum += (double)tensor_real(&output(y, k)->value)[i] * (double)*weight++;
    return sum;
}

static void find_leaves(Rig *rig)
{
    const Model *inner = rig->layer->inner;
    rig->n_leaves = inner ? inner->n_leaves : 1;
    assert_true(rig->n_leaves <= LEAVES);
    for (int i = 0; i < rig->n_leaves; i++)
        rig->leaves[i] = inner ? inner->leaves[i].layer : rig->layer;
}

static size_t count_trainable(const Rig *rig)
{
    size_t n = 0;
    for (int i = 0; i < rig->n_leaves; i++)
        n += rig->leaves[i]->n_trainable;
    return n;
}

static void rig_begin(Rig *rig, const LayerKind *kind, const LayerCase *c)
{
    Err err;
    Shape shapes[OP_IN_MOST];
    *rig = (Rig){ .c = c, .layer = net_case(kind, c, &err) };
    if (!rig->layer)
        fail_msg("%s: %s", kind->name, err.text);
    tape_init(&rig->tape);
    for (int i = 0; i < c->n_in; i++) {
        rig->in[i] = net_values(c->in[i], (uint64_t)(100 + i));
        for (int64_t k = 0; i == 0 && c->classes && k < tensor_count(&rig->in[0]); k++)
            tensor_real(&rig->in[0])[k] = (real)floor((0.5 + 0.499 * (double)tensor_real(&rig->in[0])[k]) * c->classes);
        shapes[i] = c->in[i];
        shapes[i].d[0] = -1;
    }
    assert_ok(layer_build(rig->layer, shapes, c->n_in, SEED, &err));
    find_leaves(rig);
    for (int i = 0; i < rig->n_leaves; i++)
        assert_non_null(rig->leaves[i]->grad = mem_zero(rig->leaves[i]->n_trainable + 1, sizeof(real), &err));
}

static void rig_end(Rig *rig)
{
    tape_fini(&rig->tape);
    for (int i = 0; i < rig->c->n_in; i++)
        tensor_unref(&rig->in[i]);
    mem_free(rig->weight);
    for (int i = 0; i < rig->n_leaves; i++) {
        mem_free(rig->leaves[i]->grad);
        rig->leaves[i]->grad = NULL;
    }
    layer_unref(rig->layer);
}

/* The shape that an INFER pass at batch 1 promised. */
static void check_shape(Rig *rig, const Node *y)
{
    Err err;
    Shape shapes[OP_IN_MOST];
    DType types[OP_IN_MOST] = { DTYPE_FLOAT32 };
    for (int i = 0; i < rig->c->n_in; i++) {
        shapes[i] = rig->c->in[i];
        shapes[i].d[0] = -1;
        types[i] = DTYPE_FLOAT32;
    }
    GraphNode nodes[LAYER_OUTPUTS];
    assert_ok(graph_infer(rig->layer, shapes, types, rig->c->n_in, nodes, &err));
    assert_int_equal(layer_n_outputs(rig->layer), y->n_also + 1);
    for (int i = 0; i <= y->n_also; i++) {
        const Node *made = i ? y->also[i - 1] : y;
        nodes[i].shape.d[0] = rig->c->in[0].d[0];
        assert_true(shape_same(&nodes[i].shape, &made->value.shape));
        assert_int_equal(nodes[i].dtype, made->value.dtype);
    }
}

static void draw_weights(Rig *rig, int64_t n)
{
    Err err;
    Rng rng;
    rig->weight = mem_alloc((size_t)n, sizeof(real), &err);
    assert_non_null(rig->weight);
    rng_init(&rng, 77, RNG_TEST, 0);
    for (int64_t i = 0; i < n; i++)
        rig->weight[i] = (real)(0.5 + rng_uniform(&rng));
}

static void check_leaf(Rig *rig, Layer *leaf)
{
    const double step = sizeof(real) == 8 ? 1e-5 : 1e-2, limit = sizeof(real) == 8 ? 1e-6 : 3e-2;
    for (int p = 0; p < leaf->n_params; p++) {
        Param *param = &leaf->params[p];
        real *w = tensor_real(&param->value);
        for (int64_t i = 0; param->trainable && i < tensor_count(&param->value); i++) {
            real had = w[i];
            w[i] = had + (real)step;
            double above = loss_of(rig);
            w[i] = had - (real)step;
            double below = loss_of(rig);
            w[i] = had;
            double want = (above - below) / (2 * step), got = (double)leaf->grad[param->offset + (size_t)i];
            if (!(fabs(got - want) <= limit * fmax(1, fabs(want))))
                fail_msg("%s %s: gradient of %s/%s[%d] is %.9g, differences give %.9g", rig->layer->kind->name, rig->c->args ? rig->c->args : "",
                         leaf->name, param->name, (int)i, got, want);
        }
    }
}

static void check_gradients(Rig *rig)
{
    for (int i = 0; i < rig->n_leaves; i++)
        check_leaf(rig, rig->leaves[i]);
}

static void run_case(const LayerKind *kind, const LayerCase *c)
{
    Err err;
    Rig rig;
    rig_begin(&rig, kind, c);
    Node *in[OP_IN_MOST], *y = pass(&rig, TAPE_FORWARD, in, &err);
    if (!y)
        fail_msg("%s: %s", kind->name, err.text);
    check_shape(&rig, y);
    for (int64_t i = 0; i < tensor_count(&y->value); i++)
        assert_true(isfinite((double)tensor_real(&y->value)[i]));
    draw_weights(&rig, count_outputs(y));
    y = pass(&rig, TAPE_TRAIN, in, &err);
    assert_non_null(y);
    Node *loss = weighted_sum(&rig, y, &err);
    assert_non_null(loss);
    bool trains = loss->wants_grad;
    if (trains) {
        assert_ok(tape_backward(&rig.tape, loss, &err));
        check_gradients(&rig);
    }
    assert_true(trains == (count_trainable(&rig) > 0));
    rig_end(&rig);
}

static void test_cases(void **state)
{
    (void)state;
    for (int i = 0; layer_at(i); i++)
        for (int k = 0; k < layer_at(i)->n_cases; k++)
            if (!layer_at(i)->is_input)
                run_case(layer_at(i), &layer_at(i)->cases[k]);
}

/* The second step of the same sizes takes no memory. */
static void test_steady(void **state)
{
    (void)state;
    Err err;
    for (int i = 0; layer_at(i); i++) {
        if (layer_at(i)->is_input)
            continue;
        Rig rig;
        rig_begin(&rig, layer_at(i), &layer_at(i)->cases[0]);
        Node *in[OP_IN_MOST];
        assert_non_null(pass(&rig, TAPE_TRAIN, in, &err));
        uint64_t before = mem_count();
        for (int k = 0; k < 3; k++)
            assert_non_null(pass(&rig, TAPE_TRAIN, in, &err));
        assert_int_equal(mem_count() - before, 0);
        rig_end(&rig);
    }
}

/* ---- running out of memory ---- */

static bool make_and_build(const LayerKind *kind, const LayerCase *c, Err *err)
{
    Shape shapes[OP_IN_MOST];
    for (int i = 0; i < c->n_in; i++) {
        shapes[i] = c->in[i];
        shapes[i].d[0] = -1;
    }
    Layer *layer = net_case(kind, c, err);
    bool done = layer && layer_build(layer, shapes, c->n_in, SEED, err);
    if (layer && !done)
        assert_false(layer->built);
    layer_unref(layer);
    return done;
}

static void test_no_memory(void **state)
{
    (void)state;
    for (int i = 0; layer_at(i); i++) {
        size_t before = mem_bytes();
        bool done = false;
        for (long n = 0; !done && n < 2000; n++) {
            Err err;
            mem_fail_after(n);
            done = make_and_build(layer_at(i), &layer_at(i)->cases[0], &err);
            mem_fail_after(-1);
            assert_true(done || err.code == ERR_MEM);
            assert_int_equal(mem_bytes(), before);
        }
        assert_true(done);
    }
}

/* ---- particular layers ---- */

static Node *run_once(Layer *layer, Tape *tape, Tensor *x, TapeMode mode, uint64_t step)
{
    Err err;
    Shape shape = x->shape;
    shape.d[0] = -1;
    assert_ok(layer_build(layer, &shape, 1, SEED, &err));
    tape_begin(tape, mode, SEED, step);
    Node *in = tape_input(tape, x, &err), *y = layer_forward(layer, tape, &in, 1, &err);
    if (!y)
        fail_msg("%s", err.text);
    return y;
}

static void test_dropout(void **state)
{
    (void)state;
    Tape tape;
    tape_init(&tape);
    Tensor x = net_values(SHAPE(50, 40), 1);
    static real first[2000];
    static const char *const kinds[] = { "rate=0.25", "rate=0.25 seed=5" };
    for (int k = 0; k < 2; k++) {
        Layer *layer = net_layer("Dropout", kinds[k]);
        Node *y = run_once(layer, &tape, &x, TAPE_TRAIN, 1);
        int dropped = 0;
        for (int i = 0; i < 2000; i++) {
            first[i] = tensor_real(&y->value)[i];
            dropped += first[i] == 0;
            if (first[i] != 0)
                assert_near(first[i], (double)tensor_real(&x)[i] / 0.75, 1e-6);
        }
        assert_in_range(dropped, 420, 580);
        assert_memory_equal(tensor_real(&run_once(layer, &tape, &x, TAPE_TRAIN, 1)->value), first, sizeof first);
        assert_memory_not_equal(tensor_real(&run_once(layer, &tape, &x, TAPE_TRAIN, 2)->value), first, sizeof first);
        assert_memory_equal(tensor_real(&run_once(layer, &tape, &x, TAPE_FORWARD, 1)->value), tensor_real(&x), sizeof first);
        layer_unref(layer);
    }
    tensor_unref(&x);
    tape_fini(&tape);
}

/* Steps of the query that are padding see all keys alike; the others see what they would without the mask. */
static void test_query_mask(void **state)
{
    (void)state;
    Err err;
    Tape tape;
    tape_init(&tape);
    Tensor x = net_values(SHAPE(2, 3, 4), 5);
    real bits[6] = { 1, 0, 1, 1, 1, 0 }, plain[24];
    Tensor mask = tensor_borrow(DTYPE_FLOAT32, SHAPE(2, 3), bits);
    Layer *layer = net_layer("MultiHeadAttention", "num_heads=2 key_dim=3");
    memcpy(plain, tensor_real(&run_once(layer, &tape, &x, TAPE_FORWARD, 1)->value), sizeof plain);
    tape_begin(&tape, TAPE_FORWARD, SEED, 1);
    Node *query = tape_input(&tape, &x, &err), *value = tape_input(&tape, &x, &err);
    query->mask = tape_input(&tape, &mask, &err);
    Node *y = layer_forward(layer, &tape, (Node *[]){ query, value }, 2, &err);
    assert_non_null(y);
    assert_ptr_equal(y->mask, query->mask);
    const real *got = tensor_real(&y->value);
    for (int row = 0; row < 6; row++)
        for (int i = 0; i < 4; i++)
            if (bits[row] > 0)
                assert_near(got[row * 4 + i], plain[row * 4 + i], 1e-6);
    for (int i = 0; i < 4; i++) /* the mean over the keys is that of a layer whose queries are all 0 */
        assert_true(fabs((double)got[4 + i] - (double)plain[4 + i]) > 1e-6);
    kern_fill(tensor_real(&layer->params[0].value), 0, tensor_count(&layer->params[0].value));
    kern_fill(tensor_real(&layer->params[1].value), 0, tensor_count(&layer->params[1].value));
    real masked[4];
    memcpy(masked, got + 4, sizeof masked);
    y = run_once(layer, &tape, &x, TAPE_FORWARD, 1);
    for (int i = 0; i < 4; i++)
        assert_near(masked[i], tensor_real(&y->value)[4 + i], 1e-6);
    layer_unref(layer);
    tensor_unref(&x);
    tape_fini(&tape);
}

/* In training, the mean and deviation of y - x, or of y / x; the same for the same step, another for the next; at rest: x. */
static void test_noise(void **state)
{
    (void)state;
    static const struct {
        const char *kind, *args;
        double deviation;
        bool times;
    } rows[] = {
        { "GaussianNoise", "stddev=0.5", 0.5, false }, { "GaussianNoise", "stddev=2 seed=3", 2, false },
        { "GaussianDropout", "rate=0.2", 0.5, true },  { "GaussianDropout", "rate=0.5", 1, true },
    };
    enum { N = 20000 };
    static real first[N];
    Tape tape;
    tape_init(&tape);
    Tensor x = net_values(SHAPE(200, 100), 1);
    for (int i = 0; i < N; i++)
        tensor_set(&x, i, tensor_get(&x, i) + 2);
    for (size_t k = 0; k < COUNT_OF(rows); k++) {
        Layer *layer = net_layer(rows[k].kind, rows[k].args);
        Node *y = run_once(layer, &tape, &x, TAPE_TRAIN, 1);
        double sum = 0, squares = 0, d = rows[k].deviation;
        int beyond = 0;
        memcpy(first, tensor_real(&y->value), sizeof first);
        for (int i = 0; i < N; i++) {
            double z = rows[k].times ? (double)first[i] / tensor_get(&x, i) - 1 : (double)first[i] - tensor_get(&x, i);
            sum += z;
            squares += z * z;
            beyond += fabs(z) > 2 * d;
        }
        assert_near(sum / N, 0, 5 * d / sqrt(N));
        assert_near(sqrt(squares / N) / d, 1, 0.03);
        assert_in_range(beyond, 760, 1060); /* 4.55 % */
        assert_memory_equal(tensor_real(&run_once(layer, &tape, &x, TAPE_TRAIN, 1)->value), first, sizeof first);
        assert_memory_not_equal(tensor_real(&run_once(layer, &tape, &x, TAPE_TRAIN, 2)->value), first, sizeof first);
        assert_memory_equal(tensor_real(&run_once(layer, &tape, &x, TAPE_FORWARD, 1)->value), tensor_real(&x), sizeof first);
        layer_unref(layer);
    }
    tensor_unref(&x);
    tape_fini(&tape);
}

/* A channel of a sample is dropped whole or not at all. */
static void test_spatial_dropout(void **state)
{
    (void)state;
    Tape tape;
    tape_init(&tape);
    Tensor x = net_values(SHAPE(20, 3, 4, 50), 1);
    Layer *layer = net_layer("SpatialDropout2D", "rate=0.25");
    const real *y = tensor_real(&run_once(layer, &tape, &x, TAPE_TRAIN, 1)->value);
    int dropped = 0;
    for (int b = 0; b < 20; b++)
        for (int c = 0; c < 50; c++) {
            bool gone = y[b * 600 + c] == 0;
            dropped += gone;
            for (int p = 0; p < 12; p++)
                assert_near(y[b * 600 + p * 50 + c], gone ? 0 : tensor_get(&x, b * 600 + p * 50 + c) / 0.75, 1e-6);
        }
    assert_in_range(dropped, 180, 320);
    layer_unref(layer);
    tensor_unref(&x);
    tape_fini(&tape);
}

/* In a TRAIN pass: statistics of the batch, kept by commit alone; when frozen: the moving averages, which stay. */
static void test_batch_norm(void **state)
{
    (void)state;
    Err err;
    Tape tape;
    tape_init(&tape);
    Tensor x = net_values(SHAPE(64, 3), 4);
    Layer *layer = net_layer("BatchNormalization", "momentum=0.75");
    Node *y = run_once(layer, &tape, &x, TAPE_TRAIN, 0);
    double sum = 0, squares = 0, mean = 0;
    for (int i = 0; i < 64; i++) {
        sum += tensor_real(&y->value)[3 * i];
        squares += (double)tensor_real(&y->value)[3 * i] * tensor_real(&y->value)[3 * i];
        mean += (double)tensor_real(&x)[3 * i] / 64;
    }
    assert_near(sum / 64, 0, 1e-5);
    assert_near(squares / 64, 1, 0.01);
    int at = layer_find_param(layer, "moving_mean");
    assert_near(tensor_real(&layer->params[at].value)[0], 0, 0);
    tape_commit(&tape);
    assert_near(tensor_real(&layer->params[at].value)[0], 0.25 * mean, 1e-6);
    layer->trainable = false;
    real kept[12];
    memcpy(kept, layer->block, sizeof kept);
    y = run_once(layer, &tape, &x, TAPE_TRAIN, 0);
    tape_commit(&tape);
    assert_memory_equal(kept, layer->block, sizeof kept);
    double scale = 1 / sqrt((double)tensor_real(&layer->params[at + 1].value)[0] + 1e-3);
    assert_near(tensor_real(&y->value)[0], ((double)tensor_real(&x)[0] - 0.25 * mean) * scale, 1e-5);
    assert_int_equal(tape.mode, TAPE_TRAIN);
    layer_unref(layer);
    tensor_unref(&x);
    tape_fini(&tape);
    (void)err;
}

static void test_rescaling_bytes(void **state)
{
    (void)state;
    Err err;
    Tape tape;
    Tensor x;
    tape_init(&tape);
    assert_ok(tensor_new(&x, DTYPE_UINT8, SHAPE(1, 3), &err));
    tensor_byte(&x)[0] = 0;
    tensor_byte(&x)[1] = 16;
    tensor_byte(&x)[2] = 255;
    Layer *layer = net_layer("Rescaling", "scale=0.0625 offset=-1");
    const real *y = tensor_real(&run_once(layer, &tape, &x, TAPE_FORWARD, 0)->value);
    assert_near(y[0], -1, 0);
    assert_near(y[1], 0, 0);
    assert_near(y[2], 14.9375, 0);
    layer_unref(layer);
    tensor_unref(&x);
    tape_fini(&tape);
}

static void refuse(const char *kind, const char *args, Shape in, ErrCode code, const char *part)
{
    Err err;
    Layer *layer = net_try_layer(kind, args, &err);
    if (layer) {
        in.d[0] = -1;
        assert_err(layer_build(layer, &in, 1, 1, &err), code, part);
        assert_false(layer->built);
    } else if (err.code != code || !strstr(err.text, part))
        fail_msg("%s %s: wanted \"%s\", got \"%s\"", kind, args, part, err.text);
    layer_unref(layer);
}

static void test_mistakes(void **state)
{
    (void)state;
    layer_reset_names();
    refuse("Dense", "", SHAPE(1, 3), ERR_ARG, "units is missing");
    refuse("Dense", "units=0", SHAPE(1, 3), ERR_ARG, "units must be a whole number");
    refuse("Dense", "units=2 activation=rellu", SHAPE(1, 3), ERR_ARG, "did you mean \"relu\"?");
    refuse("Dense", "units=2 kernel_initializer=glorot", SHAPE(1, 3), ERR_NAME, "Dense: kernel_initializer: there is no initializer \"glorot\"");
    refuse("Dense", "units=2", SHAPE(1), ERR_SHAPE, "dense wants a list of numbers");
    refuse("Dense", "units=1073741824", SHAPE(1, 1073741824), ERR_SHAPE, "kernel");
    refuse("Reshape", "target_shape=4,2", SHAPE(1, 7), ERR_SHAPE, "reshape cannot make (4, 2) of (7)");
    refuse("Reshape", "target_shape=-1,-1", SHAPE(1, 7), ERR_SHAPE, "at most one");
    refuse("Dropout", "rate=1", SHAPE(1, 7), ERR_ARG, "rate must be");
    refuse("Dropout", "rate=-0.1", SHAPE(1, 7), ERR_ARG, "rate must be");
    refuse("GlobalAveragePooling2D", "", SHAPE(1, 49), ERR_SHAPE,
           "global_average_pooling2d wants images of shape (height, width, channels), got (49); add nn.Reshape({7, 7, 1}) before it");
    refuse("GlobalAveragePooling2D", "", SHAPE(1, 28, 20), ERR_SHAPE, "add nn.Reshape({28, 20, 1}) before it");
    refuse("Conv2D", "filters=4 kernel_size=3", SHAPE(1, 784), ERR_SHAPE,
           "conv2d wants images of shape (height, width, channels), got (784); add nn.Reshape({28, 28, 1}) before it");
    refuse("Conv2D", "filters=4 kernel_size=5", SHAPE(1, 4, 9, 1), ERR_SHAPE, "has a window of height 5, but its images have only 4");
    refuse("Conv2D", "filters=4 kernel_size=3 groups=2", SHAPE(1, 9, 9, 3), ERR_SHAPE, "groups = 2, which must divide its 3 input channels");
    refuse("Conv2D", "filters=4 kernel_size=3,3,3", SHAPE(1, 9, 9, 3), ERR_ARG, "kernel_size must be");
    refuse("Conv2D", "filters=4 kernel_size=3 padding=full", SHAPE(1, 9, 9, 3), ERR_ARG, "padding must be one of \"valid\", \"same\"");
    refuse("MaxPooling2D", "pool_size=3", SHAPE(1, 2, 2, 3), ERR_SHAPE, "max_pooling2d has a window of height 3, but its images have only 2");
    refuse("AveragePooling2D", "", SHAPE(1, 2), ERR_SHAPE, "average_pooling2d wants images");
    refuse("BatchNormalization", "axis=1", SHAPE(1, 2, 2, 3), ERR_SHAPE, "axis = -1");
    refuse("Add", "", SHAPE(1, 7), ERR_ARG, "add wants at least 2 inputs, got 1");
    refuse("Embedding", "input_dim=0 output_dim=2", SHAPE(1, 7), ERR_ARG, "input_dim must be a whole number");
    refuse("Embedding", "input_dim=4 output_dim=2 mask_zero=true", SHAPE(1, 7, 2), ERR_SHAPE, "wants sequences of shape (time), got (7, 2)");
    refuse("Permute", "dims=1,1", SHAPE(1, 7, 2), ERR_SHAPE, "each of the axes 1 to 2 once");
    refuse("Permute", "dims=1,2,3", SHAPE(1, 7, 2), ERR_SHAPE, "each of the axes 1 to 2 once");
    refuse("RepeatVector", "n=2", SHAPE(1, 7, 2), ERR_SHAPE, "add nn.Flatten() before it");
    refuse("RepeatVector", "n=0", SHAPE(1, 7), ERR_ARG, "n must be a whole number");
    refuse("LayerNormalization", "axis=1", SHAPE(1, 7, 2), ERR_SHAPE, "normalises the last axes");
    refuse("LayerNormalization", "axis=3", SHAPE(1, 7, 2), ERR_ARG, "axis 3");
    refuse("LayerNormalization", "epsilon=-1", SHAPE(1, 7), ERR_ARG, "epsilon must be");
    refuse("GroupNormalization", "groups=2", SHAPE(1, 7), ERR_SHAPE, "groups = 2, which must divide its 7 channels");
    refuse("GroupNormalization", "groups=0", SHAPE(1, 7), ERR_SHAPE, "groups = 0");
    refuse("GaussianNoise", "stddev=-1", SHAPE(1, 7), ERR_ARG, "stddev must be");
    refuse("GaussianDropout", "rate=1", SHAPE(1, 7), ERR_ARG, "rate must be");
    refuse("SpatialDropout1D", "rate=0.5", SHAPE(1, 7), ERR_SHAPE, "spatial_dropout1d wants sequences");
    refuse("SpatialDropout2D", "rate=0.5", SHAPE(1, 49), ERR_SHAPE, "add nn.Reshape({7, 7, 1}) before it");
    refuse("PReLU", "shared_axes=3", SHAPE(1, 7, 2), ERR_SHAPE, "shares axis 3, but its samples have 2 axes");
    refuse("ReLU", "max_value=-1", SHAPE(1, 7), ERR_ARG, "max_value must be");
    refuse("Softmax", "axis=2", SHAPE(1, 7), ERR_ARG, "axis 2");
    refuse("Conv1D", "filters=4 kernel_size=9", SHAPE(1, 7, 2), ERR_SHAPE, "has a window of 9 steps, but its sequences have only 7");
    refuse("Conv1D", "filters=4 kernel_size=2", SHAPE(1, 7), ERR_SHAPE, "add nn.Reshape({7, 1}) before it");
    refuse("Conv1D", "filters=4 kernel_size=2 groups=3", SHAPE(1, 7, 4), ERR_SHAPE, "must divide its 4 input channels");
    refuse("Conv2DTranspose", "filters=4 kernel_size=3 strides=2 output_padding=2", SHAPE(1, 7, 7, 1), ERR_SHAPE, "less than its strides");
    refuse("DepthwiseConv2D", "kernel_size=5", SHAPE(1, 4, 9, 1), ERR_SHAPE, "has a window of height 5, but its images have only 4");
    refuse("SeparableConv2D", "filters=2 kernel_size=3", SHAPE(1, 49), ERR_SHAPE, "add nn.Reshape({7, 7, 1}) before it");
    refuse("ZeroPadding2D", "padding=1,2,3", SHAPE(1, 4, 4, 1), ERR_ARG, "{top, bottom, left, right}, got 3 numbers");
    refuse("Cropping2D", "cropping=2,1", SHAPE(1, 4, 4, 1), ERR_SHAPE, "cuts off 4 of 4 lines: nothing would be left");
    refuse("Cropping1D", "cropping=2,1", SHAPE(1, 3, 4), ERR_SHAPE, "cuts off 3 of 3 steps");
    refuse("UpSampling2D", "interpolation=bicubic", SHAPE(1, 4, 4, 1), ERR_ARG, "interpolation must be one of");
    refuse("MaxPooling1D", "pool_size=9", SHAPE(1, 3, 4), ERR_SHAPE, "has a window of 9 steps");
    refuse("Dense", "units=2 bias_initializer=identity", SHAPE(1, 7), ERR_SHAPE, "initializer identity fills weights of 2 axes, got shape (2)");
}

static void test_inputs_that_differ(void **state)
{
    (void)state;
    Err err;
    layer_reset_names();
    Layer *add = net_layer("Add", ""), *join = net_layer("Concatenate", "axis=1"), *batch = net_layer("Concatenate", "axis=0");
    assert_err(layer_build(add, (Shape[]){ SHAPE(-1, 4), SHAPE(-1, 3) }, 2, 1, &err), ERR_SHAPE,
               "add wants inputs of the same shape, got (4) and (3)");
    assert_err(layer_build(join, (Shape[]){ SHAPE(-1, 4, 2), SHAPE(-1, 4, 3) }, 2, 1, &err), ERR_SHAPE,
               "concatenate wants inputs that differ in axis 1 only, got (4, 2) and (4, 3)");
    assert_err(layer_build(batch, (Shape[]){ SHAPE(-1, 4), SHAPE(-1, 4) }, 2, 1, &err), ERR_SHAPE, "axis 0, which is the batch");
    Layer *dot = net_layer("Dot", "axes=1"), *over = net_layer("Dot", "axes=0"), *less = net_layer("Subtract", "");
    assert_err(layer_build(dot, (Shape[]){ SHAPE(-1, 4), SHAPE(-1, 3) }, 2, 1, &err), ERR_SHAPE, "dot sums along axis 1 of (4) and axis 1 of (3)");
    assert_err(layer_build(over, (Shape[]){ SHAPE(-1, 4), SHAPE(-1, 4) }, 2, 1, &err), ERR_SHAPE, "axis 0, which is the batch");
    assert_err(layer_build(less, (Shape[]){ SHAPE(-1, 4), SHAPE(-1, 4), SHAPE(-1, 4) }, 3, 1, &err), ERR_ARG, "subtract wants 2 inputs, got 3");
    layer_unref(dot);
    layer_unref(over);
    layer_unref(less);
    layer_unref(add);
    layer_unref(join);
    layer_unref(batch);
}

static void test_built_for(void **state)
{
    (void)state;
    Err err;
    layer_reset_names();
    layer_unref(net_layer("Dense", "units=1"));
    Layer *layer = net_layer("Dense", "units=2");
    Shape rows = SHAPE(-1, 784), images = SHAPE(-1, 28, 28, 1), other = SHAPE(-1, 100), more = SHAPE(-1, 7, 784);
    assert_ok(layer_build(layer, &rows, 1, 1, &err));
    assert_ok(layer_build(layer, &rows, 1, 1, &err));
    assert_ok(layer_build(layer, &more, 1, 1, &err)); /* the same last axis: the same weights */
    assert_err(layer_build(layer, &images, 1, 1, &err), ERR_SHAPE,
               "dense_1 wants inputs of shape (784), got (28, 28, 1); add nn.Flatten() before it");
    assert_err(layer_build(layer, &other, 1, 1, &err), ERR_SHAPE, "dense_1 wants inputs of shape (784), got (100); its weights");
    layer_unref(layer);
}

static void test_names(void **state)
{
    (void)state;
    Err err;
    layer_reset_names();
    Layer *a = net_layer("Dense", "units=1"), *b = net_layer("Dense", "units=1"), *c = net_layer("Dropout", "rate=0.1"),
          *d = net_layer("Dense", "units=1 name=head");
    assert_string_equal(a->name, "dense");
    assert_string_equal(b->name, "dense_1");
    assert_string_equal(c->name, "dropout");
    assert_string_equal(d->name, "head");
    assert_true(d->named && !a->named);
    assert_null(layer_new(a->kind, &a->args, "a/b", &err));
    assert_non_null(strstr(err.text, "cannot hold '/'"));
    assert_null(layer_new(a->kind, &a->args, "", &err));
    assert_null(layer_new(a->kind, &a->args, "a name of sixty bytes or so, which is far too long for this", &err));
    assert_non_null(strstr(err.text, "at most 47 bytes"));
    layer_unref(a);
    layer_unref(b);
    layer_unref(c);
    layer_unref(d);
    layer_unref(NULL);
}

/* Weights come from the seed and the name alone. */
static void test_weights(void **state)
{
    (void)state;
    Err err;
    Shape in = SHAPE(-1, 5);
    Layer *a = net_layer("Dense", "units=3 name=one"), *b = net_layer("Dense", "units=3 name=one"), *c = net_layer("Dense", "units=3 name=two");
    assert_ok(layer_build(a, &in, 1, 9, &err));
    assert_ok(layer_build(c, &in, 1, 9, &err));
    assert_ok(layer_build(b, &in, 1, 9, &err));
    assert_int_equal(a->n_elements, 18);
    assert_int_equal(a->n_trainable, 18);
    assert_memory_equal(a->block, b->block, 18 * sizeof(real));
    assert_memory_not_equal(a->block, c->block, 15 * sizeof(real));
    assert_int_equal(layer_find_param(a, "bias"), 1);
    assert_int_equal(layer_find_param(a, "gamma"), -1);
    layer_unref(a);
    layer_unref(b);
    layer_unref(c);
}

static void test_activations(void **state)
{
    (void)state;
    Err err;
    Tape tape;
    tape_init(&tape);
    tape_begin(&tape, TAPE_FORWARD, 0, 0);
    Tensor x = net_values(SHAPE(2, 4), 1);
    Node *node = tape_input(&tape, &x, &err);
    for (int i = 0; activation_names()[i]; i++)
        assert_non_null(activation_apply(activation_names()[i], &tape, node, &err));
    assert_ptr_equal(activation_apply("linear", &tape, node, &err), node);
    assert_ptr_equal(activation_apply("nil", &tape, node, &err), node);
    assert_err(activation_apply("sigmod", &tape, node, &err) != NULL, ERR_NAME, "did you mean \"sigmoid\"?");
    tensor_unref(&x);
    tape_fini(&tape);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records),   cmocka_unit_test(test_cases),           cmocka_unit_test(test_steady),
        cmocka_unit_test(test_no_memory), cmocka_unit_test(test_dropout), cmocka_unit_test(test_noise), cmocka_unit_test(test_spatial_dropout), cmocka_unit_test(test_query_mask),         cmocka_unit_test(test_rescaling_bytes), cmocka_unit_test(test_batch_norm),
        cmocka_unit_test(test_mistakes),  cmocka_unit_test(test_inputs_that_differ), cmocka_unit_test(test_built_for),
        cmocka_unit_test(test_names),     cmocka_unit_test(test_weights),         cmocka_unit_test(test_activations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
