// SPDX-License-Identifier: MIT
#include "data/tokenizer.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/name.h"
#include "base/utf8.h"

/* ---- the table ---- */

#define ROW(kind) extern const TokenKind tokenizer_##kind;
#include "gen/tokenizers.h"
#undef ROW

static const TokenKind *const table[] = {
#define ROW(kind) &tokenizer_##kind,
#include "gen/tokenizers.h"
#undef ROW
    NULL,
};

const TokenKind *token_kind_at(int i)
{
    int n = (int)(sizeof table / sizeof *table) - 1;
    return i >= 0 && i < n ? table[i] : NULL;
}

static const char *name_at(int i)
{
    return table[i] ? table[i]->name : NULL;
}

const TokenKind *token_kind_find(const char *name, Err *err)
{
    int i = name_find(name_at, name, "tokeniser", err);
    return i < 0 ? NULL : table[i];
}

/* ---- life ---- */

const char *token_special_name(int special)
{
    static const char *const names[TOKEN_SPECIALS] = { "padding", "unknown", "start", "end", "mask" };
    return names[special];
}

/* The special tokens are the first entries. */
static bool add_specials(Tokenizer *t, Err *err)
{
    for (int i = 0; i < TOKEN_SPECIALS; i++) {
        const char *text = args_text(&t->args, token_special_name(i));
        int32_t known = t->vocab.n;
        t->special[i] = *text ? vocab_add(&t->vocab, text, strlen(text), err) : -1;
        if (*text && t->special[i] < 0)
            return false;
        if (*text && t->special[i] < known)
            return err_set(err, ERR_ARG, "%s: two special tokens are the same, \"%s\"", t->kind->name, text);
    }
    return true;
}

static void forget(Tokenizer *t)
{
    vocab_fini(&t->vocab);
    merge_table_fini(&t->ranks);
    mem_free(t->merges);
    t->merges = NULL;
    t->n_merges = 0;
    t->trained = false;
}

Tokenizer *tokenizer_new(const TokenKind *kind, const Args *args, Err *err)
{
    Tokenizer *t = mem_zero(1, sizeof *t, err);
    if (!t)
        return NULL;
    atomic_init(&t->refs, 1);
    t->kind = kind;
    t->args = *args;
    if (add_specials(t, err))
        return t;
    tokenizer_unref(t);
    return NULL;
}

Tokenizer *tokenizer_ref(Tokenizer *t)
{
    if (t)
        atomic_fetch_add(&t->refs, 1);
    return t;
}

void tokenizer_unref(Tokenizer *t)
{
    if (!t || atomic_fetch_sub(&t->refs, 1) != 1)
        return;
    forget(t);
    mem_free(t);
}

/* ---- filling ---- */

static bool check_text(const char *text, size_t n, const char *where, Err *err)
{
    size_t bad;
    return utf8_check(text, n, &bad) ||
           err_set(err, ERR_DATA, "%s: byte %zu (%02X) is not UTF-8; save the text as UTF-8, or convert it with iconv", where, bad + 1,
                   (unsigned char)text[bad]);
}

static bool check_texts(const TokenText *texts, int64_t n_texts, Err *err)
{
    size_t total = 0;
    char where[48] = "the text";
    for (int64_t i = 0; i < n_texts; i++) {
        if (n_texts > 1)
            snprintf(where, sizeof where, "text %lld", (long long)i + 1);
        if (!check_text(texts[i].text, texts[i].n, where, err))
            return false;
        total += texts[i].n;
    }
    return total > 0 || err_set(err, ERR_DATA, "there is no text to learn a vocabulary from");
}

static bool finish(Tokenizer *t, Err *err)
{
    return (t->trained = !t->kind->finish || t->kind->finish(t, err));
}

static bool refuse_trained(const Tokenizer *t, Err *err)
{
    return !t->trained || err_set(err, ERR_STATE, "this tokeniser has a vocabulary already, and models may use it; make a new one");
}

/* As it was before it was filled; false. */
static bool step_back(Tokenizer *t, Err *err)
{
    Err lost = ERR_INIT;
    forget(t);
    if (!add_specials(t, &lost) && err)
        *err = lost;
    return false;
}

bool tokenizer_train(Tokenizer *t, const TokenText *texts, int64_t n_texts, const _Atomic bool *stop, Err *err)
{
    if (!refuse_trained(t, err) || !check_texts(texts, n_texts, err))
        return false;
    return (t->kind->learn(t, texts, n_texts, stop, err) && finish(t, err)) || step_back(t, err);
}

static bool take_tokens(Tokenizer *t, const TokenText *tokens, int64_t n, Err *err)
{
    for (int64_t i = 0; i < n; i++) {
        int32_t known = t->vocab.n;
        if (tokens[i].n == 0)
            return err_set(err, ERR_DATA, "entry %lld of the vocabulary is empty", (long long)i + 1);
        int32_t id = vocab_add(&t->vocab, tokens[i].text, tokens[i].n, err);
        if (id < 0)
            return false;
        if (id < known)
            return err_set(err, ERR_DATA, "entry %lld of the vocabulary, \"%.*s\", stands there already as entry %d", (long long)i + 1,
                           (int)(tokens[i].n < 40 ? tokens[i].n : 40), tokens[i].text, (int)id + 1);
    }
    for (int i = 0; i < TOKEN_SPECIALS; i++) {
        const char *text = args_text(&t->args, token_special_name(i));
        t->special[i] = *text ? vocab_find(&t->vocab, text, strlen(text)) : -1;
    }
    return true;
}

bool tokenizer_set_vocabulary(Tokenizer *t, const TokenText *tokens, int64_t n, Err *err)
{
    if (!refuse_trained(t, err))
        return false;
    if (n < 1)
        return err_set(err, ERR_DATA, "the vocabulary is empty");
    vocab_fini(&t->vocab);
    return (take_tokens(t, tokens, n, err) && finish(t, err)) || step_back(t, err);
}

/* ---- encoding ---- */

int tokenizer_special(const Tokenizer *t, int32_t id)
{
    for (int i = 0; i < TOKEN_SPECIALS; i++)
        if (t->special[i] == id && id >= 0)
            return i;
    return -1;
}

/* The first special token in the text: where, and which (-1: none). */
static size_t find_special(const Tokenizer *t, const char *text, size_t n, int *which)
{
    *which = -1;
    for (size_t at = 0; at < n; at++)
        for (int i = 0; i < TOKEN_SPECIALS; i++) {
            size_t size;
            const char *token = t->special[i] >= 0 ? vocab_at(&t->vocab, t->special[i], &size) : NULL;
            if (token && size <= n - at && !memcmp(text + at, token, size)) {
                *which = i;
                return at;
            }
        }
    return n;
}

static bool encode_parts(const Tokenizer *t, const char *text, size_t n, bool read_special, Buf *ids, Err *err)
{
    if (!read_special)
        return n == 0 || t->kind->encode(t, text, n, ids, err);
    while (n > 0) {
        int which;
        size_t before = find_special(t, text, n, &which), size = 0;
        if (before > 0 && !t->kind->encode(t, text, before, ids, err))
            return false;
        if (which >= 0) {
            vocab_at(&t->vocab, t->special[which], &size);
            buf_write(ids, &t->special[which], sizeof(int32_t));
        }
        text += before + size;
        n -= before + size;
    }
    return true;
}

bool tokenizer_encode(const Tokenizer *t, const char *text, size_t n, const EncodeOptions *options, Buf *ids, Err *err)
{
    if (!t->trained)
        return err_set(err, ERR_STATE, "this tokeniser has no vocabulary yet; call its train method with a text");
    if (!check_text(text, n, "the text", err))
        return false;
    size_t first = ids->size, most = (size_t)options->max_length * sizeof(int32_t);
    bool starts = options->add_special && t->special[TOKEN_START] >= 0, ends = options->add_special && t->special[TOKEN_END] >= 0;
    if (starts)
        buf_write(ids, &t->special[TOKEN_START], sizeof(int32_t));
    if (!encode_parts(t, text, n, options->read_special, ids, err))
        return false;
    size_t kept = most && ends ? most - sizeof(int32_t) : most;
    if (most && !ids->failed && ids->size - first > kept)
        ids->size = first + kept;
    if (ends)
        buf_write(ids, &t->special[TOKEN_END], sizeof(int32_t));
    return buf_ok(ids, err);
}

bool tokenizer_decode(const Tokenizer *t, const int32_t *ids, int64_t n, bool skip_special, Buf *out, Err *err)
{
    if (!t->trained)
        return err_set(err, ERR_STATE, "this tokeniser has no vocabulary yet; call its train method with a text");
    for (int64_t i = 0; i < n; i++)
        if (ids[i] < 0 || ids[i] >= t->vocab.n)
            return err_set(err, ERR_DATA, "token id %d at place %lld is not in 0 ... %d", (int)ids[i], (long long)i + 1, (int)t->vocab.n - 1);
    for (int64_t i = 0; i < n; i++) {
        size_t size;
        const char *token = vocab_at(&t->vocab, ids[i], &size);
        if (tokenizer_special(t, ids[i]) < 0)
            t->kind->decode(t, token, size, out);
        else if (!skip_special)
            buf_write(out, token, size);
    }
    return buf_ok(out, err);
}
