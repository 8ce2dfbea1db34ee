// SPDX-License-Identifier: MIT
/* The terminal is opened anew by its name, so that making it non-blocking does not reach the shell, which shares the open
 * file behind descriptors 0 and 1. What must be undone at a crash stands ready in `rescue` from the moment it is needed. */
#include "ui/screen.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "ui/paint.h"

#define LEAVE_PATIENCE_MS 500 /* a stuck line does not keep the program */

struct Screen {
    Caps caps;
    Painter painter;
    int in, out;
    bool own_file;      /* in and out are one open file of ours, non-blocking */
    struct termios found;
    bool entered;
    Buf pending;        /* bytes on their way */
    size_t sent;        /* of pending */
    ScreenStats stats;
};

static struct {
    volatile sig_atomic_t active;
    int fd;
    struct termios found;
    char text[200];
    size_t n;
} rescue;

bool screen_locale(void)
{
    static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };
    bool said = false;
    for (int i = 0; i < 3; i++) {
        const char *value = getenv(names[i]);
        said = said || (value && *value);
    }
    if (!said || !setlocale(LC_CTYPE, ""))
        if (!setlocale(LC_CTYPE, "C.UTF-8"))
            setlocale(LC_CTYPE, "C");
    return !strcmp(nl_langinfo(CODESET), "UTF-8");
}

bool screen_possible(Err *err)
{
    Caps caps;
    if (!isatty(0))
        return err_set(err, ERR_IO, "standard input is not a terminal");
    if (!isatty(1))
        return err_set(err, ERR_IO, "standard output is not a terminal");
    return caps_read(&caps, err);
}

/* The terminal behind a descriptor as an open file of our own; -1 when it cannot be had. */
static int terminal_open(int fd)
{
    char name[128];
    struct stat a, b;
    if (ttyname_r(fd, name, sizeof name))
        return -1;
    int own = open(name, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (own >= 0 && (fstat(fd, &a) || fstat(own, &b) || a.st_rdev != b.st_rdev)) {
        close(own);
        own = -1;
    }
    return own;
}

static bool files_open(Screen *screen, Err *err)
{
    int own = terminal_open(1), other = terminal_open(0);
    struct stat a, b;
    screen->own_file = own >= 0 && other >= 0 && !fstat(own, &a) && !fstat(other, &b) && a.st_rdev == b.st_rdev;
    if (other >= 0)
        close(other);
    if (!screen->own_file && own >= 0)
        close(own);
    screen->out = screen->own_file ? own : fcntl(1, F_DUPFD_CLOEXEC, 3);
    screen->in = screen->own_file ? own : fcntl(0, F_DUPFD_CLOEXEC, 3);
    if (screen->out < 0 || screen->in < 0)
        return err_set(err, ERR_IO, "the terminal cannot be opened: %s", strerror(errno));
    return true;
}

static void files_close(Screen *screen)
{
    if (screen->in >= 0)
        close(screen->in);
    if (screen->out >= 0 && screen->out != screen->in)
        close(screen->out);
}

static void raw_mode(Screen *screen)
{
    struct termios raw = screen->found;
    raw.c_iflag &= ~(tcflag_t)(BRKINT | ICRNL | IGNCR | INLCR | INPCK | ISTRIP | IXON);
    raw.c_oflag &= ~(tcflag_t)OPOST;
    raw.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | IEXTEN | ISIG);
    raw.c_cflag = (raw.c_cflag & ~(tcflag_t)(CSIZE | PARENB)) | CS8;
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    tcsetattr(screen->out, TCSANOW, &raw);
}

/* What brings the terminal back, whatever was going on. */
static void leave_text(const Screen *screen, Buf *out)
{
    const Caps *caps = &screen->caps;
    if (screen->painter.sync)
        buf_puts(out, "\033[?2026l");
    buf_puts(out, "\033[?2004l");
    caps_put(caps, out, CAP_sgr0, 0, 0);
    caps_put(caps, out, CAP_op, 0, 0);
    if (*caps->text[CAP_rmcup])
        caps_put(caps, out, CAP_rmcup, 0, 0);
    else
        caps_put(caps, out, CAP_clear, 0, 0);
    caps_put(caps, out, CAP_cnorm, 0, 0);
}

/* Write all of it, but do not wait for ever. */
static void write_all(int fd, const char *bytes, size_t n)
{
    for (size_t done = 0; done < n;) {
        ssize_t size = write(fd, bytes + done, n - done);
        if (size > 0) {
            done += (size_t)size;
        } else if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
            struct pollfd wait = { .fd = fd, .events = POLLOUT };
            if (poll(&wait, 1, LEAVE_PATIENCE_MS) <= 0 || wait.revents & (POLLERR | POLLHUP | POLLNVAL))
                return;
        } else {
            return;
        }
    }
}

void screen_enter(Screen *screen)
{
    Buf text = BUF_INIT;
    if (screen->entered)
        return;
    rescue.found = screen->found;
    rescue.fd = screen->out;
    rescue.active = 1;
    raw_mode(screen);
    caps_put(&screen->caps, &text, CAP_smcup, 0, 0);
    buf_puts(&text, "\033[?2004h"); /* bracketed paste; terminals that do not know it ignore it */
    write_all(screen->out, buf_text(&text), text.size);
    buf_fini(&text);
    buf_reset(&screen->pending);
    screen->sent = 0;
    painter_forget(&screen->painter);
    screen->entered = true;
}

void screen_leave(Screen *screen)
{
    Buf text = BUF_INIT;
    if (!screen->entered)
        return;
    if (screen->sent < screen->pending.size)
        write_all(screen->out, screen->pending.data + screen->sent, screen->pending.size - screen->sent);
    buf_reset(&screen->pending);
    screen->sent = 0;
    leave_text(screen, &text);
    write_all(screen->out, buf_text(&text), text.size);
    buf_fini(&text);
    tcsetattr(screen->out, TCSANOW, &screen->found);
    rescue.active = 0;
    screen->entered = false;
}

void screen_emergency(void)
{
    if (!rescue.active)
        return;
    rescue.active = 0;
    write_all(rescue.fd, rescue.text, rescue.n);
    tcsetattr(rescue.fd, TCSANOW, &rescue.found);
}

static bool rescue_prepare(const Screen *screen, Err *err)
{
    Buf text = BUF_INIT;
    buf_puts(&text, "\030"); /* CAN: ends a sequence that was cut */
    leave_text(screen, &text);
    buf_puts(&text, "\r\n");
    bool ok = buf_ok(&text, err);
    rescue.n = ok && text.size <= sizeof rescue.text ? text.size : 0;
    if (rescue.n)
        memcpy(rescue.text, text.data, rescue.n);
    buf_fini(&text);
    return ok;
}

Screen *screen_open(Err *err)
{
    Screen *screen = mem_zero(1, sizeof *screen, err);
    if (!screen)
        return NULL;
    screen->in = screen->out = -1;
    painter_init(&screen->painter, &screen->caps);
    if (!screen_possible(err) || !caps_read(&screen->caps, err) || !files_open(screen, err))
        goto fail;
    screen->painter.sync = screen->caps.ansi && strncmp(screen->caps.name, "vt", 2) && strcmp(screen->caps.name, "linux");
    if (tcgetattr(screen->out, &screen->found)) {
        (void)err_set(err, ERR_IO, "the terminal does not tell its settings: %s", strerror(errno));
        goto fail;
    }
    if (!rescue_prepare(screen, err))
        goto fail;
    screen_enter(screen);
    return screen;
fail:
    files_close(screen);
    painter_fini(&screen->painter);
    mem_free(screen);
    return NULL;
}

void screen_close(Screen *screen)
{
    if (!screen)
        return;
    screen_leave(screen);
    files_close(screen);
    painter_fini(&screen->painter);
    buf_fini(&screen->pending);
    mem_free(screen);
}

const Caps *screen_caps(const Screen *screen)
{
    return &screen->caps;
}

void screen_size(const Screen *screen, int *w, int *h)
{
    struct winsize size = { 0 };
    bool known = !ioctl(screen->out, TIOCGWINSZ, &size) && size.ws_col && size.ws_row;
    *w = known ? size.ws_col : 80;
    *h = known ? size.ws_row : 24;
}

bool screen_foreground(const Screen *screen)
{
    pid_t group = tcgetpgrp(screen->in);
    return group < 0 || group == getpgrp(); /* not our controlling terminal: nobody takes it away */
}

int screen_input(const Screen *screen)
{
    return screen->in;
}

int screen_output(const Screen *screen)
{
    return screen->out;
}

ssize_t screen_read(Screen *screen, char *out, size_t n)
{
    struct pollfd wait = { .fd = screen->in, .events = POLLIN };
    int ready = poll(&wait, 1, 0);
    if (ready == 0 || (ready < 0 && errno == EINTR))
        return 0;
    if (ready < 0 || !(wait.revents & POLLIN))
        return -1;
    ssize_t size = read(screen->in, out, n);
    if (size > 0)
        return size;
    return size < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

bool screen_busy(const Screen *screen)
{
    return screen->sent < screen->pending.size;
}

bool screen_flush(Screen *screen, Err *err)
{
    while (screen_busy(screen)) {
        size_t left = screen->pending.size - screen->sent;
        if (!screen->own_file && left > 256)
            left = 256; /* may block: little at a time */
        ssize_t size = write(screen->out, screen->pending.data + screen->sent, left);
        if (size > 0)
            screen->sent += (size_t)size;
        else if (size < 0 && errno == EAGAIN)
            return true;
        else if (size < 0 && errno != EINTR)
            return err_set(err, ERR_IO, "the terminal is gone: %s", strerror(errno));
    }
    return true;
}

bool screen_paint(Screen *screen, const Canvas *canvas, int x, int y, Err *err)
{
    if (!screen->entered || screen_busy(screen))
        return true;
    double start = clock_now();
    buf_reset(&screen->pending);
    screen->sent = 0;
    if (!painter_frame(&screen->painter, &screen->pending, canvas, x, y, err)) {
        buf_reset(&screen->pending);
        return false;
    }
    size_t n = screen->pending.size;
    if (!n)
        return true;
    ScreenStats *stats = &screen->stats;
    stats->last_s = clock_now() - start;
    stats->last_bytes = n;
    stats->bytes += n;
    stats->frames++;
    stats->most_bytes = n > stats->most_bytes ? n : stats->most_bytes;
    stats->most_s = stats->last_s > stats->most_s ? stats->last_s : stats->most_s;
    return screen_flush(screen, err);
}

void screen_forget(Screen *screen)
{
    painter_forget(&screen->painter);
}

void screen_stats(const Screen *screen, ScreenStats *out)
{
    *out = screen->stats;
}
