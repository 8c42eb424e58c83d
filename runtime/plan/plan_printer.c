#include "plan/plan_printer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct plan_printer plan_printer_on(struct buffer *out, bool json)
{
	return (struct plan_printer){ .json = json, .out = out, .writer = json_writer_on(out, 2), .first = true };
}

/* ---- text ---- */

static void text_key(struct plan_printer *printer, const char *key)
{
	if (printer->flow > 0)
		buffer_printf(printer->out, "%s%s%s", printer->first ? "" : " ", key ?: "", key ? "=" : "");
	else
		buffer_printf(printer->out, "%*s%s", (int)(2 * printer->depth), "", key ?: "-");
	printer->first = false;
}

/* As it is, unless a terminal or a reader could take it for something else. */
static void text_value(struct plan_printer *printer, const char *text, size_t length)
{
	const char lowest = printer->flow > 0 ? '!' : ' '; /* spaces separate what stands on one line */
	bool plain = length > 0;

	for (size_t i = 0; plain && i < length; i++)
		plain = text[i] >= lowest && text[i] < 0x7f && text[i] != '"';
	if (plain)
		buffer_append(printer->out, text, length);
	else
		json_write_quoted(printer->out, text, length);
}

static void text_scalar(struct plan_printer *printer, const char *key, const char *text, size_t length)
{
	text_key(printer, key);
	if (printer->flow == 0)
		buffer_append_text(printer->out, key ? ": " : " ");
	text_value(printer, text, length);
	if (printer->flow == 0)
		buffer_append_text(printer->out, "\n");
}

/* An element of a list goes on one line, and so does all that is in it. */
static void text_open(struct plan_printer *printer, const char *key, const char *bracket)
{
	text_key(printer, key);
	if (printer->flow > 0) {
		buffer_append_text(printer->out, bracket);
		printer->flow++;
	} else if (!key) {
		buffer_append_text(printer->out, " ");
		printer->flow = 1;
	} else {
		buffer_append_text(printer->out, ":\n");
		printer->depth++;
	}
	printer->first = true;
}

static void text_close(struct plan_printer *printer, const char *bracket)
{
	if (printer->flow > 1)
		buffer_append_text(printer->out, bracket);
	else if (printer->flow == 1)
		buffer_append_text(printer->out, "\n");
	else
		printer->depth--;
	if (printer->flow > 0)
		printer->flow--;
	printer->first = false;
}

/* ---- either ---- */

/* An element of a list has none. */
static void json_key(struct plan_printer *printer, const char *key)
{
	if (key)
		json_write_key(&printer->writer, key);
}

void plan_printer_object(struct plan_printer *printer, const char *key)
{
	if (!printer->json) {
		text_open(printer, key, "{");
		return;
	}
	json_key(printer, key);
	json_write_object_begin(&printer->writer);
}

void plan_printer_object_end(struct plan_printer *printer)
{
	if (printer->json)
		json_write_object_end(&printer->writer);
	else
		text_close(printer, "}");
}

void plan_printer_list(struct plan_printer *printer, const char *key)
{
	if (!printer->json) {
		text_open(printer, key, "[");
		return;
	}
	json_key(printer, key);
	json_write_array_begin(&printer->writer);
}

void plan_printer_list_end(struct plan_printer *printer)
{
	if (printer->json)
		json_write_array_end(&printer->writer);
	else
		text_close(printer, "]");
}

static void print_string_n(struct plan_printer *printer, const char *key, const char *text, size_t length)
{
	if (!printer->json) {
		text_scalar(printer, key, text, length);
		return;
	}
	json_key(printer, key);
	json_write_string_n(&printer->writer, text, length);
}

void plan_printer_string(struct plan_printer *printer, const char *key, const char *text)
{
	if (text)
		print_string_n(printer, key, text, strlen(text));
}

static void print_raw(struct plan_printer *printer, const char *key, const char *text)
{
	if (!printer->json) {
		text_scalar(printer, key, text, strlen(text));
		return;
	}
	json_key(printer, key);
	json_write_raw(&printer->writer, text);
}

void plan_printer_int(struct plan_printer *printer, const char *key, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, value);
	print_raw(printer, key, text);
}

void plan_printer_uint(struct plan_printer *printer, const char *key, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	print_raw(printer, key, text);
}

/* Text says what is so; who reads JSON expects each member to be there. */
void plan_printer_bool(struct plan_printer *printer, const char *key, bool value)
{
	if (printer->json || value)
		print_raw(printer, key, value ? "true" : "false");
}

void plan_printer_limit(struct plan_printer *printer, const char *key, uint64_t value)
{
	if (value == UINT64_MAX)
		plan_printer_string(printer, key, "unlimited");
	else
		plan_printer_uint(printer, key, value);
}

/* Cut between characters of UTF-8, not within one. */
static size_t cut_length(const char *text)
{
	size_t length = PLAN_PRINTER_ARGUMENT_MAX;

	while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
		length--;
	return length;
}

/* Of an environment's entry the name: in a pod's, values are tokens and passwords. */
static void print_element(struct plan_printer *printer, const char *text, enum plan_printer_strings how)
{
	char shown[PLAN_PRINTER_ARGUMENT_MAX + sizeof("...")];

	switch (how) {
	case PLAN_PRINTER_WHOLE:
		plan_printer_string(printer, NULL, text);
		return;
	case PLAN_PRINTER_CUT:
		if (strlen(text) <= PLAN_PRINTER_ARGUMENT_MAX) {
			plan_printer_string(printer, NULL, text);
			return;
		}
		snprintf(shown, sizeof(shown), "%.*s...", (int)cut_length(text), text);
		plan_printer_string(printer, NULL, shown);
		return;
	case PLAN_PRINTER_NAMES:
		print_string_n(printer, NULL, text, strcspn(text, "="));
		return;
	}
}

void plan_printer_strings(struct plan_printer *printer, const char *key, const char *const *list, size_t n,
			  enum plan_printer_strings how)
{
	if (n == 0)
		return;
	plan_printer_list(printer, key);
	for (size_t i = 0; i < n; i++)
		print_element(printer, list[i], how);
	plan_printer_list_end(printer);
}

void plan_printer_terminated(struct plan_printer *printer, const char *key, const char *const *list,
			     enum plan_printer_strings how)
{
	size_t n = 0;

	while (list && list[n])
		n++;
	plan_printer_strings(printer, key, list, n, how);
}

void plan_printer_arguments(struct plan_printer *printer, const char *const *argv)
{
	size_t n = 0;

	while (argv && argv[n])
		n++;
	plan_printer_strings(printer, "args", argv, printer->redacts_args && n > 1 ? 1 : n, PLAN_PRINTER_CUT);
	if (printer->redacts_args && n > 1)
		plan_printer_uint(printer, "argsOmitted", n - 1);
}
