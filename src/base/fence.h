// SPDX-License-Identifier: MIT
/* The fence of --safe: what lies below one folder, wherever links lead. Pure look-ups, any thread. */
#ifndef BASE_FENCE_H
#define BASE_FENCE_H

#include "base/err.h"

/* Does the path lead to a place below the folder, links followed? A file that is not there yet counts by its folder; where the
 * path is a folder itself, all that stands below it must stay inside too, as readers of data sets open files there by names
 * of their own. Fails: ERR_IO. */
MUST_USE bool fence_holds(const char *path, const char *folder, Err *err);

#endif
