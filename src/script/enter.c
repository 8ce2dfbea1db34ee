// SPDX-License-Identifier: MIT
/* Files, texts and entered blocks. Everything happens in one protected call; the user's code in a second one inside it, so
 * that the report of its error may itself fail without harm. */
#include "script/enter.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "script/bind.h"
#include "script/show.h"

#define FILE_MOST ((size_t)64 << 20)
#define BLOCKS_KEPT 200 /* texts of so many entered blocks are kept for reports */
#define SLOW_S 1.0      /* a block that took longer says how long */

typedef struct Job {
    Script *script;
    const char *text; /* the code */
    size_t n;
    const char *chunk;
    int argc;
    char *const *argv;
    bool prompt; /* values are printed */
    bool ok;
    Err err;
} Job;

/* ---- one chunk ---- */

/* Compile the chunk; an expression at the prompt becomes a return. Leaves the function, or the message with false. */
static bool compile(lua_State *L, const Job *job)
{
    if (job->prompt) {
        const char *code = lua_pushfstring(L, "return %s", job->text);
        int status = luaL_loadbufferx(L, code, strlen(code), job->chunk, "t");
        lua_remove(L, -2);
        if (status == LUA_OK)
            return true;
        lua_pop(L, 1);
    }
    return luaL_loadbufferx(L, job->text, job->n, job->chunk, "t") == LUA_OK;
}

/* Does the block end in `;`? */
static bool is_quiet(const Job *job)
{
    size_t n = job->n;
    while (n && isspace((unsigned char)job->text[n - 1]))
        n--;
    return n && job->text[n - 1] == ';';
}

/* Print the n values on top of the stack; the first becomes `_`. */
static int print_values(lua_State *L)
{
    Script *script = script_of(L);
    int n = lua_gettop(L);
    Buf *out = bind_buf(L);
    lua_pushvalue(L, 1);
    lua_setglobal(L, "_");
    for (int i = 1; i <= n; i++) {
        buf_reset(out);
        show_value(L, i, out, script->options.columns);
        buf_put(out, '\n');
        bind_push_buf(L, out);
        size_t size;
        const char *text = lua_tolstring(L, -1, &size);
        script_say(script, SAY_VALUE, text, size);
        lua_pop(L, 1);
    }
    return 0;
}

static bool call_chunk(lua_State *L, const Job *job)
{
    int base = lua_gettop(L); /* of the function */
    lua_pushcfunction(L, enter_handler);
    lua_insert(L, base);
    luaL_checkstack(L, job->argc + 4, "too many arguments");
    for (int i = 0; i < job->argc; i++)
        lua_pushstring(L, job->argv[i]);
    if (lua_pcall(L, job->argc, LUA_MULTRET, base) != LUA_OK)
        return false;
    int n = lua_gettop(L) - base;
    bool nothing = n == 0 || (n == 1 && lua_isnil(L, -1));
    if (!job->prompt || nothing)
        return true;
    if (is_quiet(job)) {
        lua_pushvalue(L, base + 1);
        lua_setglobal(L, "_");
        return true;
    }
    luaL_checkstack(L, n + 4, NULL);
    lua_pushcfunction(L, print_values);
    lua_insert(L, base + 1);
    return lua_pcall(L, n, 0, base) == LUA_OK;
}

static int run_job(lua_State *L)
{
    Job *job = lua_touserdata(L, 1);
    enter_keep_source(L, job->chunk, job->text, job->n);
    bool compiled = compile(L, job);
    if (!compiled)
        enter_note_syntax(L, job->chunk);
    else if (call_chunk(L, job)) {
        job->ok = true;
        return 0;
    }
    enter_report(L, NULL, &job->err);
    return 0;
}

static bool run(Job *job)
{
    Script *script = job->script;
    lua_State *L = script->L;
    err_clear(&job->err);
    lua_pushcfunction(L, run_job);
    lua_pushlightuserdata(L, job);
    int status = lua_pcall(L, 1, 0, 0);
    if (status != LUA_OK) {
        err_set(&job->err, status == LUA_ERRMEM ? ERR_MEM : ERR_BUG, "%s",
                status == LUA_ERRMEM  ? "memory ran out"
                : lua_tostring(L, -1) ? lua_tostring(L, -1)
                                      : "an error without a message");
        lua_pop(L, 1);
        if (!script->leaving)
            script_sayf(script, SAY_ERROR, "%s\n", job->err.text);
    }
    if (script->leaving && job->ok)
        job->ok = err_set(&job->err, ERR_INTERRUPT, "left with os.exit");
    return job->ok;
}

/* ---- scripts ---- */

/* The global `arg`, as lua makes it: [0] what runs, [1] … its arguments. */
static int set_arg(lua_State *L)
{
    const Job *job = lua_touserdata(L, 1);
    lua_createtable(L, job->argc, 1);
    lua_pushstring(L, job->chunk + 1);
    lua_rawseti(L, -2, 0);
    for (int i = 0; i < job->argc; i++) {
        lua_pushstring(L, job->argv[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setglobal(L, "arg");
    return 0;
}

/* What can be refused before anything runs; errors of the code itself are said where they happen. */
static bool prepare(Job *job, Err *err)
{
    if (memchr(job->text, '\0', job->n))
        return err_set(err, ERR_DATA, "%s is not a text: it holds a zero byte", job->chunk + 1);
    lua_pushcfunction(job->script->L, set_arg);
    lua_pushlightuserdata(job->script->L, job);
    if (lua_pcall(job->script->L, 1, 0, 0) == LUA_OK)
        return true;
    lua_pop(job->script->L, 1);
    return err_set(err, ERR_MEM, "no memory for the arguments of %s", job->chunk + 1);
}

bool script_run_text(Script *script, const char *text, size_t n, const char *chunk, int argc, char *const *argv, Err *err)
{
    Job job = { .script = script, .text = text, .n = n, .chunk = chunk, .argc = argc, .argv = argv };
    bool ok = prepare(&job, &job.err);
    if (ok)
        ok = run(&job);
    else
        script_sayf(script, SAY_ERROR, "%s\n", job.err.text);
    if (!ok && err)
        *err = job.err;
    return ok;
}

bool script_run_file(Script *script, const char *path, int argc, char *const *argv, Err *err)
{
    Buf code = BUF_INIT;
    Err own = ERR_INIT;
    char chunk[4200];
    snprintf(chunk, sizeof chunk, "@%s", path);
    bool ok = file_read(path, &code, FILE_MOST, &own) && (buf_text(&code), buf_ok(&code, &own));
    if (!ok)
        script_sayf(script, SAY_ERROR, "%s\n", own.text);
    if (ok && code.size >= 2 && code.data[0] == '#') /* "#!/usr/bin/env hebb": the line stays, so that numbers are right */
        memcpy(code.data, "--", 2);
    ok = ok && script_run_text(script, buf_text(&code), code.size, chunk, argc, argv, &own);
    buf_fini(&code);
    if (!ok && err)
        *err = own;
    if (script->options.interactive)
        enter_publish(script);
    return ok;
}

bool script_run_init(Script *script)
{
    char folder[1024], path[1200];
    if (script->options.safe || !file_xdg(folder, sizeof folder, "CONFIG") || !file_join(path, sizeof path, folder, "init.lua"))
        return true;
    return !file_exists(path) || script_run_file(script, path, 0, NULL, NULL);
}

/* ---- the prompt ---- */

static bool say_help(Script *script, const char *name)
{
    Buf text = BUF_INIT;
    Err err = ERR_INIT;
    bool ok = script_help(name, &text, &err) && buf_ok(&text, &err);
    if (ok)
        script_say(script, SAY_OUT, text.data ? text.data : "", text.size);
    else
        script_sayf(script, SAY_ERROR, "%s\n", err.text);
    buf_fini(&text);
    return ok;
}

static bool run_shell(Script *script, const char *command)
{
    Err err = ERR_INIT;
    int status = 0;
    if (!house_shell(script, command, NULL, &status, &err)) {
        script_sayf(script, err.code == ERR_INTERRUPT ? SAY_NOTE : SAY_ERROR, "%s\n", err.text);
        return false;
    }
    if (status)
        script_sayf(script, SAY_NOTE, "exit status %d\n", status);
    return true;
}

static bool run_word(Script *script, const char *line)
{
    char word[32], rest[512];
    Err err = ERR_INIT;
    size_t n = strcspn(line, " \t\n");
    snprintf(word, sizeof word, "%.*s", (int)(n < 31 ? n : 31), line);
    snprintf(rest, sizeof rest, "%s", line + n + strspn(line + n, " \t\n"));
    rest[strcspn(rest, "\n")] = '\0';
    if (!strcmp(word, "quit") || !strcmp(word, "q") || !strcmp(word, "exit")) {
        script->leaving = true;
        if (script->host.leave)
            script->host.leave(script->host.ctx, 0);
        return true;
    }
    if (!strcmp(word, "help") || !strcmp(word, "h"))
        return say_help(script, rest);
    if (script->host.screen && *word && script->host.screen(script->host.ctx, word, rest, &err))
        return true;
    script_sayf(script, SAY_ERROR, "%s\n",
                err.code ? err.text : "words with a colon: :help [NAME]  :quit; with a screen also :theme NAME and others");
    return false;
}

static bool run_block(Script *script, const char *block)
{
    char chunk[32];
    snprintf(chunk, sizeof chunk, "=[%d]", script->entered);
    Job job = { .script = script, .text = block, .n = strlen(block), .chunk = chunk, .prompt = true };
    double start = clock_now();
    bool ok = run(&job);
    double took = clock_now() - start;
    if (took > SLOW_S && !script->leaving)
        script_sayf(script, SAY_NOTE, "(%.1f s)\n", took);
    return ok;
}

/* Forget the text of the oldest kept block. */
static int forget_old(lua_State *L)
{
    char chunk[32];
    snprintf(chunk, sizeof chunk, "=[%d]", script_of(L)->entered - BLOCKS_KEPT);
    enter_keep_source(L, chunk, NULL, 0);
    return 0;
}

bool script_enter(Script *script, const char *block)
{
    bool ok = true;
    script_clear_interrupt(script);
    block += strspn(block, " \t\r\n");
    if (!*block)
        return true;
    script->entered++;
    lua_pushcfunction(script->L, forget_old);
    if (lua_pcall(script->L, 0, 0, 0) != LUA_OK)
        lua_pop(script->L, 1);
    if (*block == '?')
        ok = say_help(script, block + 1);
    else if (*block == '$')
        ok = run_shell(script, block + 1);
    else if (*block == ':' && block[1] != ':')
        ok = run_word(script, block + 1);
    else if (*block == '=')
        ok = run_block(script, block + 1);
    else
        ok = run_block(script, block);
    if (script->options.interactive && !script->leaving)
        enter_publish(script);
    return ok;
}
