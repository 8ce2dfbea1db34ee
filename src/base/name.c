// SPDX-License-Identifier: MIT
#include "base/name.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define LONGEST 48

static int least3(int a, int b, int c)
{
    int ab = a < b ? a : b;
    return ab < c ? ab : c;
}

static int fold(char c)
{
    return tolower((unsigned char)c);
}

int name_distance(const char *a, const char *b, int most)
{
    int n = (int)strlen(a), m = (int)strlen(b);
    if (n > LONGEST || m > LONGEST || n - m > most || m - n > most)
        return most + 1;
    int rows[3][LONGEST + 1];
    for (int j = 0; j <= m; j++)
        rows[0][j] = j;
    for (int i = 1; i <= n; i++) {
        int *row = rows[i % 3], *up = rows[(i + 2) % 3], *upper = rows[(i + 1) % 3];
        row[0] = i;
        for (int j = 1; j <= m; j++) {
            int same = fold(a[i - 1]) == fold(b[j - 1]);
            row[j] = least3(up[j] + 1, row[j - 1] + 1, up[j - 1] + !same);
            if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) && fold(a[i - 2]) == fold(b[j - 1]) && upper[j - 2] + 1 < row[j])
                row[j] = upper[j - 2] + 1;
        }
    }
    int d = rows[n % 3][m];
    return d > most ? most + 1 : d;
}

void name_search(NameSearch *search, const char *word)
{
    int length = (int)strlen(word);
    *search = (NameSearch){ .word = word, .distance = length < 4 ? 2 : length < 8 ? 3 : 4 };
}

void name_offer(NameSearch *search, const char *known)
{
    int d = name_distance(search->word, known, search->distance - 1);
    if (d < search->distance) {
        search->best = known;
        search->distance = d;
    }
}

const char *name_hint(const NameSearch *search, char out[96])
{
    out[0] = '\0';
    if (search->best)
        snprintf(out, 96, " (did you mean \"%s\"?)", search->best);
    return out;
}

int name_find(const char *(*at)(int i), const char *name, const char *what, Err *err)
{
    NameSearch search;
    char hint[96];
    const char *known;
    name_search(&search, name);
    for (int i = 0; (known = at(i)); i++) {
        if (!strcmp(known, name))
            return i;
        name_offer(&search, known);
    }
    err_set(err, ERR_NAME, "there is no %s \"%.60s\"%s", what, name, name_hint(&search, hint));
    return -1;
}
