/* Decode a baseline JPEG at 1/8 of its size.

   At 1/8 a block of 8x8 is one pixel, and that is its DC coefficient. Nine tenths of a file are AC coefficients all
   the same, and have to be walked over, as nothing says where a block ends. A general decoder walks symbol by symbol;
   here one look-up takes as many whole symbols as 12 bits hold. Only chroma that would otherwise have to be enlarged
   (4:2:0) is decoded in full, at 2x2, as libjpeg does it.

   The pixels are those of libjpeg-turbo, bit for bit. Whatever is unusual (progressive, CMYK, several scans, 12 bits,
   wild coefficients, damaged, cut short) is left to it: then the answer is 0, and the pixels have no meaning.

   No byte of a file is trusted: each read is within the data, each index within its table by its type or by a check,
   and every loop ends with the blocks that the header promises. */

#include <stdlib.h>

#include "jpeg_header.h"
#include "jpeg_pixels.h"

enum {
    MOST_ACROSS = 8192, /* blocks in a row of 65535 pixels */
    LARGEST_COEFFICIENT = 2047,
    BAD = -1,
};

typedef struct {
    Header header;
    Bits bits;
    uint8_t luma[2][MOST_ACROSS], chroma[2][2][MOST_ACROSS];
} Decoder;

/* Tell whether a block that was walked to `at` ended there, with its last coefficient or with an end of block. */
static inline int is_block_end(int at) { return at == 64 || (at > END_OF_BLOCK && at < END_OF_BLOCK + 64); }

/* Walk over one symbol. Gives its advance, or BAD. */
static int skip_symbol(Bits *bits, const Table *table) {
    refill(bits);
    int symbol = read_symbol(bits, table);
    if (!is_ac_symbol(symbol)) return BAD;
    drop(bits, symbol & 15);
    return advance_of(symbol);
}

/* Walk over the AC coefficients of a block. Gives 1, or BAD. */
static int skip_ac(Bits *in, const Table *table) {
    Bits bits = *in; /* a copy can stay in registers */
    for (int at = 1;;) {
        refill(&bits);
        uint64_t window = bits.window;
        Skip skip = {0, 0};
        /* Four look-ups never take more than the bits of one refill. */
#pragma GCC unroll 4
        for (int i = 0; i < 4 && at < 64; i++) {
            window = bits.window;
            skip = table->skips[peek(&bits, PEEK)];
            drop(&bits, skip.bits);
            at += skip.advance;
        }
        if (at < 64) continue;
        if (!is_block_end(at)) {
            /* The last look-up saw a symbol of the next block too, or none whole: one by one, then. */
            bits.window = window;
            bits.count += skip.bits;
            at -= skip.advance;
            int advance = skip_symbol(&bits, table);
            if (advance == BAD) return BAD;
            at += advance;
            if (at < 64) continue;
            if (!is_block_end(at)) return BAD;
        }
        *in = bits;
        return 1;
    }
}

/* Read the dequantized DC coefficient of a block into `dc`. Gives 1, or BAD. */
static inline int read_dc(Decoder *d, Component *component, int32_t *dc) {
    refill(&d->bits);
    Step step = component->dc->steps[peek(&d->bits, PEEK)];
    if (step.bits) {
        drop(&d->bits, step.bits);
        component->previous_dc += step.value;
    } else {
        int size = read_symbol(&d->bits, component->dc);
        if (size < 0 || size > 15) return BAD;
        component->previous_dc += read_value(&d->bits, size);
    }
    if (abs(component->previous_dc) > LARGEST_COEFFICIENT) return BAD;
    *dc = component->previous_dc * d->header.quantization[component->quantization][0];
    return abs(*dc) > LARGEST_COEFFICIENT ? BAD : 1;
}

/* Read the dequantized AC coefficients into a block of zeros. Gives how many there are, or BAD. */
static int read_ac(Bits *in, const Table *table, const uint16_t quantization[64], int32_t block[64]) {
    Bits bits = *in;
    int found = 0;
    for (int at = 1; at < 64; at++) {
        refill(&bits);
        Step step = table->steps[peek(&bits, PEEK)];
        if (step.bits) {
            drop(&bits, step.bits);
        } else {
            int symbol = read_symbol(&bits, table);
            if (!is_ac_symbol(symbol)) return BAD;
            step.run = symbol ? (uint8_t)(symbol >> 4) : END_OF_BLOCK;
            step.value = (int16_t)read_value(&bits, symbol & 15);
        }
        if (step.run == END_OF_BLOCK) break;
        at += step.run;
        if (at > 63) return BAD;
        int place = ZIGZAG[at];
        block[place] = step.value * quantization[place];
        if (abs(block[place]) > LARGEST_COEFFICIENT) return BAD;
        found++;
    }
    *in = bits;
    return found;
}

static int decode_luma(Decoder *d, int mcu) {
    Component *y = &d->header.components[0];
    for (int row = 0; row < y->down; row++) {
        for (int column = 0; column < y->across; column++) {
            int32_t dc;
            if (read_dc(d, y, &dc) == BAD || skip_ac(&d->bits, y->ac) == BAD) return BAD;
            d->luma[row][mcu * y->across + column] = pixel_of(dc);
        }
    }
    return 1;
}

/* Read a block of chroma at 2x2. Gives 1, or BAD. */
static int decode_doubled(Decoder *d, Component *component, uint8_t *above, uint8_t *below) {
    int32_t block[64] = {0};
    if (read_dc(d, component, block) == BAD) return BAD;
    int found = read_ac(&d->bits, component->ac, d->header.quantization[component->quantization], block);
    if (found > 0) pixels_2x2(block, above, below);
    if (found == 0) above[0] = above[1] = below[0] = below[1] = pixel_of(block[0]);
    return found;
}

static int decode_chroma(Decoder *d, int mcu, int index) {
    Component *y = &d->header.components[0], *component = &d->header.components[index];
    uint8_t *above = d->chroma[index - 1][0] + y->across * mcu, *below = d->chroma[index - 1][1] + y->across * mcu;
    if (y->across == 2 && y->down == 2) return decode_doubled(d, component, above, below);
    int32_t dc;
    if (read_dc(d, component, &dc) == BAD || skip_ac(&d->bits, component->ac) == BAD) return BAD;
    above[0] = above[y->across - 1] = below[0] = below[y->across - 1] = pixel_of(dc);
    return 1;
}

static int restart(Decoder *d, int number) {
    for (int i = 0; i < d->header.count; i++) d->header.components[i].previous_dc = 0;
    return take_marker(&d->bits, RST0 + (number & 7));
}

static void write_rows(const Decoder *d, int first, int width, int height, uint8_t *pixels) {
    int count = d->header.count;
    for (int row = 0; row < d->header.components[0].down && first + row < height; row++) {
        uint8_t *out = pixels + (size_t)(first + row) * (size_t)(width * count);
        if (count == 1) memcpy(out, d->luma[row], (size_t)width);
        if (count == 3) write_rgb(d->luma[row], d->chroma[0][row], d->chroma[1][row], width, out);
    }
}

static int decode_scan(Decoder *d, uint8_t *pixels, int width, int height, int rows) {
    const Header *header = &d->header;
    int down = header->components[0].down, mcus_across = (width - 1) / header->components[0].across + 1;
    int interval = header->restart_interval, left = interval, restarts = 0;
    for (int first = 0; first < rows; first += down) {
        for (int mcu = 0; mcu < mcus_across; mcu++) {
            if (interval && left-- == 0) {
                if (!restart(d, restarts++)) return 0;
                left = interval - 1;
            }
            if (decode_luma(d, mcu) == BAD) return 0;
            for (int index = 1; index < header->count; index++)
                if (decode_chroma(d, mcu, index) == BAD) return 0;
        }
        if (d->bits.invented > d->bits.count) return 0;
        write_rows(d, first, width, height, pixels);
    }
    return rows < height || take_marker(&d->bits, EOI);
}

/* Fill `rows` rows of `height` rows of `width` pixels of `bands` bytes. Gives 1, or 0 where libjpeg-turbo is to do it. */
int imageplane_jpeg_eighth(
    const uint8_t *data, size_t size, uint8_t *pixels, int width, int height, int bands, int rows
) {
    Decoder *d = calloc(1, sizeof *d);
    if (!d) return 0;
    const uint8_t *scan = read_header(&d->header, data, data + size);
    int is_done = 0;
    if (scan && d->header.count == bands && (d->header.width + 7) / 8 == width && (d->header.height + 7) / 8 == height) {
        d->bits = (Bits){.next = scan, .end = data + size};
        is_done = decode_scan(d, pixels, width, height, rows < height ? rows : height);
    }
    free(d);
    return is_done;
}
