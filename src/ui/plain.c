// SPDX-License-Identifier: MIT
/* Facts are printed as they come, the state of the moment at most ten times a second on one line that writes over itself:
 * a carriage return and blanks, no escape sequences. Where it may not, many short epochs share a line a second. */
#include "ui/plain.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "ui/canvas.h"
#include "ui/lineprompt.h"
#include "ui/progress.h"
#include "ui/screen.h"
#include "ui/utf8.h"

#define REWRITE_S 0.1
#define EPOCH_S 1.0   /* at most a line of an epoch so often, where there are many */
#define EPOCHS_ALL 50 /* so many are all printed */
#define WATCHED 16

typedef struct Watched {
    Run *run;           /* a reference; NULL: free */
    Telemetry *tele;    /* a reference */
    uint64_t version;
    size_t facts;       /* printed */
    double printed;     /* when a line of an epoch was */
    bool bar;           /* else every epoch has its line */
    const Fact *kept_back; /* an epoch whose line was left out; printed at the end */
} Watched;

struct Plain {
    pthread_mutex_t lock;
    bool rewrite, unicode;
    bool typing;        /* a prompt stands on the last line */
    void (*above)(void); /* makes room above it */
    bool clean_out, clean_err; /* a terminal: hostile characters are made visible */
    Watched watched[WATCHED];
    int n_ever;
    int open;           /* columns of the progress line that stands there; 0: none */
    double rewritten;
    char part[2][4];    /* the beginning of a character, for each stream */
    size_t n_part[2];
};

Plain *plain_new(bool rewrite, Err *err)
{
    Plain *plain = mem_zero(1, sizeof *plain, err);
    if (!plain)
        return NULL;
    pthread_mutex_init(&plain->lock, NULL);
    plain->rewrite = rewrite;
    plain->unicode = screen_locale();
    plain->clean_out = isatty(1);
    plain->clean_err = isatty(2);
    return plain;
}

/* ---- lines ---- */

/* Wipe the progress line; what follows begins at the left. */
static void line_wipe(Plain *plain)
{
    if (plain->open)
        fprintf(stderr, "\r%*s\r", plain->open, "");
    plain->open = 0;
}

static void make_room(Plain *plain)
{
    if (plain->typing && plain->above)
        plain->above();
}

static void line_say(Plain *plain, const Watched *watched, Buf *line)
{
    make_room(plain);
    line_wipe(plain);
    if (plain->n_ever > 1)
        fprintf(stderr, "run %d: ", run_id(watched->run));
    fprintf(stderr, "%s\n", buf_text(line));
    buf_reset(line);
}

static int columns_get(void)
{
    struct winsize size = { 0 };
    return !ioctl(2, TIOCGWINSZ, &size) && size.ws_col > 20 ? size.ws_col - 1 : 79;
}

static void line_rewrite(Plain *plain, const TelePlan *plan, const TeleNow *now)
{
    Buf line = BUF_INIT;
    progress_now(&line, plan, now, columns_get(), plain->unicode);
    int columns = canvas_width(buf_text(&line));
    int rest = plain->open > columns ? plain->open - columns : 0;
    fprintf(stderr, "\r%s%*s", buf_text(&line), rest, "");
    plain->open = columns;
    plain->rewritten = clock_now();
    buf_fini(&line);
}

/* ---- runs ---- */

static void fact_say(Plain *plain, Watched *watched, const TeleNow *state, const Fact *fact, Buf *line)
{
    const TelePlan *plan = telemetry_plan(watched->tele);
    double now = clock_now();
    int last = telemetry_last_epoch(plan, state);
    bool all = !watched->bar || last - plan->first_epoch < EPOCHS_ALL;
    if (fact->kind == FACT_EVENT) {
        progress_event(line, fact);
    } else if (!all && now < watched->printed + EPOCH_S && fact->epoch < last) {
        watched->kept_back = fact;
        return;
    } else {
        progress_epoch(line, plan, state, fact);
        watched->printed = now;
        watched->kept_back = NULL;
    }
    line_say(plain, watched, line);
}

static void run_forget(Watched *watched)
{
    telemetry_unref(watched->tele);
    run_unref(watched->run);
    *watched = (Watched){ 0 };
}

static void run_look(Plain *plain, Watched *watched)
{
    TeleNow now;
    Buf line = BUF_INIT;
    uint64_t version = telemetry_version(watched->tele);
    if (version == watched->version)
        return;
    watched->version = version;
    telemetry_now(watched->tele, &now);
    for (size_t n = telemetry_facts(watched->tele); watched->facts < n; watched->facts++)
        fact_say(plain, watched, &now, telemetry_fact(watched->tele, watched->facts), &line);
    bool ended = now.state == RUN_FINISHED || now.state == RUN_STOPPED || now.state == RUN_FAILED;
    if (ended) {
        if (watched->kept_back) {
            progress_epoch(&line, telemetry_plan(watched->tele), &now, watched->kept_back);
            line_say(plain, watched, &line);
        }
        progress_end(&line, telemetry_plan(watched->tele), &now);
        line_say(plain, watched, &line);
        run_forget(watched);
    } else if (plain->rewrite && watched->bar && !plain->typing && clock_now() >= plain->rewritten + REWRITE_S && now.step > 0) {
        line_rewrite(plain, telemetry_plan(watched->tele), &now);
    }
    buf_fini(&line);
}

void plain_watch(Plain *plain, Run *run, bool bar)
{
    pthread_mutex_lock(&plain->lock);
    for (int i = 0; i < WATCHED; i++) {
        if (plain->watched[i].run)
            continue;
        plain->watched[i] = (Watched){ .run = run_ref(run), .tele = telemetry_ref(run_telemetry(run)), .version = UINT64_MAX, .bar = bar };
        plain->n_ever++;
        break;
    }
    pthread_mutex_unlock(&plain->lock);
}

void plain_tick(Plain *plain)
{
    pthread_mutex_lock(&plain->lock);
    for (int i = 0; i < WATCHED; i++)
        if (plain->watched[i].run)
            run_look(plain, &plain->watched[i]);
    fflush(stderr);
    pthread_mutex_unlock(&plain->lock);
}

static bool run_has_news(const Watched *watched)
{
    TeleNow now;
    if (!watched->run || telemetry_version(watched->tele) == watched->version)
        return false;
    telemetry_now(watched->tele, &now);
    return telemetry_facts(watched->tele) > watched->facts || now.state >= RUN_FINISHED;
}

bool plain_has_news(Plain *plain)
{
    bool any = false;
    pthread_mutex_lock(&plain->lock);
    for (int i = 0; i < WATCHED; i++)
        any |= run_has_news(&plain->watched[i]);
    pthread_mutex_unlock(&plain->lock);
    return any;
}

void plain_set_typing(Plain *plain, bool typing)
{
    pthread_mutex_lock(&plain->lock);
    plain->typing = typing;
    if (typing)
        line_wipe(plain);
    fflush(stderr);
    pthread_mutex_unlock(&plain->lock);
}

void plain_set_above(Plain *plain, void (*above)(void))
{
    plain->above = above;
}

void plain_free(Plain *plain)
{
    if (!plain)
        return;
    if (plain->open)
        fputc('\n', stderr); /* the last state stays */
    fflush(stdout);
    for (int i = 0; i < WATCHED; i++)
        if (plain->watched[i].run)
            run_forget(&plain->watched[i]);
    pthread_mutex_destroy(&plain->lock);
    mem_free(plain);
}

/* ---- what others say ---- */

static void character_put(FILE *stream, const char *bytes, int size, uint32_t code)
{
    char seen[UTF8_SEEN];
    if (size < 0)
        fwrite(seen, 1, (size_t)utf8_seen_byte((unsigned char)*bytes, seen), stream);
    else if (utf8_hostile(code) && code != '\n' && code != '\t')
        fwrite(seen, 1, (size_t)utf8_seen(code, seen), stream);
    else
        fwrite(bytes, 1, (size_t)size, stream);
}

/* To a terminal: control characters made visible; a character that is cut waits in part for its rest. */
static void clean_put(FILE *stream, const char *text, size_t n, char part[4], size_t *n_part)
{
    uint32_t code = 0;
    size_t i = 0;
    while (*n_part && i < n) {
        part[(*n_part)++] = text[i++];
        int size = utf8_decode(part, *n_part, &code);
        if (size == 0)
            continue;
        character_put(stream, part, size, code);
        if (size < 0) { /* the first byte was alone; those after it may begin anew */
            i -= *n_part > 1;
            for (size_t k = 1; k + 1 < *n_part; k++)
                character_put(stream, part + k, -1, 0);
        }
        *n_part = 0;
    }
    while (i < n) {
        int size = utf8_decode(text + i, n - i, &code);
        if (size == 0) {
            *n_part = n - i;
            memcpy(part, text + i, n - i);
            return;
        }
        character_put(stream, text + i, size, code);
        i += size < 0 ? 1 : (size_t)size;
    }
}

void plain_say(Plain *plain, LineKind kind, const char *text, size_t n)
{
    bool out = kind == LINE_OUT || kind == LINE_VALUE;
    FILE *stream = out ? stdout : stderr;
    pthread_mutex_lock(&plain->lock);
    make_room(plain);
    if (plain->open && (plain->clean_out || !out))
        line_wipe(plain);
    if (out ? plain->clean_out : plain->clean_err)
        clean_put(stream, text, n, plain->part[!out], &plain->n_part[!out]);
    else
        fwrite(text, 1, n, stream);
    if (plain->clean_out || !out) {
        fflush(stderr);
        fflush(stream);
    }
    pthread_mutex_unlock(&plain->lock);
}

bool plain_prompt(Plain *plain, const FaceHost *host, const FaceOptions *options, Err *err)
{
    return lineprompt_run(plain, plain->rewrite, host, options, err);
}
