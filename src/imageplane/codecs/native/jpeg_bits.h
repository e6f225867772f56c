/* The entropy-coded bits of a JPEG scan, without the zeros stuffed behind 0xFF (ITU-T T.81, B.1.1.5). */

#ifndef IMAGEPLANE_JPEG_BITS_H
#define IMAGEPLANE_JPEG_BITS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct {
    const uint8_t *next, *end;
    uint64_t window; /* the next bit is the highest */
    int count;       /* bits of the window that are filled: 63 at most */
    int invented;    /* zero bits put in behind the end of the data */
} Bits;

/* Byte by byte: at stuffed zeros, near the end, and behind it, where zeros are invented. */
static void refill_slowly(Bits *bits) {
    while (bits->count < 56) {
        uint64_t byte = 0;
        if (bits->next < bits->end && bits->next[0] != 0xFF) {
            byte = *bits->next++;
        } else if (bits->end - bits->next >= 2 && bits->next[1] == 0) {
            byte = 0xFF;
            bits->next += 2;
        } else {
            bits->invented += 8;
        }
        bits->window |= byte << (56 - bits->count);
        bits->count += 8;
    }
}

static inline uint64_t big_endian(uint64_t word) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return __builtin_bswap64(word);
#else
    return word;
#endif
}

/* Afterwards the window holds at least 56 bits. */
static inline void refill(Bits *bits) {
    if (bits->end - bits->next >= 8) {
        uint64_t word;
        memcpy(&word, bits->next, 8);
        /* A byte of 0xFF is a zero byte of the inverse; the test for zero bytes is exact where none is there. */
        uint64_t inverse = ~word;
        if (((inverse - 0x0101010101010101u) & ~inverse & 0x8080808080808080u) == 0) {
            /* The bits of a byte that is only partly in are put there again, the same, by the next refill. */
            bits->window |= big_endian(word) >> bits->count;
            bits->next += (63 - bits->count) >> 3;
            bits->count |= 56;
            return;
        }
    }
    refill_slowly(bits);
}

static inline uint32_t peek(const Bits *bits, int count) { return (uint32_t)(bits->window >> (64 - count)); }

static inline void drop(Bits *bits, int count) {
    bits->window <<= count;
    bits->count -= count;
}

/* Leave the scan's data at a marker. Gives 0 where another marker, or data, is in its place. */
static int take_marker(Bits *bits, int marker) {
    refill_slowly(bits);
    int left = bits->count - bits->invented; /* of the last byte */
    if (left < 0 || left > 7 || bits->end - bits->next < 2) return 0;
    if (bits->next[0] != 0xFF || bits->next[1] != marker) return 0;
    *bits = (Bits){.next = bits->next + 2, .end = bits->end};
    return 1;
}

#endif
