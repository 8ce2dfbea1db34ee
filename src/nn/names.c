// SPDX-License-Identifier: MIT
/* Automatic names, counted in the whole process as Keras does. Layers are made on more than one thread (a copy of a model is
 * made by its trainer), hence the lock. */
#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nn/graph.h"

#define PREFIXES 256 /* more than that share the last row's count */
#define CLAIM_MOST 1000000

static struct {
    char prefix[LAYER_NAME];
    int next;
} counts[PREFIXES];
static int n_counts;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int *count_of(const char *prefix)
{
    int i = 0;
    while (i < n_counts && strcmp(counts[i].prefix, prefix))
        i++;
    if (i == n_counts && n_counts < PREFIXES)
        snprintf(counts[n_counts++].prefix, LAYER_NAME, "%s", prefix);
    return &counts[i < PREFIXES ? i : PREFIXES - 1].next;
}

void name_next(const char *prefix, char out[LAYER_NAME])
{
    pthread_mutex_lock(&lock);
    int n = (*count_of(prefix))++;
    pthread_mutex_unlock(&lock);
    if (n == 0)
        snprintf(out, LAYER_NAME, "%s", prefix);
    else
        snprintf(out, LAYER_NAME, "%.*s_%d", LAYER_NAME - 13, prefix, n);
}

void name_claim(const char *prefix, const char *name)
{
    size_t n = strlen(prefix);
    if (strncmp(name, prefix, n))
        return;
    char *end = NULL;
    long number = name[n] == '_' && isdigit((unsigned char)name[n + 1]) ? strtol(name + n + 1, &end, 10) : 0;
    if (end ? *end || number > CLAIM_MOST : name[n])
        return;
    pthread_mutex_lock(&lock);
    int *next = count_of(prefix);
    if (*next <= number)
        *next = (int)number + 1;
    pthread_mutex_unlock(&lock);
}

void layer_reset_names(void)
{
    pthread_mutex_lock(&lock);
    for (int i = 0; i < n_counts; i++)
        counts[i].next = 0;
    pthread_mutex_unlock(&lock);
}

bool name_check(const char *what, const char *name, Err *err)
{
    if (!*name)
        return err_set(err, ERR_ARG, "the name of a %s cannot be empty", what);
    if (strlen(name) >= LAYER_NAME)
        return err_set(err, ERR_ARG, "the name of a %s has at most %d bytes, got %zu: \"%.40s…\"", what, LAYER_NAME - 1, strlen(name), name);
    for (const char *c = name; *c; c++)
        if (*c == '/' || iscntrl((unsigned char)*c))
            return err_set(err, ERR_ARG, "the name of a %s cannot hold '/' or control characters (weights in files are called layer/kernel)",
                           what);
    return true;
}
