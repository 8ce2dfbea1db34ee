// SPDX-License-Identifier: MIT
/* setupterm, unlike initscr, returns when an entry is missing. Its strings are copied: readline calls tgetent later, which
 * exchanges the entry behind them. Padding (for printing terminals of the seventies) is dropped. */
#include "ui/caps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curses.h>
#include <term.h>

static bool entry_load(const char *name, int fd)
{
    int status = 0;
    return setupterm(name, fd, &status) == OK;
}

/* Copy without $<delays>; a string that does not fit is as good as none. */
static void text_copy(char out[64], const char *text)
{
    size_t n = 0;
    while (*text) {
        const char *close = text[0] == '$' && text[1] == '<' ? strchr(text, '>') : NULL;
        if (close) {
            text = close + 1;
            continue;
        }
        if (n == 63) {
            n = 0;
            break;
        }
        out[n++] = *text++;
    }
    out[n] = 0;
}

static void entry_drop(void)
{
    if (cur_term)
        del_curterm(cur_term);
}

static void texts_read(Caps *caps)
{
    static const char *const names[CAP_COUNT] = {
#define X(name, help) #name,
        CAPS(X)
#undef X
    };
    for (int i = 0; i < CAP_COUNT; i++) {
        char *text = tigetstr(names[i]);
        if (text && text != (char *)-1)
            text_copy(caps->text[i], text);
    }
}

static void flags_read(Caps *caps)
{
    int n = tigetnum("colors");
    caps->colors = tigetflag("RGB") > 0 || tigetflag("Tc") > 0 ? 1 << 24 : n > 0 ? n : 0;
    caps->bce = tigetflag("bce") > 0;
    caps->last_cell = tigetflag("xenl") > 0 || tigetflag("am") <= 0;
    caps->ansi = !strcmp(caps->text[CAP_cup], "\033[%i%p1%d;%p2%dH") && strstr(caps->text[CAP_sgr0], "\033[") &&
                 (!caps->colors || !strncmp(caps->text[CAP_setaf], "\033[", 2));
}

bool caps_read(Caps *caps, Err *err)
{
    const char *term = getenv("TERM");
    *caps = (Caps){ 0 };
    if (!term || !*term)
        term = "vt100";
    if (!strcmp(term, "dumb"))
        return err_set(err, ERR_IO, "the terminal says that it is \"dumb\" (TERM=dumb): it cannot place its cursor");
    snprintf(caps->name, sizeof caps->name, "%s", term);
    if (!entry_load(term, 1)) {
        caps->unknown = true;
        snprintf(caps->name, sizeof caps->name, "xterm-256color");
        if (!entry_load(caps->name, 1))
            return err_set(err, ERR_IO, "this system knows no terminal \"%.40s\" (TERM) and no xterm-256color either; install the "
                                        "package ncurses-base, or set TERM=xterm", term);
    }
    texts_read(caps);
    flags_read(caps);
    entry_drop();
    if (!*caps->text[CAP_cup])
        return err_set(err, ERR_IO, "the terminal \"%.40s\" (TERM) cannot place its cursor", caps->name);
    return true;
}

const char *caps_library(void)
{
    return curses_version();
}

void caps_put(const Caps *caps, Buf *out, Cap cap, int a, int b)
{
    const char *text = caps->text[cap];
    if (!*text)
        return;
    if (!strchr(text, '%')) {
        buf_puts(out, text);
        return;
    }
    const char *filled = tparm((char *)text, a, b, 0, 0, 0, 0, 0, 0, 0);
    if (filled)
        buf_puts(out, filled);
}
