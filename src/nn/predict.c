// SPDX-License-Identifier: MIT
/* Rows go through in passes on one tape whose memory is used again, also by the next predict. A pass is a batch, or so many rows of
 * it that what they make stays in the cache, where a row's result cannot depend on the rows beside it. Rows of the type that the
 * model wants are read where they are. */
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "nn/graph.h"

#define PASS_BYTES (4 << 20)   /* of values that a pass makes: what the caches of two cores hold */
#define SPARE_BYTES (64 << 20) /* of a tape that is kept */

typedef struct Prediction {
    Model *model;
    const Tensor *const *x;
    int n_in;
    Tensor *out; /* [n_outputs]; data NULL until the first batch */
    int64_t rows;
} Prediction;

static bool check_rows(const Prediction *p, Err *err)
{
    for (int i = 0; i < p->n_in; i++) {
        const Shape *shape = &p->x[i]->shape;
        if (shape->rank < 1)
            return err_set(err, ERR_SHAPE, "predict wants an array of samples, got a single number");
        if (shape->d[0] != p->x[0]->shape.d[0])
            return err_set(err, ERR_SHAPE, "the inputs have different numbers of samples: %" PRId64 " and %" PRId64, p->x[0]->shape.d[0],
                           shape->d[0]);
    }
    return p->rows > 0 || err_set(err, ERR_DATA, "there is nothing to predict: the input has no rows");
}

static bool check(Prediction *p, int batch_size, Err *err)
{
    Shape shapes[MODEL_INPUTS];
    if (batch_size < 1)
        return err_set(err, ERR_ARG, "batch_size must be at least 1, got %d", batch_size);
    if (p->n_in < 1 || p->n_in > MODEL_INPUTS)
        return err_set(err, ERR_ARG, "predict takes 1 to %d inputs, got %d", MODEL_INPUTS, p->n_in);
    p->rows = p->x[0]->shape.rank > 0 ? p->x[0]->shape.d[0] : 0;
    if (!check_rows(p, err))
        return false;
    for (int i = 0; i < p->n_in; i++) {
        shapes[i] = p->x[i]->shape;
        shapes[i].d[0] = -1;
    }
    if (!model_build(p->model, shapes, p->n_in, err))
        return false;
    if (p->n_in != p->model->n_inputs)
        return err_set(err, ERR_ARG, "%s has %d inputs, got %d", p->model->name, p->model->n_inputs, p->n_in);
    for (int i = 0; i < p->n_in; i++)
        if (!forward_check(p->model, i, &p->x[i]->shape, err))
            return false;
    return true;
}

/* The result's whole storage, once the first batch has shown its shape. */
static bool keep(Prediction *p, int i, int64_t first, const Node *value, Err *err)
{
    Shape shape = value->value.shape;
    if (!p->out[i].data) {
        shape.d[0] = p->rows;
        if (!tensor_new(&p->out[i], value->value.dtype, shape, err))
            return false;
    }
    size_t row = tensor_size(&p->out[i]) / (size_t)p->rows;
    memcpy((char *)p->out[i].data + (size_t)first * row, value->value.data, (size_t)value->value.shape.d[0] * row);
    return true;
}

static bool run_batch(Prediction *p, Tape *tape, int64_t first, int64_t n, Err *err)
{
    Node *in[MODEL_INPUTS], *out[MODEL_INPUTS];
    tape_begin(tape, TAPE_FORWARD, p->model->seed, 0);
    for (int i = 0; i < p->n_in; i++) {
        Tensor part = *p->x[i];
        part.shape.d[0] = n;
        part.data = (char *)part.data + (size_t)first * (tensor_size(p->x[i]) / (size_t)p->rows);
        if (!(in[i] = tape_input(tape, &part, err)))
            return false;
    }
    if (!model_forward(p->model, tape, in, out, NULL, NULL, err))
        return false;
    if (!atomic_load(&p->model->owner))
        tape_commit(tape); /* stateful layers go on; while a run trains them, their states are the run's */
    for (int i = 0; i < p->model->n_outputs; i++)
        if (!keep(p, i, first, out[i], err))
            return false;
    return true;
}

/* Softmax and its like work along axis 0 when they are told to. */
static bool goes_along_batch(const Layer *layer)
{
    int row = args_find(&layer->args, "axis"), rank = layer->built_for.rank;
    return row >= 0 && rank > 0 && layer->args.specs[row].type == ARG_INT && layer->args.v[row].u.i % rank == 0;
}

/* Each row for itself: nothing goes along the batch, as a function of the user's may, and nothing is kept from batch to batch. */
static bool is_rowwise(void *ctx, Layer *layer, const char *path)
{
    (void)ctx, (void)path;
    for (int i = 0; i < layer->n_params; i++)
        if (layer->params[i].state)
            return false;
    return !layer->kind->traced && !layer->batch && !goes_along_batch(layer);
}

/* Rows of one pass: the batch, cut into equal parts of at most PASS_BYTES. */
static int64_t pass_rows(const Prediction *p, int64_t batch)
{
    size_t bytes = 1;
    for (int i = 0; i < p->model->n_nodes; i++)
        bytes += p->model->nodes[i].bytes;
    int64_t most = PASS_BYTES / (int64_t)bytes, rows = p->rows < batch ? p->rows : batch;
    if (rows <= most || !model_each_layer(p->model, is_rowwise, NULL))
        return batch;
    int64_t parts = most > 0 ? (rows + most - 1) / most : rows;
    return (rows + parts - 1) / parts;
}

static bool run(Prediction *p, Tape *tape, int64_t rows, const _Atomic bool *stop, const BatchHook *hook, Err *err)
{
    for (int64_t first = 0; first < p->rows; first += rows) {
        if (stop && atomic_load(stop))
            return err_set(err, ERR_INTERRUPT, "interrupted after %" PRId64 " of %" PRId64 " rows", first, p->rows);
        int64_t n = p->rows - first < rows ? p->rows - first : rows;
        int64_t batch = first / rows + 1;
        if ((hook && !hook->begin(hook->ctx, batch, err)) || !run_batch(p, tape, first, n, err) || (hook && !hook->end(hook->ctx, batch, first, n, err)))
            return false;
    }
    return true;
}

static Tape *take_tape(Model *model, Err *err)
{
    Tape *tape = model->spare;
    model->spare = NULL;
    if (!tape && (tape = mem_zero(1, sizeof *tape, err)))
        tape_init(tape);
    return tape;
}

static void keep_tape(Model *model, Tape *tape)
{
    bool keeps = tape->arena.total <= SPARE_BYTES && !model->spare;
    if (keeps) {
        model->spare = tape;
        return;
    }
    tape_fini(tape);
    mem_free(tape);
}

bool model_predict_watched(Model *model, const Tensor *const *x, int n_in, int batch_size, Tensor *out, const _Atomic bool *stop,
                           const BatchHook *hook, Err *err)
{
    Prediction p = { .model = model, .x = x, .n_in = n_in, .out = out };
    memset(out, 0, sizeof *out);
    if (!check(&p, batch_size, err))
        return false;
    memset(out, 0, (size_t)model->n_outputs * sizeof *out);
    Tape *tape = take_tape(model, err);
    bool done = tape && run(&p, tape, hook ? batch_size : pass_rows(&p, batch_size), stop, hook, err);
    if (tape)
        keep_tape(model, tape);
    for (int i = 0; !done && i < model->n_outputs; i++)
        tensor_unref(&out[i]);
    return done;
}

bool model_predict_many(Model *model, const Tensor *const *x, int n_in, int batch_size, Tensor *out, const _Atomic bool *stop, Err *err)
{
    return model_predict_watched(model, x, n_in, batch_size, out, stop, NULL, err);
}

bool model_predict(Model *model, const Tensor *x, int batch_size, Tensor *out, const _Atomic bool *stop, Err *err)
{
    if (model->n_outputs > 1) {
        memset(out, 0, sizeof *out);
        return err_set(err, ERR_ARG, "%s has %d outputs: ask for all of them", model->name, model->n_outputs);
    }
    return model_predict_many(model, &x, 1, batch_size, out, stop, err);
}
