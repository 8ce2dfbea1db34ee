// SPDX-License-Identifier: MIT
#include "ui/keys.h"

#include <stdio.h>
#include <string.h>

#include "ui/utf8.h"

static const KeyRow rows[ACT_COUNT] = {
#define X(id, letter, key, command, label, help) [ACT_##id] = { letter, key, command, label, help },
    KEYS_ACTIONS(X)
#undef X
};

const KeyRow *keys_row(Action action)
{
    return &rows[action];
}

Action keys_letter(int code)
{
    for (int i = 1; i < ACT_COUNT; i++)
        if (rows[i].letter == code)
            return (Action)i;
    return ACT_NONE;
}

Action keys_direct(int code)
{
    for (int i = 1; i < ACT_COUNT; i++)
        if (rows[i].key && rows[i].key == code)
            return (Action)i;
    return ACT_NONE;
}

/* What xterm, its many relatives, tmux, screen, rxvt and the Linux console send. */
static const struct {
    const char *bytes;
    int code;
} sequences[] = {
    { "\033[A", KEY_UP },        { "\033OA", KEY_UP },        { "\033[B", KEY_DOWN },      { "\033OB", KEY_DOWN },
    { "\033[C", KEY_RIGHT },     { "\033OC", KEY_RIGHT },     { "\033[D", KEY_LEFT },      { "\033OD", KEY_LEFT },
    { "\033[H", KEY_HOME },      { "\033OH", KEY_HOME },      { "\033[1~", KEY_HOME },     { "\033[7~", KEY_HOME },
    { "\033[F", KEY_END },       { "\033OF", KEY_END },       { "\033[4~", KEY_END },      { "\033[8~", KEY_END },
    { "\033[2~", KEY_INSERT },   { "\033[3~", KEY_DELETE },   { "\033[5~", KEY_PAGE_UP },  { "\033[6~", KEY_PAGE_DOWN },
    { "\033[Z", KEY_BACKTAB },   { "\033OP", KEY_F1 },        { "\033[11~", KEY_F1 },      { "\033[[A", KEY_F1 },
    { "\033OQ", KEY_F2 },        { "\033[12~", KEY_F2 },      { "\033[[B", KEY_F2 },       { "\033OR", KEY_F3 },
    { "\033[13~", KEY_F3 },      { "\033[[C", KEY_F3 },       { "\033OS", KEY_F4 },        { "\033[14~", KEY_F4 },
    { "\033[[D", KEY_F4 },       { "\033[15~", KEY_F5 },      { "\033[[E", KEY_F5 },       { "\033[17~", KEY_F6 },
    { "\033[18~", KEY_F7 },      { "\033[19~", KEY_F8 },      { "\033[20~", KEY_F9 },      { "\033[21~", KEY_F10 },
    { "\033[23~", KEY_F11 },     { "\033[24~", KEY_F12 },     { "\033[200~", KEY_PASTE },
};

const char *keys_sequence(int code, int i)
{
    static char alt[3] = { 27, 0, 0 };
    if (code & KEY_ALT) {
        alt[1] = (char)(code & 0x7f);
        return i ? NULL : alt;
    }
    for (size_t k = 0; k < sizeof sequences / sizeof *sequences; k++)
        if (sequences[k].code == code && i-- == 0)
            return sequences[k].bytes;
    return NULL;
}

/* ESC [ 1 ; 5 C and ESC [ 5 ; 3 ~: the modifier is 1 + Shift 1, Alt 2, Ctrl 4. */
static int modified(const char *bytes, size_t n)
{
    char plain[16];
    int first = 0, modifier = 0;
    char final = bytes[n - 1];
    if (n >= sizeof plain || sscanf(bytes + 2, "%d;%d", &first, &modifier) != 2)
        return KEY_UNKNOWN;
    if (final == '~')
        snprintf(plain, sizeof plain, "\033[%d~", first);
    else
        snprintf(plain, sizeof plain, "\033%c%c", final >= 'P' && final <= 'S' ? 'O' : '[', final);
    for (size_t k = 0; k < sizeof sequences / sizeof *sequences; k++)
        if (!strcmp(sequences[k].bytes, plain))
            return sequences[k].code | ((modifier - 1) & 2 ? KEY_ALT : 0) | ((modifier - 1) & 4 ? KEY_CTRL : 0);
    return KEY_UNKNOWN;
}

static int sequence_code(const char *bytes, size_t n)
{
    for (size_t k = 0; k < sizeof sequences / sizeof *sequences; k++)
        if (strlen(sequences[k].bytes) == n && !memcmp(sequences[k].bytes, bytes, n))
            return sequences[k].code;
    return bytes[1] == '[' ? modified(bytes, n) : KEY_UNKNOWN;
}

/* Bytes of a string sequence (ESC ] … BEL or ESC \), such as a report of a colour; 0 when its end has not come. */
static size_t string_size(const char *bytes, size_t n)
{
    for (size_t i = 2; i < n; i++) {
        if (bytes[i] == 7)
            return i + 1;
        if (bytes[i] == 27 && i + 1 < n && bytes[i + 1] == '\\')
            return i + 2;
    }
    return n > 256 ? n : 0;
}

static size_t escape_size(const char *bytes, size_t n)
{
    if (n < 2)
        return 0;
    if (bytes[1] == 'O')
        return n < 3 ? 0 : 3;
    if (bytes[1] == ']' || bytes[1] == 'P')
        return string_size(bytes, n);
    if (bytes[1] != '[')
        return 2;
    if (n > 2 && bytes[2] == '[') /* the Linux console's function keys */
        return n < 4 ? 0 : 4;
    for (size_t i = 2; i < n; i++)
        if (bytes[i] < 0x20 || bytes[i] > 0x3f)
            return i + 1;
    return n > 64 ? n : 0;
}

static size_t escape_unit(const char *bytes, size_t n, bool late, int *code)
{
    size_t size = escape_size(bytes, n);
    *code = KEY_ESCAPE;
    if (size == 0)
        return !late ? 0 : n == 1 ? 1 : 2; /* ESC, then the rest as it comes */
    if (bytes[1] == '[' || bytes[1] == 'O') {
        *code = sequence_code(bytes, size);
    } else if (bytes[1] == ']' || bytes[1] == 'P') {
        *code = KEY_UNKNOWN;
    } else if (bytes[1] == 27) { /* ESC ESC [ A: Alt with an arrow, or two keys */
        size = 1;
    } else {
        int inner = KEY_NONE;
        size_t n_inner = keys_unit(bytes + 1, n - 1, late, &inner);
        if (!n_inner)
            return 0;
        size = 1 + n_inner;
        *code = KEY_ALT | inner;
    }
    return size;
}

size_t keys_unit(const char *bytes, size_t n, bool late, int *code)
{
    uint32_t point = 0;
    *code = KEY_NONE;
    if (!n)
        return 0;
    if (bytes[0] == 27)
        return escape_unit(bytes, n, late, code);
    int size = utf8_decode(bytes, n, &point);
    if (size == 0 && !late)
        return 0;
    *code = size > 0 ? (int)point : KEY_UNKNOWN;
    return size > 0 ? (size_t)size : 1;
}

const char *keys_name(int code, char out[24])
{
    static const char *const names[] = { "Up", "Down", "Left", "Right", "Home", "End", "PageUp", "PageDown", "Insert", "Delete",
                                         "Shift-Tab" };
    int plain = code & ~(KEY_ALT | KEY_CTRL);
    char text[12] = "";
    if (plain == KEY_TAB)
        strcpy(text, "Tab");
    else if (plain == KEY_ENTER)
        strcpy(text, "Enter");
    else if (plain == KEY_ESCAPE)
        strcpy(text, "Esc");
    else if (plain < 32)
        snprintf(text, sizeof text, "Ctrl-%c", plain + '@');
    else if (plain >= KEY_UP && plain <= KEY_BACKTAB)
        snprintf(text, sizeof text, "%s", names[plain - KEY_UP]);
    else if (plain >= KEY_F1 && plain <= KEY_F12)
        snprintf(text, sizeof text, "F%d", plain - KEY_F1 + 1);
    else if (plain < KEY_UP)
        text[utf8_encode((uint32_t)plain, text)] = 0;
    snprintf(out, 24, "%s%s%s", code & KEY_CTRL ? "Ctrl-" : "", code & KEY_ALT ? "Alt-" : "", text);
    return out;
}
