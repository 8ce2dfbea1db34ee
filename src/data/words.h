// SPDX-License-Identifier: MIT
/* Texts into words, before any vocabulary is asked. Texts are well-formed UTF-8. Any thread. */
#ifndef DATA_WORDS_H
#define DATA_WORDS_H

#include "data/vocab.h"

/* One word, borrowed during the call. False stops. */
typedef bool (*WordFn)(void *ctx, const char *word, size_t n);

/* GPT-2's split: contractions ('s 't 're 've 'm 'll 'd), letters, digits, other signs, each with one space in front where there
 * is one; other white space by itself. The words together are the text. Source: Radford et al. 2019, encoder.py. */
bool words_split(const char *text, size_t n, WordFn fn, void *ctx);

/* BERT's split: control characters fall away, white space separates, every punctuation mark and every CJK ideograph is a word.
 * Source: Devlin et al. 2018, tokenization.py. */
typedef struct WordRules {
    bool lowercase;
    bool strip_accents; /* canonical decomposition, then combining marks fall away */
    bool drop_punctuation;
} WordRules;
/* False when fn gave it (with its own reason in err), or memory ran out (ERR_MEM). */
MUST_USE bool words_normalize(const char *text, size_t n, const WordRules *rules, WordFn fn, void *ctx, Err *err);

/* Append a word to a text that is put together again: a space in front, but none before a closing mark, after an opening one or
 * between ideographs. */
void words_join(Buf *out, const char *word, size_t n);

/* Words met before and what became of them: texts repeat their words. */
typedef struct WordCache {
    Vocab words;
    Buf ids, ends; /* int32_t: ids of all words one behind the other; size_t: where those of word i end */
} WordCache;
void word_cache_fini(WordCache *cache);
bool word_cache_find(const WordCache *cache, const char *word, size_t n, Buf *ids); /* appends what is known */
MUST_USE bool word_cache_add(WordCache *cache, const char *word, size_t n, const int32_t *ids, size_t n_ids, Err *err);

/* How often each word occurs. */
typedef struct WordCounts {
    Vocab words;
    int64_t *counts; /* owned [room] */
    int32_t room;
} WordCounts;
void word_counts_fini(WordCounts *counts);
MUST_USE bool word_counts_add(WordCounts *counts, const char *word, size_t n, Err *err);

/* Numbers of the words, the most frequent first, equal ones by their bytes; freed with mem_free. Fails: ERR_MEM. */
MUST_USE int32_t *word_counts_rank(const WordCounts *counts, Err *err);

#endif
