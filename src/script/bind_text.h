// SPDX-License-Identifier: MIT
/* Tokenisers in Lua: a userdata that owns one reference. */
#ifndef SCRIPT_BIND_TEXT_H
#define SCRIPT_BIND_TEXT_H

#include "data/tokenizer.h"
#include "script/bind_tensor.h"

typedef struct TokenizerBox {
    Tokenizer *t;
} TokenizerBox;

extern const Kind kind_tokenizer;

/* The tokeniser at index, borrowed. Raises. */
Tokenizer *text_tokenizer(lua_State *L, int index, const char *who);

/* The texts at index (a text, or a list of them), borrowed from the stack; the array is the collector's and is pushed. Raises. */
const TokenText *text_list(lua_State *L, int index, int64_t *n, const char *who);

/* model.tokenizer */
int text_get_model(lua_State *L);
int text_set_model(lua_State *L);

/* "CodePointTokenizer" */
#define TEXT_CLASS 80
const char *text_class(const TokenKind *kind, char out[TEXT_CLASS]);

extern const VerbGroup text_group;

#endif
