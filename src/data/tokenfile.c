// SPDX-License-Identifier: MIT
/* A tokeniser as JSON:
 *
 *   {"format":1,"tokenizer":"byte_pair","args":{"end":"<|endoftext|>", …},"vocabulary":["<|endoftext|>","!", …],
 *    "merges":[[left,right,joined], …]}
 *
 * Arguments are texts as args_write gives them. Texts may come from anywhere: the kind is looked up in the table, sizes are those
 * of the text itself, every entry is checked before it is used. */
#include <jansson.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "data/tokenizer.h"

#define FORMAT 1
#define FILE_MOST ((size_t)512 << 20)

/* ---- writing ---- */

static json_t *token_json(const Tokenizer *t, const char *token, size_t n, Buf *scratch)
{
    if (!t->kind->bytes)
        return json_stringn(token, n);
    buf_reset(scratch);
    for (size_t i = 0; i < n; i++) {
        char bytes[4];
        int size = utf8_encode(token_byte_code((unsigned char)token[i]), bytes);
        buf_write(scratch, bytes, (size_t)size);
    }
    return scratch->failed ? NULL : json_stringn(scratch->data, scratch->size);
}

static json_t *args_json(const Tokenizer *t, Buf *scratch)
{
    json_t *out = json_object();
    for (int i = 0; i < t->args.n; i++) {
        buf_reset(scratch);
        args_write(scratch, &t->args, i);
        json_object_set_new(out, t->args.specs[i].name, json_string(buf_text(scratch)));
    }
    return out;
}

static json_t *vocabulary_json(const Tokenizer *t, Buf *scratch, bool *ok)
{
    json_t *out = json_array();
    for (int32_t i = 0; i < t->vocab.n; i++) {
        size_t n;
        const char *token = vocab_at(&t->vocab, i, &n);
        *ok = json_array_append_new(out, token_json(t, token, n, scratch)) == 0 && *ok;
    }
    return out;
}

static json_t *merges_json(const Tokenizer *t, bool *ok)
{
    json_t *out = json_array();
    for (int64_t i = 0; i < t->n_merges; i++) {
        const MergePair *m = &t->merges[i];
        *ok = json_array_append_new(out, json_pack("[iii]", (int)m->left, (int)m->right, (int)m->joined)) == 0 && *ok;
    }
    return out;
}

static int dump(const char *bytes, size_t n, void *ctx)
{
    buf_write(ctx, bytes, n);
    return 0;
}

bool tokenizer_write(const Tokenizer *t, Buf *out, Err *err)
{
    if (!t->trained)
        return err_set(err, ERR_STATE, "this tokeniser has no vocabulary yet; call its train method with a text");
    Buf scratch = BUF_INIT;
    bool ok = true;
    json_t *args = args_json(t, &scratch), *vocabulary = vocabulary_json(t, &scratch, &ok), *merges = merges_json(t, &ok);
    json_t *all = json_pack("{sisssososo}", "format", FORMAT, "tokenizer", t->kind->name, "args", args, "vocabulary", vocabulary, "merges", merges);
    ok = all && ok && json_dump_callback(all, dump, out, JSON_COMPACT) == 0 && buf_ok(out, NULL) && buf_ok(&scratch, NULL);
    json_decref(all);
    buf_fini(&scratch);
    return ok || err_set(err, ERR_MEM, "memory ran out while a tokeniser was written");
}

/* ---- reading ---- */

static bool read_args(const json_t *given, const TokenKind *kind, Args *args, Err *err)
{
    args_init(args, kind->args, kind->n_args);
    if (!json_is_object(given))
        return err_set(err, ERR_DATA, "its \"args\" are missing");
    const char *key;
    const json_t *value;
    json_object_foreach((json_t *)given, key, value) {
        int i = args_find(args, key);
        if (i < 0 || !json_is_string(value))
            return err_set(err, ERR_DATA, "\"%.60s\" is no argument of %s", key, kind->name);
        if (!args_parse(args, i, json_string_value(value), kind->name, err))
            return false;
    }
    return true;
}

/* The bytes that stand in GPT-2's alphabet. */
static bool read_bytes(const char *text, size_t n, const int16_t *byte_of, int64_t i, Buf *out, Err *err)
{
    for (size_t at = 0; at < n;) {
        uint32_t code;
        at += (size_t)utf8_decode(text + at, n - at, &code); /* jansson checked it */
        if (code >= 512 || byte_of[code] < 0)
            return err_set(err, ERR_DATA, "entry %lld of the vocabulary holds U+%04X, which stands for no byte", (long long)i + 1, (unsigned)code);
        buf_put(out, (char)byte_of[code]);
    }
    return buf_ok(out, err);
}

/* All entries behind one another in `bytes`, and where they end. */
static bool read_tokens(const json_t *list, const TokenKind *kind, Buf *bytes, size_t *ends, Err *err)
{
    int16_t byte_of[512];
    for (uint32_t code = 0; code < 512; code++)
        byte_of[code] = (int16_t)token_code_byte(code);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *entry = json_array_get(list, i);
        if (!json_is_string(entry))
            return err_set(err, ERR_DATA, "entry %zu of the vocabulary is no text", i + 1);
        const char *text = json_string_value(entry);
        size_t n = json_string_length(entry);
        if (kind->bytes && !read_bytes(text, n, byte_of, (int64_t)i, bytes, err))
            return false;
        if (!kind->bytes)
            buf_write(bytes, text, n);
        ends[i] = bytes->size;
    }
    return buf_ok(bytes, err);
}

static bool read_merges(const json_t *list, Tokenizer *t, Err *err)
{
    size_t n = json_array_size(list);
    if (!n || !t->kind->bytes)
        return !n || err_set(err, ERR_DATA, "%s has no merges, the file gives %zu", t->kind->name, n);
    if (!(t->merges = mem_alloc(n, sizeof *t->merges, err)))
        return false;
    for (size_t i = 0; i < n; i++) {
        const json_t *row = json_array_get(list, i);
        json_int_t ids[3];
        for (size_t k = 0; k < 3; k++) {
            const json_t *id = json_array_get(row, k);
            ids[k] = json_integer_value(id);
            if (json_array_size(row) != 3 || !json_is_integer(id) || ids[k] < 0 || ids[k] > VOCAB_MOST)
                return err_set(err, ERR_DATA, "merge %zu is not three token ids", i + 1);
        }
        t->merges[t->n_merges++] = (MergePair){ (int32_t)ids[0], (int32_t)ids[1], (int32_t)ids[2] };
    }
    return true;
}

static bool fill(const json_t *vocabulary, const json_t *merges, Tokenizer *t, Err *err)
{
    size_t n = json_array_size(vocabulary);
    Buf bytes = BUF_INIT;
    size_t *ends = mem_alloc(n + 1, sizeof *ends, err);
    TokenText *tokens = ends ? mem_alloc(n + 1, sizeof *tokens, err) : NULL;
    bool ok = tokens && read_tokens(vocabulary, t->kind, &bytes, ends, err) && read_merges(merges, t, err);
    for (size_t i = 0; ok && i < n; i++)
        tokens[i] = (TokenText){ buf_text(&bytes) + (i ? ends[i - 1] : 0), ends[i] - (i ? ends[i - 1] : 0) };
    ok = ok && tokenizer_set_vocabulary(t, tokens, (int64_t)n, err);
    buf_fini(&bytes);
    mem_free(ends);
    mem_free(tokens);
    return ok;
}

static Tokenizer *read_all(const json_t *all, Err *err)
{
    const char *name = json_string_value(json_object_get(all, "tokenizer"));
    if (json_integer_value(json_object_get(all, "format")) != FORMAT || !name) {
        err_set(err, ERR_DATA, "this is no tokeniser that hebb wrote (format %d)", FORMAT);
        return NULL;
    }
    Args args;
    const TokenKind *kind = token_kind_find(name, err);
    Tokenizer *t = kind && read_args(json_object_get(all, "args"), kind, &args, err) ? tokenizer_new(kind, &args, err) : NULL;
    if (t && fill(json_object_get(all, "vocabulary"), json_object_get(all, "merges"), t, err))
        return t;
    tokenizer_unref(t);
    return NULL;
}

Tokenizer *tokenizer_parse(const char *json, size_t n, Err *err)
{
    json_error_t where;
    json_t *all = json_loadb(json, n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &where);
    if (!all) {
        err_set(err, ERR_DATA, "line %d, column %d: %s", where.line, where.column, where.text);
        return NULL;
    }
    Err own = ERR_INIT;
    err = err ? err : &own;
    Tokenizer *t = read_all(all, err);
    json_decref(all);
    if (!t && (err->code == ERR_NAME || err->code == ERR_ARG || err->code == ERR_STATE))
        err->code = ERR_DATA; /* it is the text that is wrong */
    return t;
}

/* ---- files ---- */

bool tokenizer_save(const Tokenizer *t, const char *path, Err *err)
{
    Buf json = BUF_INIT;
    bool ok = tokenizer_write(t, &json, err) && file_replace(path, json.data, json.size, 0666, err);
    buf_fini(&json);
    return ok;
}

Tokenizer *tokenizer_load(const char *path, Err *err)
{
    Buf json = BUF_INIT;
    bool read_it = file_read(path, &json, FILE_MOST, err);
    Tokenizer *t = read_it ? tokenizer_parse(json.data ? json.data : "", json.size, err) : NULL;
    buf_fini(&json);
    if (read_it && !t)
        err_wrap(err, "%s", path);
    return t;
}
