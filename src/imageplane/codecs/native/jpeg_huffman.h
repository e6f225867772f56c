/* Huffman tables of a JPEG, and look-ups that take several symbols at a time (ITU-T T.81, C.2 and F.2.2). */

#ifndef IMAGEPLANE_JPEG_HUFFMAN_H
#define IMAGEPLANE_JPEG_HUFFMAN_H

#include "jpeg_bits.h"

enum {
    PEEK = 12,           /* bits that one look-up sees */
    END_OF_BLOCK = 128,  /* an advance that leaves the block, wherever it was */
    NOT_IN_A_STEP = 255, /* the advance where a look-up does not see one whole symbol */
};

/* As many whole symbols as a look-up sees: their bits, and how far they advance in the block. */
typedef struct { uint8_t bits, advance; } Skip;

/* One symbol and its value: `bits` of both, 0 where a look-up does not see them whole. */
typedef struct { int16_t value; uint8_t bits, run; } Step;

typedef struct {
    int is_defined, has_steps, count;
    uint8_t symbols[256];
    /* For each length of a code: the first pattern of 16 bits that is neither of it nor of a shorter one, */
    uint32_t first_beyond[17];
    /* and what leads from a code to the index of its symbol. */
    int32_t to_index[17];
    Skip skips[1 << PEEK];
    Step steps[1 << PEEK];
} Table;

/* Give the next symbol, or -1 where there is no such code. Takes at most 16 bits of the window. */
static int read_symbol(Bits *bits, const Table *table) {
    uint32_t pattern = peek(bits, 16);
    for (int length = 1; length <= 16; length++) {
        if (pattern < table->first_beyond[length]) {
            drop(bits, length);
            return table->symbols[table->to_index[length] + (int32_t)(pattern >> (16 - length))];
        }
    }
    return -1;
}

/* Give the value that `size` bits stand for: a leading zero means negative. */
static inline int read_value(Bits *bits, int size) {
    if (size == 0) return 0;
    int extra = (int)peek(bits, size);
    drop(bits, size);
    return extra >> (size - 1) ? extra : extra - (1 << size) + 1;
}

/* Tell whether a symbol means something among AC coefficients of a sequential scan. */
static inline int is_ac_symbol(int symbol) {
    return symbol >= 0 && ((symbol & 15) != 0 || symbol == 0x00 || symbol == 0xF0);
}

static inline int advance_of(int symbol) { return symbol == 0 ? END_OF_BLOCK : (symbol >> 4) + 1; }

/* Tell whether every symbol of a table is the size of a DC difference. */
static int is_dc_table(const Table *table) {
    for (int i = 0; i < table->count; i++)
        if (table->symbols[i] > 15) return 0;
    return 1;
}

static void fill_dc_steps(Table *table) {
    for (uint32_t pattern = 0; pattern < 1 << PEEK; pattern++) {
        Bits bits = {.window = (uint64_t)pattern << (64 - PEEK), .count = PEEK};
        int size = read_symbol(&bits, table);
        Step step = {0, 0, 0};
        if (size >= 0 && size <= bits.count && size < 16) {
            step.value = (int16_t)read_value(&bits, size);
            step.bits = (uint8_t)(PEEK - bits.count);
        }
        table->steps[pattern] = step;
    }
    table->has_steps = 1;
}

static void fill_ac_steps(Table *table) {
    for (uint32_t pattern = 0; pattern < 1 << PEEK; pattern++) {
        Bits bits = {.window = (uint64_t)pattern << (64 - PEEK), .count = PEEK};
        Skip skip = {0, 0};
        Step first = {0, 0, 0};
        while (skip.advance < 64) {
            int symbol = read_symbol(&bits, table);
            if (!is_ac_symbol(symbol) || (symbol & 15) > bits.count) break;
            int16_t value = (int16_t)read_value(&bits, symbol & 15);
            uint8_t used = (uint8_t)(PEEK - bits.count);
            if (skip.bits == 0) first = (Step){value, used, symbol ? (uint8_t)(symbol >> 4) : END_OF_BLOCK};
            skip = (Skip){used, (uint8_t)(skip.advance + advance_of(symbol))};
        }
        if (skip.bits == 0) skip.advance = NOT_IN_A_STEP;
        table->skips[pattern] = skip;
        table->steps[pattern] = first;
    }
    table->has_steps = 1;
}

/* Read the lengths and symbols of one table. Gives its size in bytes, or 0 where it is no sound one. */
static ptrdiff_t define_table(Table *table, const uint8_t *at, const uint8_t *end) {
    if (end - at < 16) return 0;
    uint32_t code = 0;
    int total = 0;
    for (int length = 1; length <= 16; length++) {
        table->to_index[length] = total - (int32_t)code;
        code += at[length - 1];
        total += at[length - 1];
        /* The code of nothing but ones is left free. */
        if (code >= (uint32_t)1 << length || total > 256) return 0;
        table->first_beyond[length] = code << (16 - length);
        code <<= 1;
    }
    if (end - at < 16 + total) return 0;
    memcpy(table->symbols, at + 16, (size_t)total);
    table->count = total;
    table->is_defined = 1;
    table->has_steps = 0;
    return 16 + total;
}

#endif
