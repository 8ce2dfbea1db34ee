// SPDX-License-Identifier: MIT
#include "base/utf8.h"
#include "data/tokenizer.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const ArgSpec args[] = { TOKENIZER_ARGS("", "", "", "", "", "1114112", "1") };

static bool count_text(WordCounts *counts, const TokenText *text, Err *err)
{
    for (size_t at = 0; at < text->n;) {
        uint32_t code;
        int size = utf8_decode(text->text + at, text->n - at, &code);
        if (!word_counts_add(counts, text->text + at, (size_t)size, err))
            return false;
        at += (size_t)size;
    }
    return true;
}

static int by_bytes(const void *a, const void *b) /* UTF-8 sorts as its code points do */
{
    return strcmp(a, b);
}

/* The most frequent ones, in the order of their code points. */
static bool learn(Tokenizer *t, const TokenText *texts, int64_t n_texts, const _Atomic bool *stop, Err *err)
{
    WordCounts counts = { .words = VOCAB_INIT };
    bool ok = true;
    (void)stop;
    for (int64_t i = 0; ok && i < n_texts; i++)
        ok = count_text(&counts, &texts[i], err);
    int32_t *rank = ok ? word_counts_rank(&counts, err) : NULL;
    char (*kept)[8] = rank ? mem_zero((size_t)counts.words.n, sizeof *kept, err) : NULL;
    int64_t room = args_int(&t->args, "vocab_size") - t->vocab.n, least = args_int(&t->args, "min_frequency");
    int32_t n = 0;
    for (; kept && n < counts.words.n && n < room && counts.counts[rank[n]] >= least; n++) {
        size_t size;
        const char *token = vocab_at(&counts.words, rank[n], &size);
        memcpy(kept[n], token, size);
    }
    if (kept)
        qsort(kept, (size_t)n, sizeof *kept, by_bytes);
    ok = kept != NULL;
    for (int32_t i = 0; ok && i < n; i++) /* a zero byte is a character too */
        ok = vocab_add(&t->vocab, kept[i], kept[i][0] ? strlen(kept[i]) : 1, err) >= 0;
    mem_free(kept);
    mem_free(rank);
    word_counts_fini(&counts);
    return ok;
}

static bool encode(const Tokenizer *t, const char *text, size_t n, Buf *ids, Err *err)
{
    for (size_t at = 0; at < n;) {
        uint32_t code;
        size_t size = (size_t)utf8_decode(text + at, n - at, &code);
        int32_t id = vocab_find(&t->vocab, text + at, size);
        if (id < 0)
            id = t->special[TOKEN_UNKNOWN];
        if (id < 0)
            return err_set(err, ERR_DATA, "the character \"%.*s\" (U+%04X, byte %zu) is not in the vocabulary; train on text that has it, or with unknown = \"[UNK]\"",
                           (int)size, text + at, (unsigned)code, at + 1);
        buf_write(ids, &id, sizeof id);
        at += size;
    }
    return true;
}

static void decode(const Tokenizer *t, const char *token, size_t n, Buf *out)
{
    (void)t;
    buf_write(out, token, n);
}

const TokenKind tokenizer_code_point = {
    .name = "code_point",
    .doc = "data.CodePointTokenizer(text = nil, {vocab_size = 1114112, …}): every character is a token. The vocabulary is the\n"
           "characters of the text it is trained on, in the order of Unicode; without special tokens unless you name them.",
    .example = "local t = data.CodePointTokenizer(\"hello\"); assert(t.vocab_size == 4 and t:decode(t:encode(\"hole\")) == \"hole\")",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .learn = learn,
    .encode = encode,
    .decode = decode,
};
