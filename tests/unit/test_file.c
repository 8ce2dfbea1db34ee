// SPDX-License-Identifier: MIT
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "scratch.h"

static int begin(void **state)
{
    (void)state;
    scratch_begin();
    return 0;
}

static int end(void **state)
{
    (void)state;
    file_fail_after(-1);
    mem_fail_after(-1);
    scratch_end();
    return 0;
}

static void holds(const char *path, const char *text)
{
    size_t n;
    char *bytes = scratch_read(path, &n);
    assert_int_equal(n, strlen(text));
    assert_memory_equal(bytes, text, n);
    free(bytes);
}

static unsigned mode_of(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 07777;
}

static void replaces_and_reads(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    const char *path = scratch_path("model");
    assert_ok(file_replace(path, "first", 5, 0600, &err));
    holds(path, "first");
    assert_int_equal(mode_of(path), 0600);
    assert_int_equal(chmod(path, 0640), 0);
    assert_ok(file_replace(path, "second one", 10, 0600, &err));
    holds(path, "second one");
    assert_int_equal(mode_of(path), 0640);
    assert_int_equal(scratch_count(), 1);

    Buf buf = BUF_INIT;
    buf_puts(&buf, "> ");
    assert_ok(file_read(path, &buf, 10, &err));
    assert_string_equal(buf_text(&buf), "> second one");
    assert_err(file_read(path, &buf, 9, &err), ERR_DATA, "more than the 9");
    assert_string_equal(buf_text(&buf), "> second one");
    assert_err(file_read(scratch_path("none"), &buf, 9, &err), ERR_IO, "No such file");
    assert_err(file_read(scratch_path(""), &buf, 9, &err), ERR_IO, "is a folder");
    buf_fini(&buf);
}

/* Files of /proc say size 0, pipes say nothing: the bound holds while reading. */
static void reads_files_of_unknown_size(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    Buf buf = BUF_INIT;
    assert_ok(file_read("/proc/self/status", &buf, 1 << 20, &err));
    assert_true(buf.size > 100);
    buf_reset(&buf);
    assert_err(file_read("/proc/self/status", &buf, 100, &err), ERR_DATA, "more than 100");
    assert_err(file_read("/dev/zero", &buf, 100000, &err), ERR_IO, "is a device"); /* that bound would be its only end */
    assert_int_equal(buf.size, 0);
    buf_fini(&buf);
}

static void large_content_passes_whole(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    enum { N = 3 << 20 };
    char *bytes = malloc(N);
    for (int i = 0; i < N; i++)
        bytes[i] = (char)(i * 2654435761u >> 13);
    FileOut *out = file_out_new(scratch_path("big"), 0644, &err);
    assert_non_null(out);
    size_t pieces[] = { 0, 1, 100, 1 << 18, (1 << 18) - 101, 7, 1 << 20 }, at = 0;
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        assert_ok(file_out_write(out, bytes + at, pieces[i], &err));
        at += pieces[i];
    }
    assert_ok(file_out_write(out, bytes + at, N - at, &err));
    assert_false(file_exists(scratch_path("big")));
    assert_ok(file_out_commit(out, &err));
    assert_err(file_out_commit(out, &err), ERR_STATE, "committed twice");
    file_out_free(out);
    Buf buf = BUF_INIT;
    assert_ok(file_read(scratch_path("big"), &buf, N, &err));
    assert_int_equal(buf.size, N);
    assert_memory_equal(buf.data, bytes, N);
    buf_fini(&buf);
    free(bytes);
}

static void an_abandoned_file_changes_nothing(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    scratch_write(scratch_path("m"), "old", 3);
    FileOut *out = file_out_new(scratch_path("m"), 0644, &err);
    assert_non_null(out);
    assert_ok(file_out_write(out, "new", 3, &err));
    assert_int_equal(scratch_count(), 2);
    file_out_free(out);
    holds(scratch_path("m"), "old");
    assert_int_equal(scratch_count(), 1);
    file_out_free(NULL);
}

static void follows_links(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    assert_int_equal(mkdir(scratch_path("deep"), 0755), 0);
    scratch_write(scratch_path("deep/real"), "old", 3);
    assert_int_equal(symlink("deep/real", scratch_path("a")), 0);
    assert_int_equal(symlink("a", scratch_path("b")), 0);
    assert_ok(file_replace(scratch_path("b"), "new", 3, 0644, &err));
    holds(scratch_path("deep/real"), "new");
    struct stat st;
    assert_int_equal(lstat(scratch_path("b"), &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_int_equal(symlink("deep/fresh", scratch_path("dangling")), 0);
    assert_ok(file_replace(scratch_path("dangling"), "x", 1, 0644, &err));
    holds(scratch_path("deep/fresh"), "x");
    assert_int_equal(symlink("loop", scratch_path("loop")), 0);
    assert_err(file_replace(scratch_path("loop"), "x", 1, 0644, &err), ERR_IO, "symbolic links");
}

static void refuses_what_cannot_be_replaced(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    assert_int_equal(mkdir(scratch_path("folder"), 0755), 0);
    assert_err(file_replace(scratch_path("folder"), "x", 1, 0644, &err), ERR_IO, "is a folder");
    assert_err(file_replace(scratch_path("folder/"), "x", 1, 0644, &err), ERR_IO, "file name");
    assert_err(file_replace(scratch_path("gone/m"), "x", 1, 0644, &err), ERR_IO, "does not exist");
    assert_err(file_replace("/dev/null", "x", 1, 0644, &err), ERR_IO, "not a regular file");
    assert_err(file_replace("", "x", 1, 0644, &err), ERR_IO, "file name");
    char endless[6000];
    memset(endless, 'a', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    assert_err(file_replace(endless, "x", 1, 0644, &err), ERR_IO, "too long");
    endless[200] = '\0'; /* a long but legal name: the temporary one must still fit */
    assert_ok(file_replace(scratch_path(endless), "x", 1, 0644, &err));
    if (geteuid() != 0) {
        scratch_write(scratch_path("kept"), "old", 3);
        assert_int_equal(chmod(scratch_path("kept"), 0444), 0);
        assert_err(file_replace(scratch_path("kept"), "x", 1, 0644, &err), ERR_IO, "write-protected");
    }
}

/* Each write, fsync and rename fails in turn: the old file is whole until the new one is, and nothing else stays. */
static void every_step_may_fail(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    enum { N = 600000 };
    char *bytes = malloc(N);
    memset(bytes, 'n', N);
    const char *path = scratch_path("model");
    scratch_write(path, "old", 3);
    int failures = 0;
    for (long n = 0;; n++) {
        assert_true(n < 100);
        file_fail_after(n);
        FileOut *out = file_out_new(path, 0644, &err);
        assert_non_null(out);
        bool ok = true;
        for (int at = 0; ok && at < N; at += 100000)
            ok = file_out_write(out, bytes + at, 100000, &err);
        ok = ok && file_out_commit(out, &err);
        if (!ok) {
            failures++;
            assert_int_equal(err.code, ERR_IO);
            assert_non_null(strstr(err.text, "No space left"));
            Err later = ERR_INIT;
            assert_false(file_out_commit(out, &later));
            assert_int_equal(later.code, ERR_STATE);
        }
        file_out_free(out);
        file_fail_after(-1);
        assert_int_equal(scratch_count(), 1);
        size_t size;
        char *now = scratch_read(path, &size);
        bool is_new = size == N && memcmp(now, bytes, N) == 0;
        assert_true(is_new || (size == 3 && memcmp(now, "old", 3) == 0));
        if (ok)
            assert_true(is_new);
        free(now);
        if (ok)
            break;
        scratch_write(path, "old", 3);
    }
    assert_true(failures >= 5); /* three writes, two fsyncs, one rename at least in part */
    free(bytes);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    scratch_write(scratch_path("m"), "old", 3);
    size_t held = mem_bytes();
    for (long n = 0;; n++) {
        assert_true(n < 100);
        mem_fail_after(n);
        bool ok = file_replace(scratch_path("m"), "new", 3, 0644, &err);
        mem_fail_after(-1);
        assert_int_equal(scratch_count(), 1);
        assert_int_equal(mem_bytes(), held);
        holds(scratch_path("m"), ok ? "new" : "old");
        if (ok)
            break;
        assert_int_equal(err.code, ERR_MEM);
    }
}

/* A real failure of the system, not a simulated one: the limit on file sizes. */
static void a_full_disk_is_an_error(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    scratch_write(scratch_path("m"), "old", 3);
    struct rlimit old, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small = old;
    small.rlim_cur = 1 << 16;
    signal(SIGXFSZ, SIG_IGN);
    char *bytes = calloc(1, 1 << 20);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    bool ok = file_replace(scratch_path("m"), bytes, 1 << 20, 0644, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    free(bytes);
    assert_false(ok);
    assert_int_equal(err.code, ERR_IO);
    holds(scratch_path("m"), "old");
    assert_int_equal(scratch_count(), 1);
}

/* Killed at many instants while saving over and over: always one of the two versions, and what is left behind goes away. */
static void killed_at_any_instant(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    enum { N = 200000, KILLS = 60 };
    const char *path = scratch_path("model");
    char *a = malloc(N), *b = malloc(N + 1);
    memset(a, 'a', N);
    memset(b, 'b', N + 1);
    assert_ok(file_replace(path, a, N, 0644, &err));
    for (int kill_no = 0; kill_no < KILLS; kill_no++) {
        int ready[2];
        assert_int_equal(pipe(ready), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            for (;;) {
                if (!file_replace(path, b, N + 1, 0644, &err) || !file_replace(path, a, N, 0644, &err))
                    _exit(1);
                if (write(ready[1], "x", 1) != 1)
                    _exit(2);
            }
        }
        char byte;
        assert_int_equal(read(ready[0], &byte, 1), 1);
        clock_sleep(kill_no * 37e-6); /* any instant will do: this spreads them over a few saves */
        kill(child, SIGKILL);
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        close(ready[0]);
        close(ready[1]);
        size_t size;
        char *now = scratch_read(path, &size);
        assert_true((size == N && memcmp(now, a, N) == 0) || (size == N + 1 && memcmp(now, b, N + 1) == 0));
        free(now);
        assert_true(scratch_count() <= 2);
    }
    assert_ok(file_replace(path, a, N, 0644, &err));
    assert_int_equal(scratch_count(), 1);
    free(a);
    free(b);
}

static void keeps_others_temporaries(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    char name[64];
    snprintf(name, sizeof name, ".m.%ld-00000000.tmp", (long)getppid()); /* a living process */
    scratch_write(scratch_path(name), "x", 1);
    scratch_write(scratch_path(".m.12-x.txt"), "x", 1);
    scratch_write(scratch_path(".m.x-1.tmp"), "x", 1);
    scratch_write(scratch_path(".mm.999999999-1.tmp"), "x", 1);
    assert_ok(file_replace(scratch_path("m"), "1", 1, 0644, &err));
    assert_int_equal(scratch_count(), 5);
    scratch_write(scratch_path(".m.999999999-1.tmp"), "x", 1);
    assert_ok(file_replace(scratch_path("m"), "2", 1, 0644, &err));
    assert_int_equal(scratch_count(), 5);
}

/* With descriptor 2 closed, nothing that is written may land on it. */
static void stays_off_the_standard_descriptors(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        close(2);
        FileOut *out = file_out_new(scratch_path("m"), 0644, &err);
        _exit(out && fcntl(2, F_GETFD) == -1 && file_out_commit(out, &err) ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void folders_and_names(void **state)
{
    (void)state;
    Err err = ERR_INIT;
    assert_ok(file_make_folder(scratch_path("a/b/c"), &err));
    assert_ok(file_make_folder(scratch_path("a/b/c/"), &err));
    assert_true(file_is_folder(scratch_path("a/b/c")));
    assert_int_equal(mode_of(scratch_path("a/b")), 0700);
    scratch_write(scratch_path("f"), "x", 1);
    assert_false(file_is_folder(scratch_path("f")));
    assert_true(file_exists(scratch_path("f")));
    assert_err(file_make_folder(scratch_path("f/g"), &err), ERR_IO, "folder cannot be made");
    char out[16];
    assert_true(file_join(out, sizeof out, "a", "b"));
    assert_string_equal(out, "a/b");
    assert_true(file_join(out, sizeof out, "/", "b"));
    assert_string_equal(out, "/b");
    assert_true(file_join(out, sizeof out, "", "b"));
    assert_string_equal(out, "b");
    assert_false(file_join(out, sizeof out, "0123456789", "012345"));
}

static void xdg_and_resources(void **state)
{
    (void)state;
    char out[1024], home[1024];
    setenv("XDG_STATE_HOME", "/x/state", 1);
    assert_true(file_xdg(out, sizeof out, "STATE"));
    assert_string_equal(out, "/x/state/hebb");
    setenv("XDG_STATE_HOME", "relative", 1);
    setenv("HOME", "/h", 1);
    assert_true(file_xdg(out, sizeof out, "STATE"));
    assert_string_equal(out, "/h/.local/state/hebb");
    unsetenv("HOME");
    assert_false(file_xdg(out, sizeof out, "STATE"));
    assert_false(file_xdg(out, sizeof out, "NONSENSE"));

    snprintf(home, sizeof home, "%s", getenv("HEBB_HOME") ? getenv("HEBB_HOME") : ".");
    setenv("HEBB_HOME", scratch_path(""), 1);
    scratch_write(scratch_path("only-here"), "x", 1);
    assert_true(file_resource(out, sizeof out, "only-here"));
    unsetenv("HEBB_HOME");
    assert_false(file_resource(out, sizeof out, "only-here"));
    assert_true(file_resource(out, sizeof out, "tests/unit/test_file.c")); /* the tree that holds this program */
    assert_false(file_resource(out, 8, "tests/unit/test_file.c"));
    setenv("HEBB_HOME", home, 1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(replaces_and_reads),
        TEST(reads_files_of_unknown_size),
        TEST(large_content_passes_whole),
        TEST(an_abandoned_file_changes_nothing),
        TEST(follows_links),
        TEST(refuses_what_cannot_be_replaced),
        TEST(every_step_may_fail),
        TEST(every_allocation_may_fail),
        TEST(a_full_disk_is_an_error),
        TEST(killed_at_any_instant),
        TEST(keeps_others_temporaries),
        TEST(stays_off_the_standard_descriptors),
        TEST(folders_and_names),
        TEST(xdg_and_resources),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
