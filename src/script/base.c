// SPDX-License-Identifier: MIT
/* The table `hebb`: what this session is, and what it uses. */
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/pool.h"
#include "script/bind.h"

static int base_memory(lua_State *L)
{
    Script *script = script_of(L);
    lua_createtable(L, 0, 4);
    lua_pushinteger(L, (lua_Integer)mem_bytes());
    lua_setfield(L, -2, "bytes");
    lua_pushinteger(L, (lua_Integer)mem_peak());
    lua_setfield(L, -2, "peak");
    lua_pushinteger(L, (lua_Integer)script->heap.bytes);
    lua_setfield(L, -2, "lua");
    lua_pushinteger(L, (lua_Integer)script->payload);
    lua_setfield(L, -2, "tensors");
    return 1;
}

static int base_clock(lua_State *L)
{
    lua_pushnumber(L, clock_now());
    return 1;
}

/* Sleep, serving callbacks of runs, until the time is over or Ctrl-C. */
static int base_sleep(lua_State *L)
{
    double end = clock_now() + bind_number(L, 1, "sleep", "seconds");
    for (double left; (left = end - clock_now()) > 0;) {
        mailbox_wait(script_box(script_of(L)), left < 0.05 ? left : 0.05);
        script_serve(script_of(L));
        script_poll(L);
    }
    return 0;
}

/* The path of a file that ships with hebb, or nil. */
static int base_resource(lua_State *L)
{
    char path[4096];
    if (file_resource(path, sizeof path, bind_text(L, 1, "resource", "the name of a file")))
        lua_pushstring(L, path);
    else
        lua_pushnil(L);
    return 1;
}

static const Verb verbs[] = {
    { "memory", base_memory, NULL, NULL, 0, "Bytes in use: {bytes, peak, lua, tensors}.", "assert(hebb.memory().bytes > 0)" },
    { "clock", base_clock, NULL, NULL, 0, "Seconds on a clock that never goes back, for measuring.",
      "assert(hebb.clock() <= hebb.clock())" },
    { "resource", base_resource, NULL, NULL, 0, "The path of a file that ships with hebb (\"scripts/tour.lua\"), or nil.", NULL },
    { "sleep", base_sleep, NULL, NULL, 0, "Wait so many seconds; callbacks of runs are served meanwhile.", "hebb.sleep(0)" },
};
const VerbGroup base_group = { "hebb.", verbs, COUNT_OF(verbs) };

void base_open(lua_State *L)
{
    const ScriptOptions *options = &script_of(L)->options;
    bind_module(L, "hebb");
    bind_fill(L, &base_group);
    lua_pushliteral(L, HEBB_VERSION);
    lua_setfield(L, -2, "version");
    lua_pushboolean(L, options->prompt || options->interactive);
    lua_setfield(L, -2, "prompt");
    lua_pushboolean(L, options->safe);
    lua_setfield(L, -2, "safe");
    lua_pushinteger(L, (lua_Integer)options->seed);
    lua_setfield(L, -2, "seed");
    lua_pushinteger(L, pool_threads());
    lua_setfield(L, -2, "threads");
    lua_pop(L, 1);
}
