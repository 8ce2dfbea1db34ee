// SPDX-License-Identifier: MIT
/* What could stand at the cursor: the word there, and the names, arguments, choices and files that continue it. Works on the
 * text alone (a small reading of Lua's strings, comments and brackets) and on the published NameIndex. The ui thread. */
#ifndef UI_COMPLETE_H
#define UI_COMPLETE_H

#include "base/index.h"

#define COMPLETE_MOST 400 /* candidates */
#define COMPLETE_PATH 200

typedef enum {
    WORD_NONE,  /* in a comment or a number: nothing to offer */
    WORD_NAME,  /* nn.De| */
    WORD_FILE,  /* "data/di| */
} WordKind;

typedef struct Word {
    WordKind kind;
    size_t start;      /* byte where the part to be replaced begins: after the last '.', ':' or '/' */
    size_t whole;      /* byte where the chain, or the content of the string, begins */
    char call[COMPLETE_PATH];  /* the function whose arguments stand here ("nn.Conv2D"), "" outside of any */
    bool table;        /* inside a table of that call: options may be named */
    bool key;          /* where a key of the table may stand: after '{' or ',' */
    char option[64];   /* after "option = ": its name; "" */
    char quote;        /* WORD_FILE: what ends the string; 0: a long string */
} Word;

/* The word that ends at byte `point` of the text. */
void complete_word(const char *text, size_t point, Word *word);

typedef struct Candidate {
    char *text;        /* replaces bytes word.start … point; owned */
    const char *shown; /* inside text or about: what the list shows */
    char *about;       /* owned */
    char kind;         /* as NameRow's; 'd' folder, 'p' other file, 'c' a choice of an option */
    const char *after; /* to be added when it is the only one: "(", " = ", "\"" or "" */
} Candidate;

typedef struct Candidates {
    Candidate *items; /* owned, sorted */
    size_t n, room;
    bool more;        /* there were more than COMPLETE_MOST */
    size_t common;    /* bytes that all texts begin with */
} Candidates;

/* Fails: ERR_MEM (out is empty then). Finding nothing is no failure. */
MUST_USE bool complete_find(const NameIndex *index, const char *text, size_t point, const Word *word, Candidates *out, Err *err);
void complete_fini(Candidates *candidates);

/* Signature of the function around the cursor, or NULL. Borrowed from the index. */
const char *complete_signature(const NameIndex *index, const Word *word);

/* The dotted name under byte `point`, into out; false when there is none. */
bool complete_name_at(const char *text, size_t point, char out[COMPLETE_PATH]);

#endif
