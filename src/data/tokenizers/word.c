// SPDX-License-Identifier: MIT
#include "data/tokenizer.h"

#include "base/mem.h"

static const ArgSpec args[] = {
    TOKENIZER_ARGS("[PAD]", "[UNK]", "", "", "", "20000", "1"),
    { .name = "lowercase", .type = ARG_BOOL, .fallback = "true", .help = "capitals become small letters" },
    { .name = "strip_accents", .type = ARG_BOOL, .fallback = "false", .help = "é becomes e" },
    { .name = "punctuation", .type = ARG_BOOL, .fallback = "true", .help = "marks are words too; false: they fall away" },
};

typedef struct Work {
    const Tokenizer *t;
    WordCounts *counts; /* while learning */
    Buf *ids;           /* while encoding */
    Err *err;
} Work;

static WordRules rules_of(const Tokenizer *t)
{
    return (WordRules){ .lowercase = args_bool(&t->args, "lowercase"), .strip_accents = args_bool(&t->args, "strip_accents"),
                        .drop_punctuation = !args_bool(&t->args, "punctuation") };
}

static bool count_word(void *ctx, const char *word, size_t n)
{
    Work *work = ctx;
    return word_counts_add(work->counts, word, n, work->err);
}

static bool learn(Tokenizer *t, const TokenText *texts, int64_t n_texts, const _Atomic bool *stop, Err *err)
{
    WordCounts counts = { .words = VOCAB_INIT };
    Work work = { .t = t, .counts = &counts, .err = err };
    WordRules rules = rules_of(t);
    bool ok = true;
    (void)stop;
    for (int64_t i = 0; ok && i < n_texts; i++)
        ok = words_normalize(texts[i].text, texts[i].n, &rules, count_word, &work, err);
    int32_t *rank = ok ? word_counts_rank(&counts, err) : NULL;
    int64_t most = args_int(&t->args, "vocab_size"), least = args_int(&t->args, "min_frequency");
    ok = rank != NULL;
    for (int32_t i = 0; ok && i < counts.words.n && t->vocab.n < most && counts.counts[rank[i]] >= least; i++) {
        size_t n;
        const char *word = vocab_at(&counts.words, rank[i], &n);
        ok = vocab_add(&t->vocab, word, n, err) >= 0;
    }
    mem_free(rank);
    word_counts_fini(&counts);
    return ok;
}

static bool encode_word(void *ctx, const char *word, size_t n)
{
    Work *work = ctx;
    int32_t id = vocab_find(&work->t->vocab, word, n);
    if (id < 0)
        id = work->t->special[TOKEN_UNKNOWN];
    if (id < 0)
        return err_set(work->err, ERR_DATA, "the word \"%.*s\" is not in the vocabulary, and there is no unknown token", (int)(n < 60 ? n : 60),
                       word);
    buf_write(work->ids, &id, sizeof id);
    return true;
}

static bool encode(const Tokenizer *t, const char *text, size_t n, Buf *ids, Err *err)
{
    Work work = { .t = t, .ids = ids, .err = err };
    WordRules rules = rules_of(t);
    return words_normalize(text, n, &rules, encode_word, &work, err);
}

static void decode(const Tokenizer *t, const char *token, size_t n, Buf *out)
{
    (void)t;
    words_join(out, token, n);
}

const TokenKind tokenizer_word = {
    .name = "word",
    .doc = "data.WordTokenizer(text = nil, {vocab_size = 20000, lowercase = true, …}): every word, punctuation mark and CJK\n"
           "ideograph is a token, the most frequent ones first; what is not in the vocabulary becomes the unknown token.",
    .example = "local t = data.WordTokenizer(\"the cat, the dog\"); assert(t:decode(t:encode(\"The dog, the cat\")) == \"the dog, the cat\")",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .learn = learn,
    .encode = encode,
    .decode = decode,
};
