#include "proxy/http_request.h"

#include <string.h>
#include <strings.h>

#include "base/cleanup.h"

#define SCHEME "http://"
#define BODY_DIGITS_MAX 15

/* A part of the head. */
struct text {
	const char *at;
	size_t length;
};

/* RFC 9110, 5.6.2. */
static bool is_token_letter(char letter)
{
	return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
	       (letter >= '0' && letter <= '9') || (letter && strchr("!#$%&'*+-.^_`|~", letter));
}

static bool is_token(struct text text)
{
	for (size_t i = 0; i < text.length; i++) {
		if (!is_token_letter(text.at[i]))
			return false;
	}
	return text.length > 0;
}

/* Visible, and no white space: of targets. */
static bool is_graphic(struct text text)
{
	for (size_t i = 0; i < text.length; i++) {
		if (text.at[i] <= ' ' || text.at[i] > '~' || text.at[i] == '#')
			return false;
	}
	return true;
}

/* RFC 9110, 5.5: bytes above 0x7f are let through as they are, controls are not. */
static bool is_value(struct text text)
{
	for (size_t i = 0; i < text.length; i++) {
		unsigned char byte = (unsigned char)text.at[i];

		if ((byte < ' ' && byte != '\t') || byte == 0x7f)
			return false;
	}
	return true;
}

/* Names of fields and schemes are the same in capitals and small letters. */
static bool equals(struct text text, const char *other)
{
	return strlen(other) == text.length && strncasecmp(text.at, other, text.length) == 0;
}

/* Up to letter, which is passed over. Without one: false. */
static bool cut(struct text *from, char letter, struct text *ret)
{
	const char *found = memchr(from->at, letter, from->length);

	if (!found)
		return false;
	*ret = (struct text){ from->at, (size_t)(found - from->at) };
	from->length -= ret->length + 1;
	from->at = found + 1;
	return true;
}

/* No sign, no blanks, and no more digits than 64 bits hold: two readers that disagree on a length make one request into two. */
static bool take_number(struct text digits, size_t most, uint64_t *ret)
{
	uint64_t value = 0;

	if (digits.length == 0 || digits.length > most)
		return false;
	for (size_t i = 0; i < digits.length; i++) {
		if (digits.at[i] < '0' || digits.at[i] > '9')
			return false;
		value = value * 10 + (uint64_t)(digits.at[i] - '0');
	}
	*ret = value;
	return true;
}

/* HOST[:PORT]. No user's name before it, no address in brackets. */
static bool take_authority(struct text text, uint16_t default_port, char host[static ALLOW_LIST_NAME_MAX + 1],
			   uint16_t *ret_port)
{
	struct text name = text;
	uint64_t port = default_port;

	if (cut(&text, ':', &name) && (!take_number(text, 5, &port) || port == 0 || port > UINT16_MAX))
		return false;
	*ret_port = (uint16_t)port;
	return allow_list_normalise(name.at, name.length, host) == 0;
}

static bool take_target(struct text target, const char *head, struct http_request *ret)
{
	struct text authority = target;
	size_t scheme = sizeof(SCHEME) - 1, length;
	uint16_t port;

	if (!is_graphic(target))
		return false;
	if (!ret->is_connect) {
		if (target.length <= scheme || strncasecmp(target.at, SCHEME, scheme) != 0)
			return false;
		authority = (struct text){ target.at + scheme, target.length - scheme };
		for (length = 0; length < authority.length && !strchr("/?", authority.at[length]);)
			length++;
		ret->path = (uint16_t)(authority.at + length - head);
		ret->path_length = (uint16_t)(authority.length - length);
		authority.length = length;
	} else if (!memchr(target.at, ':', target.length)) {
		return false;
	}
	ret->authority = (uint16_t)(authority.at - head);
	ret->authority_length = (uint16_t)authority.length;
	if (!take_authority(authority, ret->is_connect ? HTTPS_PORT : HTTP_PORT, ret->host, &port))
		return false;
	ret->port = port;
	return true;
}

/* One space each, as RFC 9112 (3) has it; a parser that took more would see another target than the server. */
static bool take_request_line(struct text line, const char *head, struct http_request *ret)
{
	struct text method, target;

	if (!cut(&line, ' ', &method) || !cut(&line, ' ', &target) || !is_token(method) || method.length > HTTP_METHOD_MAX)
		return false;
	if (line.length != 8 || (memcmp(line.at, "HTTP/1.1", 8) != 0 && memcmp(line.at, "HTTP/1.0", 8) != 0))
		return false;
	ret->is_old = line.at[7] == '0';
	memcpy(ret->method, method.at, method.length);
	ret->method[method.length] = '\0';
	ret->is_connect = strcmp(ret->method, "CONNECT") == 0;
	return take_target(target, head, ret);
}

static struct text trim(struct text text)
{
	while (text.length > 0 && (text.at[0] == ' ' || text.at[0] == '\t')) {
		text.at++;
		text.length--;
	}
	while (text.length > 0 && (text.at[text.length - 1] == ' ' || text.at[text.length - 1] == '\t'))
		text.length--;
	return text;
}

static bool take_field(struct text line, const char *head, struct http_request *ret)
{
	struct text name, value;

	/* A line that begins with a space goes on with the one before: it is no token here. */
	if (!cut(&line, ':', &name) || !is_token(name) || !is_value(line) || ret->n_fields == HTTP_FIELDS_MAX)
		return false;
	value = trim(line);
	ret->fields[ret->n_fields++] = (struct http_field){ .name = (uint16_t)(name.at - head),
							    .name_length = (uint16_t)name.length,
							    .value = (uint16_t)(value.at - head),
							    .value_length = (uint16_t)value.length };
	return true;
}

/* One line, without its CR LF. CR LF alone ends a line (RFC 9112, 2.2, lets a recipient take LF; two recipients that differ are
 * what smuggling lives on). */
static bool take_line(struct text *from, struct text *ret)
{
	if (!cut(from, '\n', ret) || ret->length == 0 || ret->at[ret->length - 1] != '\r')
		return false;
	ret->length--;
	return !memchr(ret->at, '\r', ret->length);
}

static struct text name_of(const struct http_field *field, const char *head)
{
	return (struct text){ head + field->name, field->name_length };
}

static struct text value_of(const struct http_field *field, const char *head)
{
	return (struct text){ head + field->value, field->value_length };
}

static bool agrees(const struct http_request *request, struct text value)
{
	char host[ALLOW_LIST_NAME_MAX + 1];
	uint16_t port, default_port = request->is_connect ? HTTPS_PORT : HTTP_PORT;

	if (!take_authority(value, default_port, host, &port) || strcmp(host, request->host) != 0)
		return false;
	/* Some clients leave the port out of CONNECT's Host. */
	return port == request->port || (request->is_connect && !memchr(value.at, ':', value.length));
}

/* What decides where the request goes, and where it ends. */
static bool check_fields(struct http_request *request, const char *head, enum outcome *ret_why)
{
	size_t n_hosts = 0, n_lengths = 0;

	for (size_t i = 0; i < request->n_fields; i++) {
		struct text name = name_of(&request->fields[i], head), value = value_of(&request->fields[i], head);

		if (equals(name, "Host") && (n_hosts++ > 0 || !agrees(request, value)))
			return false;
		if (equals(name, "Content-Length") &&
		    (n_lengths++ > 0 || !take_number(value, BODY_DIGITS_MAX, &request->body)))
			return false;
		if (equals(name, "Transfer-Encoding")) {
			*ret_why = OUTCOME_NO_LENGTH;
			return false;
		}
	}
	return !(request->is_connect && request->body > 0);
}

static bool parse_head(struct text head, struct http_request *ret, enum outcome *ret_why)
{
	const char *start = head.at;
	struct text line;

	if (!take_line(&head, &line) || !take_request_line(line, start, ret))
		return false;
	while (take_line(&head, &line)) {
		if (line.length == 0)
			return head.length == 0 && check_fields(ret, start, ret_why);
		if (!take_field(line, start, ret))
			return false;
	}
	return false;
}

/* Such a line ends nothing, and its sender would wait for an answer as long as we for the rest. */
static bool has_bare_line_feed(const char *data, size_t length)
{
	const char *from = data, *found;

	while ((found = memchr(from, '\n', length - (size_t)(from - data)))) {
		if (found == data || found[-1] != '\r')
			return true;
		from = found + 1;
	}
	return false;
}

int http_request_parse(const char *data, size_t length, struct http_request *ret, enum outcome *ret_why)
{
	size_t most = length < HTTP_HEAD_MAX ? length : HTTP_HEAD_MAX;
	const char *end = memmem(data, most, "\r\n\r\n", 4);
	struct text head = { data, end ? (size_t)(end + 4 - data) : 0 };

	*ret = (struct http_request){ 0 };
	*ret_why = OUTCOME_MALFORMED;
	if (!end && length >= HTTP_HEAD_MAX) {
		*ret_why = OUTCOME_TOO_LARGE;
		return -EINVAL;
	}
	if (!end)
		/* No method has such a letter: it need not be waited for. */
		return (length > 0 && !is_token_letter(data[0])) || has_bare_line_feed(data, most) ? -EINVAL : 0;
	return parse_head(head, ret, ret_why) ? (int)head.length : -EINVAL;
}

/* Is name among the words of a field such as Connection: a, b? */
static bool lists(struct text value, struct text name)
{
	struct text word;

	while (value.length > 0) {
		if (!cut(&value, ',', &word)) {
			word = value;
			value.length = 0;
		}
		word = trim(word);
		if (word.length == name.length && strncasecmp(word.at, name.at, name.length) == 0)
			return true;
	}
	return false;
}

/* For the proxy alone (RFC 9110, 7.6.1), or written anew. */
static bool is_dropped(const struct http_request *request, const char *head, struct text name)
{
	static const char *const dropped[] = { "Host",	  "Connection",	   "Proxy-Connection",	  "Keep-Alive",
					       "TE",	  "Trailer",	   "Proxy-Authorization", "Proxy-Authenticate",
					       "Upgrade", "HTTP2-Settings" };

	for (size_t i = 0; i < ARRAY_SIZE(dropped); i++) {
		if (equals(name, dropped[i]))
			return true;
	}
	/* Where a body ends is not for Connection to say. */
	if (equals(name, "Content-Length"))
		return false;
	for (size_t i = 0; i < request->n_fields; i++) {
		if (equals(name_of(&request->fields[i], head), "Connection") &&
		    lists(value_of(&request->fields[i], head), name))
			return true;
	}
	return false;
}

/* Written anew from what was understood: nothing goes to the server that was only passed over. One request a connection, so
 * that each has a decision and a record of its own. */
void http_request_write(const struct http_request *request, const char *head, struct buffer *out)
{
	const char *path = head + request->path;

	buffer_printf(out, "%s %s%.*s HTTP/1.%d\r\nHost: %.*s\r\n", request->method,
		      request->path_length == 0 || path[0] == '?' ? "/" : "", (int)request->path_length, path,
		      request->is_old ? 0 : 1, (int)request->authority_length, head + request->authority);
	for (size_t i = 0; i < request->n_fields; i++) {
		struct text name = name_of(&request->fields[i], head), value = value_of(&request->fields[i], head);

		if (is_dropped(request, head, name))
			continue;
		buffer_append(out, name.at, name.length);
		buffer_append_text(out, ": ");
		buffer_append(out, value.at, value.length);
		buffer_append_text(out, "\r\n");
	}
	buffer_append_text(out, "Connection: close\r\n\r\n");
}
