// SPDX-License-Identifier: MIT
/* The parts of Lua's own libraries that would reach past the house: the terminal belongs to the screen, signals and Ctrl-C to
 * app, so os.exit, io.read, io.write, os.execute, io.popen, debug.sethook are ours; precompiled chunks, which can crash the
 * interpreter, are not loaded, and what would let Lua code forge our userdata is left out of `debug`. --safe leaves only what
 * cannot touch files or programs. */
#include <errno.h>
#include <fcntl.h>
#include <lualib.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "script/bind.h"
#include "script/show.h"

#define POLL_MS 20
#define LINE_MOST ((size_t)64 << 20)

/* ---- programs ---- */

static pid_t start_shell(const char *command, int out)
{
    pid_t pid = fork();
    if (pid)
        return pid;
    setsid(); /* no terminal of ours, and a group of its own that can be ended whole */
    int none = open("/dev/null", O_RDONLY);
    dup2(none, 0);
    dup2(out, 1);
    dup2(out, 2);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_UNBLOCK, &all, NULL);
    for (int fd = 3; fd < 256; fd++)
        close(fd);
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
}

/* One look at the child's output; false at its end. */
static bool forward(Script *script, int fd, Buf *out, SayKind kind)
{
    char part[4096];
    ssize_t n = read(fd, part, sizeof part);
    if (n < 0)
        return errno == EINTR || errno == EAGAIN;
    if (n > 0 && out)
        buf_write(out, part, (size_t)n);
    else if (n > 0)
        script_say(script, kind, part, (size_t)n);
    return n > 0;
}

static bool listen_to(Script *script, pid_t pid, int fd, Buf *out, Err *err)
{
    for (bool more = true; more;) {
        struct pollfd look = { .fd = fd, .events = POLLIN };
        int ready = poll(&look, 1, POLL_MS);
        if (atomic_load(&script->stop)) {
            kill(-pid, SIGKILL);
            return err_set(err, ERR_INTERRUPT, "interrupted; the command was ended");
        }
        if (ready > 0)
            more = forward(script, fd, out, SAY_OUT);
    }
    return true;
}

bool house_shell(Script *script, const char *command, Buf *out, int *status, Err *err)
{
    int fds[2], ended = 0;
    if (script->options.safe)
        return err_set(err, ERR_STATE, "with --safe no other programs are started");
    if (pipe(fds))
        return err_set(err, ERR_IO, "no pipe for the command: %s", strerror(errno));
    fcntl(fds[0], F_SETFD, FD_CLOEXEC);
    pid_t pid = start_shell(command, fds[1]);
    close(fds[1]);
    bool ok = pid > 0 ? listen_to(script, pid, fds[0], out, err) : err_set(err, ERR_IO, "no new process: %s", strerror(errno));
    close(fds[0]);
    while (pid > 0 && waitpid(pid, &ended, 0) < 0 && errno == EINTR)
        ;
    *status = WIFEXITED(ended) ? WEXITSTATUS(ended) : WIFSIGNALED(ended) ? 128 + WTERMSIG(ended) : 1;
    return ok;
}

static int os_execute(lua_State *L)
{
    Script *script = script_of(L);
    Err err = ERR_INIT;
    int status = 0;
    if (lua_isnoneornil(L, 1)) {
        lua_pushboolean(L, !script->options.safe);
        return 1;
    }
    if (!house_shell(script, luaL_checkstring(L, 1), NULL, &status, &err))
        return bind_raise(L, &err);
    if (status == 0)
        lua_pushboolean(L, 1);
    else
        luaL_pushfail(L);
    lua_pushstring(L, status > 128 ? "signal" : "exit");
    lua_pushinteger(L, status > 128 ? status - 128 : status);
    return 3;
}

/* The whole output of a command as a text, and its exit status: what io.popen in lib/house.lua reads from. */
static int shell_text(lua_State *L)
{
    Err err = ERR_INIT;
    int status = 0;
    const char *command = luaL_checkstring(L, 1);
    Buf *out = bind_buf(L);
    if (!house_shell(script_of(L), command, out, &status, &err))
        return bind_raise(L, &err);
    bind_push_buf(L, out);
    lua_pushinteger(L, status);
    return 2;
}

static int os_exit(lua_State *L)
{
    Script *script = script_of(L);
    int status = lua_isboolean(L, 1) ? !lua_toboolean(L, 1) : (int)luaL_optinteger(L, 1, 0);
    script->leaving = true;
    script->status = status;
    if (script->host.leave)
        script->host.leave(script->host.ctx, status);
    script_poll(L);
    return 0;
}

/* ---- input and output ---- */

static int io_write(lua_State *L)
{
    int n = lua_gettop(L);
    for (int i = 1; i <= n; i++) {
        size_t size;
        char what[64];
        const char *text = lua_tolstring(L, i, &size);
        if (!text)
            return bind_error(L, ERR_ARG, "write wants texts and numbers, got %s; print shows anything", bind_what(L, i, what));
        script_say(script_of(L), lua_toboolean(L, lua_upvalueindex(1)) ? SAY_NOTE : SAY_OUT, text, size);
    }
    return 0;
}

/* print, as Lua's, but tables are written out instead of their addresses. */
static int say_print(lua_State *L)
{
    int n = lua_gettop(L);
    Buf *out = bind_buf(L);
    for (int i = 1; i <= n; i++) {
        size_t size;
        if (i > 1)
            buf_put(out, '\t');
        bool plain =
            lua_istable(L, i) && luaL_getmetafield(L, i, "__tostring") == LUA_TNIL && luaL_getmetafield(L, i, "__name") == LUA_TNIL;
        if (plain) {
            show_value(L, i, out, script_of(L)->options.columns);
            continue;
        }
        const char *text = luaL_tolstring(L, i, &size);
        buf_write(out, text, size);
        lua_settop(L, n + 1); /* the arguments and the text */
    }
    buf_put(out, '\n');
    Err err = ERR_INIT;
    if (!buf_ok(out, &err))
        return bind_raise(L, &err);
    script_say(script_of(L), SAY_OUT, out->data, out->size);
    return 0;
}

/* Wait for standard input, serving callbacks, until there is something or Ctrl-C. */
static void await_input(lua_State *L)
{
    struct pollfd look = { .fd = 0, .events = POLLIN };
    while (poll(&look, 1, POLL_MS) <= 0) {
        script_poll(L);
        script_serve(script_of(L));
    }
}

/* A line of standard input without its end; nil at the end of the input. Upvalue: true where the keyboard is the prompt's. */
static int read_line(lua_State *L)
{
    if (script_of(L)->options.interactive)
        return bind_error(L, ERR_STATE, "the keyboard belongs to the prompt: type the value as a line of Lua, x = …, and use x");
    bool keep = lua_toboolean(L, 1);
    Buf *line = bind_buf(L);
    for (;;) {
        char byte;
        await_input(L);
        ssize_t n = read(0, &byte, 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0 && !line->size) {
            lua_pushnil(L);
            return 1;
        }
        if (n <= 0 || byte == '\n') {
            if (n > 0 && keep)
                buf_put(line, '\n');
            break;
        }
        buf_put(line, byte);
        if (line->size > LINE_MOST)
            return bind_error(L, ERR_DATA, "a line of standard input is longer than %zu MB", LINE_MOST >> 20);
    }
    bind_push_buf(L, line);
    return 1;
}

/* ---- the rest ---- */

static int refuse_hook(lua_State *L)
{
    return bind_error(L, ERR_STATE, "debug.sethook is taken: the hook is what lets Ctrl-C end a loop");
}

/* load, as Lua's, but for texts only. */
static int load_text(lua_State *L)
{
    bool env = lua_gettop(L) >= 4;
    lua_settop(L, 4);
    lua_pushliteral(L, "t");
    lua_replace(L, 3);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    if (!env)
        lua_settop(L, 4);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

/* A message handler that steps aside when Ctrl-C was pressed: the error comes out of the hook then, and while a hook runs
 * hooks are off, so that a handler that never returns could not be ended. Upvalue: the user's handler. */
static int careful_handler(lua_State *L)
{
    lua_settop(L, 1);
    if (atomic_load(&script_of(L)->stop) || script_of(L)->leaving)
        return 1;
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, 1, 1);
    return 1;
}

static int careful_xpcall(lua_State *L)
{
    luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_pushvalue(L, 2);
    lua_pushcclosure(L, careful_handler, 1);
    lua_replace(L, 2);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

static int safe_setmetatable(lua_State *L)
{
    if (lua_istable(L, 2)) {
        lua_pushliteral(L, "__gc");
        if (lua_rawget(L, 2) != LUA_TNIL)
            return bind_error(L, ERR_STATE, "with --safe a metatable has no __gc: finalisers cannot be interrupted");
        lua_pop(L, 1);
    }
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, 1);
    return 1;
}

static int safe_collectgarbage(lua_State *L)
{
    const char *option = luaL_optstring(L, 1, "collect");
    if (!strcmp(option, "count"))
        lua_pushnumber(L, lua_gc(L, LUA_GCCOUNT) + lua_gc(L, LUA_GCCOUNTB) / 1024.0);
    else if (!strcmp(option, "collect"))
        lua_pushinteger(L, lua_gc(L, LUA_GCCOLLECT));
    else
        return bind_error(L, ERR_STATE, "with --safe collectgarbage knows \"collect\" and \"count\" only");
    return 1;
}

/* Keep only these fields of a global table. */
static void keep_only(lua_State *L, const char *table, const char *const *names)
{
    lua_getglobal(L, table);
    lua_newtable(L);
    for (int i = 0; names[i]; i++) {
        lua_getfield(L, -2, names[i]);
        lua_setfield(L, -2, names[i]);
    }
    lua_pushvalue(L, -1);
    lua_setglobal(L, table);
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_pushvalue(L, -2);
    lua_setfield(L, -2, table);
    lua_pop(L, 3);
}

static void set_field(lua_State *L, const char *table, const char *name, lua_CFunction function, int upvalues)
{
    lua_pushcclosure(L, function, upvalues);
    lua_getglobal(L, table);
    lua_insert(L, -2);
    lua_setfield(L, -2, name);
    lua_pop(L, 1);
}

static void wrap_global(lua_State *L, const char *name, lua_CFunction function)
{
    lua_getglobal(L, name);
    lua_pushcclosure(L, function, 1);
    lua_setglobal(L, name);
}

static void drop(lua_State *L, const char *table, const char *name)
{
    lua_getglobal(L, table);
    lua_pushnil(L);
    lua_setfield(L, -2, name);
    lua_pop(L, 1);
}

static void close_files(lua_State *L)
{
    static const char *const os_names[] = { "date", "time", "clock", "difftime", "exit", "execute", NULL };
    static const char *const io_names[] = { "write", "write_note", "read_line", NULL };
    static const char *const globals[] = { "dofile", "loadfile", "require", "package", NULL };
    keep_only(L, "os", os_names);
    keep_only(L, "io", io_names);
    for (int i = 0; globals[i]; i++) {
        lua_pushnil(L);
        lua_setglobal(L, globals[i]);
    }
    wrap_global(L, "setmetatable", safe_setmetatable);
    lua_pushcfunction(L, safe_collectgarbage);
    lua_setglobal(L, "collectgarbage");
}

static void seed_random(lua_State *L)
{
    lua_getglobal(L, "math");
    lua_getfield(L, -1, "randomseed");
    lua_pushinteger(L, (lua_Integer)script_of(L)->options.seed);
    lua_pushinteger(L, 0);
    lua_call(L, 2, 0);
    lua_pop(L, 1);
}

void house_open(lua_State *L)
{
    static const char *const debug_names[] = { "traceback", "getinfo", "getlocal", "getmetatable", NULL };
    static const char *const debug_safe[] = { "traceback", NULL };
    bool safe = script_of(L)->options.safe;
    lua_pushcfunction(L, say_print);
    lua_setglobal(L, "print");
    set_field(L, "os", "exit", os_exit, 0);
    set_field(L, "os", "execute", os_execute, 0);
    lua_pushboolean(L, 0);
    set_field(L, "io", "write", io_write, 1);
    set_field(L, "io", "read_line", read_line, 0); /* lib/house.lua makes io.read, io.stdout … of these and takes them away */
    lua_pushboolean(L, 1);
    set_field(L, "io", "write_note", io_write, 1);
    set_field(L, "io", "shell_text", shell_text, 0);
    keep_only(L, "debug", safe ? debug_safe : debug_names);
    if (!safe)
        set_field(L, "debug", "sethook", refuse_hook, 0);
    wrap_global(L, "load", load_text);
    wrap_global(L, "xpcall", careful_xpcall);
    drop(L, "string", "dump");
    if (safe)
        close_files(L);
    seed_random(L);
}
