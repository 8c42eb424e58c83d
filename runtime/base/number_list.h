/* Lists of numbers as the kernel writes them for processors and memory nodes: "0-3,7" (cpuset(7), "List format"). Pure. */
#pragma once

#include <stddef.h>

#define NUMBER_LIST_MAX 8192 /* numbers below this one: more processors or nodes no kernel is built for */

struct number_list {
	unsigned long bits[NUMBER_LIST_MAX / (8 * sizeof(unsigned long))]; /* as sched_setaffinity(2) and set_mempolicy(2) take them */
	size_t n_words;							   /* up to the last one that has a bit set */
};

/* -EINVAL: no such list, one without a number, or a range that runs backwards; -ERANGE: a number that is too high. */
int number_list_parse(const char *text, struct number_list *ret);
