// SPDX-License-Identifier: MIT
#include "ui/trap.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "ui/screen.h"

/* Handled in peace; and those after which nothing can be. */
static const int calm[] = { SIGWINCH, SIGTSTP, SIGCONT, SIGINT, SIGTERM, SIGHUP };
static const int fatal[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGQUIT };
#define COUNT(a) (sizeof(a) / sizeof *(a))

static struct sigaction found_calm[COUNT(calm)], found_fatal[COUNT(fatal)];
static atomic_bool came[64]; /* a handler may run on any thread that does not block its signal */
static int pipe_fds[2] = { -1, -1 };
static atomic_int wake_fd = -1;
static atomic_bool noted; /* the pipe holds a byte already */
static bool installed;

void trap_wake(void)
{
    int fd = atomic_load_explicit(&wake_fd, memory_order_acquire), saved = errno;
    if (fd >= 0 && !atomic_exchange(&noted, true)) { /* a flood of wake-ups is one byte */
        ssize_t n = write(fd, "", 1);
        (void)n;
    }
    errno = saved;
}

static void on_calm(int signal)
{
    atomic_store(&came[signal & 63], true);
    trap_wake();
}

/* Give the terminal back, then let the one who was there before have it. */
static void on_fatal(int signal)
{
    screen_emergency();
    for (size_t i = 0; i < COUNT(fatal); i++)
        if (fatal[i] == signal)
            sigaction(signal, &found_fatal[i], NULL);
    raise(signal);
}

static bool pipe_make(Err *err)
{
    if (pipe_fds[0] >= 0)
        return true;
    if (pipe(pipe_fds))
        return err_set(err, ERR_IO, "no pipe could be opened: %s", strerror(errno));
    for (int i = 0; i < 2; i++) {
        fcntl(pipe_fds[i], F_SETFL, O_NONBLOCK);
        fcntl(pipe_fds[i], F_SETFD, FD_CLOEXEC);
    }
    atomic_store_explicit(&wake_fd, pipe_fds[1], memory_order_release);
    return true;
}

bool trap_install(Err *err)
{
    if (!pipe_make(err))
        return false;
    for (size_t i = 0; i < COUNT(came); i++)
        atomic_store(&came[i], false);
    struct sigaction action = { .sa_handler = on_calm };
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < COUNT(calm); i++) {
        sigaction(calm[i], NULL, &found_calm[i]);
        if (found_calm[i].sa_handler != SIG_IGN) /* nohup, or a shell without job control: so be it */
            sigaction(calm[i], &action, NULL);
    }
    action.sa_handler = on_fatal;
    action.sa_flags = SA_ONSTACK | SA_NODEFER;
    for (size_t i = 0; i < COUNT(fatal); i++)
        sigaction(fatal[i], &action, &found_fatal[i]);
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < COUNT(calm); i++)
        sigaddset(&set, calm[i]);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    installed = true;
    return true;
}

void trap_restore(void)
{
    if (!installed)
        return;
    for (size_t i = 0; i < COUNT(calm); i++)
        sigaction(calm[i], &found_calm[i], NULL);
    for (size_t i = 0; i < COUNT(fatal); i++)
        sigaction(fatal[i], &found_fatal[i], NULL);
    installed = false;
}

int trap_fd(void)
{
    return pipe_fds[0];
}

void trap_clear(void)
{
    char waste[64];
    while (read(pipe_fds[0], waste, sizeof waste) > 0)
        ;
    /* After reading: a wake-up between the two leaves no byte, but what it tells of is seen by whoever looks after this. The
     * other way round its byte would be read while `noted` stays set, and nothing would ever be written again. */
    atomic_exchange(&noted, false);
}

bool trap_take(int signal)
{
    return atomic_exchange(&came[signal & 63], false);
}

void trap_suspend(void)
{
    struct sigaction action = { .sa_handler = SIG_DFL }, ours;
    sigaction(SIGTSTP, NULL, &ours);
    if (ours.sa_handler == SIG_IGN)
        return;
    sigemptyset(&action.sa_mask);
    sigaction(SIGTSTP, &action, &ours);
    raise(SIGTSTP); /* goes on here after SIGCONT */
    sigaction(SIGTSTP, &ours, NULL);
}
