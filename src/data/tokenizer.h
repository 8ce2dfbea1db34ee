// SPDX-License-Identifier: MIT
/* Tokenisers: texts as numbers of a vocabulary, and back. Counted; a Tokenizer is trained (or filled) once by one thread, from
 * then on it never changes and any thread may use it. Texts are UTF-8 and are checked; token ids count from 0.
 *
 * A kind of tokeniser is one const TokenKind a file in data/tokenizers/, from which come data.<Name>Tokenizer, its argument
 * checks, its help, and its name in files. */
#ifndef DATA_TOKENIZER_H
#define DATA_TOKENIZER_H

#include "base/arg.h"
#include "data/merge.h"
#include "tensor/tensor.h"

/* Tokens that stand for no text; each kind names the ones it has by default in the arguments of these names. */
typedef enum { TOKEN_PADDING, TOKEN_UNKNOWN, TOKEN_START, TOKEN_END, TOKEN_MASK, TOKEN_SPECIALS } TokenSpecial;

typedef struct Tokenizer Tokenizer;

typedef struct TokenText {
    const char *text; /* borrowed; may hold zero bytes */
    size_t n;
} TokenText;

typedef struct TokenKind {
    const char *name; /* "byte_pair" */
    const char *doc, *example;
    const ArgSpec *args; /* TOKENIZER_ARGS stand first */
    int n_args;
    bool bytes; /* tokens are any bytes; in files they stand in GPT-2's alphabet of printable characters */
    /* Fill the vocabulary behind the special tokens. Texts were checked. Fails: ERR_MEM, ERR_DATA, ERR_INTERRUPT. */
    bool (*learn)(Tokenizer *t, const TokenText *texts, int64_t n_texts, const _Atomic bool *stop, Err *err);
    /* After learn, or when a vocabulary was given or read: check it, make what encoding needs. May be NULL. */
    bool (*finish)(Tokenizer *t, Err *err);
    /* Append ids (int32_t). Fails: ERR_MEM; ERR_DATA for what the vocabulary lacks where there is no unknown token. */
    bool (*encode)(const Tokenizer *t, const char *text, size_t n, Buf *ids, Err *err);
    /* Append the text of one token, which is no special one, to what the earlier ones gave. */
    void (*decode)(const Tokenizer *t, const char *token, size_t n, Buf *out);
} TokenKind;

struct Tokenizer {
    _Atomic int refs;
    const TokenKind *kind;
    Args args;
    Vocab vocab;
    int32_t special[TOKEN_SPECIALS]; /* ids; -1: there is none */
    MergePair *merges;               /* owned [n_merges]; byte-pair encoding alone */
    int64_t n_merges;
    MergeTable ranks;                /* of the merges, by pair */
    bool trained;
};

#define TOKENIZER_SPECIAL(field, token, what) \
    { .name = field, .type = ARG_TEXT, .fallback = token, .help = what }
/* The rows that every kind has, in this order: the special tokens (as TokenSpecial), vocab_size, min_frequency. */
#define TOKENIZER_ARGS(padding, unknown, start, end, mask, most_tokens, rarest) \
    TOKENIZER_SPECIAL("padding", padding, "token that fills short rows of a batch; \"\": none (id 0 fills)"), \
    TOKENIZER_SPECIAL("unknown", unknown, "token for what the vocabulary lacks; \"\": that is an error"), \
    TOKENIZER_SPECIAL("start", start, "token that add_special puts in front; \"\": none"), \
    TOKENIZER_SPECIAL("end", end, "token that add_special puts behind; \"\": none"), \
    TOKENIZER_SPECIAL("mask", mask, "token that hides a word (masked language models); \"\": none"), \
    { .name = "vocab_size", .type = ARG_INT, .fallback = most_tokens, .least = 1, .most = VOCAB_MOST, \
      .help = "at most so many tokens, the special ones included" }, \
    { .name = "min_frequency", .type = ARG_INT, .fallback = rarest, .least = 1, .most = 1e15, .help = "rarer ones are left out" }

const TokenKind *token_kind_at(int i);
const TokenKind *token_kind_find(const char *name, Err *err);

/* Not trained yet. Fails: ERR_ARG when two special tokens are the same text, ERR_MEM. */
MUST_USE Tokenizer *tokenizer_new(const TokenKind *kind, const Args *args, Err *err);
Tokenizer *tokenizer_ref(Tokenizer *t);
void tokenizer_unref(Tokenizer *t);

/* Learn the vocabulary. Fails: ERR_STATE when it has one already, ERR_DATA for no text at all or malformed UTF-8 (which text,
 * which byte), ERR_MEM, ERR_INTERRUPT when *stop (may be NULL) becomes true; then it is untrained as before. */
MUST_USE bool tokenizer_train(Tokenizer *t, const TokenText *texts, int64_t n_texts, const _Atomic bool *stop, Err *err);

/* A vocabulary made elsewhere, in the order of its ids; special tokens are found by their text wherever they stand, and those
 * that it lacks fall away. Fails: ERR_STATE; ERR_ARG for a kind that needs merges; ERR_DATA for an empty or repeated entry. */
MUST_USE bool tokenizer_set_vocabulary(Tokenizer *t, const TokenText *tokens, int64_t n, Err *err);

typedef struct EncodeOptions {
    bool add_special;  /* start token in front, end token behind, where there are such */
    bool read_special; /* the text of a special token in the text ("[MASK]") is that token */
    int64_t max_length; /* cut behind so many tokens, the end token kept; 0: no limit */
} EncodeOptions;

/* Append int32_t ids. Fails: ERR_STATE untrained, ERR_DATA malformed UTF-8 or an unknown part without unknown token, ERR_MEM. */
MUST_USE bool tokenizer_encode(const Tokenizer *t, const char *text, size_t n, const EncodeOptions *options, Buf *ids, Err *err);

/* ids [n] int32 as text; special tokens are left out when skip_special. Byte-level tokens cut from a text may end within a
 * character; the bytes are given as they are. Fails: ERR_DATA for an id outside the vocabulary, with its place; ERR_MEM. */
MUST_USE bool tokenizer_decode(const Tokenizer *t, const int32_t *ids, int64_t n, bool skip_special, Buf *out, Err *err);

/* Which special token this id is; -1: none. */
int tokenizer_special(const Tokenizer *t, int32_t id);
const char *token_special_name(int special); /* "padding" */

/* Every kind and all of its state as JSON text, and back. Texts are not trusted: tokens are counted and checked, merges must name
 * tokens, nothing is believed twice. Fails: ERR_DATA with the entry, ERR_NAME (an unknown kind), ERR_MEM. */
MUST_USE bool tokenizer_write(const Tokenizer *t, Buf *out, Err *err);
MUST_USE Tokenizer *tokenizer_parse(const char *json, size_t n, Err *err);
MUST_USE bool tokenizer_save(const Tokenizer *t, const char *path, Err *err);
MUST_USE Tokenizer *tokenizer_load(const char *path, Err *err);

/* GPT-2's alphabet: a printable code point for each byte, and back (-1: none). */
uint32_t token_byte_code(unsigned char byte);
int token_code_byte(uint32_t code);

#endif
