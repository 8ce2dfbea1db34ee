// SPDX-License-Identifier: MIT
/* A locked list, and a pipe whose readability says "look". Wake-ups coalesce: a full pipe is as good as one byte. */
#include "base/mailbox.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include "base/mem.h"

struct Mailbox {
    pthread_mutex_t lock; /* guards first, last */
    Mail *first, *last;
    int pipe[2];
};

static bool pipe_open(int fds[2], Err *err)
{
    if (pipe(fds))
        return err_set(err, ERR_IO, "no pipe could be opened: too many open files?");
    for (int i = 0; i < 2; i++) {
        fcntl(fds[i], F_SETFL, fcntl(fds[i], F_GETFL) | O_NONBLOCK);
        fcntl(fds[i], F_SETFD, FD_CLOEXEC);
    }
    return true;
}

Mailbox *mailbox_new(Err *err)
{
    Mailbox *box = mem_zero(1, sizeof *box, err);
    if (!box)
        return NULL;
    if (!pipe_open(box->pipe, err)) {
        mem_free(box);
        return NULL;
    }
    pthread_mutex_init(&box->lock, NULL);
    return box;
}

void mailbox_free(Mailbox *box)
{
    if (!box)
        return;
    close(box->pipe[0]);
    close(box->pipe[1]);
    pthread_mutex_destroy(&box->lock);
    mem_free(box);
}

void mailbox_wake(Mailbox *box)
{
    int saved = errno;
    ssize_t n = write(box->pipe[1], "", 1);
    (void)n; /* a full pipe is readable already */
    errno = saved;
}

void mailbox_post(Mailbox *box, Mail *mail)
{
    mail->next = NULL;
    pthread_mutex_lock(&box->lock);
    if (box->last)
        box->last->next = mail;
    else
        box->first = mail;
    box->last = mail;
    pthread_mutex_unlock(&box->lock);
    mailbox_wake(box);
}

Mail *mailbox_take(Mailbox *box)
{
    pthread_mutex_lock(&box->lock);
    Mail *mail = box->first;
    if (mail) {
        box->first = mail->next;
        if (!box->first)
            box->last = NULL;
    }
    pthread_mutex_unlock(&box->lock);
    return mail;
}

void mailbox_drain(Mailbox *box)
{
    char waste[64];
    while (read(box->pipe[0], waste, sizeof waste) > 0)
        ;
    pthread_mutex_lock(&box->lock);
    bool more = box->first != NULL;
    pthread_mutex_unlock(&box->lock);
    if (more)
        mailbox_wake(box);
}

void mailbox_wait(Mailbox *box, double seconds)
{
    struct pollfd fd = { .fd = box->pipe[0], .events = POLLIN };
    poll(&fd, 1, seconds < 0 ? -1 : (int)(seconds * 1000 + 0.999));
    mailbox_drain(box);
}

int mailbox_fd(const Mailbox *box)
{
    return box->pipe[0];
}
