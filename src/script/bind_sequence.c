// SPDX-License-Identifier: MIT
/* data.pad_sequences, data.windows, data.mask_tokens; nn.sample, nn.top_k. */
#include <string.h>

#include "data/sequence.h"
#include "nn/sample.h"
#include "script/bind_text.h"

/* ---- padding ---- */

static const char *const sides[] = { "pre", "post", NULL };
static const ArgSpec pad_args[] = {
    { .name = "maxlen", .type = ARG_INT, .fallback = "nil", .least = 1, .most = 1e9, .help = "length of every row; nil: that of the longest" },
    { .name = "dtype", .type = ARG_CHOICE, .fallback = "int32", .choices = (const char *const[]){ "int32", "float32", NULL },
      .help = "type of the numbers" },
    { .name = "padding", .type = ARG_CHOICE, .fallback = "pre", .choices = sides, .help = "where short rows are filled" },
    { .name = "truncating", .type = ARG_CHOICE, .fallback = "pre", .choices = sides, .help = "where long rows are cut" },
    { .name = "value", .type = ARG_FLOAT, .fallback = "0", .help = "what fills" },
};

/* Element i of the list at 1 as a tensor of one axis, pushed. */
static const Tensor *push_sequence(lua_State *L, lua_Integer i, DType dtype)
{
    char text[SHAPE_TEXT];
    lua_rawgeti(L, 1, i);
    if (lua_istable(L, -1) && lua_rawlen(L, -1) == 0) {
        lua_pop(L, 1);
        return NULL;
    }
    const Tensor *sequence = &tensor_want(L, lua_gettop(L), dtype, "pad_sequences")->value;
    if (sequence->shape.rank != 1)
        bind_error(L, ERR_SHAPE, "pad_sequences wants a list of sequences of numbers, number %lld has shape %s", (long long)i,
                   shape_text(&sequence->shape, text));
    return sequence;
}

static int pad_sequences(lua_State *L)
{
    Args args;
    Err err = ERR_INIT;
    char what[64];
    bind_take(L, 1, "pad_sequences", bind_verb(L), &args);
    lua_Integer n = lua_istable(L, 1) ? (lua_Integer)lua_rawlen(L, 1) : 0;
    if (n < 1)
        return bind_error(L, ERR_ARG, "pad_sequences wants a list of sequences, got %s", lua_istable(L, 1) ? "an empty table" : bind_what(L, 1, what));
    DType dtype = strcmp(args_choice(&args, "dtype"), "int32") ? DTYPE_FLOAT32 : DTYPE_INT32;
    int64_t length = args_given(&args, "maxlen") ? args_int(&args, "maxlen") : 0;
    for (lua_Integer i = 1; i <= n && !args_given(&args, "maxlen"); i++, lua_settop(L, 1)) {
        const Tensor *sequence = push_sequence(L, i, dtype);
        length = sequence && tensor_count(sequence) > length ? tensor_count(sequence) : length;
    }
    TensorBox *out = tensor_box(L);
    if (!tensor_new(&out->hold, dtype, SHAPE(n, length), &err))
        return bind_raise(L, &err);
    for (int64_t i = 0; i < n * length; i++)
        if (!tensor_store(&out->hold, i, args_float(&args, "value"), "pad_sequences: value", &err))
            return bind_raise(L, &err);
    for (lua_Integer i = 1; i <= n; i++, lua_settop(L, 2)) {
        const Tensor *sequence = push_sequence(L, i, dtype);
        if (sequence)
            sequence_place(&out->hold, i - 1, sequence, !strcmp(args_choice(&args, "padding"), "pre"), !strcmp(args_choice(&args, "truncating"), "pre"));
    }
    tensor_done(L, out, false);
    return 1;
}

/* ---- windows ---- */

static const ArgSpec window_args[] = {
    { .name = "length", .type = ARG_INT, .least = 1, .most = 1e9, .help = "rows of the series that a window holds" },
    { .name = "horizon", .type = ARG_INT, .fallback = "1", .least = 1, .most = 1e9, .help = "rows to be foretold" },
    { .name = "stride", .type = ARG_INT, .fallback = "1", .least = 1, .most = 1e9, .help = "rows from one window to the next" },
    { .name = "gap", .type = ARG_INT, .fallback = "0", .least = -1e9, .most = 1e9,
      .help = "rows between a window's end and its target; negative: the target begins within the window" },
};

/* Column `target` (from 1) of y [n, horizon, F] alone: [n, horizon]. */
static bool pick_column(Tensor *out, const Tensor *y, int64_t column, Err *err)
{
    if (!tensor_new(out, y->dtype, SHAPE(y->shape.d[0], y->shape.d[1]), err))
        return false;
    for (int64_t i = 0; i < tensor_count(out); i++)
        tensor_set(out, i, tensor_get(y, i * y->shape.d[2] + column));
    return true;
}

static void check_target(lua_State *L, const Tensor *series)
{
    char what[64];
    int64_t F = series->shape.rank == 2 ? series->shape.d[1] : 0;
    if (lua_isnil(L, 2))
        return;
    if (!lua_isinteger(L, 2) || lua_tointeger(L, 2) < 1 || lua_tointeger(L, 2) > F)
        bind_error(L, ERR_ARG, "windows: target is the number of a column, 1 to %lld of this series, got %s", (long long)F, bind_what(L, 2, what));
}

static int windows(lua_State *L)
{
    Args args;
    Err err = ERR_INIT;
    char text[SHAPE_TEXT];
    bind_take(L, 1, "windows", bind_verb(L), &args);
    const Tensor *series = &tensor_want(L, 1, DTYPE_FLOAT32, "windows")->value;
    WindowPlan plan = { args_int(&args, "length"), args_int(&args, "horizon"), args_int(&args, "stride"), args_int(&args, "gap") };
    if (series->shape.rank < 1 || series->shape.rank > 2)
        return bind_error(L, ERR_SHAPE, "windows wants a series of shape (time) or (time, columns), got %s", shape_text(&series->shape, text));
    check_target(L, series);
    if (plan.length + plan.gap < 0)
        return bind_error(L, ERR_ARG, "windows: gap %lld lies before the window of %lld rows", (long long)plan.gap, (long long)plan.length);
    int64_t n = window_count(&plan, series->shape.d[0]);
    if (n < 1)
        return bind_error(L, ERR_DATA, "windows: %lld rows and a target of %lld do not fit into a series of %lld rows", (long long)plan.length,
                          (long long)plan.horizon, (long long)series->shape.d[0]);
    TensorBox *x = tensor_box(L), *all = tensor_box(L), *y = tensor_box(L);
    if (!window_take(&x->hold, series, n, 0, plan.length, plan.stride, &err) ||
        !window_take(&all->hold, series, n, plan.length + plan.gap, plan.horizon, plan.stride, &err))
        return bind_raise(L, &err);
    bool picked = !lua_isnil(L, 2);
    if (picked && !pick_column(&y->hold, &all->hold, lua_tointeger(L, 2) - 1, &err))
        return bind_raise(L, &err);
    tensor_done(L, x, false);
    tensor_done(L, picked ? y : all, false);
    if (picked)
        lua_remove(L, -2);
    else
        lua_pop(L, 1);
    return 2;
}

/* ---- hidden words ---- */

static const ArgSpec hide_args[] = {
    { .name = "rate", .type = ARG_FLOAT, .fallback = "0.15", .least = 0, .most = 1, .help = "share of the tokens that are chosen" },
    { .name = "seed", .type = ARG_INT, .fallback = "nil", .least = 0, .most = 1e15, .help = "of the choice; nil: the session's" },
    { .name = "step", .type = ARG_INT, .fallback = "0", .least = 0, .most = 1e15, .help = "another choice for every step" },
};

static int mask_tokens(lua_State *L)
{
    Args args;
    Err err = ERR_INIT;
    bind_take(L, 1, "mask_tokens", bind_verb(L), &args);
    const Tensor *ids = &tensor_want(L, 1, DTYPE_INT32, "mask_tokens")->value;
    const Tokenizer *t = text_tokenizer(L, 2, "mask_tokens");
    HidePlan plan = { .rate = args_float(&args, "rate"), .mask_id = t->special[TOKEN_MASK], .vocab_size = t->vocab.n, .special = t->special,
                      .n_special = TOKEN_SPECIALS, .step = (uint64_t)args_int(&args, "step") };
    plan.seed = args_given(&args, "seed") ? (uint64_t)args_int(&args, "seed") : script_of(L)->options.seed;
    if (plan.mask_id < 0)
        return bind_error(L, ERR_ARG, "mask_tokens: this tokeniser has no mask token; make it with mask = \"[MASK]\"");
    while (plan.first_id + 1 < plan.vocab_size && tokenizer_special(t, plan.first_id) >= 0)
        plan.first_id++; /* special tokens stand first: none of them is drawn */
    TensorBox *x = tensor_box(L), *chosen = tensor_box(L);
    if (!sequence_hide(ids, &plan, &x->hold, &chosen->hold, &err))
        return bind_raise(L, &err);
    tensor_done(L, x, false);
    tensor_done(L, chosen, false);
    lua_pushvalue(L, 1);
    lua_insert(L, -2); /* x, the tokens themselves, where one was chosen */
    return 3;
}

static const Verb verbs[] = {
    { "pad_sequences", pad_sequences, "sequences", pad_args, COUNT_OF(pad_args),
      "A list of sequences of numbers as rows of one length, [n, maxlen], as Keras's.",
      "local x = data.pad_sequences({{1, 2, 3}, {4}}); assert(x[2][3] == 4 and x[2][1] == 0)" },
    { "windows", windows, "series *target", window_args, COUNT_OF(window_args),
      "Windows over a series [time] or [time, columns] and what follows each: x [n, length, …], y [n, horizon, …]; target: the one column\n"
      "that y holds. Next tokens of a text: {length = T, horizon = T, stride = T, gap = 1 - T}. Windows that lie side by side are not copied.",
      "local x, y = data.windows({1, 2, 3, 4, 5}, {length = 3}); assert(#x == 2 and y[1][1] == 4)" },
    { "mask_tokens", mask_tokens, "ids tokenizer", hide_args, COUNT_OF(hide_args),
      "For a masked language model: x, in which some tokens are hidden (of the chosen 80 % are the mask token, 10 % another one, 10 % as they\n"
      "were), y, the tokens themselves, and chosen, 1 where one was chosen. The same for the same seed and step.  Source: Devlin et al. 2018.",
      "local t = data.WordPieceTokenizer(\"a b c a b c\", {min_frequency = 1}); local ids = t:encode((\"a b c \"):rep(100))\n"
      "  local x, y, chosen = data.mask_tokens(ids, t, {seed = 1}); assert(#x == 300 and y[1] == ids[1])" },
};
const VerbGroup sequence_group = { .prefix = "data.", .verbs = verbs, .n_verbs = COUNT_OF(verbs) };

/* ---- choosing ---- */

static const ArgSpec sample_args[] = {
    { .name = "temperature", .type = ARG_FLOAT, .fallback = "1", .least = 0, .most = 1e6, .help = "below 1 bolder, above 1 wilder; 0: always the highest" },
    { .name = "top_k", .type = ARG_INT, .fallback = "0", .least = 0, .most = 1e9, .help = "only the k highest; 0: all" },
    { .name = "top_p", .type = ARG_FLOAT, .fallback = "1", .least = 0, .most = 1, .open_least = true, .help = "only the highest that together have this probability" },
    { .name = "seed", .type = ARG_INT, .fallback = "nil", .least = 0, .most = 1e15, .help = "of the draw; nil: the next of the session's" },
    { .name = "step", .type = ARG_INT, .fallback = "0", .least = 0, .most = 1e15, .help = "another draw of the same seed" },
};

static int sample(lua_State *L)
{
    Args args;
    Err err = ERR_INIT;
    bind_take(L, 1, "sample", bind_verb(L), &args);
    const Tensor *logits = &tensor_want(L, 1, DTYPE_FLOAT32, "sample")->value;
    SampleOptions options = { args_float(&args, "temperature"), args_int(&args, "top_k"), args_float(&args, "top_p"), 0, (uint64_t)args_int(&args, "step") };
    options.seed = args_given(&args, "seed") ? (uint64_t)args_int(&args, "seed") : script_seed(script_of(L));
    int64_t n = logits->shape.rank == 2 ? logits->shape.d[0] : 1;
    TensorBox *out = tensor_box(L);
    if (!tensor_new(&out->hold, DTYPE_INT32, SHAPE(n), &err) || !sample_logits(logits, &options, tensor_int(&out->hold), &err))
        return bind_raise(L, &err);
    if (logits->shape.rank == 2)
        tensor_done(L, out, false);
    else
        lua_pushinteger(L, tensor_int(&out->hold)[0]);
    return 1;
}

static const ArgSpec top_args[] = {
    { .name = "k", .type = ARG_INT, .fallback = "1", .least = 1, .most = 1e9, .help = "how many" },
};

static int top_k(lua_State *L)
{
    Args args;
    Err err = ERR_INIT;
    bind_take(L, 1, "top_k", bind_verb(L), &args);
    const Tensor *x = &tensor_want(L, 1, DTYPE_FLOAT32, "top_k")->value;
    TensorBox *values = tensor_box(L), *indices = tensor_box(L);
    if (!sample_top_k(x, args_int(&args, "k"), &values->hold, &indices->hold, &err))
        return bind_raise(L, &err);
    tensor_done(L, values, false);
    tensor_done(L, indices, false);
    return 2;
}

static const Verb nn_verbs[] = {
    { "sample", sample, "logits", sample_args, COUNT_OF(sample_args),
      "Draw a choice by its scores (before softmax): the id for logits [choices], ids [batch] for [batch, choices]. The same seed and step\n"
      "give the same draw.  Source: Fan et al. 2018 (top_k), Holtzman et al. 2020 (top_p).",
      "assert(nn.sample({1, 5, 2}, {temperature = 0}) == 1 and nn.sample({1, 5, 2}, {top_k = 1}) == 1)" },
    { "top_k", top_k, "x", top_args, COUNT_OF(top_args), "The k highest along the last axis and their indices from 0, the highest first.",
      "local v, i = nn.top_k({3, 9, 5}, 2); assert(v[1] == 9 and i[2] == 2)" },
};
const VerbGroup sample_group = { .prefix = "nn.", .verbs = nn_verbs, .n_verbs = COUNT_OF(nn_verbs) };

void sequence_open(lua_State *L)
{
    lua_getglobal(L, "data");
    bind_fill(L, &sequence_group);
    lua_getglobal(L, "nn");
    bind_fill(L, &sample_group);
    lua_pop(L, 2);
}
