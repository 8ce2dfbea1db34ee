// SPDX-License-Identifier: MIT
/* data.CodePointTokenizer, data.WordTokenizer, …: one constructor for each record of data/tokenizers, and the tokeniser's own
 * verbs. */
#include "script/bind_text.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "script/bind_net.h"
#include "script/help.h"

#define FILE_MOST ((size_t)2 << 30)

Tokenizer *text_tokenizer(lua_State *L, int index, const char *who)
{
    TokenizerBox *box = bind_check(L, index, &kind_tokenizer, who);
    if (!box->t)
        bind_error(L, ERR_STATE, "%s: this tokeniser was not made", who);
    return box->t;
}

const char *text_class(const TokenKind *kind, char out[TEXT_CLASS])
{
    char name[HELP_CLASS];
    snprintf(out, TEXT_CLASS, "%sTokenizer", help_class(NULL, kind->name, name));
    return out;
}

/* ---- texts ---- */

const TokenText *text_list(lua_State *L, int index, int64_t *n, const char *who)
{
    char what[64];
    bool one = lua_type(L, index) == LUA_TSTRING;
    if (!one && !lua_istable(L, index))
        bind_error(L, ERR_ARG, "%s wants a text or a list of texts, got %s", who, bind_what(L, index, what));
    *n = one ? 1 : (int64_t)lua_rawlen(L, index);
    TokenText *texts = lua_newuserdatauv(L, (size_t)*n * sizeof *texts + 1, 0);
    for (int64_t i = 0; i < *n; i++) {
        if (one)
            lua_pushvalue(L, index);
        else
            lua_rawgeti(L, index, i + 1);
        if (lua_type(L, -1) != LUA_TSTRING)
            bind_error(L, ERR_ARG, "%s: text %lld is %s", who, (long long)i + 1, bind_what(L, -1, what));
        texts[i].text = lua_tolstring(L, -1, &texts[i].n); /* kept alive by the table */
        lua_pop(L, 1);
    }
    return texts;
}

/* Push the content of the file at index as a text. */
static void push_file(lua_State *L, int index, const char *who)
{
    Err err = ERR_INIT;
    const char *path = bind_path(L, index, who);
    Buf *text = bind_buf(L);
    if (!file_read(path, text, FILE_MOST, &err))
        bind_raise(L, &err);
    bind_push_buf(L, text);
    buf_fini(text);
    lua_remove(L, -2);
}

/* ---- making ---- */

static void train(lua_State *L, Tokenizer *t, int text, int file, const char *who)
{
    Err err = ERR_INIT;
    int64_t n;
    if (!lua_isnil(L, text) && !lua_isnil(L, file))
        bind_error(L, ERR_ARG, "%s takes a text or a file, not both", who);
    if (!lua_isnil(L, file)) {
        push_file(L, file, who);
        lua_replace(L, text);
    }
    const TokenText *texts = text_list(L, text, &n, who);
    if (!tokenizer_train(t, texts, n, &script_of(L)->stop, &err))
        bind_raise(L, &err);
    lua_pop(L, 1);
}

/* The record is upvalue 1. Stack: text, file, vocabulary. */
static int make(lua_State *L)
{
    const TokenKind *kind = lua_touserdata(L, lua_upvalueindex(1));
    char who[TEXT_CLASS];
    const Verb verb = { .name = text_class(kind, who), .values = HELP_TOKENIZER_VALUES, .args = kind->args, .n_args = kind->n_args };
    Args args;
    Err err = ERR_INIT;
    int64_t n;
    bind_take(L, 1, who, &verb, &args);
    TokenizerBox *box = bind_new(L, &kind_tokenizer, sizeof *box);
    if (!(box->t = tokenizer_new(kind, &args, &err)))
        return bind_raise(L, &err);
    if (!lua_isnil(L, 3)) {
        const TokenText *tokens = text_list(L, 3, &n, who);
        if (!tokenizer_set_vocabulary(box->t, tokens, n, &err))
            return bind_raise(L, &err);
        lua_pop(L, 1);
    } else if (!lua_isnil(L, 1) || !lua_isnil(L, 2)) {
        train(L, box->t, 1, 2, who);
    }
    return 1;
}

static int method_train(lua_State *L)
{
    Args args;
    Tokenizer *t = text_tokenizer(L, 1, "train");
    bind_take(L, 2, "train", bind_verb(L), &args);
    train(L, t, 2, 3, "train");
    lua_settop(L, 1);
    return 1;
}

static int load_tokenizer(lua_State *L)
{
    Args args;
    Err err = ERR_INIT;
    bind_take(L, 1, "load_tokenizer", bind_verb(L), &args);
    const char *path = bind_path(L, 1, "load_tokenizer");
    TokenizerBox *box = bind_new(L, &kind_tokenizer, sizeof *box);
    if (!(box->t = tokenizer_load(path, &err)))
        return bind_raise(L, &err);
    return 1;
}

static int method_save(lua_State *L)
{
    Args args;
    Err err = ERR_INIT;
    Tokenizer *t = text_tokenizer(L, 1, "save");
    bind_take(L, 2, "save", bind_verb(L), &args);
    if (!tokenizer_save(t, bind_path(L, 2, "save"), &err))
        return bind_raise(L, &err);
    lua_settop(L, 1);
    return 1;
}

/* ---- encoding ---- */

static const ArgSpec encode_args[] = {
    { .name = "add_special", .type = ARG_BOOL, .fallback = "false", .help = "the start token in front, the end token behind" },
    { .name = "read_special", .type = ARG_BOOL, .fallback = "false", .help = "\"[MASK]\" in the text is the mask token" },
    { .name = "max_length", .type = ARG_INT, .fallback = "nil", .least = 1, .most = 1e9, .help = "cut behind so many tokens" },
};
static const ArgSpec batch_args[] = {
    { .name = "add_special", .type = ARG_BOOL, .fallback = "false", .help = "the start token in front, the end token behind" },
    { .name = "read_special", .type = ARG_BOOL, .fallback = "false", .help = "\"[MASK]\" in a text is the mask token" },
    { .name = "max_length", .type = ARG_INT, .fallback = "nil", .least = 1, .most = 1e9, .help = "cut behind so many tokens" },
    { .name = "length", .type = ARG_INT, .fallback = "nil", .least = 1, .most = 1e9,
      .help = "of every row; nil: that of the longest" },
    { .name = "padding", .type = ARG_CHOICE, .fallback = "post", .choices = (const char *const[]){ "pre", "post", NULL },
      .help = "where short rows are filled" },
};

static EncodeOptions options_of(const Args *args)
{
    return (EncodeOptions){ args_bool(args, "add_special"), args_bool(args, "read_special"),
                            args_given(args, "max_length") ? args_int(args, "max_length") : 0 };
}

static const char *check_string(lua_State *L, int index, size_t *n, const char *who)
{
    char what[64];
    if (lua_type(L, index) != LUA_TSTRING)
        bind_error(L, ERR_ARG, "%s wants a text, got %s", who, bind_what(L, index, what));
    return lua_tolstring(L, index, n);
}

/* Push a Buf of the ids of the text at index 2. */
static Buf *encode_here(lua_State *L, const char *who)
{
    Args args;
    Err err = ERR_INIT;
    size_t n;
    Tokenizer *t = text_tokenizer(L, 1, who);
    bind_take(L, 2, who, bind_verb(L), &args);
    const char *text = check_string(L, 2, &n, who);
    EncodeOptions options = options_of(&args);
    Buf *ids = bind_buf(L);
    if (!tokenizer_encode(t, text, n, &options, ids, &err))
        bind_raise(L, &err);
    return ids;
}

static int method_encode(lua_State *L)
{
    Err err = ERR_INIT;
    Buf *ids = encode_here(L, "encode");
    int64_t n = (int64_t)(ids->size / sizeof(int32_t));
    TensorBox *out = tensor_box(L);
    if (!tensor_new(&out->hold, DTYPE_INT32, SHAPE(n), &err))
        return bind_raise(L, &err);
    if (n)
        memcpy(out->hold.data, ids->data, ids->size);
    buf_fini(ids);
    tensor_done(L, out, false);
    return 1;
}

static int method_tokens(lua_State *L)
{
    Tokenizer *t = text_tokenizer(L, 1, "tokens");
    Buf *ids = encode_here(L, "tokens");
    const int32_t *id = (const int32_t *)(void *)ids->data;
    lua_Integer n = (lua_Integer)(ids->size / sizeof *id);
    lua_createtable(L, n < 1 << 20 ? (int)n : 1 << 20, 0);
    for (lua_Integer i = 0; i < n; i++) {
        size_t size;
        const char *token = vocab_at(&t->vocab, id[i], &size);
        lua_pushlstring(L, token, size);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

/* Ids of all texts one behind the other, and where each ends; both are the collector's and pushed. */
static Buf *encode_all(lua_State *L, const Tokenizer *t, const TokenText *texts, int64_t n, const EncodeOptions *options, size_t *ends)
{
    Err err = ERR_INIT;
    Buf *ids = bind_buf(L);
    for (int64_t i = 0; i < n; i++) {
        if (!tokenizer_encode(t, texts[i].text, texts[i].n, options, ids, &err)) {
            err_wrap(&err, "text %lld", (long long)i + 1);
            bind_raise(L, &err);
        }
        ends[i] = ids->size / sizeof(int32_t);
    }
    return ids;
}

/* Rows of ids into out [n, length] and mask, both filled with what stands for nothing. */
static void fill_rows(Tensor *out, Tensor *mask, const Buf *ids, const size_t *ends, int64_t n, bool pre)
{
    size_t length = (size_t)out->shape.d[1];
    const int32_t *id = (const int32_t *)(const void *)ids->data;
    for (int64_t i = 0; i < n; i++) {
        size_t start = i ? ends[i - 1] : 0, size = ends[i] - start < length ? ends[i] - start : length;
        size_t at = (size_t)i * length + (pre ? length - size : 0);
        for (size_t k = 0; k < size; k++) {
            tensor_int(out)[at + k] = id[start + k];
            tensor_int(mask)[at + k] = 1;
        }
    }
}

static int method_encode_batch(lua_State *L)
{
    Args args;
    Err err = ERR_INIT;
    int64_t n, length = 0;
    Tokenizer *t = text_tokenizer(L, 1, "encode_batch");
    bind_take(L, 2, "encode_batch", bind_verb(L), &args);
    EncodeOptions options = options_of(&args);
    if (args_given(&args, "length") && (!options.max_length || options.max_length > args_int(&args, "length")))
        options.max_length = args_int(&args, "length");
    const TokenText *texts = text_list(L, 2, &n, "encode_batch");
    if (n < 1)
        return bind_error(L, ERR_DATA, "encode_batch: the list is empty");
    size_t *ends = lua_newuserdatauv(L, (size_t)n * sizeof *ends, 0);
    Buf *ids = encode_all(L, t, texts, n, &options, ends);
    for (int64_t i = 0; i < n; i++) {
        int64_t size = (int64_t)(ends[i] - (i ? ends[i - 1] : 0));
        length = size > length ? size : length;
    }
    length = args_given(&args, "length") ? args_int(&args, "length") : length ? length : 1;
    TensorBox *out = tensor_box(L), *mask = tensor_box(L);
    if (!tensor_new(&out->hold, DTYPE_INT32, SHAPE(n, length), &err) || !tensor_zero(&mask->hold, DTYPE_INT32, SHAPE(n, length), &err))
        return bind_raise(L, &err);
    int32_t filler = t->special[TOKEN_PADDING] >= 0 ? t->special[TOKEN_PADDING] : 0;
    for (int64_t i = 0; i < n * length; i++)
        tensor_int(&out->hold)[i] = filler;
    fill_rows(&out->hold, &mask->hold, ids, ends, n, !strcmp(args_choice(&args, "padding"), "pre"));
    buf_fini(ids);
    tensor_done(L, out, false);
    tensor_done(L, mask, false);
    return 2;
}

/* ---- decoding ---- */

static const ArgSpec decode_args[] = {
    { .name = "skip_special", .type = ARG_BOOL, .fallback = "true", .help = "leave out the special tokens" },
};

/* Push the text of n ids. */
static void push_text(lua_State *L, const Tokenizer *t, const int32_t *ids, int64_t n, bool skip)
{
    Err err = ERR_INIT;
    Buf *text = bind_buf(L);
    if (!tokenizer_decode(t, ids, n, skip, text, &err))
        bind_raise(L, &err);
    bind_push_buf(L, text);
    buf_fini(text);
    lua_remove(L, -2);
}

static int method_decode(lua_State *L)
{
    Args args;
    Err err = ERR_INIT;
    char shape[SHAPE_TEXT];
    Tokenizer *t = text_tokenizer(L, 1, "decode");
    bind_take(L, 2, "decode", bind_verb(L), &args);
    bool skip = args_bool(&args, "skip_special");
    const Tensor *given = &tensor_want(L, 2, DTYPE_INT32, "decode")->value;
    TensorBox *hold = tensor_box(L);
    if (!tensor_cast(&hold->hold, given, DTYPE_INT32, &err))
        return bind_raise(L, &err);
    const Tensor *ids = &hold->hold;
    if (ids->shape.rank > 2)
        return bind_error(L, ERR_SHAPE, "decode wants ids of shape (n) or (texts, n), got %s", shape_text(&ids->shape, shape));
    if (ids->shape.rank < 2) {
        push_text(L, t, tensor_int(ids), tensor_count(ids), skip);
        return 1;
    }
    lua_createtable(L, 0, 0);
    for (int64_t i = 0; i < ids->shape.d[0]; i++) {
        push_text(L, t, tensor_int(ids) + i * ids->shape.d[1], ids->shape.d[1], skip);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

static int method_token(lua_State *L)
{
    Args args;
    size_t n;
    char what[64];
    Tokenizer *t = text_tokenizer(L, 1, "token");
    bind_take(L, 2, "token", bind_verb(L), &args);
    if (!lua_isinteger(L, 2) || lua_tointeger(L, 2) < 0 || lua_tointeger(L, 2) >= t->vocab.n)
        return bind_error(L, ERR_ARG, "token wants an id in 0 ... %d, got %s", (int)t->vocab.n - 1, bind_what(L, 2, what));
    const char *token = vocab_at(&t->vocab, (int32_t)lua_tointeger(L, 2), &n);
    lua_pushlstring(L, token, n);
    return 1;
}

static int method_id(lua_State *L)
{
    Args args;
    size_t n;
    Tokenizer *t = text_tokenizer(L, 1, "id");
    bind_take(L, 2, "id", bind_verb(L), &args);
    const char *token = check_string(L, 2, &n, "id");
    int32_t id = vocab_find(&t->vocab, token, n);
    if (id >= 0)
        lua_pushinteger(L, id);
    else
        lua_pushnil(L);
    return 1;
}

/* ---- fields ---- */

static int get_vocabulary(lua_State *L)
{
    Tokenizer *t = text_tokenizer(L, 1, "vocabulary");
    lua_createtable(L, t->vocab.n, 0);
    for (int32_t i = 0; i < t->vocab.n; i++) {
        size_t n;
        const char *token = vocab_at(&t->vocab, i, &n);
        lua_pushlstring(L, token, n);
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

static int get_size(lua_State *L)
{
    lua_pushinteger(L, text_tokenizer(L, 1, "vocab_size")->vocab.n);
    return 1;
}

static int get_kind(lua_State *L)
{
    lua_pushstring(L, text_tokenizer(L, 1, "kind")->kind->name);
    return 1;
}

static int get_trained(lua_State *L)
{
    lua_pushboolean(L, text_tokenizer(L, 1, "trained")->trained);
    return 1;
}

#define SPECIAL_FIELD(name, which) \
    static int get_##name(lua_State *L) \
    { \
        int32_t id = text_tokenizer(L, 1, #name)->special[which]; \
        if (id < 0) \
            lua_pushnil(L); \
        else \
            lua_pushinteger(L, id); \
        return 1; \
    }
SPECIAL_FIELD(padding_id, TOKEN_PADDING)
SPECIAL_FIELD(unknown_id, TOKEN_UNKNOWN)
SPECIAL_FIELD(start_id, TOKEN_START)
SPECIAL_FIELD(end_id, TOKEN_END)
SPECIAL_FIELD(mask_id, TOKEN_MASK)

static const Field fields[] = {
    { "vocabulary", get_vocabulary, NULL, "its tokens, a list; vocabulary[1] has id 0" },
    { "vocab_size", get_size, NULL, "how many tokens it knows, the special ones included" },
    { "kind", get_kind, NULL, "\"code_point\", \"word\", \"byte_pair\" or \"word_piece\"" },
    { "trained", get_trained, NULL, "whether it has a vocabulary" },
    { "padding_id", get_padding_id, NULL, "id of the token that fills short rows, or nil" },
    { "unknown_id", get_unknown_id, NULL, "id of the token for what it does not know, or nil" },
    { "start_id", get_start_id, NULL, "id of the token that begins a text, or nil" },
    { "end_id", get_end_id, NULL, "id of the token that ends a text, or nil" },
    { "mask_id", get_mask_id, NULL, "id of the token that hides a word, or nil" },
};

static const Verb methods[] = {
    { "train", method_train, "text? *file", NULL, 0,
      "Learn the vocabulary from a text, a list of texts, or train{file = \"…\"}; once. Gives the tokeniser.",
      "local t = data.WordTokenizer():train{text = {\"a b\", \"b c\"}}; assert(t.vocabulary[3] == \"b\")" },
    { "encode", method_encode, "text", encode_args, COUNT_OF(encode_args), "The text as token ids, [n] int32, counted from 0.",
      "local t = data.CodePointTokenizer(\"abc\"); assert(t:encode(\"cab\")[1] == 2)" },
    { "encode_batch", method_encode_batch, "texts", batch_args, COUNT_OF(batch_args),
      "A list of texts as ids [texts, length] int32, short rows filled with the padding token, and the mask: 1 where a token stands.",
      "local t = data.CodePointTokenizer(\"abc\"); local x, mask = t:encode_batch({\"a\", \"abc\"})\n"
      "  assert(x[2][3] == 2 and mask[1][2] == 0)" },
    { "decode", method_decode, "ids", decode_args, COUNT_OF(decode_args), "The text of token ids (a list of texts for a tensor of two axes).",
      "local t = data.CodePointTokenizer(\"abc\"); assert(t:decode{2, 0, 1} == \"cab\")" },
    { "tokens", method_tokens, "text", encode_args, COUNT_OF(encode_args), "The tokens that encode would give, as texts.",
      "local t = data.WordTokenizer(\"a b\"); assert(t:tokens(\"b c\")[2] == \"[UNK]\")" },
    { "token", method_token, "id", NULL, 0, "The token with this id.", NULL },
    { "id", method_id, "token", NULL, 0, "The id of this token, nil when it has none.", NULL },
    { "save", method_save, "file", NULL, 0, "Kind, arguments and vocabulary into a JSON file that data.load_tokenizer reads.", NULL },
};

static int tokenizer_tostring(lua_State *L)
{
    char name[TEXT_CLASS];
    Tokenizer *t = text_tokenizer(L, 1, "tostring");
    if (t->trained)
        lua_pushfstring(L, "%s: %d tokens", text_class(t->kind, name), (int)t->vocab.n);
    else
        lua_pushfstring(L, "%s, not trained yet", text_class(t->kind, name));
    return 1;
}

static int tokenizer_gc(lua_State *L)
{
    TokenizerBox *box = bind_check(L, 1, &kind_tokenizer, "gc");
    tokenizer_unref(box->t);
    box->t = NULL;
    return 0;
}

/* ---- model.tokenizer: a note of the model, as JSON ---- */

#define NOTE "tokenizer"

int text_get_model(lua_State *L)
{
    Err err = ERR_INIT;
    const char *json = model_note(model_check(L, 1, NOTE), NOTE);
    if (!json) {
        lua_pushnil(L);
        return 1;
    }
    TokenizerBox *box = bind_new(L, &kind_tokenizer, sizeof *box);
    if (!(box->t = tokenizer_parse(json, strlen(json), &err))) {
        err_wrap(&err, "the tokeniser that came with the model");
        return bind_raise(L, &err);
    }
    return 1;
}

typedef struct SetNote {
    Model *model;
    const char *text;
} SetNote;

static bool set_note(void *ctx, Err *err)
{
    SetNote *set = ctx;
    return model_set_note(set->model, NOTE, set->text, err);
}

int text_set_model(lua_State *L)
{
    Err err = ERR_INIT;
    SetNote set = { .model = model_check(L, 1, NOTE) };
    Buf *json = bind_buf(L);
    if (!lua_isnil(L, 3)) {
        if (!tokenizer_write(text_tokenizer(L, 3, "model.tokenizer"), json, &err))
            return bind_raise(L, &err);
        set.text = buf_text(json);
    }
    if (!buf_ok(json, &err) || !model_do(set.model, set_note, &set, &script_of(L)->stop, &err))
        return bind_raise(L, &err);
    buf_fini(json);
    return 0;
}

static const luaL_Reg meta[] = { { "__gc", tokenizer_gc }, { "__tostring", tokenizer_tostring }, { "__len", get_size }, { NULL, NULL } };

const Kind kind_tokenizer = {
    .type = "hebb.tokenizer",
    .what = "tokenizer",
    .title = "a tokenizer",
    .doc = "texts as numbers and back: data.BytePairTokenizer(text) and its kin; t:encode(text), t:decode(ids)",
    .fields = fields,
    .n_fields = COUNT_OF(fields),
    .methods = methods,
    .n_methods = COUNT_OF(methods),
    .meta = meta,
};

static const Verb verbs[] = {
    { "load_tokenizer", load_tokenizer, "file", NULL, 0, "a tokeniser from a file that tokenizer:save wrote", NULL },
};
const VerbGroup text_group = { .prefix = "data.", .verbs = verbs, .n_verbs = COUNT_OF(verbs) };

void text_open(lua_State *L)
{
    bind_kind(L, &kind_tokenizer);
    lua_getglobal(L, "data");
    bind_fill(L, &text_group);
    for (int i = 0; token_kind_at(i); i++) {
        char name[TEXT_CLASS], full[TEXT_CLASS + 8];
        snprintf(full, sizeof full, "data.%s", text_class(token_kind_at(i), name));
        lua_pushlightuserdata(L, (void *)token_kind_at(i));
        lua_pushcclosure(L, make, 1);
        bind_name(L, full);
        lua_setfield(L, -2, name);
    }
    lua_pop(L, 1);
}
