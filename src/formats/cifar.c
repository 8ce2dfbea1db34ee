// SPDX-License-Identifier: MIT
#include "formats/cifar.h"

#include "formats/packed.h"

#define PLANE (CIFAR_SIDE * CIFAR_SIDE)

void cifar_interleave(uint8_t *pixels, const uint8_t *planes)
{
    for (int i = 0; i < PLANE; i++) {
        pixels[3 * i] = planes[i];
        pixels[3 * i + 1] = planes[PLANE + i];
        pixels[3 * i + 2] = planes[2 * PLANE + i];
    }
}

bool cifar_parse(const void *bytes, size_t n, const char *name, Tensor *images, Tensor *labels, Err *err)
{
    *images = *labels = (Tensor){ 0 };
    if (n == 0 || n % CIFAR_RECORD != 0)
        return err_set(err, ERR_DATA, "%s: %zu bytes are not a whole number of CIFAR-10 records of %d bytes (binary version); "
                       "is it cut off, or another version?", name, n, CIFAR_RECORD);
    int64_t N = (int64_t)(n / CIFAR_RECORD);
    const uint8_t *record = bytes;
    for (int64_t i = 0; i < N; i++)
        if (record[i * CIFAR_RECORD] > 9)
            return err_set(err, ERR_DATA, "%s: record %lld (byte %lld) has label %d, not 0 to 9: not CIFAR-10's binary version", name,
                           (long long)i, (long long)i * CIFAR_RECORD, record[i * CIFAR_RECORD]);
    if (!tensor_new(images, DTYPE_UINT8, SHAPE(N, CIFAR_SIDE, CIFAR_SIDE, 3), err) || !tensor_new(labels, DTYPE_INT32, SHAPE(N), err)) {
        tensor_unref(images);
        return err_wrap(err, "%s", name);
    }
    for (int64_t i = 0; i < N; i++, record += CIFAR_RECORD) {
        tensor_int(labels)[i] = record[0];
        cifar_interleave(tensor_byte(images) + i * 3 * PLANE, record + 1);
    }
    return true;
}

bool cifar_load(const char *path, Tensor *images, Tensor *labels, Err *err)
{
    Buf bytes = BUF_INIT;
    bool ok = packed_read(path, &bytes, err) && cifar_parse(bytes.data, bytes.size, path, images, labels, err);
    buf_fini(&bytes);
    return ok;
}
