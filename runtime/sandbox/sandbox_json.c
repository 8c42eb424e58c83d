#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "config.h"

#include "base/json_write.h"
#include "base/utf8.h"
#include "sandbox/sandbox.h"

#define NS_PER_MS UINT64_C(1000000)

static void write_base64(struct json_writer *writer, const struct buffer *data)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	struct buffer text __attribute__((cleanup(buffer_done_cleanup))) = { .limit = data->length / 3 * 4 + 16 };
	const unsigned char *bytes = (const unsigned char *)data->data;

	for (size_t i = 0; i < data->length; i += 3) {
		size_t left = data->length - i;
		unsigned three = (unsigned)bytes[i] << 16 | (left > 1 ? (unsigned)bytes[i + 1] << 8 : 0) |
				 (left > 2 ? (unsigned)bytes[i + 2] : 0);
		const char four[] = { digits[three >> 18], digits[three >> 12 & 63],
				      (char)(left > 1 ? digits[three >> 6 & 63] : '='),
				      (char)(left > 2 ? digits[three & 63] : '=') };

		buffer_append(&text, four, sizeof(four));
	}
	json_write_string_n(writer, text.data ?: "", text.length);
}

/* As text where it is text (a zero byte is none), bytes as they are where not. */
static void write_data(struct json_writer *writer, const struct buffer *data)
{
	bool is_text = !memchr(data->data ?: "", 0, data->length) &&
		       utf8_valid_length(data->data ?: "", data->length) == data->length;

	json_write_member(writer, "encoding", is_text ? "utf-8" : "base64");
	json_write_key(writer, "data");
	if (is_text)
		json_write_string_n(writer, data->data ?: "", data->length);
	else
		write_base64(writer, data);
}

/* Could a character begin so? */
static bool is_cut_character(const char *text, size_t length)
{
	/* Which second bytes may follow depends on the first; one of these always may. */
	static const char seconds[] = { '\x80', '\x90', '\xa0' };
	char whole[4] = "\x80\x80\x80\x80";

	if (length == 0 || length >= sizeof(whole))
		return false;
	for (size_t i = 0; i < sizeof(seconds); i++) {
		whole[1] = seconds[i];
		memcpy(whole, text, length);
		if (utf8_character(whole, sizeof(whole)) > length)
			return true;
	}
	return false;
}

/* The bound may lie inside of a character: text that was cut there is text all the same, without it. */
static size_t length_of_whole(const struct buffer *data)
{
	const char *text = data->data ?: "";
	size_t valid = utf8_valid_length(text, data->length);

	return is_cut_character(text + valid, data->length - valid) ? valid : data->length;
}

static void write_output(struct json_writer *writer, const char *key, const struct sandbox_output *output)
{
	struct buffer data = output->data;

	if (output->truncated)
		data.length = length_of_whole(&data);
	json_write_key(writer, key);
	json_write_object_begin(writer);
	write_data(writer, &data);
	json_write_member_uint(writer, "bytes", output->bytes);
	json_write_member_bool(writer, "truncated", output->truncated);
	json_write_object_end(writer);
}

static void write_files(struct json_writer *writer, const struct sandbox_result *result)
{
	json_write_key(writer, "files");
	json_write_array_begin(writer);
	for (size_t i = 0; i < result->n_files; i++) {
		const struct sandbox_collected *file = &result->files[i];

		json_write_object_begin(writer);
		json_write_member(writer, "name", file->name);
		if (file->error) {
			json_write_member(writer, "error", file->error);
		} else {
			json_write_member_uint(writer, "bytes", file->bytes);
			if (file->path)
				json_write_member(writer, "path", file->path);
			else
				write_data(writer, &file->data);
		}
		json_write_object_end(writer);
	}
	json_write_array_end(writer);
}

static void write_denied(struct json_writer *writer, const struct sandbox_result *result)
{
	json_write_key(writer, "denied");
	json_write_array_begin(writer);
	for (size_t i = 0; i < result->n_denied; i++) {
		json_write_object_begin(writer);
		json_write_member(writer, "call", result->denied[i].call);
		json_write_member_uint(writer, "count", result->denied[i].count);
		json_write_object_end(writer);
	}
	json_write_array_end(writer);
}

static void write_request(struct json_writer *writer, const struct sandbox_request_out *request)
{
	json_write_object_begin(writer);
	json_write_member(writer, "method", request->is_connect ? "CONNECT" : "HTTP");
	json_write_member(writer, "host", request->host);
	json_write_member_uint(writer, "port", request->port);
	json_write_member_bool(writer, "allowed", request->is_allowed);
	json_write_member(writer, "outcome", request->outcome);
	json_write_member_uint(writer, "bytes_out", request->bytes_out);
	json_write_member_uint(writer, "bytes_in", request->bytes_in);
	json_write_object_end(writer);
}

static void write_egress(struct json_writer *writer, const struct sandbox_egress *egress)
{
	json_write_key(writer, "egress");
	if (!egress) {
		json_write_null(writer);
		return;
	}
	json_write_object_begin(writer);
	json_write_member_uint(writer, "allowed", egress->allowed);
	json_write_member_uint(writer, "refused", egress->refused);
	json_write_member_uint(writer, "bytes_out", egress->bytes_out);
	json_write_member_uint(writer, "bytes_in", egress->bytes_in);
	json_write_key(writer, "requests");
	json_write_array_begin(writer);
	for (size_t i = 0; i < egress->n_requests; i++)
		write_request(writer, &egress->requests[i]);
	json_write_array_end(writer);
	json_write_object_end(writer);
}

static void write_or_null(struct json_writer *writer, const char *key, bool is_there, int64_t value)
{
	json_write_key(writer, key);
	if (is_there)
		json_write_int(writer, value);
	else
		json_write_null(writer);
}

/* With three decimals. */
static void write_thousandths(struct json_writer *writer, const char *key, uint64_t value)
{
	char text[40];

	snprintf(text, sizeof(text), "%" PRIu64 ".%03" PRIu64, value / 1000, value % 1000);
	json_write_key(writer, key);
	json_write_raw(writer, text);
}

static void write_limits(struct json_writer *writer, const struct sandbox_result *result)
{
	const struct sandbox_limits *limits = &result->limits;

	json_write_key(writer, "limits");
	json_write_object_begin(writer);
	json_write_member_uint(writer, "wall_ms", limits->timeout / NS_PER_MS);
	write_or_null(writer, "cpu_ms", limits->cpu_time > 0, (int64_t)(limits->cpu_time / NS_PER_MS));
	json_write_member_uint(writer, "memory", limits->memory);
	write_thousandths(writer, "cpus", limits->cpus);
	json_write_member_uint(writer, "pids", limits->pids);
	json_write_member_uint(writer, "output", limits->max_output);
	json_write_member_uint(writer, "disk", result->work_bytes);
	json_write_member(writer, "held_by", result->by_cgroup ? "cgroup" : "rlimit");
	json_write_object_end(writer);
}

static void write_phases(struct json_writer *writer, const struct sandbox_phases *phases)
{
	json_write_key(writer, "phases_ms");
	json_write_object_begin(writer);
	write_thousandths(writer, "prepare", phases->prepare / 1000);
	write_thousandths(writer, "start", phases->start / 1000);
	write_thousandths(writer, "run", phases->run / 1000);
	write_thousandths(writer, "end", phases->end / 1000);
	json_write_object_end(writer);
}

static void write_floor(struct json_writer *writer, const struct sandbox_result *result)
{
	json_write_key(writer, "floor");
	json_write_object_begin(writer);
	json_write_member(writer, "version", PACKAGE_VERSION);
	json_write_member(writer, "policy", result->policy);
	json_write_object_end(writer);
}

void sandbox_json_write(const struct sandbox_result *result, struct buffer *out)
{
	struct json_writer writer = json_writer_on(out, /* indent= */ 0);

	json_write_object_begin(&writer);
	json_write_member(&writer, "id", result->id);
	json_write_member(&writer, "verdict", sandbox_verdict_name(result->verdict));
	write_or_null(&writer, "exit_code", result->exit_code >= 0, result->exit_code);
	write_or_null(&writer, "signal", result->signal > 0, result->signal);
	json_write_member_uint(&writer, "wall_ms", result->wall_time / NS_PER_MS);
	json_write_member_uint(&writer, "cpu_ms", result->cpu_time / NS_PER_MS);
	write_or_null(&writer, "peak_memory", result->peak_memory > 0, (int64_t)result->peak_memory);
	json_write_member_bool(&writer, "oom", result->oom);
	write_output(&writer, "stdout", &result->output[0]);
	write_output(&writer, "stderr", &result->output[1]);
	write_files(&writer, result);
	write_denied(&writer, result);
	write_egress(&writer, result->egress);
	write_limits(&writer, result);
	json_write_member_strings(&writer, "warnings", result->warnings, result->n_warnings);
	write_phases(&writer, &result->phases);
	write_floor(&writer, result);
	json_write_member(&writer, "error", result->error.kind == ERROR_NONE ? NULL : result->error.message);
	json_write_object_end(&writer);
	buffer_append_text(out, "\n");
}
