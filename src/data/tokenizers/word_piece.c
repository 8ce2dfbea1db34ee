// SPDX-License-Identifier: MIT
/* Words as the longest pieces that the vocabulary has, from the left; pieces that do not begin a word are written with ## in
 * front. The vocabulary is learnt by joining frequent neighbours, starting from characters.
 * Source: Devlin et al. 2018, tokenization.py (encoding); Schuster and Nakajima 2012. */
#include "data/tokenizer.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"

#define PREFIX "##"

static const ArgSpec args[] = {
    TOKENIZER_ARGS("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "8000", "2"),
    { .name = "lowercase", .type = ARG_BOOL, .fallback = "true", .help = "capitals become small letters" },
    { .name = "strip_accents", .type = ARG_BOOL, .fallback = "nil", .help = "é becomes e; nil: as lowercase says" },
    { .name = "max_word_length", .type = ARG_INT, .fallback = "100", .least = 1, .most = 1e6,
      .help = "characters; a longer word is the unknown token" },
};

static WordRules rules_of(const Tokenizer *t)
{
    bool lowercase = args_bool(&t->args, "lowercase");
    return (WordRules){ .lowercase = lowercase,
                        .strip_accents = args_given(&t->args, "strip_accents") ? args_bool(&t->args, "strip_accents") : lowercase };
}

/* ---- learning ---- */

typedef struct Learn {
    const Tokenizer *t;
    WordCounts words, letters; /* letters: with the prefix where they do not begin a word */
    Err *err;
} Learn;

static bool count_word(void *ctx, const char *word, size_t n)
{
    Learn *learn = ctx;
    return word_counts_add(&learn->words, word, n, learn->err);
}

/* The piece at `at`, of one character, into out; returns the character's bytes. */
static size_t letter_at(const char *word, size_t n, size_t at, char out[8], size_t *size)
{
    uint32_t code;
    size_t bytes = (size_t)utf8_decode(word + at, n - at, &code);
    *size = 0;
    if (at > 0)
        memcpy(out, PREFIX, *size = strlen(PREFIX));
    memcpy(out + *size, word + at, bytes);
    *size += bytes;
    return bytes;
}

static bool count_letters(Learn *l)
{
    for (int32_t w = 0; w < l->words.words.n; w++) {
        size_t n;
        const char *word = vocab_at(&l->words.words, w, &n);
        for (size_t at = 0, size; at < n;) {
            char letter[8];
            at += letter_at(word, n, at, letter, &size);
            if (!word_counts_add(&l->letters, letter, size, l->err))
                return false;
            l->letters.counts[vocab_find(&l->letters.words, letter, size)] += l->words.counts[w] - 1;
        }
    }
    return true;
}

/* The most frequent letters first, as many as there is room for. */
static bool add_letters(Learn *l, Vocab *vocab, int64_t most)
{
    int32_t *rank = word_counts_rank(&l->letters, l->err);
    bool ok = rank != NULL;
    for (int32_t i = 0; ok && i < l->letters.words.n && vocab->n < most; i++) {
        size_t n;
        const char *letter = vocab_at(&l->letters.words, rank[i], &n);
        ok = vocab_add(vocab, letter, n, l->err) >= 0;
    }
    mem_free(rank);
    return ok;
}

/* Words as ids of their letters; a word with a letter that found no room is left out (length 0). */
static void fill(const Learn *l, const Vocab *vocab, int32_t *symbols, int64_t *starts)
{
    int64_t to = 0;
    for (int32_t w = 0; w < l->words.words.n; w++) {
        size_t n;
        const char *word = vocab_at(&l->words.words, w, &n);
        starts[w] = to;
        for (size_t at = 0, size; at < n;) {
            char letter[8];
            at += letter_at(word, n, at, letter, &size);
            int32_t id = vocab_find(vocab, letter, size);
            if (id < 0) {
                to = starts[w];
                break;
            }
            symbols[to++] = id;
        }
    }
    starts[l->words.words.n] = to;
}

static bool learn_pieces(Learn *l, Tokenizer *t, const _Atomic bool *stop)
{
    MergePlan plan = { args_int(&t->args, "vocab_size"), args_int(&t->args, "min_frequency"), PREFIX, stop };
    int32_t *symbols = mem_alloc(l->words.words.bytes.size + 1, sizeof *symbols, l->err);
    int64_t *starts = symbols ? mem_alloc((size_t)l->words.words.n + 1, sizeof *starts, l->err) : NULL;
    bool ok = starts && count_letters(l) && add_letters(l, &t->vocab, plan.vocab_size);
    if (ok) {
        fill(l, &t->vocab, symbols, starts);
        ok = merge_learn(&t->vocab, NULL, symbols, starts, &l->words, &plan, l->err);
    }
    mem_free(symbols);
    mem_free(starts);
    return ok;
}

static bool learn(Tokenizer *t, const TokenText *texts, int64_t n_texts, const _Atomic bool *stop, Err *err)
{
    Learn l = { .t = t, .words = { .words = VOCAB_INIT }, .letters = { .words = VOCAB_INIT }, .err = err };
    WordRules rules = rules_of(t);
    bool ok = true;
    for (int64_t i = 0; ok && i < n_texts; i++)
        ok = words_normalize(texts[i].text, texts[i].n, &rules, count_word, &l, err);
    ok = ok && learn_pieces(&l, t, stop);
    word_counts_fini(&l.words);
    word_counts_fini(&l.letters);
    return ok;
}

static bool finish(Tokenizer *t, Err *err)
{
    return t->special[TOKEN_UNKNOWN] >= 0 ||
           err_set(err, ERR_DATA, "a WordPiece vocabulary needs its unknown token, \"%s\", among its entries", args_text(&t->args, "unknown"));
}

/* ---- encoding ---- */

typedef struct Work {
    const Tokenizer *t;
    Buf *ids;
    Err *err;
    WordCache cache;
    Buf piece; /* prefix and the rest of the word */
} Work;

static int64_t count_characters(const char *word, size_t n)
{
    int64_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += ((unsigned char)word[i] & 0xc0) != 0x80;
    return count;
}

/* The longest piece that stands at `at`: its id, and its bytes in *size; -1: there is none. */
static int32_t longest(Work *work, const char *word, size_t n, size_t at, size_t *size)
{
    size_t skip = at > 0 ? strlen(PREFIX) : 0;
    buf_reset(&work->piece);
    buf_write(&work->piece, PREFIX, skip);
    buf_write(&work->piece, word + at, n - at);
    if (work->piece.failed)
        return -1;
    for (*size = n - at; *size > 0; --*size) {
        if (at + *size < n && ((unsigned char)word[at + *size] & 0xc0) == 0x80)
            continue; /* within a character */
        int32_t id = vocab_find(&work->t->vocab, work->piece.data, skip + *size);
        if (id >= 0)
            return id;
    }
    return -1;
}

static bool encode_word(void *ctx, const char *word, size_t n)
{
    Work *work = ctx;
    size_t first = work->ids->size, size = 0;
    if (word_cache_find(&work->cache, word, n, work->ids))
        return true;
    bool known = count_characters(word, n) <= args_int(&work->t->args, "max_word_length");
    for (size_t at = 0; known && at < n; at += size) {
        int32_t id = longest(work, word, n, at, &size);
        known = id >= 0;
        buf_write(work->ids, &id, sizeof id);
    }
    if (!buf_ok(&work->piece, work->err) || !buf_ok(work->ids, work->err))
        return false;
    if (!known) {
        work->ids->size = first;
        buf_write(work->ids, &work->t->special[TOKEN_UNKNOWN], sizeof(int32_t));
    }
    return buf_ok(work->ids, work->err) && word_cache_add(&work->cache, word, n, (const int32_t *)(void *)(work->ids->data + first),
                                                          (work->ids->size - first) / sizeof(int32_t), work->err);
}

static bool encode(const Tokenizer *t, const char *text, size_t n, Buf *ids, Err *err)
{
    Work work = { .t = t, .ids = ids, .err = err, .cache = { .words = VOCAB_INIT } };
    WordRules rules = rules_of(t);
    bool ok = words_normalize(text, n, &rules, encode_word, &work, err);
    word_cache_fini(&work.cache);
    buf_fini(&work.piece);
    return ok;
}

static void decode(const Tokenizer *t, const char *token, size_t n, Buf *out)
{
    size_t skip = strlen(PREFIX);
    (void)t;
    if (n > skip && !memcmp(token, PREFIX, skip))
        buf_write(out, token + skip, n - skip);
    else
        words_join(out, token, n);
}

const TokenKind tokenizer_word_piece = {
    .name = "word_piece",
    .doc = "data.WordPieceTokenizer(text = nil, {vocab_size = 8000, lowercase = true, …}): words in pieces, as BERT's. A piece that\n"
           "does not begin a word is written ##piece; CJK ideographs and punctuation marks are words of their own; a word that the\n"
           "pieces cannot make is [UNK].  Source: Devlin et al. 2018.",
    .example = "local t = data.WordPieceTokenizer(nil, {vocabulary = {\"[PAD]\", \"[UNK]\", \"play\", \"##ing\"}})\n"
               "  assert(table.concat(t:tokens(\"Playing chess\"), \" \") == \"play ##ing [UNK]\")",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .learn = learn,
    .finish = finish,
    .encode = encode,
    .decode = decode,
};
