// SPDX-License-Identifier: MIT
#include "app/version.h"

#include <jansson.h>
#include <lua.h>
#include <lzma.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/file.h"
#include "base/pool.h"
#include "tensor/kern.h"
#include "ui/caps.h"
#include "ui/prompt.h"

static void processor(char *out, size_t size)
{
    snprintf(out, size, "unknown processor");
    FILE *file = fopen("/proc/cpuinfo", "r");
    char line[256];
    while (file && fgets(line, sizeof line, file)) {
        char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) || !colon)
            continue;
        line[strcspn(line, "\n")] = '\0';
        snprintf(out, size, "%s", colon + 2);
        break;
    }
    if (file)
        fclose(file);
}

void version_write(Buf *out)
{
    char cpu[128], folder[1024];
    processor(cpu, sizeof cpu);
    buf_printf(out, "hebb %s", HEBB_VERSION);
#ifdef HEBB_F64
    buf_puts(out, " (double precision)");
#endif
    buf_printf(out, "\n  processor  %s, %d of %ld for this process\n", cpu, pool_cores(), sysconf(_SC_NPROCESSORS_ONLN));
    buf_printf(out, "  threads    %d\n", pool_threads());
    buf_printf(out, "  memory     %.1f GB\n", (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE) / 1e9);
    buf_printf(out, "  products   OpenBLAS, %s kernels\n", kern_blas_core());
    if (kern_blas_warning())
        buf_printf(out, "             ! %s\n", kern_blas_warning());
    buf_printf(out, "  language   %s\n", LUA_RELEASE);
    buf_printf(out, "  screen     %s, readline %s\n", caps_library(), prompt_library());
    buf_printf(out, "  files      zlib %s, liblzma %s, jansson %s\n", zlibVersion(), lzma_version_string(), JANSSON_VERSION);
    if (file_resource(folder, sizeof folder, "themes"))
        buf_printf(out, "  themes     %s\n", folder);
    if (file_resource(folder, sizeof folder, "data"))
        buf_printf(out, "  data       %s\n", folder);
    if (file_xdg(folder, sizeof folder, "STATE"))
        buf_printf(out, "  runs       %s\n", folder);
}
