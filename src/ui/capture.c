// SPDX-License-Identifier: MIT
#include "ui/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The stream becomes the write end of a pipe (standard input: the empty file). */
static bool stream_take(Capture *capture, int fd, Err *err)
{
    int pipe_fds[2] = { -1, -1 };
    if (!isatty(fd))
        return true;
    capture->saved[fd] = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (fd == 0)
        pipe_fds[1] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    else if (pipe(pipe_fds))
        pipe_fds[0] = pipe_fds[1] = -1;
    if (capture->saved[fd] < 0 || pipe_fds[1] < 0)
        return err_set(err, ERR_IO, "standard streams cannot be taken over: %s", strerror(errno));
    dup2(pipe_fds[1], fd);
    close(pipe_fds[1]);
    if (fd == 0)
        return true;
    fcntl(pipe_fds[0], F_SETFL, O_NONBLOCK);
    fcntl(pipe_fds[0], F_SETFD, FD_CLOEXEC);
    capture->pipes[fd] = pipe_fds[0];
    return true;
}

bool capture_start(Capture *capture, Err *err)
{
    for (int fd = 0; fd < 3; fd++)
        capture->saved[fd] = capture->pipes[fd] = -1;
    fflush(NULL);
    for (int fd = 0; fd < 3; fd++)
        if (!stream_take(capture, fd, err)) {
            capture_stop(capture, NULL);
            return false;
        }
    return true;
}

bool capture_drain(Capture *capture, Console *console)
{
    static const LineKind kinds[3] = { LINE_OUT, LINE_OUT, LINE_NOTE };
    char part[4096];
    bool any = false;
    for (int fd = 1; fd < 3; fd++) {
        ssize_t n;
        while (capture->pipes[fd] >= 0 && (n = read(capture->pipes[fd], part, sizeof part)) > 0) {
            if (console)
                console_write(console, kinds[fd], part, (size_t)n);
            any = true;
            if (n < (ssize_t)sizeof part)
                break; /* a program that never stops writing must not keep the keys waiting */
        }
    }
    return any;
}

void capture_stop(Capture *capture, Console *console)
{
    fflush(stdout);
    fflush(stderr);
    capture_drain(capture, console);
    for (int fd = 0; fd < 3; fd++) {
        if (capture->saved[fd] >= 0) {
            dup2(capture->saved[fd], fd);
            close(capture->saved[fd]);
        }
        if (capture->pipes[fd] >= 0)
            close(capture->pipes[fd]);
        capture->saved[fd] = capture->pipes[fd] = -1;
    }
}
