// SPDX-License-Identifier: MIT
/* A file is read into a Sheet and resolved for one depth. The built-in dark theme is themes/dark.theme, compiled in; every
 * other file is read over it, so that keys which are left out keep its values. */
#include "ui/theme.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/name.h"
#include "ui/colour.h"
#include "ui/sheet.h"

#define MOST_FILE 65536

static const char builtin[] =
#include "gen/dark.h"
    ;

/* ---- resolving ---- */

/* The column that speaks for a depth. */
static int column_of(Depth depth)
{
    return depth == DEPTH_TRUE ? COLUMN_TRUE : depth == DEPTH_256 ? COLUMN_256 : depth == DEPTH_16 ? COLUMN_16 : COLUMN_NONE;
}

static uint32_t ink_rgb(Ink ink)
{
    return ink >= INK_RGB ? (uint32_t)ink & 0xFFFFFF : colour_of_index(ink);
}

/* A colour of a richer column at a poorer depth. */
static Ink reduce(Ink ink, Depth depth)
{
    if (ink == INK_DEFAULT || depth == DEPTH_TRUE)
        return ink;
    if (depth == DEPTH_NONE)
        return INK_DEFAULT;
    if (depth == DEPTH_16)
        return ink < 16 ? ink : colour_nearest_16(ink_rgb(ink));
    return ink >= INK_RGB ? colour_nearest_256(ink_rgb(ink), 0, 1) : ink;
}

/* The column of this depth, or else the nearest richer one, reduced. */
static Look pick(const Look looks[COLUMNS], Depth depth)
{
    int column = column_of(depth);
    while (column > 0 && !looks[column].given)
        column--;
    Look look = looks[column];
    look.fg = look.has_fg ? reduce(look.fg, depth) : INK_DEFAULT;
    look.bg = look.has_bg ? reduce(look.bg, depth) : INK_DEFAULT;
    if (!look.has_attrs)
        look.attrs = looks[COLUMN_TRUE].attrs;
    return look;
}

/* What a role leaves open it takes from the text and the background. */
static void resolve_roles(const Sheet *sheet, Theme *theme)
{
    Ink background = pick(sheet->background, theme->depth).fg;
    Look text = pick(sheet->roles[ROLE_TEXT], theme->depth);
    theme->base = (Style){ text.fg, background, 0 };
    for (int i = 0; i < ROLE_COUNT; i++) {
        Look look = pick(sheet->roles[i], theme->depth);
        theme->roles[i] = (Style){ look.has_fg ? look.fg : text.fg, look.has_bg ? look.bg : background, look.attrs };
    }
}

/* Step i of THEME_RAMP between stops, mixed in OKLab. */
static uint32_t mix(const Stops *stops, int i)
{
    double place = (double)i * (stops->n - 1) / (THEME_RAMP - 1);
    int low = (int)place >= stops->n - 1 ? stops->n - 2 : (int)place;
    double t = place - low;
    Lab a = colour_lab(ink_rgb(stops->inks[low])), b = colour_lab(ink_rgb(stops->inks[low + 1]));
    return colour_from_lab((Lab){ a.l + t * (b.l - a.l), a.a + t * (b.a - a.a), a.b + t * (b.b - a.b) });
}

/* Sixteen steps: mixed, or picked from a list, or the nearest that the depth has; and on each the text that reads best. */
static void resolve_ramp(const Stops columns[COLUMNS], Theme *theme, Ink *ramp, Ink *on_ramp)
{
    int column = column_of(theme->depth);
    const Stops *given = &columns[column];
    uint32_t before = 0;
    for (int i = 0; i < THEME_RAMP; i++) {
        if (theme->depth == DEPTH_NONE) {
            ramp[i] = on_ramp[i] = INK_DEFAULT;
            continue;
        }
        uint32_t rgb = mix(&columns[COLUMN_TRUE], i);
        if (column != COLUMN_TRUE && given->n) {
            ramp[i] = given->inks[(i * (given->n - 1) + (THEME_RAMP - 1) / 2) / (THEME_RAMP - 1)];
        } else if (theme->depth == DEPTH_256) {
            /* the nearest colours alone would not keep the order of lightness */
            double l = i ? colour_lab(colour_of_index(ramp[i - 1])).l : 0;
            bool rises = i && colour_lab(rgb).l >= colour_lab(before).l, falls = i && !rises;
            ramp[i] = colour_nearest_256(rgb, rises ? l : 0, falls ? l : 1.01);
        } else {
            ramp[i] = theme->depth == DEPTH_16 ? colour_nearest_16(rgb) : (Ink)(INK_RGB | rgb);
        }
        before = rgb;
        bool dark_text = colour_contrast(ink_rgb(ramp[i]), 0x101216) > colour_contrast(ink_rgb(ramp[i]), 0xFFFFFF);
        on_ramp[i] = theme->depth == DEPTH_16  ? (dark_text ? 0 : 15)
                     : theme->depth == DEPTH_256 ? (dark_text ? 16 : 231)
                                                 : INK_RGB | (dark_text ? 0x101216 : 0xFFFFFF);
    }
}

static void resolve(const Sheet *sheet, Theme *theme)
{
    resolve_roles(sheet, theme);
    for (int i = 0; i < RAMP_COUNT; i++)
        resolve_ramp(sheet->ramps[i], theme, theme->ramps[i], theme->on_ramp[i]);
}

static void set_name(Theme *theme, const char *name)
{
    const char *slash = strrchr(name, '/');
    snprintf(theme->name, sizeof theme->name, "%s", slash ? slash + 1 : name);
    size_t n = strlen(theme->name);
    if (n > 6 && strcmp(theme->name + n - 6, ".theme") == 0)
        memset(theme->name + n - 6, 0, 6);
}

bool theme_parse(Theme *theme, const char *text, const char *where, Depth depth, Err *err)
{
    Sheet *sheet = mem_zero(1, sizeof *sheet, err);
    bool ok = sheet && sheet_read(sheet, builtin, "built-in theme", err) && sheet_read(sheet, text, where, err);
    if (ok) {
        *theme = (Theme){ .depth = depth };
        set_name(theme, where);
        resolve(sheet, theme);
    }
    mem_free(sheet);
    return ok;
}

void theme_default(Theme *theme, Depth depth)
{
    Sheet sheet = { 0 };
    Err err = ERR_INIT;
    *theme = (Theme){ .name = "dark", .depth = depth };
    if (sheet_read(&sheet, builtin, "built-in theme", &err)) /* a test holds this to be always so */
        resolve(&sheet, theme);
}

/* ---- files ---- */

/* A path is taken as it is; a name is looked for in the user's folder, then in the program's. */
static bool find_file(const char *name, char *path, size_t size)
{
    if (strchr(name, '/') || strstr(name, ".theme")) {
        snprintf(path, size, "%s", name);
        return file_exists(path);
    }
    char folder[512], file[128];
    snprintf(file, sizeof file, "themes/%.100s.theme", name);
    if (file_xdg(folder, sizeof folder, "CONFIG") && file_join(path, size, folder, file) && file_exists(path))
        return true;
    return file_resource(path, size, file) && file_exists(path);
}

/* Errors name the theme that was probably meant. */
static bool refuse_name(const char *name, Err *err)
{
    Buf list = BUF_INIT;
    NameSearch search;
    char hint[96];
    theme_list(&list);
    name_search(&search, name);
    char *rest = NULL, *text = (char *)buf_text(&list);
    for (char *word = list.data ? strtok_r(text, "\n", &rest) : NULL; word; word = strtok_r(NULL, "\n", &rest))
        name_offer(&search, word);
    err_set(err, ERR_IO, "there is no theme \"%.60s\"%s; looked in ~/.config/hebb/themes and in the themes that came with hebb", name,
            name_hint(&search, hint));
    buf_fini(&list);
    return false;
}

bool theme_load(Theme *theme, const char *name, Depth depth, Err *err)
{
    char path[640];
    if (!find_file(name, path, sizeof path)) {
        if (strcmp(name, "dark") != 0)
            return refuse_name(name, err);
        theme_default(theme, depth);
        return true;
    }
    Buf text = BUF_INIT;
    bool ok = file_read(path, &text, MOST_FILE, err);
    if (ok && memchr(text.data ? text.data : "", '\0', text.size))
        ok = err_set(err, ERR_DATA, "%s: not a theme: it holds bytes of zero", path);
    ok = ok && theme_parse(theme, buf_text(&text), path, depth, err);
    buf_fini(&text);
    return ok;
}

#define MOST_NAMES 256

/* Add the names of a folder's themes; a name that is there already is the user's and hides the program's. */
static int list_folder(const char *folder, char names[][32], int n)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    while (dir && (entry = readdir(dir)) && n < MOST_NAMES) {
        size_t length = strlen(entry->d_name);
        if (length <= 6 || length - 6 > 31 || entry->d_name[0] == '.' || strcmp(entry->d_name + length - 6, ".theme") != 0)
            continue;
        snprintf(names[n], 32, "%.*s", (int)length - 6, entry->d_name);
        bool twice = false;
        for (int i = 0; i < n; i++)
            twice = twice || strcmp(names[i], names[n]) == 0;
        n += !twice;
    }
    if (dir)
        closedir(dir);
    return n;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

void theme_list(Buf *out)
{
    char names[MOST_NAMES][32], folder[512], user[512];
    int n = 0;
    if (file_xdg(user, sizeof user, "CONFIG") && file_join(folder, sizeof folder, user, "themes"))
        n = list_folder(folder, names, n);
    if (file_resource(folder, sizeof folder, "themes"))
        n = list_folder(folder, names, n);
    qsort(names, (size_t)n, sizeof names[0], by_name);
    for (int i = 0; i < n; i++)
        buf_printf(out, "%s\n", names[i]);
}

/* ---- depth and steps ---- */

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* NO_COLOR wins over all hints; COLORTERM is what terminals promise and ssh forgets; then what terminfo says. */
Depth theme_depth(int max_colors)
{
    const char *no = getenv("NO_COLOR"), *hint = getenv("COLORTERM"), *term = getenv("TERM");
    term = term ? term : "";
    if ((no && *no) || max_colors < 8)
        return DEPTH_NONE;
    if ((hint && (strcasecmp(hint, "truecolor") == 0 || strcasecmp(hint, "24bit") == 0)) || ends_with(term, "-direct"))
        return DEPTH_TRUE;
    return max_colors >= 256 || strstr(term, "256color") ? DEPTH_256 : DEPTH_16;
}

Ink theme_rgb(const Theme *theme, uint32_t rgb)
{
    if (theme->depth == DEPTH_TRUE)
        return (Ink)(INK_RGB | (rgb & 0xFFFFFF));
    return theme->depth == DEPTH_256 ? colour_cube(rgb) : INK_DEFAULT;
}

int theme_step(double value)
{
    if (!(value > 0)) /* NaN, too */
        return 0;
    return value >= 1 ? THEME_RAMP - 1 : (int)(value * THEME_RAMP);
}

uint32_t theme_shade(double value, bool ascii)
{
    static const char letters[] = " .:-=+*#%@";
    static const uint32_t shades[] = { ' ', 0x2591, 0x2592, 0x2593, 0x2588 };
    double v = value > 0 ? (value < 1 ? value : 1) : 0;
    return ascii ? (uint32_t)letters[(int)(v * 9 + 0.5)] : shades[(int)(v * 4 + 0.5)];
}
