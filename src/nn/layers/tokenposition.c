// SPDX-License-Identifier: MIT
#include "nn/compose.h"
#include "nn/init.h"

static const ArgSpec args[] = {
    { .name = "vocabulary_size", .type = ARG_INT, .least = 1, .most = 1 << 24, .help = "how many tokens there are" },
    { .name = "sequence_length", .type = ARG_INT, .least = 1, .most = 1 << 30, .help = "the longest sequence" },
    { .name = "embedding_dim", .type = ARG_INT, .least = 1, .most = 1 << 24, .help = "numbers of a vector" },
    { .name = "embeddings_initializer", .type = ARG_TEXT, .fallback = "uniform", .choices = initializer_names, .help = "initial vectors" },
    { .name = "mask_zero", .type = ARG_BOOL, .fallback = "false", .help = "token 0 is padding" },
};
static const LayerCase cases[] = {
    { .args = "vocabulary_size=7 sequence_length=5 embedding_dim=3", .in = { { 2, { 2, 4 } } }, .n_in = 1, .classes = 7 },
};

static bool build(Layer *layer, const Shape *in, int n_in, Err *err)
{
    const Args *a = &layer->args;
    char got[SHAPE_TEXT];
    Compose c;
    if (in[0].rank != 2)
        return layer_refuse(layer, err, "wants rows of token ids, got %s", layer_shape_text(&in[0], got));
    compose_begin(&c, layer, in, n_in, err);
    Symbol *tokens = compose_new(&c, "Embedding", "token_embedding", c.in, 1, "input_dim=%lld output_dim=%lld embeddings_initializer=%s mask_zero=%s",
                                 (long long)args_int(a, "vocabulary_size"), (long long)args_int(a, "embedding_dim"),
                                 args_text(a, "embeddings_initializer"), args_bool(a, "mask_zero") ? "true" : "false");
    Symbol *positions = compose_new(&c, "PositionEmbedding", "position_embedding", &tokens, 1, "sequence_length=%lld initializer=%s",
                                    (long long)args_int(a, "sequence_length"), args_text(a, "embeddings_initializer"));
    Symbol *sum = compose_new(&c, "Add", "add", (Symbol *[]){ tokens, positions }, 2, "%s", "");
    return compose_end(&c, &sum, 1);
}

const LayerKind layer_tokenposition = {
    .name = "TokenAndPositionEmbedding",
    .prefix = "token_and_position_embedding",
    .doc = "A learnt vector for each token plus one for its place in the sequence.\n"
           "Shapes: ids [B, T] -> [B, T, embedding_dim].  Source: KerasHub's layer of this name.",
    .example = "local m = nn.Sequential(); m:add(nn.TokenAndPositionEmbedding(10, 4, 3, {input_shape = {4}})); assert(m:count_params() == 42)",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .in_least = 1,
    .in_most = 1,
    .cases = cases,
    .n_cases = sizeof cases / sizeof *cases,
    .composite = true,
    .build = build,
    .forward = compose_forward,
};
