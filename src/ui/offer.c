// SPDX-License-Identifier: MIT
/* Candidates for a word: arguments of the call around it, choices of an option, names of the index, files. */
#include "ui/complete.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/mem.h"

void complete_fini(Candidates *candidates)
{
    for (size_t i = 0; i < candidates->n; i++) {
        mem_free(candidates->items[i].text);
        mem_free(candidates->items[i].about);
    }
    mem_free(candidates->items);
    *candidates = (Candidates){ 0 };
}

static bool candidate_add(Candidates *out, const char *text, const char *about, char kind, const char *after, Err *err)
{
    for (size_t i = 0; i < out->n; i++)
        if (!strcmp(out->items[i].text, text))
            return true;
    if (out->n == COMPLETE_MOST) {
        out->more = true;
        return true;
    }
    if (out->n == out->room) {
        size_t room = out->room ? out->room * 2 : 16;
        Candidate *grown = mem_grow(out->items, room, sizeof *grown, err);
        if (!grown)
            return false;
        out->items = grown;
        out->room = room;
    }
    Candidate item = { .text = mem_copy_text(text, err), .about = mem_copy_text(about, err), .kind = kind, .after = after };
    if (!item.text || !item.about) {
        mem_free(item.text);
        mem_free(item.about);
        return false;
    }
    item.shown = item.text;
    out->items[out->n++] = item;
    return true;
}

/* ---- arguments and names ---- */

/* Arguments of the call that begin with the word. Outside a table they bring its brace along. */
static bool arguments_add(const NameIndex *index, const char *begun, const Word *word, Candidates *out, Err *err)
{
    char path[COMPLETE_PATH * 2];
    size_t n;
    snprintf(path, sizeof path, "%s(%s", word->call, begun);
    size_t skip = strlen(word->call) + 1;
    const NameRow *rows = index_find(index, path, &n);
    for (size_t i = 0; i < n; i++) {
        snprintf(path, sizeof path, "%s%s", word->table ? "" : "{", rows[i].path + skip);
        if (!candidate_add(out, path, rows[i].about, 'a', " = ", err))
            return false;
        if (!word->table)
            out->items[out->n - 1].shown = out->items[out->n - 1].text + 1;
    }
    return true;
}

/* The rest of a row's path after the chain so far, when it is one name long; NULL otherwise. */
static const char *row_rest(const NameRow *row, size_t skip)
{
    const char *rest = row->path + skip;
    return *rest && !strpbrk(rest, ".:(") ? rest : NULL;
}

static bool rows_add(const NameRow *rows, size_t n, size_t skip, const char *begun, bool exact, Candidates *out, Err *err)
{
    for (size_t i = 0; i < n; i++) {
        const char *rest = row_rest(&rows[i], skip);
        if (!rest || (!exact && strncasecmp(rest, begun, strlen(begun))))
            continue;
        if (*rest == '_' && *begun != '_') /* private names only when asked for */
            continue;
        const char *after = rows[i].kind == 'f' || rows[i].kind == 'm' ? "(" : "";
        if (!candidate_add(out, rest, rows[i].about, rows[i].kind, after, err))
            return false;
    }
    return true;
}

static bool names_add(const NameIndex *index, const char *chain, const char *begun, Candidates *out, Err *err)
{
    size_t n, skip = strlen(chain) - strlen(begun);
    const NameRow *rows = index_find(index, chain, &n);
    if (!rows_add(rows, n, skip, begun, true, out, err))
        return false;
    if (out->n || !*begun)
        return true;
    char table[COMPLETE_PATH]; /* nothing begins so: try without regard to case */
    snprintf(table, sizeof table, "%.*s", (int)skip, chain);
    rows = index_find(index, table, &n);
    return rows_add(rows, n, skip, begun, false, out, err);
}

/* ---- inside strings ---- */

/* The quoted words of an argument's description: "valid" or "same". */
static bool choices_add(const NameIndex *index, const char *begun, const Word *word, Candidates *out, Err *err)
{
    char path[COMPLETE_PATH * 2];
    size_t n;
    snprintf(path, sizeof path, "%s(%s", word->call, word->option);
    const NameRow *rows = index_find(index, path, &n);
    if (!n || strcmp(rows->path, path))
        return true;
    const char *at = rows->about;
    static const char *const ends[] = { "\"", "'", "" };
    const char *after = word->quote == '"' ? ends[0] : word->quote ? ends[1] : ends[2];
    while ((at = strchr(at, '"'))) {
        const char *end = strchr(++at, '"');
        if (!end)
            break;
        snprintf(path, sizeof path, "%.*s", (int)(end - at), at);
        if (*path && !strncmp(path, begun, strlen(begun)) && !candidate_add(out, path, "", 'c', after, err))
            return false;
        at = end + 1;
    }
    return true;
}

static void folder_read(const char *text, const Word *word, char out[1024])
{
    size_t n = word->start - word->whole;
    const char *from = text + word->whole, *home = getenv("HOME");
    if (n == 0)
        strcpy(out, ".");
    else if (n >= 2 && from[0] == '~' && from[1] == '/' && home)
        snprintf(out, 1024, "%s%.*s", home, (int)n - 1, from + 1);
    else
        snprintf(out, 1024, "%.*s", (int)n, from);
}

static bool files_add(const char *text, const char *begun, const Word *word, Candidates *out, Err *err)
{
    char folder[1024], path[1400];
    const char *after = word->quote == '"' ? "\"" : word->quote ? "'" : "";
    folder_read(text, word, folder);
    DIR *dir = opendir(folder);
    bool ok = true;
    for (struct dirent *entry; ok && dir && (entry = readdir(dir));) {
        const char *name = entry->d_name;
        struct stat info;
        if (strncmp(name, begun, strlen(begun)) || (*name == '.' && *begun != '.') || !strcmp(name, ".") || !strcmp(name, ".."))
            continue;
        if (strpbrk(name, "\"'\\\n"))
            continue; /* would need escapes that the reader of the list does not see */
        snprintf(path, sizeof path, "%s/%s", folder, name);
        bool is_folder = !stat(path, &info) && S_ISDIR(info.st_mode);
        snprintf(path, sizeof path, "%s%s", name, is_folder ? "/" : "");
        ok = candidate_add(out, path, "", is_folder ? 'd' : 'p', is_folder ? "" : after, err);
    }
    if (dir)
        closedir(dir);
    return ok;
}

/* ---- all ---- */

/* Arguments first, then by name; names with capitals among the others. */
static int candidate_order(const void *a, const void *b)
{
    const Candidate *x = a, *y = b;
    if ((x->kind == 'a') != (y->kind == 'a'))
        return x->kind == 'a' ? -1 : 1;
    int order = strcasecmp(x->shown, y->shown);
    return order ? order : strcmp(x->shown, y->shown);
}

static size_t common_find(const Candidates *found)
{
    if (!found->n)
        return 0;
    const char *first = found->items[0].text;
    size_t n = strlen(first);
    for (size_t i = 1; i < found->n; i++) {
        size_t k = 0;
        while (k < n && found->items[i].text[k] == first[k])
            k++;
        n = k;
    }
    while (n && ((unsigned char)first[n] & 0xc0) == 0x80) /* not inside a character */
        n--;
    return n;
}

bool complete_find(const NameIndex *index, const char *text, size_t point, const Word *word, Candidates *out, Err *err)
{
    char begun[COMPLETE_PATH], chain[COMPLETE_PATH];
    bool ok = true;
    *out = (Candidates){ 0 };
    if (word->kind == WORD_NONE || point - word->whole >= COMPLETE_PATH)
        return true;
    snprintf(begun, sizeof begun, "%.*s", (int)(point - word->start), text + word->start);
    snprintf(chain, sizeof chain, "%.*s", (int)(point - word->whole), text + word->whole);
    if (word->kind == WORD_FILE) {
        if (*word->option)
            ok = choices_add(index, begun, word, out, err);
        if (ok && !out->n)
            ok = files_add(text, begun, word, out, err);
    } else {
        bool here = *word->call && word->start == word->whole;
        if (here && (word->table ? word->key : !*begun))
            ok = arguments_add(index, begun, word, out, err);
        if (ok && (!out->n || *begun))
            ok = names_add(index, chain, begun, out, err);
    }
    if (!ok) {
        complete_fini(out);
        return false;
    }
    if (out->n)
        qsort(out->items, out->n, sizeof *out->items, candidate_order);
    out->common = common_find(out);
    return true;
}
