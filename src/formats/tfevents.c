// SPDX-License-Identifier: MIT
/* Protocol buffers by hand: each field is a key (number << 3 | wire type) and its value; a message within is a length and bytes.
 * Fields stand in the order of their numbers and zeros are left out, as the official writers do.
 * A record is: length (u64), masked CRC of these 8 bytes, the event, masked CRC of the event; all little-endian. */
#include "formats/tfevents.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "formats/png.h"

enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2 };
enum { EVENT_WALL_TIME = 1, EVENT_STEP = 2, EVENT_VERSION = 3, EVENT_SUMMARY = 5 };
enum { SUMMARY_VALUE = 1, VALUE_TAG = 1, VALUE_TENSOR = 8, VALUE_METADATA = 9, METADATA_PLUGIN = 1, PLUGIN_NAME = 1 };
enum { TENSOR_DTYPE = 1, TENSOR_SHAPE = 2, TENSOR_CONTENT = 4, TENSOR_STRING = 8, SHAPE_DIM = 2, DIM_SIZE = 1 };
enum { DT_FLOAT = 1, DT_DOUBLE = 2, DT_STRING = 7 };

uint32_t tfevents_crc(const void *bytes, size_t n)
{
    uint32_t crc = ~0u;
    for (size_t i = 0; i < n; i++) {
        crc ^= ((const unsigned char *)bytes)[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78u : 0);
    }
    return ~crc;
}

uint32_t tfevents_mask(uint32_t crc)
{
    return (crc >> 15 | crc << 17) + 0xA282EAD8u;
}

/* ---- fields ---- */

static void put_double(Buf *out, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    buf_put_little(out, bits, 8);
}

static void put_varint(Buf *out, uint64_t value)
{
    for (; value >= 128; value >>= 7)
        buf_put(out, (char)(unsigned char)(value | 128));
    buf_put(out, (char)value);
}

static void put_key(Buf *out, unsigned field, unsigned wire)
{
    put_varint(out, field << 3 | wire);
}

static void put_number(Buf *out, unsigned field, uint64_t value)
{
    put_key(out, field, WIRE_VARINT);
    put_varint(out, value);
}

static void put_bytes(Buf *out, unsigned field, const void *bytes, size_t n)
{
    put_key(out, field, WIRE_BYTES);
    put_varint(out, n);
    buf_write(out, bytes, n);
}

static void put_text(Buf *out, unsigned field, const char *text)
{
    put_bytes(out, field, text, strlen(text));
}

/* A message within; ends it. */
static void put_message(Buf *out, unsigned field, Buf *message)
{
    put_bytes(out, field, message->data, message->size);
    out->failed |= message->failed;
    buf_fini(message);
}

/* ---- records ---- */

static void begin_event(Buf *event, double wall_s)
{
    put_key(event, EVENT_WALL_TIME, WIRE_64);
    put_double(event, wall_s);
}

static void put_record(Buf *out, Buf *event)
{
    size_t at = out->size;
    buf_put_little(out, event->size, 8);
    buf_put_little(out, out->failed ? 0 : tfevents_mask(tfevents_crc(out->data + at, 8)), 4);
    buf_write(out, event->data, event->size);
    buf_put_little(out, tfevents_mask(tfevents_crc(event->data, event->size)), 4);
    out->failed |= event->failed;
    buf_fini(event);
}

void tfevents_version(Buf *out, double wall_s)
{
    Buf event = BUF_INIT;
    begin_event(&event, wall_s);
    put_text(&event, EVENT_VERSION, "brain.Event:2");
    put_record(out, &event);
}

/* The tensor as a value that this plugin shows; ends it. */
static void put_value(Buf *out, EventMark at, const char *plugin, Buf *tensor)
{
    Buf event = BUF_INIT, summary = BUF_INIT, value = BUF_INIT, metadata = BUF_INIT, name = BUF_INIT;
    put_text(&name, PLUGIN_NAME, plugin);
    put_message(&metadata, METADATA_PLUGIN, &name);
    put_text(&value, VALUE_TAG, at.tag);
    put_message(&value, VALUE_TENSOR, tensor);
    put_message(&value, VALUE_METADATA, &metadata);
    put_message(&summary, SUMMARY_VALUE, &value);
    begin_event(&event, at.wall_s);
    if (at.step != 0)
        put_number(&event, EVENT_STEP, (uint64_t)at.step);
    put_message(&event, EVENT_SUMMARY, &summary);
    put_record(out, &event);
}

/* The head of a tensor of these sizes; rank 0: a single number. */
static void begin_tensor(Buf *tensor, int dtype, const int64_t *sizes, int rank)
{
    Buf shape = BUF_INIT;
    for (int i = 0; i < rank; i++) {
        Buf dim = BUF_INIT;
        if (sizes[i] != 0)
            put_number(&dim, DIM_SIZE, (uint64_t)sizes[i]);
        put_message(&shape, SHAPE_DIM, &dim);
    }
    put_number(tensor, TENSOR_DTYPE, (uint64_t)dtype);
    put_message(tensor, TENSOR_SHAPE, &shape);
}

void tfevents_scalar(Buf *out, EventMark at, float value)
{
    Buf tensor = BUF_INIT;
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    begin_tensor(&tensor, DT_FLOAT, NULL, 0);
    put_key(&tensor, TENSOR_CONTENT, WIRE_BYTES);
    put_varint(&tensor, 4);
    buf_put_little(&tensor, bits, 4);
    put_value(out, at, "scalars", &tensor);
}

/* ---- histograms ---- */

/* False when nothing is finite. */
static bool find_range(const real *values, size_t n, double *least, double *most)
{
    bool any = false;
    for (size_t i = 0; i < n; i++) {
        double v = (double)values[i];
        if (!isfinite(v))
            continue;
        *least = any && *least < v ? *least : v;
        *most = any && *most > v ? *most : v;
        any = true;
    }
    return any;
}

/* Values that are all alike stand in the last bucket, which then has no width, as all others. */
static void count_values(const real *values, size_t n, double least, double most, double counts[TFEVENTS_BUCKETS])
{
    double width = (most - least) / TFEVENTS_BUCKETS;
    for (size_t i = 0; i < n; i++) {
        double v = (double)values[i];
        if (!isfinite(v))
            continue;
        int bucket = width > 0 ? (int)((v - least) / width) : TFEVENTS_BUCKETS - 1;
        counts[bucket < TFEVENTS_BUCKETS ? bucket : TFEVENTS_BUCKETS - 1]++;
    }
}

void tfevents_histogram(Buf *out, EventMark at, const real *values, size_t n)
{
    double least = 0, most = 0, counts[TFEVENTS_BUCKETS] = { 0 };
    if (find_range(values, n, &least, &most))
        count_values(values, n, least, most, counts);
    Buf tensor = BUF_INIT;
    double width = (most - least) / TFEVENTS_BUCKETS;
    begin_tensor(&tensor, DT_DOUBLE, (int64_t[]){ TFEVENTS_BUCKETS, 3 }, 2);
    put_key(&tensor, TENSOR_CONTENT, WIRE_BYTES);
    put_varint(&tensor, TFEVENTS_BUCKETS * 3 * 8);
    for (int i = 0; i < TFEVENTS_BUCKETS; i++) {
        put_double(&tensor, least + i * width);
        put_double(&tensor, i == TFEVENTS_BUCKETS - 1 ? most : least + (i + 1) * width);
        put_double(&tensor, counts[i]);
    }
    put_value(out, at, "histograms", &tensor);
}

/* ---- images ---- */

/* The plugin wants a list of texts: width, height, then the files. */
void tfevents_images(Buf *out, EventMark at, const uint8_t *pixels, int n_images, int height, int width)
{
    Buf tensor = BUF_INIT, png = BUF_INIT;
    char text[16];
    begin_tensor(&tensor, DT_STRING, (int64_t[]){ n_images + 2 }, 1);
    snprintf(text, sizeof text, "%d", width);
    put_text(&tensor, TENSOR_STRING, text);
    snprintf(text, sizeof text, "%d", height);
    put_text(&tensor, TENSOR_STRING, text);
    for (int i = 0; i < n_images; i++) {
        buf_reset(&png);
        png_grey(&png, pixels + (size_t)i * (size_t)height * (size_t)width, height, width);
        put_bytes(&tensor, TENSOR_STRING, png.data, png.size);
        tensor.failed |= png.failed;
    }
    buf_fini(&png);
    put_value(out, at, "images", &tensor);
}
