// SPDX-License-Identifier: MIT
/* data.text, data.lines: files of text. */
#include "formats/textfile.h"
#include "script/bind_text.h"

/* Push a Buf that holds the text of the file at index 1. */
static Buf *push_text(lua_State *L, const char *who)
{
    Err err = ERR_INIT;
    const char *path = bind_path(L, 1, who);
    Buf *text = bind_buf(L);
    if (!textfile_read(path, text, &err))
        bind_raise(L, &err);
    return text;
}

static int text(lua_State *L)
{
    Args args;
    bind_take(L, 1, "text", bind_verb(L), &args);
    Buf *content = push_text(L, "text");
    bind_push_buf(L, content);
    buf_fini(content);
    return 1;
}

static const ArgSpec lines_args[] = {
    { .name = "empty", .type = ARG_BOOL, .fallback = "false", .help = "empty lines too" },
    { .name = "limit", .type = ARG_INT, .fallback = "nil", .least = 1, .most = 1e9, .help = "no more lines than these; nil: all" },
};

static int lines(lua_State *L)
{
    Args args;
    bind_take(L, 1, "lines", bind_verb(L), &args);
    Buf *content = push_text(L, "lines");
    lua_Integer n = 0, limit = args_given(&args, "limit") ? args_int(&args, "limit") : LUA_MAXINTEGER;
    const char *line;
    size_t at = 0, length;
    lua_newtable(L);
    while (n < limit && textfile_line(content->data, content->size, &at, &line, &length)) {
        if (!length && !args_bool(&args, "empty"))
            continue;
        lua_pushlstring(L, line, length);
        lua_rawseti(L, -2, ++n);
    }
    buf_fini(content);
    return 1;
}

static const Verb verbs[] = {
    { "text", text, "file", NULL, 0,
      "The text of a file, which may be packed (gzip, xz): UTF-8, checked, without a byte order mark, lines ended by \"\\n\".",
      "local name = os.tmpname(); local f = io.open(name, \"w\"); f:write(\"to be\\r\\nor not\"); f:close()\n"
      "  assert(data.text(name) == \"to be\\nor not\"); os.remove(name)" },
    { "lines", lines, "file", lines_args, COUNT_OF(lines_args), "The lines of such a file, a list of texts.",
      "local name = os.tmpname(); local f = io.open(name, \"w\"); f:write(\"to be\\n\\nor not\\n\"); f:close()\n"
      "  assert(#data.lines(name) == 2); os.remove(name)" },
};
const VerbGroup lines_group = { .prefix = "data.", .verbs = verbs, .n_verbs = COUNT_OF(verbs) };

void lines_open(lua_State *L)
{
    lua_getglobal(L, "data");
    bind_fill(L, &lines_group);
    lua_pop(L, 1);
}
