// SPDX-License-Identifier: MIT
#include "formats/named.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void named_fini(NamedList *list)
{
    for (int i = 0; i < list->n; i++) {
        mem_free((void *)(uintptr_t)list->items[i].name);
        tensor_unref(&list->items[i].tensor);
    }
    mem_free(list->items);
    *list = (NamedList){ 0 };
}

static bool grow(NamedList *list, Err *err)
{
    if (list->n < list->room)
        return true;
    if (list->room > INT_MAX / 2)
        return err_set(err, ERR_MEM, "more than %d tensors in one file", list->room);
    int room = list->room ? 2 * list->room : 16;
    NamedTensor *items = mem_grow(list->items, (size_t)room, sizeof *items, err);
    if (!items)
        return false;
    list->items = items;
    list->room = room;
    return true;
}

bool named_add(NamedList *list, const char *name, size_t size, Tensor *take, Err *err)
{
    char *copy = grow(list, err) ? mem_alloc(size + 1, 1, err) : NULL;
    if (!copy) {
        tensor_unref(take);
        return false;
    }
    memcpy(copy, name, size);
    copy[size] = '\0';
    list->items[list->n++] = (NamedTensor){ .name = copy, .tensor = *take };
    *take = (Tensor){ 0 };
    return true;
}

const Tensor *named_find(const NamedList *list, const char *name)
{
    for (int i = 0; i < list->n; i++)
        if (strcmp(list->items[i].name, name) == 0)
            return &list->items[i].tensor;
    return NULL;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool named_check_unique(const NamedTensor *items, int n, const char *file, Err *err)
{
    const char **names = mem_alloc((size_t)n, sizeof *names, err);
    if (!names)
        return false;
    for (int i = 0; i < n; i++)
        names[i] = items[i].name;
    if (n)
        qsort(names, (size_t)n, sizeof *names, by_text);
    bool ok = true;
    char text[NAMED_TEXT];
    for (int i = 1; ok && i < n; i++)
        if (strcmp(names[i - 1], names[i]) == 0)
            ok = err_set(err, ERR_DATA, "%s: the name \"%s\" stands there twice", file, named_text(names[i], strlen(names[i]), text));
    mem_free(names);
    return ok;
}

const char *named_text(const char *name, size_t size, char out[NAMED_TEXT])
{
    size_t n = size < NAMED_TEXT - 4 ? size : NAMED_TEXT - 4;
    while (n > 0 && n < size && ((unsigned char)name[n] & 0xC0) == 0x80) /* not within a character */
        n--;
    for (size_t i = 0; i < n; i++)
        out[i] = (unsigned char)name[i] < ' ' || name[i] == 0x7F ? '?' : name[i];
    memcpy(out + n, n < size ? "..." : "", n < size ? 4 : 1);
    return out;
}
