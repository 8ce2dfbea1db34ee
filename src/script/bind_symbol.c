// SPDX-License-Identifier: MIT
/* Symbols: values that do not exist yet. */
#include "script/bind_net.h"

void symbol_push(lua_State *L, Symbol *take)
{
    SymbolBox *box = bind_new(L, &kind_symbol, sizeof *box);
    box->symbol = take;
}

static int symbol_gc(lua_State *L)
{
    SymbolBox *box = bind_check(L, 1, &kind_symbol, "__gc");
    symbol_unref(box->symbol);
    box->symbol = NULL;
    return 0;
}

static Symbol *symbol_check(lua_State *L, const char *who)
{
    SymbolBox *box = bind_check(L, 1, &kind_symbol, who);
    if (!box->symbol)
        bind_error(L, ERR_STATE, "%s: this symbol is gone", who);
    return box->symbol;
}

static int symbol_shape(lua_State *L)
{
    tensor_push_shape(L, &symbol_check(L, "shape")->shape);
    return 1;
}

static int symbol_dtype(lua_State *L)
{
    lua_pushstring(L, dtype_name(symbol_check(L, "dtype")->dtype));
    return 1;
}

static int symbol_layer(lua_State *L)
{
    layer_push(L, symbol_check(L, "layer")->layer);
    return 1;
}

static const Field symbol_fields[] = {
    { "shape", symbol_shape, NULL, "its shape; -1 stands for the batch" },
    { "dtype", symbol_dtype, NULL, "type of its elements" },
    { "layer", symbol_layer, NULL, "the layer that it comes out of" },
};

static int symbol_tostring(lua_State *L)
{
    const Symbol *symbol = symbol_check(L, "tostring");
    char text[SHAPE_TEXT];
    lua_pushfstring(L, "symbol %s %s, output of %s", dtype_name(symbol->dtype), shape_text(&symbol->shape, text),
                    symbol->layer->name);
    return 1;
}

static const luaL_Reg symbol_meta[] = { { "__gc", symbol_gc }, { "__tostring", symbol_tostring }, { NULL, NULL } };

const Kind kind_symbol = {
    .type = "hebb.symbol",
    .what = "symbol",
    .title = "a symbol",
    .doc = "A value that does not exist yet: nn.Input makes one, layers are called on it, nn.Model(inputs, outputs) makes a model.",
    .fields = symbol_fields,
    .n_fields = COUNT_OF(symbol_fields),
    .meta = symbol_meta,
};
