// SPDX-License-Identifier: MIT
/* One key a line: "key = true colour | 256 colours | 16 colours | no colour". A column is "[colour] [on colour]
 * [attribute …]", for a ramp a list of colours. Empty columns are derived later from the one before. */
#include "ui/sheet.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/name.h"

static const char *const column_names[COLUMNS] = { "true colour", "256 colours", "16 colours", "no colour" };
static const char *const role_keys[ROLE_COUNT] = {
#define X(role, key, help) key,
    THEME_ROLES(X)
#undef X
};
static const char *const ramp_keys[RAMP_COUNT] = {
#define X(ramp, key, help) key,
    THEME_RAMPS(X)
#undef X
};

static const char *const color_names[16] = {
    "black", "red", "green", "yellow", "blue", "magenta", "cyan", "white", "bright-black", "bright-red", "bright-green",
    "bright-yellow", "bright-blue", "bright-magenta", "bright-cyan", "bright-white",
};
static const struct {
    const char *name;
    uint8_t attr;
} attr_names[] = { { "bold", ATTR_BOLD }, { "dim", ATTR_DIM }, { "reverse", ATTR_REVERSE }, { "underline", ATTR_UNDERLINE }, { "plain", 0 } };

typedef struct Reader {
    const char *where;
    int line;
    Err *err;
} Reader;

/* Every mistake is named by file and line, with the word that is wrong. */
static bool refuse(const Reader *reader, const char *problem, const char *word, const char *hint)
{
    return err_set(reader->err, ERR_DATA, "%s:%d: %s \"%.60s\"%s", reader->where, reader->line, problem, word, hint);
}

/* "#rrggbb", "0" … "255", a name of the sixteen, or "default". */
static bool read_ink(const Reader *reader, const char *word, Ink *ink)
{
    char *end;
    if (word[0] == '#') {
        unsigned long v = strtoul(word + 1, &end, 16);
        if (strlen(word) != 7 || *end || strchr("+-", word[1]))
            return refuse(reader, "a colour is written #rrggbb, got", word, "");
        *ink = (Ink)(INK_RGB | v);
        return true;
    }
    if (isdigit((unsigned char)word[0])) {
        long v = strtol(word, &end, 10);
        if (*end || v > 255)
            return refuse(reader, "a colour number is 0 to 255, got", word, "");
        *ink = (Ink)v;
        return true;
    }
    NameSearch search;
    name_search(&search, word);
    name_offer(&search, "default");
    for (int i = 0; i < 16; i++) {
        if (strcmp(word, color_names[i]) == 0) {
            *ink = i;
            return true;
        }
        name_offer(&search, color_names[i]);
    }
    for (size_t i = 0; i < sizeof attr_names / sizeof attr_names[0]; i++)
        name_offer(&search, attr_names[i].name);
    if (strcmp(word, "default") == 0) {
        *ink = INK_DEFAULT;
        return true;
    }
    char hint[96];
    return refuse(reader, "unknown colour or attribute", word, name_hint(&search, hint));
}

/* May this colour stand in this column? */
static bool check_column(const Reader *reader, int column, Ink ink, const char *word)
{
    if (column == COLUMN_TRUE || (column == COLUMN_256 && ink < INK_RGB) ||
        (column == COLUMN_16 && ink < 16) || (column == COLUMN_NONE && ink == INK_DEFAULT))
        return true;
    char problem[96];
    snprintf(problem, sizeof problem, "the column for %s cannot hold", column_names[column]);
    return refuse(reader, problem, word, column == COLUMN_NONE ? " (attributes only: bold, dim, reverse, underline, plain)" : "");
}

static bool read_attr(const char *word, Look *look)
{
    for (size_t i = 0; i < sizeof attr_names / sizeof attr_names[0]; i++)
        if (strcmp(word, attr_names[i].name) == 0) {
            look->attrs |= attr_names[i].attr;
            look->has_attrs = true;
            return true;
        }
    return false;
}

/* "[colour] [on colour] [attribute …]" */
static bool read_look(const Reader *reader, int column, char *text, Look *look)
{
    *look = (Look){ 0 };
    bool on = false;
    char *rest = NULL;
    for (char *word = strtok_r(text, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest)) {
        look->given = true;
        if (!on && read_attr(word, look))
            continue;
        if (strcmp(word, "on") == 0 && !on && !look->has_bg) {
            on = true;
            continue;
        }
        Ink ink;
        if (!read_ink(reader, word, &ink) || !check_column(reader, column, ink, word))
            return false;
        if (on ? look->has_bg : look->has_fg)
            return refuse(reader, "one colour is enough, here is another:", word, "");
        *(on ? &look->bg : &look->fg) = ink;
        *(on ? &look->has_bg : &look->has_fg) = true;
        on = false;
    }
    return !on || refuse(reader, "a colour must follow", "on", "");
}

/* A ramp: colours alone, at least two. */
static bool read_stops(const Reader *reader, int column, char *text, Stops *stops)
{
    *stops = (Stops){ 0 };
    char *rest = NULL;
    for (char *word = strtok_r(text, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest)) {
        Ink ink;
        Look attr = { 0 };
        if (read_attr(word, &attr))
            return refuse(reader, "a ramp holds only colours, got", word, "");
        if (column == COLUMN_NONE)
            return refuse(reader, "a ramp has no column without colours (shades are drawn there), got", word, "");
        if (!read_ink(reader, word, &ink) || !check_column(reader, column, ink, word))
            return false;
        if (ink == INK_DEFAULT || (column == COLUMN_TRUE && ink < 16))
            return refuse(reader, "a ramp is mixed from #rrggbb or 16 to 255, not from", word, "");
        if (stops->n == MOST_STOPS)
            return refuse(reader, "a ramp has at most 32 colours, one too many:", word, "");
        stops->inks[stops->n++] = ink;
    }
    return stops->n != 1 || refuse(reader, "a ramp needs at least", "2 colours", "");
}

static char *trim(char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    size_t n = strlen(text);
    while (n > 0 && isspace((unsigned char)text[n - 1]))
        text[--n] = '\0';
    return text;
}

static int key_index(const char *key, const char *const keys[], int n)
{
    for (int i = 0; i < n; i++)
        if (strcmp(key, keys[i]) == 0)
            return i;
    return -1;
}

/* All keys that there are, so that the nearest can be offered. */
static bool refuse_key(const Reader *reader, const char *key)
{
    NameSearch search;
    char hint[96];
    name_search(&search, key);
    name_offer(&search, "background");
    for (int i = 0; i < ROLE_COUNT; i++)
        name_offer(&search, role_keys[i]);
    for (int i = 0; i < RAMP_COUNT; i++)
        name_offer(&search, ramp_keys[i]);
    return refuse(reader, "unknown key", key, name_hint(&search, hint));
}

/* One "key = true | 256 | 16 | none" line; *seen keeps which keys have been set. */
static bool read_line(const Reader *reader, char *line, Sheet *sheet, uint64_t *seen)
{
    char *equals = strchr(line, '=');
    if (!equals)
        return refuse(reader, "a line is \"key = colour\", got", line, "");
    *equals = '\0';
    char *key = trim(line), *value = equals + 1;
    int role = key_index(key, role_keys, ROLE_COUNT), ramp = key_index(key, ramp_keys, RAMP_COUNT);
    bool background = strcmp(key, "background") == 0;
    if (role < 0 && ramp < 0 && !background)
        return refuse_key(reader, key);
    uint64_t bit = (uint64_t)1 << (role >= 0 ? role : ramp >= 0 ? ROLE_COUNT + ramp : ROLE_COUNT + RAMP_COUNT);
    if (*seen & bit)
        return refuse(reader, "set before in this file:", key, "");
    *seen |= bit;
    Look *looks = background ? sheet->background : role >= 0 ? sheet->roles[role] : NULL;
    for (int column = 0; column < COLUMNS; column++) {
        char *bar = value ? strchr(value, '|') : NULL, *next = bar ? bar + 1 : NULL;
        if (bar)
            *bar = '\0';
        if (bar && column == COLUMNS - 1)
            return refuse(reader, "at most four columns (true colour | 256 | 16 | none) for", key, "");
        char empty[1] = "", *text = value ? trim(value) : empty;
        if (column == 0 && !*text)
            return refuse(reader, "no colour given for", key, "");
        if (looks ? !read_look(reader, column, text, &looks[column]) : !read_stops(reader, column, text, &sheet->ramps[ramp][column]))
            return false;
        value = next;
    }
    return true;
}

bool sheet_read(Sheet *sheet, const char *text, const char *where, Err *err)
{
    Reader reader = { where, 0, err };
    uint64_t seen = 0;
    while (*text) {
        size_t n = strcspn(text, "\n");
        char line[512];
        reader.line++;
        if (n >= sizeof line)
            return err_set(err, ERR_DATA, "%s:%d: the line has %zu characters, at most 500 are sensible", where, reader.line, n);
        memcpy(line, text, n);
        line[n] = '\0';
        char *start = trim(line);
        if (*start && *start != '#' && !read_line(&reader, start, sheet, &seen))
            return false;
        text += n + (text[n] == '\n');
    }
    return true;
}
