/* Decode damaged copies of sound files: `fuzz COUNT FILE...` prints how many were decoded and how many refused. */

#include <stdio.h>

#include "jpeg_eighth.c"

static uint32_t state = 1;

static uint32_t chance(uint32_t below) {
    state = state * 1664525u + 1013904223u;
    return (uint32_t)(((uint64_t)state * below) >> 32);
}

/* Decode from a block of exactly the file's size, into one of exactly the pixels', so that a step aside is seen. */
static int is_decoded(const uint8_t *file, size_t size) {
    uint8_t *data = malloc(size);
    memcpy(data, file, size);
    for (uint32_t i = chance(6); i > 0; i--) data[chance((uint32_t)size)] = (uint8_t)chance(256);
    if (chance(4) == 0) size = chance((uint32_t)size);
    data = realloc(data, size + 1);
    Header *header = calloc(1, sizeof *header);
    int is_read = read_header(header, data, data + size) != 0;
    int width = (header->width + 7) / 8, height = (header->height + 7) / 8, bands = header->count;
    free(header);
    int is_done = 0;
    if (is_read) {
        uint8_t *pixels = malloc((size_t)width * height * bands);
        is_done = imageplane_jpeg_eighth(data, size, pixels, width, height, bands, height);
        free(pixels);
    }
    free(data);
    return is_done;
}

int main(int count, char **arguments) {
    int done = 0, tries = count > 1 ? atoi(arguments[1]) : 0;
    for (int i = 2; i < count; i++) {
        static uint8_t file[1 << 20];
        FILE *stream = fopen(arguments[i], "rb");
        if (!stream) return 2;
        size_t size = fread(file, 1, sizeof file, stream);
        fclose(stream);
        for (int k = 0; k < tries; k++) done += is_decoded(file, size);
    }
    printf("%d %d\n", done, tries * (count - 2) - done);
    return 0;
}
