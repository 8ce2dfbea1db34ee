// SPDX-License-Identifier: MIT
/* Byte-level: every text can be encoded, and decodes to itself. The split keeps words apart, so that a merge never spans two.
 * Source: Radford et al. 2019, section 2.2; the order of merges is that of Sennrich et al. 2016. */
#include "data/tokenizer.h"

#include <string.h>

#include "base/mem.h"

#define BYTES 256

static const ArgSpec args[] = { TOKENIZER_ARGS("", "", "", "<|endoftext|>", "", "1000", "2") };

/* ---- the alphabet ---- */

static bool shows(int byte)
{
    return (byte >= '!' && byte <= '~') || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
}

uint32_t token_byte_code(unsigned char byte)
{
    uint32_t code = 256;
    if (shows(byte))
        return byte;
    for (int b = 0; b < byte; b++)
        code += !shows(b);
    return code;
}

int token_code_byte(uint32_t code)
{
    for (int b = 0; b < BYTES; b++)
        if (token_byte_code((unsigned char)b) == code)
            return b;
    return -1;
}

/* GPT-2's order: the bytes that can be shown, then the others. */
static bool add_bytes(Vocab *vocab, int32_t ids[BYTES], Err *err)
{
    for (int pass = 0; pass < 2; pass++)
        for (int b = 0; b < BYTES; b++) {
            char byte = (char)b;
            if (shows(b) == (pass == 0) && (ids[b] = vocab_add(vocab, &byte, 1, err)) < 0)
                return false;
        }
    return true;
}

/* ---- learning ---- */

typedef struct Count {
    WordCounts *counts;
    Err *err;
} Count;

static bool count_word(void *ctx, const char *word, size_t n)
{
    Count *count = ctx;
    return word_counts_add(count->counts, word, n, count->err);
}

/* Words as ids of their bytes. */
static void fill(const WordCounts *counts, const int32_t ids[BYTES], int32_t *symbols, int64_t *starts)
{
    const unsigned char *bytes = (const unsigned char *)counts->words.bytes.data;
    for (size_t i = 0; i < counts->words.bytes.size; i++)
        symbols[i] = ids[bytes[i]];
    starts[0] = 0;
    for (int32_t w = 0; w < counts->words.n; w++)
        starts[w + 1] = (int64_t)counts->words.ends[w];
}

static bool learn_merges(Tokenizer *t, const WordCounts *counts, const _Atomic bool *stop, Err *err)
{
    int32_t ids[BYTES], *symbols = mem_alloc(counts->words.bytes.size + 1, sizeof *symbols, err);
    int64_t *starts = symbols ? mem_alloc((size_t)counts->words.n + 1, sizeof *starts, err) : NULL;
    MergePlan plan = { args_int(&t->args, "vocab_size"), args_int(&t->args, "min_frequency"), "", stop };
    Buf merges = BUF_INIT;
    bool ok = starts && add_bytes(&t->vocab, ids, err);
    if (ok && plan.vocab_size < t->vocab.n)
        ok = err_set(err, ERR_ARG, "vocab_size must be at least %d (256 bytes and the special tokens), got %lld", (int)t->vocab.n,
                     (long long)plan.vocab_size);
    if (ok) {
        fill(counts, ids, symbols, starts);
        ok = merge_learn(&t->vocab, &merges, symbols, starts, counts, &plan, err);
    }
    if (ok) {
        t->n_merges = (int64_t)(merges.size / sizeof *t->merges);
        ok = (t->merges = (MergePair *)(void *)buf_take(&merges)) != NULL || err_set(err, ERR_MEM, "memory ran out while a vocabulary was learnt");
    }
    buf_fini(&merges);
    mem_free(symbols);
    mem_free(starts);
    return ok;
}

static bool learn(Tokenizer *t, const TokenText *texts, int64_t n_texts, const _Atomic bool *stop, Err *err)
{
    WordCounts counts = { .words = VOCAB_INIT };
    Count count = { &counts, err };
    bool ok = true;
    for (int64_t i = 0; ok && i < n_texts; i++)
        ok = words_split(texts[i].text, texts[i].n, count_word, &count);
    ok = ok && learn_merges(t, &counts, stop, err);
    word_counts_fini(&counts);
    return ok;
}

/* ---- what encoding needs ---- */

static bool check_merge(const Tokenizer *t, const MergePair *m, int64_t i, Err *err)
{
    size_t n[3];
    int32_t ids[3] = { m->left, m->right, m->joined };
    const char *at[3];
    for (int k = 0; k < 3; k++) {
        if (ids[k] < 0 || ids[k] >= t->vocab.n)
            return err_set(err, ERR_DATA, "merge %lld names token %d, the vocabulary has 0 ... %d", (long long)i + 1, (int)ids[k],
                           (int)t->vocab.n - 1);
        at[k] = vocab_at(&t->vocab, ids[k], &n[k]);
    }
    return (n[2] == n[0] + n[1] && !memcmp(at[2], at[0], n[0]) && !memcmp(at[2] + n[0], at[1], n[1])) ||
           err_set(err, ERR_DATA, "merge %lld: token %d is not token %d and token %d one behind the other", (long long)i + 1, (int)m->joined,
                   (int)m->left, (int)m->right);
}

static bool finish(Tokenizer *t, Err *err)
{
    for (int b = 0; b < BYTES; b++) {
        char byte = (char)b;
        if (vocab_find(&t->vocab, &byte, 1) < 0)
            return err_set(err, ERR_DATA, "a byte-pair vocabulary holds every byte; byte %02X is missing", (unsigned)b);
    }
    for (int64_t i = 0; i < t->n_merges; i++) {
        MergeSlot *slot = check_merge(t, &t->merges[i], i, err) ? merge_table_add(&t->ranks, t->merges[i].left, t->merges[i].right, err) : NULL;
        if (!slot)
            return false;
        if (slot->value)
            return err_set(err, ERR_DATA, "merge %lld stands there already as merge %lld", (long long)i + 1, (long long)slot->value);
        slot->value = i + 1;
    }
    return true;
}

/* ---- encoding ---- */

typedef struct Symbol {
    int32_t id, before, behind; /* id -1: it was joined into the one before */
} Symbol;

typedef struct Work {
    const Tokenizer *t;
    Buf *ids;
    Err *err;
    WordCache cache;
    Buf symbols, heap;
} Work;

static bool offer(Work *work, const Symbol *symbols, int32_t at)
{
    int32_t behind = at >= 0 ? symbols[at].behind : -1;
    const MergeSlot *slot = behind >= 0 ? merge_table_find(&work->t->ranks, symbols[at].id, symbols[behind].id) : NULL;
    return !slot || merge_heap_push(&work->heap, (MergeEntry){ -slot->value, (uint64_t)at }, work->err);
}

/* Join the pair of the earliest merge, from the left, until no pair has one. */
static bool merge_all(Work *work, Symbol *symbols)
{
    MergeEntry top;
    while (merge_heap_pop(&work->heap, &top)) {
        const MergePair *pair = &work->t->merges[-top.weight - 1];
        Symbol *left = &symbols[top.key];
        if (left->id != pair->left || left->behind < 0 || symbols[left->behind].id != pair->right)
            continue; /* one of them has become something else */
        Symbol *right = &symbols[left->behind];
        left->id = pair->joined;
        left->behind = right->behind;
        right->id = -1;
        if (left->behind >= 0)
            symbols[left->behind].before = (int32_t)top.key;
        if (!offer(work, symbols, left->before) || !offer(work, symbols, (int32_t)top.key))
            return false;
    }
    return true;
}

static bool encode_word(void *ctx, const char *word, size_t n)
{
    Work *work = ctx;
    size_t first = work->ids->size;
    if (word_cache_find(&work->cache, word, n, work->ids))
        return true;
    if (n > INT32_MAX)
        return err_set(work->err, ERR_DATA, "a word of %zu bytes is too long to encode", n);
    buf_reset(&work->symbols);
    Symbol *symbols = buf_extend(&work->symbols, n * sizeof *symbols);
    if (!symbols)
        return buf_ok(&work->symbols, work->err);
    for (size_t i = 0; i < n; i++)
        symbols[i] = (Symbol){ vocab_find(&work->t->vocab, word + i, 1), (int32_t)i - 1, i + 1 < n ? (int32_t)i + 1 : -1 };
    for (size_t i = 0; i + 1 < n; i++)
        if (!offer(work, symbols, (int32_t)i))
            return false;
    if (!merge_all(work, symbols))
        return false;
    for (int32_t i = 0; i >= 0; i = symbols[i].behind)
        buf_write(work->ids, &symbols[i].id, sizeof symbols[i].id);
    return buf_ok(work->ids, work->err) && word_cache_add(&work->cache, word, n, (const int32_t *)(void *)(work->ids->data + first),
                                                          (work->ids->size - first) / sizeof(int32_t), work->err);
}

static bool encode(const Tokenizer *t, const char *text, size_t n, Buf *ids, Err *err)
{
    Work work = { .t = t, .ids = ids, .err = err, .cache = { .words = VOCAB_INIT } };
    bool ok = words_split(text, n, encode_word, &work);
    word_cache_fini(&work.cache);
    buf_fini(&work.symbols);
    buf_fini(&work.heap);
    return ok;
}

static void decode(const Tokenizer *t, const char *token, size_t n, Buf *out)
{
    (void)t;
    buf_write(out, token, n);
}

const TokenKind tokenizer_byte_pair = {
    .name = "byte_pair",
    .doc = "data.BytePairTokenizer(text = nil, {vocab_size = 1000, …}): byte-level byte-pair encoding, as GPT-2's. Begins with the\n"
           "256 bytes and joins the most frequent neighbours until the vocabulary is full; every text can be encoded and decodes to\n"
           "itself.  Source: Sennrich et al. 2016; Radford et al. 2019.",
    .example = "local t = data.BytePairTokenizer((\"low lower lowest \"):rep(9), {vocab_size = 262})\n"
               "  assert(t:decode(t:encode(\"slow, 慢\")) == \"slow, 慢\" and #t:tokens(\"low\") == 1)",
    .args = args,
    .n_args = sizeof args / sizeof *args,
    .bytes = true,
    .learn = learn,
    .finish = finish,
    .encode = encode,
    .decode = decode,
};
