// SPDX-License-Identifier: MIT
/* Whether a block is whole: Lua's compiler is asked, in a state of its own without libraries. What is missing more text ends
 * its message in "<eof>", which is also how lua's own prompt tells. */
#include <string.h>

#include "base/mem.h"
#include "script/heap.h"
#include "script/script.h"

#include <lauxlib.h>
#include <lua.h>

struct ScriptCheck {
    lua_State *L;
    Heap heap;
};

typedef struct Question {
    const char *block;
    bool complete;
} Question;

ScriptCheck *script_check_new(Err *err)
{
    ScriptCheck *check = mem_zero(1, sizeof *check, err);
    if (!check)
        return NULL;
    check->L = lua_newstate(heap_resize, &check->heap);
    if (check->L)
        return check;
    script_check_free(check);
    err_set(err, ERR_MEM, "no memory for a Lua interpreter");
    return NULL;
}

void script_check_free(ScriptCheck *check)
{
    if (!check)
        return;
    if (check->L)
        lua_close(check->L);
    heap_fini(&check->heap);
    mem_free(check);
}

static bool wants_more(lua_State *L)
{
    size_t n;
    const char *text = lua_tolstring(L, -1, &n);
    return text && n >= 5 && !strcmp(text + n - 5, "<eof>") && !strstr(text, "unfinished string"); /* no line can end that */
}

static int look(lua_State *L)
{
    Question *question = lua_touserdata(L, 1);
    const char *code = lua_pushfstring(L, "return %s", question->block);
    if (luaL_loadbufferx(L, code, strlen(code), "=block", "t") == LUA_OK) {
        question->complete = true;
        return 0;
    }
    bool more = wants_more(L);
    question->complete =
        luaL_loadbufferx(L, question->block, strlen(question->block), "=block", "t") == LUA_OK || !(more | wants_more(L));
    return 0;
}

bool script_is_complete(ScriptCheck *check, const char *block)
{
    Question question = { .block = block + strspn(block, " \t\r\n"), .complete = true };
    char first = *question.block;
    if (first == '?' || first == '$' || (first == ':' && question.block[1] != ':'))
        return true;
    if (first == '=')
        question.block++;
    lua_pushcfunction(check->L, look);
    lua_pushlightuserdata(check->L, &question);
    if (lua_pcall(check->L, 1, 0, 0) != LUA_OK)
        lua_pop(check->L, 1);
    lua_settop(check->L, 0);
    return question.complete;
}
