/* A first-fit allocator. Free blocks are in one list by address, so that neighbors can be merged. */
#include "stdlib.h"
#include "string.h"
#include <stdint.h>

#define PAGE 65536u
/* Larger requests are refused, so that no sum below can wrap around. */
#define LARGEST 0x40000000u

/* The header of every block. `size` includes the header; `next` is used only while the block is free. */
typedef struct header {
    size_t size;
    struct header *next;
} header_t;

extern unsigned char __heap_base;

static header_t *first_free;
static uintptr_t heap_end;

static size_t with_header(size_t size) {
    return (size + sizeof(header_t) + 7) & ~(size_t)7;
}

static int join(header_t *left) {
    header_t *right = left->next;
    if (right == NULL || (unsigned char *)left + left->size != (unsigned char *)right) return 0;
    left->size += right->size;
    left->next = right->next;
    return 1;
}

static void give_back(header_t *block) {
    header_t *before = NULL, *after = first_free;
    while (after != NULL && after < block) {
        before = after;
        after = after->next;
    }
    block->next = after;
    if (before == NULL) first_free = block;
    else before->next = block;
    join(block);
    if (before != NULL) join(before);
}

/* Adds at least `size` bytes to the list of free blocks. */
static int grow(size_t size) {
    if (heap_end == 0) {
        uintptr_t start = ((uintptr_t)&__heap_base + 7) & ~(uintptr_t)7;
        heap_end = __builtin_wasm_memory_size(0) * PAGE;
        if (start + sizeof(header_t) <= heap_end) {
            header_t *rest = (header_t *)start;
            rest->size = heap_end - start;
            give_back(rest);
            if (rest->size >= size) return 1;
        }
    }
    size_t pages = (size + PAGE - 1) / PAGE;
    size_t old = __builtin_wasm_memory_grow(0, pages);
    if (old == (size_t)-1) return 0;
    header_t *block = (header_t *)(old * PAGE);
    block->size = pages * PAGE;
    heap_end = (old + pages) * PAGE;
    give_back(block);
    return 1;
}

static header_t *take(size_t size) {
    for (header_t **link = &first_free; *link != NULL; link = &(*link)->next) {
        header_t *block = *link;
        if (block->size < size) continue;
        if (block->size - size > sizeof(header_t)) {
            header_t *rest = (header_t *)((unsigned char *)block + size);
            rest->size = block->size - size;
            rest->next = block->next;
            *link = rest;
            block->size = size;
        } else {
            *link = block->next;
        }
        return block;
    }
    return NULL;
}

void *malloc(size_t size) {
    if (size > LARGEST) return NULL;
    size_t whole = with_header(size);
    header_t *block = take(whole);
    if (block == NULL && grow(whole)) block = take(whole);
    return block == NULL ? NULL : block + 1;
}

void free(void *block) {
    if (block != NULL) give_back((header_t *)block - 1);
}

void *realloc(void *old, size_t size) {
    if (old == NULL) return malloc(size);
    size_t had = ((header_t *)old - 1)->size - sizeof(header_t);
    if (size <= had) return old;
    void *new = malloc(size);
    if (new == NULL) return NULL;
    memcpy(new, old, had);
    free(old);
    return new;
}

_Noreturn void abort(void) {
    __builtin_trap();
}
