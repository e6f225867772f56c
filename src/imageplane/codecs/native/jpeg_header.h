/* What stands before the first scan of a baseline JPEG (ITU-T T.81, annex B). */

#ifndef IMAGEPLANE_JPEG_HEADER_H
#define IMAGEPLANE_JPEG_HEADER_H

#include "jpeg_huffman.h"

enum { SOF0 = 0xC0, SOF1 = 0xC1, DHT = 0xC4, RST0 = 0xD0, SOI = 0xD8, EOI = 0xD9, SOS = 0xDA, DQT = 0xDB, DRI = 0xDD };
enum { APP0 = 0xE0, APP14 = 0xEE, APP15 = 0xEF, COM = 0xFE };

typedef struct {
    uint8_t identifier, across, down; /* blocks of one MCU */
    uint8_t quantization;
    const Table *dc, *ac;
    int32_t previous_dc;
} Component;

typedef struct {
    int width, height, restart_interval;
    int count;                  /* components: 1 or 3, 0 before the frame is known */
    int is_jfif, adobe_transform; /* -1: not said */
    Component components[3];
    uint16_t quantization[4][64];
    Table dc[4], ac[4];
} Header;

static const uint8_t ZIGZAG[64] = {
    0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,  12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6,
    7,  14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46,
    53, 60, 61, 54, 47, 55, 62, 63,
};

static int read_huffman(Header *header, const uint8_t *at, const uint8_t *end) {
    while (at < end) {
        int kind = at[0] >> 4, slot = at[0] & 15;
        if (kind > 1 || slot > 3) return 0;
        ptrdiff_t size = define_table(kind ? &header->ac[slot] : &header->dc[slot], at + 1, end);
        if (size == 0) return 0;
        at += 1 + size;
    }
    return 1;
}

static int read_quantization(Header *header, const uint8_t *at, const uint8_t *end) {
    while (at < end) {
        int is_wide = at[0] >> 4, slot = at[0] & 15;
        if (is_wide > 1 || slot > 3 || end - at < 65 + 64 * is_wide) return 0;
        const uint8_t *values = at + 1;
        for (int i = 0; i < 64; i++) {
            int value = is_wide ? values[2 * i] << 8 | values[2 * i + 1] : values[i];
            header->quantization[slot][ZIGZAG[i]] = (uint16_t)value;
        }
        at += 65 + 64 * is_wide;
    }
    return 1;
}

static int read_frame(Header *header, const uint8_t *at, ptrdiff_t size) {
    if (header->count || size < 6 || at[0] != 8) return 0;
    int count = at[5];
    if ((count != 1 && count != 3) || size != 6 + 3 * count) return 0;
    header->height = at[1] << 8 | at[2];
    header->width = at[3] << 8 | at[4];
    header->count = count;
    for (int i = 0; i < count; i++) {
        const uint8_t *field = at + 6 + 3 * i;
        int across = field[1] >> 4, down = field[1] & 15, most = i == 0 ? 2 : 1;
        if (across < 1 || across > most || down < 1 || down > most || field[2] > 3) return 0;
        /* A scan of one component has one block in an MCU, whatever its sampling factors. */
        if (count == 1) across = down = 1;
        header->components[i] = (Component){field[0], (uint8_t)across, (uint8_t)down, field[2], 0, 0, 0};
    }
    return header->width > 0 && header->height > 0;
}

/* Tell whether three components are YCbCr, as libjpeg guesses it. */
static int is_ycbcr(const Header *header) {
    if (header->is_jfif) return 1;
    if (header->adobe_transform >= 0) return header->adobe_transform == 1;
    const Component *c = header->components;
    return c[0].identifier == 1 && c[1].identifier == 2 && c[2].identifier == 3;
}

static int read_scan(Header *header, const uint8_t *at, ptrdiff_t size) {
    int count = header->count;
    if (count == 0 || size != 4 + 2 * count || at[0] != count) return 0;
    for (int i = 0; i < count; i++) {
        Component *component = &header->components[i];
        int dc = at[2 + 2 * i] >> 4, ac = at[2 + 2 * i] & 15;
        if (at[1 + 2 * i] != component->identifier || dc > 3 || ac > 3) return 0;
        if (!header->dc[dc].is_defined || !header->ac[ac].is_defined || !is_dc_table(&header->dc[dc])) return 0;
        /* No table, or one that divides by nothing. */
        if (header->quantization[component->quantization][0] == 0) return 0;
        if (!header->dc[dc].has_steps) fill_dc_steps(&header->dc[dc]);
        if (!header->ac[ac].has_steps) fill_ac_steps(&header->ac[ac]);
        component->dc = &header->dc[dc];
        component->ac = &header->ac[ac];
    }
    return count == 1 || is_ycbcr(header);
}

static int read_segment(Header *header, int marker, const uint8_t *at, ptrdiff_t size) {
    switch (marker) {
    case DHT: return read_huffman(header, at, at + size);
    case DQT: return read_quantization(header, at, at + size);
    case SOF0:
    case SOF1: return read_frame(header, at, size);
    case SOS: return read_scan(header, at, size);
    case DRI:
        header->restart_interval = size == 2 ? at[0] << 8 | at[1] : 0;
        return size == 2;
    case APP0:
        if (size >= 14 && memcmp(at, "JFIF", 5) == 0) header->is_jfif = 1;
        return 1;
    case APP14:
        if (size >= 12 && memcmp(at, "Adobe", 5) == 0) header->adobe_transform = at[11];
        return 1;
    default: return (marker > APP0 && marker <= APP15) || marker == COM;
    }
}

/* Read up to the first scan. Gives where its data begin, or null where the file is none that is read here. */
static const uint8_t *read_header(Header *header, const uint8_t *data, const uint8_t *end) {
    if (end - data < 4 || data[0] != 0xFF || data[1] != SOI) return 0;
    header->adobe_transform = -1;
    const uint8_t *at = data + 2;
    while (end - at >= 4 && at[0] == 0xFF) {
        int marker = at[1];
        if (marker == 0xFF) { /* fill byte */
            at++;
            continue;
        }
        ptrdiff_t size = (at[2] << 8 | at[3]) - 2;
        if (size < 0 || end - at - 4 < size) return 0;
        if (!read_segment(header, marker, at + 4, size)) return 0;
        at += 4 + size;
        if (marker == SOS) return at;
    }
    return 0;
}

#endif
