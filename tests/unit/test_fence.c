// SPDX-License-Identifier: MIT
/* What --safe lets through: files and folders below one folder, and no link that leads out of it. */
#include "check.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/fence.h"
#include "scratch.h"

static void folder(const char *name)
{
    assert_int_equal(mkdir(scratch_path(name), 0700), 0);
}

static void link_to(const char *target, const char *name)
{
    assert_int_equal(symlink(target, scratch_path(name)), 0);
}

static int begin(void **state)
{
    (void)state;
    scratch_begin();
    folder("in");
    folder("in/deep");
    folder("in/deep/er");
    folder("in-side");
    folder("out");
    scratch_write(scratch_path("in/a.csv"), "1", 1);
    scratch_write(scratch_path("out/b.csv"), "1", 1);
    return 0;
}

static int end(void **state)
{
    (void)state;
    scratch_end();
    return 0;
}

static bool holds(const char *path, Err *err)
{
    return fence_holds(scratch_path(path), scratch_path("in"), err);
}

static void test_files(void **state)
{
    Err err = ERR_INIT;
    (void)state;
    assert_ok(holds("in/a.csv", &err));
    assert_ok(holds("in/new.csv", &err));
    assert_ok(holds("in/deep/../a.csv", &err));
    assert_ok(fence_holds("/etc/passwd", "/", &err));
    assert_err(holds("out/b.csv", &err), ERR_IO, "only files below");
    assert_err(holds("out/new.csv", &err), ERR_IO, "only files below");
    assert_err(holds("in-side/new.csv", &err), ERR_IO, "only files below"); /* the name only begins alike */
    assert_err(holds("in/../out/b.csv", &err), ERR_IO, "only files below");
    assert_err(holds("in/none/a.csv", &err), ERR_IO, "no such folder");
    assert_err(holds("in/none/..", &err), ERR_IO, "not a file name");
    assert_err(fence_holds("x", scratch_path("none"), &err), ERR_IO, "none");
}

static void test_links(void **state)
{
    Err err = ERR_INIT;
    (void)state;
    link_to("a.csv", "in/inner");
    assert_ok(holds("in/inner", &err));
    link_to("../out/b.csv", "in/outer");
    assert_err(holds("in/outer", &err), ERR_IO, "only files below");
    link_to("../out/none", "in/nowhere");
    assert_err(holds("in/nowhere", &err), ERR_IO, "leads nowhere");
    link_to("../out", "in/door");
    assert_err(holds("in/door/b.csv", &err), ERR_IO, "only files below");
    assert_err(holds("in/door/new", &err), ERR_IO, "only files below");
}

static void test_folders(void **state)
{
    Err err = ERR_INIT;
    char deep[200] = "in/deep";
    (void)state;
    link_to("a.csv", "in/inner");
    link_to("../none", "in/nowhere"); /* nothing can be read through it */
    assert_ok(holds("in", &err));
    link_to("../../../out/b.csv", "in/deep/er/outer");
    assert_err(holds("in", &err), ERR_IO, "in/deep/er/outer: with --safe a link that leads out");
    assert_err(holds("in/deep", &err), ERR_IO, "leads out");
    assert_int_equal(unlink(scratch_path("in/deep/er/outer")), 0);
    link_to("../../out", "in/deep/door");
    assert_err(holds("in", &err), ERR_IO, "leads out");
    assert_int_equal(unlink(scratch_path("in/deep/door")), 0);
    assert_ok(holds("in", &err));
    link_to("..", "in/deep/up"); /* a ring inside the folder ends */
    assert_err(holds("in", &err), ERR_IO, "8 deep");
    assert_int_equal(unlink(scratch_path("in/deep/up")), 0);
    link_to("self", "in/self");
    assert_err(holds("in", &err), ERR_IO, "ring");
    assert_int_equal(unlink(scratch_path("in/self")), 0);
    for (int i = 0; i < 8; i++) {
        strcat(deep, "/d");
        folder(deep);
    }
    assert_err(holds("in", &err), ERR_IO, "8 deep");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_files, begin, end),
        cmocka_unit_test_setup_teardown(test_links, begin, end),
        cmocka_unit_test_setup_teardown(test_folders, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
