/* libFuzzer: any bytes as the head of a request to the egress proxy. What it takes is told to the server in a form that the same parser, were
 * it the server's, would see as one request for the same host and of the same length. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/cleanup.h"
#include "proxy/http_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool is_so)
{
	if (!is_so)
		abort();
}

static bool is_within(size_t at, size_t length, size_t head)
{
	return at <= head && length <= head - at;
}

static void check_request(const struct http_request *request, size_t head)
{
	char again[ALLOW_LIST_NAME_MAX + 1];

	expect(request->host[0] && request->port > 0);
	expect(allow_list_normalise(request->host, strlen(request->host), again) == 0 &&
	       strcmp(again, request->host) == 0);
	expect(is_within(request->path, request->path_length, head));
	expect(is_within(request->authority, request->authority_length, head));
	expect(request->n_fields <= HTTP_FIELDS_MAX && !(request->is_connect && request->body > 0));
	for (size_t i = 0; i < request->n_fields; i++) {
		expect(is_within(request->fields[i].name, request->fields[i].name_length, head));
		expect(is_within(request->fields[i].value, request->fields[i].value_length, head));
	}
}

/* The target with its scheme and authority in front, as a proxy reads it; the rest is what the server gets. */
static void check_written(const struct http_request *request, const char *head)
{
	struct buffer written __attribute__((cleanup(buffer_done_cleanup))) = { 0 };
	struct buffer absolute __attribute__((cleanup(buffer_done_cleanup))) = { 0 };
	size_t method = strlen(request->method) + 1;
	struct http_request seen;
	enum outcome why;
	int rc;

	http_request_write(request, head, &written);
	expect(!written.failed &&
	       memmem(written.data, written.length, "\r\n\r\n", 4) == written.data + written.length - 4);
	buffer_printf(&absolute, "%s http://%.*s", request->method, (int)request->authority_length,
		      head + request->authority);
	buffer_append(&absolute, written.data + method, written.length - method);
	rc = http_request_parse(absolute.data, absolute.length, &seen, &why);
	/* What was added may be too much for the caps. */
	if (rc < 0 && (why == OUTCOME_TOO_LARGE || request->n_fields + 2 > HTTP_FIELDS_MAX))
		return;
	expect(rc == (int)absolute.length);
	expect(strcmp(seen.host, request->host) == 0 && seen.port == request->port && seen.body == request->body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Of its own, and not one byte longer: to be seen by the address sanitizer. */
	AUTO_FREE char *text = malloc(size ?: 1);
	struct http_request request;
	enum outcome why;
	int rc;

	memcpy(text, data, size);
	rc = http_request_parse(text, size, &request, &why);
	expect(rc <= (int)size && rc <= (int)HTTP_HEAD_MAX);
	if (rc < 0)
		expect(why == OUTCOME_MALFORMED || why == OUTCOME_TOO_LARGE || why == OUTCOME_NO_LENGTH);
	if (rc <= 0)
		return 0;
	check_request(&request, (size_t)rc);
	if (!request.is_connect)
		check_written(&request, text);
	return 0;
}
