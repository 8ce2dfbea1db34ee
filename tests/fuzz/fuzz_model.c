// SPDX-License-Identifier: MIT
/* A model that is accepted works: it is summarised, predicts, and is written so that it comes back the same. Bytes that begin with
 * '{' are the architecture as JSON; others are a whole model file, its weights with it. Layers composed of others, layers
 * written in Lua and their programs come this way, too. */
#include <string.h>
#include <unistd.h>

#include "fuzz.h"
#include "nn/model.h"
#include "tensor/kern.h"

#define MEMORY_MOST ((size_t)48 << 20) /* of a model: larger ones are refused as on a small machine */
#define SAMPLE_MOST 4096               /* numbers in a sample that is predicted on */
#define WORK_MOST 2e7                  /* multiply-adds of a sample */

static void must_explain(const Err *err) /* names of layers and ops, shapes, states, memory */
{
    MUST(err->text[0] && err->code != ERR_OK && err->code != ERR_BUG);
}

static double work_of(const Model *model)
{
    double work = 0;
    for (int i = 0; i < model->n_nodes; i++)
        work += model->nodes[i].flops + (double)model->nodes[i].bytes;
    return work;
}

static void predict(Model *model)
{
    enum { ROWS = 2 };
    Err err = ERR_INIT;
    Tensor in[MODEL_INPUTS] = { 0 }, out[MODEL_OUTPUTS] = { 0 };
    const Tensor *list[MODEL_INPUTS];
    bool fits = work_of(model) < WORK_MOST;
    for (int i = 0; i < model->n_inputs && fits; i++) {
        const GraphNode *node = &model->nodes[model->inputs[i]];
        Shape shape = node->shape;
        int64_t numbers = 1;
        for (int k = 0; k < shape.rank; k++) {
            shape.d[k] = k == 0 ? ROWS : shape.d[k] < 0 ? 3 : shape.d[k];
            numbers *= k && numbers < SAMPLE_MOST ? shape.d[k] : 1;
        }
        fits = shape.rank > 0 && numbers < SAMPLE_MOST && tensor_zero(&in[i], node->dtype, shape, &err);
        list[i] = &in[i];
    }
    if (fits && model->n_inputs) {
        if (model_predict_many(model, list, model->n_inputs, ROWS, out, NULL, &err))
            for (int i = 0; i < model->n_outputs; i++)
                MUST(out[i].data && out[i].shape.rank > 0);
        else
            must_explain(&err);
    }
    for (int i = 0; i < model->n_inputs; i++)
        tensor_unref(&in[i]);
    for (int i = 0; i < MODEL_OUTPUTS; i++)
        tensor_unref(&out[i]);
}

static void write_back(Model *model)
{
    Err err = ERR_INIT;
    Buf first = BUF_INIT, second = BUF_INIT, text = BUF_INIT;
    if (!model_to_json(model, &first, &err)) {
        MUST(err.code == ERR_STATE || err.code == ERR_MEM); /* what was never built has no architecture */
    } else {
        Model *again = model_from_json(buf_text(&first), &err);
        if (again) {
            MUST(model_to_json(again, &second, &err));
            MUST(!strcmp(buf_text(&first), buf_text(&second)));
        } else {
            MUST(err.code == ERR_MEM);
        }
        model_unref(again);
    }
    if (!model_summary(model, &text, 80, false, &err))
        must_explain(&err);
    buf_fini(&text);
    buf_fini(&first);
    buf_fini(&second);
}

static Model *load_file(const uint8_t *bytes, size_t n, Err *err)
{
    char path[] = "/tmp/hebb-fuzz-XXXXXX";
    int file = mkstemp(path);
    MUST(file >= 0 && write(file, bytes, n) == (ssize_t)n);
    close(file);
    Model *model = model_load(path, err);
    unlink(path);
    return model;
}

static Model *load_text(const uint8_t *bytes, size_t n, Err *err)
{
    char *text = malloc(n + 1);
    MUST(text);
    memcpy(text, bytes, n);
    text[n] = '\0';
    Model *model = model_from_json(text, err);
    free(text);
    return model;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    Err err = ERR_INIT;
    size_t held = mem_bytes();
    mem_limit(held + MEMORY_MOST);
    Model *model = n && bytes[0] == '{' ? load_text(bytes, n, &err) : load_file(bytes, n, &err);
    if (model) {
        write_back(model);
        predict(model);
    } else {
        must_explain(&err);
    }
    model_unref(model);
    mem_limit(0);
    MUST(mem_bytes() <= held + 4096); /* names that were given out are remembered */
    return 0;
}
