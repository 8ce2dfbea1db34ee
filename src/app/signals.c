// SPDX-License-Identifier: MIT
/* A signal comes to any thread that does not block it. Ours do; those of a library (OpenBLAS starts its own before main) do not, and
 * a handler there would run beside the main thread: it passes the signal on. So what is noted here is the main thread's alone. */
#define _GNU_SOURCE
#include "app/signals.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "ui/face.h"

static volatile sig_atomic_t interrupted, terminated, hung_up;
static void (*interrupt_hook)(void);
static void (*term_hook)(void);
static pthread_t home; /* the main thread */

static bool passed_on(int signal)
{
    return !pthread_equal(pthread_self(), home) && !pthread_kill(home, signal);
}

static void on_int(int signal)
{
    if (passed_on(signal))
        return;
    interrupted = 1;
    if (interrupt_hook)
        interrupt_hook();
}

static void on_term(int signal)
{
    if (passed_on(signal))
        return;
    terminated = 1;
    if (term_hook)
        term_hook();
}

static void on_hup(int signal)
{
    if (passed_on(signal))
        return;
    hung_up = 1;
    face_wake();
}

/* SA_RESETHAND has put the default action back: raising again ends the process the way it would have ended. */
static void on_fatal(int signal)
{
    face_emergency();
    raise(signal);
}

static void install(int signal, void (*handler)(int), int flags)
{
    struct sigaction action = { .sa_handler = handler, .sa_flags = flags };
    sigemptyset(&action.sa_mask);
    sigaction(signal, &action, NULL);
}

void signals_init(void (*on_interrupt)(void), void (*on_terminate)(void))
{
    static const int fatal[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };
    home = pthread_self();
    interrupt_hook = on_interrupt;
    term_hook = on_terminate;
    static char stack_memory[65536]; /* a stack overflow needs another stack to be reported on */
    stack_t stack = { .ss_sp = stack_memory, .ss_size = sizeof stack_memory };
    sigaltstack(&stack, NULL);
    install(SIGPIPE, SIG_IGN, 0);
    install(SIGINT, on_int, 0);
    install(SIGTERM, on_term, 0);
    install(SIGHUP, on_hup, 0);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++)
        install(fatal[i], on_fatal, (int)(SA_RESETHAND | SA_NODEFER) | SA_ONSTACK);
#else
    (void)fatal; /* the sanitizers report these themselves */
    (void)on_fatal;
#endif
}

bool signals_interrupted(void)
{
    return interrupted;
}

bool signals_terminated(void)
{
    return terminated;
}

bool signals_hung_up(void)
{
    return hung_up;
}

void signals_guard_streams(void)
{
    for (int fd = 0; fd < 3; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd ? O_WRONLY : O_RDONLY) != fd)
            _exit(2);
}

void signals_block(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGWINCH);
    sigaddset(&set, SIGTSTP);
    sigaddset(&set, SIGCONT);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
}
