#include "base/names.h"

#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"

/* The kernel's real-time signals begin at 32; libc keeps the first two for itself and callers count from its SIGRTMIN. */
#define SIGNAL_MAX 64

bool names_find_n(const struct name_table *table, const char *text, size_t length, uint64_t *ret)
{
	for (size_t i = 0; i < table->n; i++) {
		const struct name *name = &table->list[i];

		/* Not strncmp: text may contain a NUL. */
		if (strlen(name->text) == length && memcmp(name->text, text, length) == 0) {
			*ret = name->value;
			return true;
		}
	}
	return false;
}

bool names_find(const struct name_table *table, const char *text, uint64_t *ret)
{
	return names_find_n(table, text, strlen(text), ret);
}

const char *names_text(const struct name_table *table, uint64_t value)
{
	for (size_t i = 0; i < table->n; i++)
		if (table->list[i].value == value)
			return table->list[i].text;
	return NULL;
}

const char *names_list(const struct name_table *table, char *text, size_t size)
{
	static const char cut[] = "...";
	size_t used = 0;

	if (size == 0)
		return text;
	text[0] = '\0';
	for (size_t i = 0; i < table->n; i++) {
		const char *separator = i ? ", " : "";
		size_t wanted = strlen(separator) + strlen(table->list[i].text);

		if (used + wanted + sizeof(", ") - 1 + sizeof(cut) > size) {
			snprintf(text + used, size - used, "%s%s", separator, cut);
			return text;
		}
		used += (size_t)snprintf(text + used, size - used, "%s%s", separator, table->list[i].text);
	}
	return text;
}

int names_capability(const char *text)
{
	static const char prefix[] = "CAP_";

	if (strncasecmp(text, prefix, sizeof(prefix) - 1) == 0)
		text += sizeof(prefix) - 1;
	for (size_t i = 0; i < names_capabilities.n; i++)
		if (strcasecmp(names_capabilities.list[i].text + sizeof(prefix) - 1, text) == 0)
			return (int)names_capabilities.list[i].value;
	return -1;
}

/* A number of at most three digits without sign or space, or -1. */
static int small_number(const char *text)
{
	size_t length = strspn(text, "0123456789");

	return length >= 1 && length <= 3 && text[length] == '\0' ? atoi(text) : -1;
}

/* "RTMIN+3" and "RTMAX-1", as kill(1) has them. SIGRTMIN is the C library's, which keeps the first of the kernel's real-time
 * signals for its threads (signal(7)). */
static int realtime_signal(const char *text)
{
	int base, offset = 0, number;

	if (strncasecmp(text, "RTMIN", 5) == 0)
		base = SIGRTMIN;
	else if (strncasecmp(text, "RTMAX", 5) == 0)
		base = SIGRTMAX;
	else
		return -1;
	text += 5;
	if (*text) {
		/* Only away from the end of the range that the name stands for. */
		if (*text != (base == SIGRTMIN ? '+' : '-'))
			return -1;
		offset = small_number(text + 1);
		if (offset < 0)
			return -1;
	}
	number = base == SIGRTMIN ? base + offset : base - offset;
	return number >= SIGRTMIN && number <= SIGRTMAX ? number : -1;
}

int names_signal(const char *text)
{
	int number;

	if (isdigit((unsigned char)text[0])) {
		number = small_number(text);
		return number >= 1 && number <= SIGNAL_MAX ? number : -1;
	}
	if (strncasecmp(text, "SIG", 3) == 0)
		text += 3;
	for (size_t i = 0; i < names_signals.n; i++)
		if (strcasecmp(names_signals.list[i].text + 3, text) == 0)
			return (int)names_signals.list[i].value;
	return realtime_signal(text);
}
