// SPDX-License-Identifier: MIT
#include "ui/input.h"

#include <poll.h>
#include <string.h>

#include "base/clock.h"

#define ESCAPE_S 0.05   /* the rest of a key comes within */
#define PASTE_S 2.0     /* a paste without an end has ended after this */
#define PASTE_MOST (16u << 20)

void input_fini(Input *input)
{
    buf_fini(&input->bytes);
    buf_fini(&input->paste);
}

bool input_read(Input *input, Screen *screen)
{
    char part[4096];
    if (input->used == input->bytes.size) {
        buf_reset(&input->bytes);
        input->used = 0;
    }
    for (size_t sum = 0; sum < 1 << 20;) { /* an endless flood is looked at in between */
        ssize_t n = screen_read(screen, part, sizeof part);
        if (n < 0)
            return false;
        if (n == 0)
            break;
        buf_write(&input->bytes, part, (size_t)n);
        input->last = clock_now();
        sum += (size_t)n;
    }
    return true;
}

static void paste_end(Input *input, InputPaste paste, void *ctx)
{
    input->pasting = false;
    paste(ctx, buf_text(&input->paste), input->paste.failed ? 0 : input->paste.size);
    buf_fini(&input->paste);
}

static size_t find(const char *bytes, size_t n, const char *what)
{
    size_t size = strlen(what);
    for (size_t i = 0; i + size <= n; i++)
        if (!memcmp(bytes + i, what, size))
            return i;
    return n;
}

/* Keep what is certainly text; true when the end of the paste was found. */
static bool paste_run(Input *input, bool late)
{
    const char *bytes = input->bytes.data + input->used;
    size_t n = input->bytes.size - input->used, at = find(bytes, n, KEYS_PASTE_END);
    bool ended = at < n;
    size_t keep = strlen(KEYS_PASTE_END) - 1; /* the end's beginning may be there */
    size_t size = ended ? at : late ? n : n > keep ? n - keep : 0;
    if (input->paste.size < PASTE_MOST)
        buf_write(&input->paste, bytes, size);
    input->used += ended ? size + keep + 1 : size;
    return ended;
}

void input_run(Input *input, bool late, InputKey key, InputPaste paste, void *ctx)
{
    while (input->used < input->bytes.size) {
        if (input->pasting) {
            if (!paste_run(input, late) && !late)
                return;
            paste_end(input, paste, ctx);
            continue;
        }
        int code;
        const char *bytes = input->bytes.data + input->used;
        size_t n = keys_unit(bytes, input->bytes.size - input->used, late, &code);
        if (!n)
            return;
        char copy[256]; /* a command may ask for more bytes, and the buffer move */
        size_t size = n < sizeof copy ? n : sizeof copy;
        memcpy(copy, bytes, size);
        input->used += n;
        if (code == KEY_PASTE)
            input->pasting = true;
        else
            key(ctx, copy, size, code);
    }
    if (input->pasting && late)
        paste_end(input, paste, ctx);
}

double input_due(const Input *input, double now)
{
    bool waits = input->pasting || input->used < input->bytes.size;
    return waits ? input->last + (input->pasting ? PASTE_S : ESCAPE_S) - now : 3600;
}

int input_byte(Input *input, Screen *screen)
{
    if (input->used == input->bytes.size) {
        struct pollfd wait = { .fd = screen_input(screen), .events = POLLIN };
        poll(&wait, 1, 1000);
        if (!input_read(input, screen))
            return -1;
    }
    return input->used < input->bytes.size ? (unsigned char)input->bytes.data[input->used++] : -1;
}
