// SPDX-License-Identifier: MIT
#include "data/words.h"

#include <string.h>

#include "base/mem.h"
#include "base/unicode.h"
#include "base/utf8.h"

/* ---- GPT-2 ---- */

typedef enum { SIGN_SPACE, SIGN_LETTER, SIGN_NUMBER, SIGN_OTHER } Sign;

static Sign sign_of(const char *text, size_t n, int *size)
{
    uint32_t code = 0;
    *size = utf8_decode(text, n, &code);
    if (*size < 1)
        *size = 1; /* malformed: a sign of its own */
    return unicode_is_space(code) ? SIGN_SPACE : unicode_is_letter(code) ? SIGN_LETTER : unicode_is_number(code) ? SIGN_NUMBER : SIGN_OTHER;
}

static size_t contraction(const char *text, size_t n)
{
    static const char *const ends[] = { "'s", "'t", "'re", "'ve", "'m", "'ll", "'d" };
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        size_t size = strlen(ends[i]);
        if (n >= size && !memcmp(text, ends[i], size))
            return size;
    }
    return 0;
}

/* White space at the start: all of it at the end of the text, else all but its last sign, but at least one. */
static size_t space_run(const char *text, size_t n)
{
    size_t at = 0, last = 0;
    int size;
    while (at < n && sign_of(text + at, n - at, &size) == SIGN_SPACE) {
        last = at;
        at += (size_t)size;
    }
    return at == n || last == 0 ? at : last;
}

static size_t next_word(const char *text, size_t n)
{
    int size;
    size_t at = contraction(text, n), start;
    if (at)
        return at;
    Sign sign = sign_of(text, n, &size);
    at = text[0] == ' ' && n > 1;
    if (at)
        sign = sign_of(text + 1, n - 1, &size);
    if (sign == SIGN_SPACE)
        return space_run(text, n);
    for (start = at; at < n && sign_of(text + at, n - at, &size) == sign; at += (size_t)size)
        ;
    return at > start ? at : 1;
}

bool words_split(const char *text, size_t n, WordFn fn, void *ctx)
{
    for (size_t at = 0, size; at < n; at += size) {
        size = next_word(text + at, n - at);
        if (!fn(ctx, text + at, size))
            return false;
    }
    return true;
}

/* ---- BERT ---- */

typedef struct Normal {
    const WordRules *rules;
    WordFn fn;
    void *ctx;
    Err *err;
    Buf word;
} Normal;

static bool flush(Normal *normal)
{
    size_t n = normal->word.size;
    bool ok = n == 0 || normal->fn(normal->ctx, normal->word.data, n);
    buf_reset(&normal->word);
    return ok;
}

static bool put_code(Normal *normal, uint32_t code)
{
    char bytes[4];
    if (code == 0x130 && normal->rules->lowercase) { /* the one letter whose small form is two: i and a dot */
        buf_puts(&normal->word, "i\xcc\x87");
        return buf_ok(&normal->word, normal->err);
    }
    if (normal->rules->lowercase)
        code = unicode_lower(code);
    int size = utf8_encode(code, bytes);
    if (!unicode_is_punctuation(code)) {
        buf_write(&normal->word, bytes, (size_t)size);
        return buf_ok(&normal->word, normal->err);
    }
    return flush(normal) && (normal->rules->drop_punctuation || normal->fn(normal->ctx, bytes, (size_t)size));
}

static bool take_code(Normal *normal, uint32_t code)
{
    uint32_t parts[3] = { code };
    int n = 1;
    if (unicode_is_space(code))
        return flush(normal);
    if (code == 0 || code == 0xfffd || unicode_is_control(code))
        return true;
    bool alone = unicode_is_ideograph(code);
    if (alone && !flush(normal))
        return false;
    if (normal->rules->strip_accents)
        n = unicode_bare(code, parts);
    for (int i = 0; i < n; i++)
        if (!put_code(normal, parts[i]))
            return false;
    return !alone || flush(normal);
}

bool words_normalize(const char *text, size_t n, const WordRules *rules, WordFn fn, void *ctx, Err *err)
{
    Normal normal = { .rules = rules, .fn = fn, .ctx = ctx, .err = err, .word = BUF_INIT };
    bool ok = true;
    for (size_t at = 0; ok && at < n;) {
        uint32_t code = 0xfffd;
        int size = utf8_decode(text + at, n - at, &code);
        ok = take_code(&normal, code);
        at += size > 0 ? (size_t)size : 1;
    }
    ok = ok && flush(&normal);
    buf_fini(&normal.word);
    return ok;
}

/* ---- and back ---- */

static uint32_t last_code(const Buf *out)
{
    uint32_t code = 0;
    for (size_t size = 1; size <= 4 && size <= out->size; size++)
        if (utf8_decode(out->data + out->size - size, size, &code) == (int)size)
            return code;
    return 0;
}

static bool opens(uint32_t code)
{
    return code == '(' || code == '[' || code == '{' || code == 0x201c || code == 0xff08;
}

static bool closes(uint32_t code)
{
    return code && code < 0x80 ? strchr(".,!?;:)]}", (int)code) != NULL : code >= 0x3000 && unicode_is_punctuation(code);
}

void words_join(Buf *out, const char *word, size_t n)
{
    uint32_t before = last_code(out), next = 0;
    utf8_decode(word, n, &next);
    bool wide = (unicode_is_ideograph(before) || before >= 0x3000) && unicode_is_ideograph(next);
    if (out->size && !wide && !opens(before) && !closes(next))
        buf_put(out, ' ');
    buf_write(out, word, n);
}

/* ---- remembering ---- */

void word_cache_fini(WordCache *cache)
{
    vocab_fini(&cache->words);
    buf_fini(&cache->ids);
    buf_fini(&cache->ends);
}

bool word_cache_find(const WordCache *cache, const char *word, size_t n, Buf *ids)
{
    int32_t i = vocab_find(&cache->words, word, n);
    if (i < 0)
        return false;
    const size_t *ends = (const size_t *)(const void *)cache->ends.data;
    size_t start = i ? ends[i - 1] : 0;
    buf_write(ids, cache->ids.data + start * sizeof(int32_t), (ends[i] - start) * sizeof(int32_t));
    return true;
}

bool word_cache_add(WordCache *cache, const char *word, size_t n, const int32_t *ids, size_t n_ids, Err *err)
{
    buf_write(&cache->ids, ids, n_ids * sizeof *ids);
    size_t end = cache->ids.size / sizeof *ids;
    buf_write(&cache->ends, &end, sizeof end);
    return buf_ok(&cache->ids, err) && buf_ok(&cache->ends, err) && vocab_add(&cache->words, word, n, err) >= 0;
}

/* ---- counting ---- */

void word_counts_fini(WordCounts *counts)
{
    vocab_fini(&counts->words);
    mem_free(counts->counts);
    *counts = (WordCounts){ .words = VOCAB_INIT };
}

bool word_counts_add(WordCounts *counts, const char *word, size_t n, Err *err)
{
    int32_t known = counts->words.n, id = vocab_add(&counts->words, word, n, err);
    if (id < 0)
        return false;
    if (id >= counts->room) {
        int64_t *grown = mem_grow(counts->counts, (size_t)counts->words.room, sizeof *grown, err);
        if (!grown)
            return false;
        counts->counts = grown;
        counts->room = counts->words.room;
    }
    if (id == known)
        counts->counts[id] = 0;
    counts->counts[id]++;
    return true;
}

/* Is word a to stand before word b? */
static bool before(const WordCounts *counts, int32_t a, int32_t b)
{
    if (counts->counts[a] != counts->counts[b])
        return counts->counts[a] > counts->counts[b];
    size_t n, m;
    const char *x = vocab_at(&counts->words, a, &n), *y = vocab_at(&counts->words, b, &m);
    int order = memcmp(x, y, n < m ? n : m);
    return order ? order < 0 : n < m;
}

/* Merge sort of order[first … last) with room beside it. */
static void sort(const WordCounts *counts, int32_t *order, int32_t *room, int32_t first, int32_t last)
{
    if (last - first < 2)
        return;
    int32_t middle = first + (last - first) / 2, i = first, j = middle;
    sort(counts, order, room, first, middle);
    sort(counts, order, room, middle, last);
    for (int32_t k = first; k < last; k++)
        room[k] = j == last || (i < middle && !before(counts, order[j], order[i])) ? order[i++] : order[j++];
    memcpy(order + first, room + first, (size_t)(last - first) * sizeof *order);
}

int32_t *word_counts_rank(const WordCounts *counts, Err *err)
{
    int32_t n = counts->words.n, *order = mem_alloc((size_t)n * 2 + 1, sizeof *order, err);
    for (int32_t i = 0; order && i < n; i++)
        order[i] = i;
    if (order)
        sort(counts, order, order + n, 0, n);
    return order;
}
