/* Coefficients to pixels with the arithmetic of libjpeg: reduced inverse DCT (jidctred.c) and YCbCr to RGB (jdcolor.c). */

#ifndef IMAGEPLANE_JPEG_PIXELS_H
#define IMAGEPLANE_JPEG_PIXELS_H

#include <stdint.h>

static inline uint8_t clamped(int value) { return value < 0 ? 0 : value > 255 ? 255 : (uint8_t)value; }

static inline int32_t rounded(int32_t value, int bits) { return (value + (1 << (bits - 1))) >> bits; }

/* The one pixel of a block, from its dequantized DC coefficient. */
static inline uint8_t pixel_of(int dc) { return clamped(128 + rounded(dc, 3)); }

static inline int32_t odd_part(int32_t first, int32_t third, int32_t fifth, int32_t seventh) {
    /* 3.624509785, 1.272758580, 0.850430095 and 0.720959822 with 13 bits behind the point */
    return first * 29692 - third * 10426 + fifth * 6967 - seventh * 5906;
}

/* The 2x2 pixels of a block of dequantized coefficients, each within 11 bits and a sign. */
static inline void pixels_2x2(const int32_t block[64], uint8_t *above, uint8_t *below) {
    static const int COLUMNS[5] = {0, 1, 3, 5, 7};
    int32_t rows[2][8];
    for (int i = 0; i < 5; i++) {
        const int32_t *column = block + COLUMNS[i];
        int32_t even = column[0] * (1 << 15), odd = odd_part(column[8], column[24], column[40], column[56]);
        rows[0][COLUMNS[i]] = rounded(even + odd, 13);
        rows[1][COLUMNS[i]] = rounded(even - odd, 13);
    }
    for (int i = 0; i < 2; i++) {
        int32_t even = rows[i][0] * (1 << 15), odd = odd_part(rows[i][1], rows[i][3], rows[i][5], rows[i][7]);
        uint8_t *out = i ? below : above;
        out[0] = clamped(128 + rounded(even + odd, 20));
        out[1] = clamped(128 + rounded(even - odd, 20));
    }
}

static inline void write_rgb(const uint8_t *luma, const uint8_t *blue, const uint8_t *red, int width, uint8_t *out) {
    for (int x = 0; x < width; x++) {
        int y = luma[x], cb = blue[x] - 128, cr = red[x] - 128;
        /* 1.402, 0.34414, 0.71414 and 1.772 with 16 bits behind the point */
        out[3 * x] = clamped(y + ((91881 * cr + 32768) >> 16));
        out[3 * x + 1] = clamped(y + ((-22554 * cb - 46802 * cr + 32768) >> 16));
        out[3 * x + 2] = clamped(y + ((116130 * cb + 32768) >> 16));
    }
}

#endif
