// SPDX-License-Identifier: MIT
/* The dashboard's loop: wait for keys, signals, wake-ups and captured output; look at what is new at most ten times a second;
 * draw a frame when it may differ; answer keys at once. A frame that the line has not taken yet delays the next one, so that
 * a slow terminal gets fewer frames, always of what is newest. */
#include "ui/face.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "ui/history.h"
#include "ui/input.h"
#include "ui/prompt.h"
#include "ui/steer.h"
#include "ui/trap.h"

#define FRAME_S 0.1       /* between frames that no key asked for */
#define BUSY_SHOWN_S 0.3  /* Lua works for so long before it is said */
#define BACKGROUND_S 1.0  /* how often a process in the background looks whether it is in front again */

typedef struct Loop {
    Face *face;
    Input input;
    bool look;            /* something may be new */
    bool urgent;          /* a key was typed: do not wait for the frame's turn */
    bool background;      /* resumed behind another program: the terminal is not ours now */
    double next_frame;
    double sent_at;       /* when the last frame was given out; the line is slow while its bytes wait */
    uint64_t console_seen;
    int came;             /* the signal that ended the loop */
} Loop;

static atomic_bool quit_asked;
static FaceStats last_stats;

void face_wake(void)
{
    trap_wake();
}

void face_quit(void)
{
    atomic_store(&quit_asked, true);
    trap_wake();
}

void face_emergency(void)
{
    screen_emergency();
}

bool face_possible(Err *err)
{
    return screen_possible(err);
}

void face_stats(FaceStats *out)
{
    *out = last_stats;
}

/* ---- drawing ---- */

static bool works(const void *ctx, Action action)
{
    return steer_works(ctx, action);
}

static void bottom_draw(Face *face, double now)
{
    Rect area = face->keys;
    bool leading = face->dash.focus ? face->pane_leading : prompt_leading();
    if (*face->notice && now >= face->notice_end)
        *face->notice = 0;
    if (*face->notice && area.h > 0)
        canvas_text_cut(&face->canvas, area.x + 1, area.y, area.w - 2, face->theme.roles[ROLE_BRIGHT], face->notice);
    else
        overlay_keys(&face->canvas, area, &face->theme, leading, face->dash.focus != NULL, works, face);
}

/* In the border above the prompt: what Lua is doing. */
static void busy_draw(Face *face, double now)
{
    Rect area = face->prompt;
    char text[80];
    if (!face->busy_since || now < face->busy_since + BUSY_SHOWN_S || area.y < 1 || area.w < 60)
        return;
    int queued = face->host->queued(face->host->ctx);
    if (queued)
        snprintf(text, sizeof text, " Lua is at work, %d waiting: Ctrl-C interrupts ", queued);
    else
        snprintf(text, sizeof text, " Lua is at work: Ctrl-C interrupts ");
    canvas_text_right(&face->canvas, area.x, area.y - 1, area.w, face->theme.roles[ROLE_NOTE], text);
}

static void question_draw(Face *face)
{
    char text[256];
    if (face->asked == ASK_QUIT)
        overlay_ask(&face->canvas, &face->theme, "leave?",
                    "A run is in training. If you leave, it stops at its next step and is saved.", "y  leave     n  stay");
    else if (face->asked == ASK_STOP) {
        snprintf(text, sizeof text, "End run %d at its next step? Weights and history stay.", face->run ? run_id(face->run) : 0);
        overlay_ask(&face->canvas, &face->theme, "stop?", text, "y  stop      n  go on");
    }
}

static bool frame_draw(Face *face, double now, Err *err)
{
    int x = -1, y = -1;
    screen_size(face->screen, &face->w, &face->h);
    if (!canvas_resize(&face->canvas, face->w, face->h, face->theme.base, err))
        return false;
    face->prompt = face->keys = (Rect){ 0 };
    dash_draw(&face->dash, &face->canvas, &face->theme, &face->prompt, &face->keys);
    if (face->prompt.h > 0)
        prompt_draw(&face->canvas, face->prompt, &face->theme, &x, &y);
    busy_draw(face, now);
    bottom_draw(face, now);
    overlay_draw(&face->overlay, &face->canvas, &face->theme);
    question_draw(face);
    bool typing = !face->dash.focus && !face->overlay.open && !face->asked;
    return screen_paint(face->screen, &face->canvas, typing ? x : -1, y, err);
}

static void frame(Loop *loop, double now)
{
    Face *face = loop->face;
    Err err = ERR_INIT;
    bool turn = now >= loop->next_frame;
    if (loop->background || screen_busy(face->screen))
        return;
    if (loop->look && turn) {
        uint64_t console = console_version(face->console);
        bool busy = face->host->busy(face->host->ctx);
        steer_follow(face);
        face->dirty |= dash_refresh(&face->dash) || console != loop->console_seen || busy != (face->busy_since > 0);
        face->busy_since = busy ? (face->busy_since > 0 ? face->busy_since : now) : 0;
        loop->console_seen = console;
        loop->look = false;
    }
    if (!face->dirty || !(turn || loop->urgent))
        return;
    if (!frame_draw(face, now, &err) && err.code == ERR_IO)
        face->lost = true; /* out of memory: the old picture stands, the next frame tries again */
    face->dirty = loop->urgent = false;
    loop->sent_at = now;
    loop->next_frame = now + FRAME_S;
}

/* ---- keys ---- */

static void interrupt(Loop *loop)
{
    Face *face = loop->face;
    const FaceHost *host = face->host;
    bool over = face->overlay.open || face->asked;
    face->overlay.open = false;
    face->asked = ASK_NOTHING;
    face->dirty = loop->urgent = true;
    if (host->busy(host->ctx)) {
        host->clear_queue(host->ctx);
        host->interrupt(host->ctx);
    } else if (!over) {
        prompt_cancel();
    }
}

static void screen_retake(Loop *loop)
{
    loop->background = !screen_foreground(loop->face->screen);
    if (loop->background)
        return;
    screen_leave(loop->face->screen);
    screen_enter(loop->face->screen);
    loop->face->dirty = loop->urgent = true;
}

static void suspend(Loop *loop)
{
    screen_leave(loop->face->screen);
    trap_suspend();
    (void)trap_take(SIGCONT);
    screen_retake(loop);
}

static void key(void *ctx, const char *bytes, size_t n, int code)
{
    Loop *loop = ctx;
    Face *face = loop->face;
    face->dirty = loop->urgent = true;
    if (code == 3)
        interrupt(loop);
    else if (code == 26)
        suspend(loop);
    else if (face->asked && code != KEY_UNKNOWN)
        steer_answer(face, code == 'y' || code == 'Y');
    else if (face->overlay.open)
        overlay_key(&face->overlay, code);
    else if (face->dash.focus)
        steer_pane_key(face, code);
    else
        prompt_key(bytes, n, code); /* also when the window is too small to show it: nothing typed is lost */
}

static void paste(void *ctx, const char *text, size_t n)
{
    Loop *loop = ctx;
    loop->face->dash.focus = NULL; /* a paste is for the prompt */
    loop->face->overlay.open = false;
    loop->face->asked = ASK_NOTHING;
    prompt_paste(text, n);
    loop->face->dirty = loop->urgent = true;
}

static void action(void *ctx, Action action, int count)
{
    Loop *loop = ctx;
    steer_act(loop->face, action, count);
}

static int byte_more(void *ctx)
{
    Loop *loop = ctx;
    return input_byte(&loop->input, loop->face->screen);
}

static void keys_read(Loop *loop)
{
    if (!input_read(&loop->input, loop->face->screen))
        loop->face->lost = true;
    input_run(&loop->input, false, key, paste, loop);
}

/* ---- signals ---- */

static void signals_handle(Loop *loop)
{
    Face *face = loop->face;
    if (trap_take(SIGHUP)) {
        face->lost = true;
        loop->came = SIGHUP;
    }
    if (trap_take(SIGTERM)) {
        face->quit = true;
        loop->came = SIGTERM;
    }
    if (atomic_exchange(&quit_asked, false))
        face->quit = true;
    if (trap_take(SIGINT))
        interrupt(loop);
    if (trap_take(SIGTSTP))
        suspend(loop);
    if (trap_take(SIGCONT))
        screen_retake(loop);
    if (trap_take(SIGWINCH)) {
        screen_forget(face->screen); /* a window that shrank and grew back has lost what stood there */
        face->dirty = true;
    }
}

/* ---- the loop ---- */

static double sooner(double a, double b)
{
    return a < b ? a : b;
}

/* Seconds until something has to happen by itself. */
static double rest(const Loop *loop, double now)
{
    const Face *face = loop->face;
    double until = 3600;
    if (loop->background)
        return BACKGROUND_S;
    if (face->dirty && loop->urgent && !screen_busy(face->screen))
        return 0;
    if ((face->dirty || loop->look) && !screen_busy(face->screen))
        until = sooner(until, loop->next_frame - now);
    if (*face->notice)
        until = sooner(until, face->notice_end - now);
    if (face->busy_since && now < face->busy_since + BUSY_SHOWN_S)
        until = sooner(until, face->busy_since + BUSY_SHOWN_S - now);
    until = sooner(until, input_due(&loop->input, now));
    return until < 0 ? 0 : until;
}

static void output_flush(Loop *loop, double now)
{
    Err err = ERR_INIT;
    if (!screen_flush(loop->face->screen, &err))
        loop->face->lost = true;
    double took = now - loop->sent_at; /* a line that was slow is spared */
    if (!screen_busy(loop->face->screen) && took > FRAME_S / 4)
        loop->next_frame = now + sooner(2 * took, 2);
}

static void wait_events(Loop *loop, double seconds)
{
    Face *face = loop->face;
    bool quiet = !loop->look; /* wake-ups of a flood are looked at once a frame */
    struct pollfd fds[5] = {
        { .fd = loop->background ? -1 : screen_input(face->screen), .events = POLLIN },
        { .fd = quiet ? trap_fd() : -1, .events = POLLIN },
        { .fd = quiet ? face->capture.pipes[1] : -1, .events = POLLIN },
        { .fd = quiet ? face->capture.pipes[2] : -1, .events = POLLIN },
        { .fd = screen_busy(face->screen) ? screen_output(face->screen) : -1, .events = POLLOUT },
    };
    int n = poll(fds, 5, (int)(seconds * 1000 + 0.999));
    if (n < 0) {
        loop->look = true; /* a signal */
        return;
    }
    if (fds[1].revents) {
        trap_clear();
        loop->look = true;
    }
    if (fds[2].revents || fds[3].revents)
        loop->look |= capture_drain(&face->capture, face->console);
    if (fds[4].revents)
        output_flush(loop, clock_now());
    if (fds[0].revents)
        keys_read(loop);
}

static void loop_run(Loop *loop)
{
    Face *face = loop->face;
    loop->look = face->dirty = true;
    while (!face->quit && !face->lost) {
        signals_handle(loop);
        double now = clock_now();
        if (loop->background) {
            screen_retake(loop);
        } else if (input_due(&loop->input, now) <= 0) {
            input_run(&loop->input, true, key, paste, loop);
        }
        if (*face->notice && now >= face->notice_end)
            face->dirty = true;
        if (face->busy_since && now >= face->busy_since + BUSY_SHOWN_S && now < face->busy_since + BUSY_SHOWN_S + 2 * FRAME_S)
            face->dirty = true;
        frame(loop, now);
        if (face->quit || face->lost)
            break;
        wait_events(loop, rest(loop, clock_now()));
    }
}

/* ---- beginning and end ---- */

/* The theme asked for; else one for a light background where the terminal says that it has one. */
static bool theme_choose(Face *face, const char *name, Err *err)
{
    const char *colours = getenv("COLORFGBG");
    const char *back = colours ? strrchr(colours, ';') : NULL;
    if (!name || !*name)
        name = getenv("HEBB_THEME");
    if ((!name || !*name) && back && (atoi(back + 1) == 7 || atoi(back + 1) == 15))
        name = "light";
    if (name && *name)
        return theme_load(&face->theme, name, face->depth, err);
    theme_default(&face->theme, face->depth);
    return true;
}

static void history_start(const FaceOptions *options, Console *console)
{
    Err err = ERR_INIT;
    if (options->no_history) {
        history_open_empty();
    } else if (!history_open(options->history, &err)) {
        console_puts(console, LINE_NOTE, err.text);
        console_puts(console, LINE_NOTE, "\n");
    }
}

static bool face_start(Face *face, Loop *loop, const FaceOptions *options, Err *err)
{
    face->canvas.ascii = !screen_locale();
    Caps caps;
    if (!screen_possible(err) || !caps_read(&caps, err))
        return false;
    face->depth = theme_depth(caps.colors);
    if (!theme_choose(face, options->theme, err) || !trap_install(err))
        return false;
    PromptSetup setup = { face->host, face->console, caps.name, !face->canvas.ascii, action, byte_more, loop };
    if (!prompt_open(&setup, err))
        return false;
    face->screen = screen_open(err);
    if (!face->screen || !capture_start(&face->capture, err))
        return false;
    history_start(options, face->console);
    console_set_waker(face->console, face_wake);
    return true;
}

static void face_stop(Face *face, Loop *loop)
{
    console_set_waker(face->console, NULL);
    if (face->screen) {
        ScreenStats stats;
        screen_stats(face->screen, &stats);
        last_stats = (FaceStats){ stats.frames, stats.bytes, stats.most_bytes, stats.most_s };
    }
    prompt_close();
    history_close();
    screen_close(face->screen);
    capture_stop(&face->capture, face->console);
    dash_fini(&face->dash);
    run_unref(face->run);
    overlay_fini(&face->overlay);
    canvas_fini(&face->canvas);
    input_fini(&loop->input);
    trap_restore();
}

bool face_dashboard(const FaceHost *host, const FaceOptions *options, Console *console, bool *lost, Err *err)
{
    Face face = { .host = host, .console = console };
    Loop loop = { .face = &face };
    canvas_init(&face.canvas);
    dash_init(&face.dash);
    for (int i = 0; i < 3; i++)
        face.capture.saved[i] = face.capture.pipes[i] = -1;
    *lost = false;
    bool ok = face_start(&face, &loop, options, err);
    if (ok)
        loop_run(&loop);
    *lost = face.lost;
    face_stop(&face, &loop);
    if (loop.came)
        raise(loop.came); /* for the handler that was there before */
    return ok;
}
