// SPDX-License-Identifier: MIT
/* A ring of lines under one short lock: a writer holds it while it copies its text, the reader while it copies one line.
 * Text is cleaned before it is stored, so that whoever reads may show it. A character whose bytes come in two writes is
 * put together in `part`. When memory runs out the text is lost, and nothing else. */
#include "ui/console.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/mem.h"
#include "ui/utf8.h"

#define TAB_STOP 8

typedef struct Line {
    char *text; /* owned; not ended by a zero */
    uint32_t size, room;
    LineKind kind;
} Line;

struct Console {
    pthread_mutex_t lock; /* guards what follows, up to version */
    Line lines[CONSOLE_LINES];
    uint64_t first, end; /* line i stands in lines[i % CONSOLE_LINES] */
    size_t bytes;
    bool open;      /* line end-1 is unfinished */
    bool restart;   /* a carriage return came: the next character that is no newline empties the open line */
    uint32_t column; /* of the open line */
    char part[4];   /* the beginning of a character */
    uint32_t n_part;
    _Atomic uint64_t version;
    void (*_Atomic wake)(void);
};

Console *console_new(Err *err)
{
    Console *console = mem_zero(1, sizeof *console, err);
    if (console)
        pthread_mutex_init(&console->lock, NULL);
    return console;
}

void console_free(Console *console)
{
    if (!console)
        return;
    for (int i = 0; i < CONSOLE_LINES; i++)
        mem_free(console->lines[i].text);
    pthread_mutex_destroy(&console->lock);
    mem_free(console);
}

void console_set_waker(Console *console, void (*wake)(void))
{
    atomic_store(&console->wake, wake);
}

static Line *line_at(const Console *console, uint64_t i)
{
    return (Line *)&console->lines[i % CONSOLE_LINES];
}

static void line_drop_first(Console *console)
{
    Line *line = line_at(console, console->first++);
    console->bytes -= line->room;
    mem_free(line->text);
    *line = (Line){ 0 };
}

static void line_start(Console *console, LineKind kind)
{
    if (console->end - console->first == CONSOLE_LINES)
        line_drop_first(console);
    line_at(console, console->end++)->kind = kind;
    console->open = true;
    console->restart = false;
    console->column = 0;
}

static void line_grow(Console *console, Line *line, uint32_t size)
{
    if (line->size + size <= line->room)
        return;
    uint32_t room = line->room ? line->room * 2 : 64;
    while (room < line->size + size)
        room *= 2;
    char *grown = mem_grow(line->text, room, 1, NULL);
    if (!grown)
        return;
    console->bytes += room - line->room;
    line->text = grown;
    line->room = room;
    while (console->bytes > CONSOLE_BYTES && console->first + 1 < console->end)
        line_drop_first(console);
}

/* Add cleaned bytes to the open line, which starts if there is none. */
static void line_add(Console *console, LineKind kind, const char *text, uint32_t size, uint32_t columns)
{
    if (!console->open || line_at(console, console->end - 1)->size + size > CONSOLE_LINE_MOST)
        line_start(console, kind);
    Line *line = line_at(console, console->end - 1);
    if (console->restart)
        line->size = console->column = 0;
    console->restart = false;
    line_grow(console, line, size);
    if (line->size + size > line->room)
        return;
    memcpy(line->text + line->size, text, size);
    line->size += size;
    console->column += columns;
}

static void line_end(Console *console, LineKind kind)
{
    if (!console->open)
        line_start(console, kind);
    console->open = console->restart = false;
}

static void character_add(Console *console, LineKind kind, const char *bytes, int n, uint32_t code)
{
    char seen[UTF8_SEEN];
    if (n < 0) {
        uint32_t size = (uint32_t)utf8_seen_byte((unsigned char)*bytes, seen);
        line_add(console, kind, seen, size, size);
    } else if (code == '\n') {
        line_end(console, kind);
    } else if (code == '\r') {
        console->restart = console->open;
    } else if (code == '\t') {
        uint32_t column = console->restart || !console->open ? 0 : console->column;
        uint32_t size = TAB_STOP - column % TAB_STOP;
        line_add(console, kind, "        ", size, size);
    } else if (utf8_hostile(code)) {
        uint32_t size = (uint32_t)utf8_seen(code, seen);
        line_add(console, kind, seen, size, size);
    } else {
        line_add(console, kind, bytes, (uint32_t)n, (uint32_t)utf8_columns(code));
    }
}

/* Put together what an earlier write began; returns how many bytes of text it took. */
static size_t part_finish(Console *console, LineKind kind, const char *text, size_t n)
{
    size_t used = 0;
    while (console->n_part) {
        uint32_t code;
        int size = utf8_decode(console->part, console->n_part, &code);
        if (size == 0 && used < n) {
            console->part[console->n_part++] = text[used++];
            continue;
        }
        if (size == 0)
            break;
        uint32_t taken = size < 0 ? 1 : (uint32_t)size;
        character_add(console, kind, console->part, size, code);
        console->n_part -= taken;
        memmove(console->part, console->part + taken, console->n_part);
    }
    return used;
}

/* Bytes of an unfinished character that will never be finished. */
static void part_give_up(Console *console, LineKind kind)
{
    for (uint32_t i = 0; i < console->n_part; i++)
        character_add(console, kind, console->part + i, -1, 0);
    console->n_part = 0;
}

void console_write(Console *console, LineKind kind, const char *text, size_t n)
{
    if (!n)
        return;
    pthread_mutex_lock(&console->lock);
    if (console->end > console->first && console->open && line_at(console, console->end - 1)->kind != kind) {
        part_give_up(console, line_at(console, console->end - 1)->kind);
        console->open = console->restart = false;
    }
    size_t i = part_finish(console, kind, text, n);
    while (i < n) {
        uint32_t code = 0;
        int size = utf8_decode(text + i, n - i, &code);
        if (size == 0) {
            console->n_part = (uint32_t)(n - i);
            memcpy(console->part, text + i, n - i);
            if (!console->open)
                line_start(console, kind);
            break;
        }
        character_add(console, kind, text + i, size, code);
        i += size < 0 ? 1 : (size_t)size;
    }
    pthread_mutex_unlock(&console->lock);
    atomic_fetch_add(&console->version, 1);
    void (*wake)(void) = atomic_load(&console->wake);
    if (wake)
        wake();
}

void console_puts(Console *console, LineKind kind, const char *text)
{
    console_write(console, kind, text, strlen(text));
}

uint64_t console_version(const Console *console)
{
    return atomic_load(&((Console *)console)->version);
}

void console_range(const Console *console, uint64_t *first, uint64_t *end)
{
    pthread_mutex_t *lock = &((Console *)console)->lock;
    pthread_mutex_lock(lock);
    *first = console->first;
    *end = console->end;
    pthread_mutex_unlock(lock);
}

bool console_line(const Console *console, uint64_t i, Buf *out, LineKind *kind)
{
    pthread_mutex_t *lock = &((Console *)console)->lock;
    pthread_mutex_lock(lock);
    bool there = i >= console->first && i < console->end;
    if (there) {
        const Line *line = line_at(console, i);
        buf_write(out, line->text, line->size);
        *kind = line->kind;
    }
    pthread_mutex_unlock(lock);
    return there;
}
