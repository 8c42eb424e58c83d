#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "shim/ttrpc/frame.h"
#include "shim/ttrpc/frame_reader.h"
#include "shim/ttrpc/output.h"

static const struct {
	uint8_t bytes[FRAME_HEADER_SIZE];
	int code;
	const char *reason;
} refused_headers[] = {
	{ { 0, 0x40, 0, 1, 0, 0, 0, 1, 1, 0 }, EMSGSIZE, "length 4194305 exceeds the maximum of 4194304" },
	{ { 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1, 1, 0 }, EMSGSIZE, "length 4294967295" },
	{ { 0, 0, 0, 0, 0, 0, 0, 0, 1, 0 }, EINVAL, "stream id 0" },
	{ { 0, 0, 0, 0, 0, 0, 0, 2, 1, 0 }, EINVAL, "stream id 2: a client's streams have odd ids" },
	{ { 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xfe, 3, 0 }, EINVAL, "stream id 4294967294" },
	{ { 0, 0, 0, 0, 0, 0, 0, 1, 0, 0 }, EINVAL, "message type 0" },
	{ { 0, 0, 0, 0, 0, 0, 0, 1, 2, 0 }, EINVAL, "message type 2: a client does not send that" },
	{ { 0, 0, 0, 0, 0, 0, 0, 1, 4, 0 }, EINVAL, "message type 4" },
	{ { 0, 0, 0, 0, 0, 0, 0, 1, 255, 0 }, EINVAL, "message type 255" },
	{ { 0, 0, 0, 0, 0, 0, 0, 1, 1, 4 }, EINVAL, "flags 0x04 of a message of type 1" },
	{ { 0, 0, 0, 0, 0, 0, 0, 1, 1, 0x80 }, EINVAL, "flags 0x80" },
	{ { 0, 0, 0, 0, 0, 0, 0, 1, 3, 2 }, EINVAL, "flags 0x02 of a message of type 3" },
	{ { 0, 0, 0, 1, 0, 0, 0, 1, 3, 4 }, EINVAL, "length 1 of a message that says it has no data" },
};

Test(frame, refuses_malformed_headers)
{
	for (size_t i = 0; i < ARRAY_SIZE(refused_headers); i++) {
		struct frame_header header = frame_header_unpack(refused_headers[i].bytes);
		struct error err = { 0 };

		cr_expect_eq(frame_header_check(&header, FRAME_FROM_CLIENT, &err), -refused_headers[i].code, "%zu", i);
		cr_expect_not_null(strstr(err.message, refused_headers[i].reason), "%zu: got: %s", i, err.message);
	}
}

Test(frame, header_survives_both_ways)
{
	static const struct frame_header headers[] = {
		{ .length = 0, .stream_id = 1, .type = FRAME_REQUEST },
		{ .length = FRAME_LENGTH_MAX, .stream_id = 0xffffffff, .type = FRAME_REQUEST, .flags = FRAME_REMOTE_OPEN },
		{ .length = 0x010203, .stream_id = 0x04050607, .type = FRAME_DATA, .flags = FRAME_REMOTE_CLOSED },
		{ .stream_id = 3, .type = FRAME_DATA, .flags = FRAME_REMOTE_CLOSED | FRAME_NO_DATA },
	};

	for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
		uint8_t bytes[FRAME_HEADER_SIZE];
		struct frame_header header;

		frame_header_pack(&headers[i], bytes);
		header = frame_header_unpack(bytes);
		cr_assert_eq(frame_header_check(&header, FRAME_FROM_CLIENT, NULL), 0, "%zu", i);
		cr_expect_eq(memcmp(&header, &headers[i], sizeof(header)), 0, "%zu", i);
	}
}

Test(frame, header_is_big_endian)
{
	static const uint8_t expected[FRAME_HEADER_SIZE] = { 0, 1, 2, 3, 4, 5, 6, 7, 1, 2 };
	struct frame_header header = { .length = 0x010203, .stream_id = 0x04050607, .type = 1, .flags = 2 };
	uint8_t bytes[FRAME_HEADER_SIZE];

	frame_header_pack(&header, bytes);
	cr_assert_arr_eq(bytes, expected, sizeof(bytes));
}

Test(frame, only_servers_send_responses)
{
	struct frame_header header = { .stream_id = 1, .type = FRAME_RESPONSE };

	cr_expect_eq(frame_header_check(&header, FRAME_FROM_SERVER, NULL), 0);
	cr_expect_eq(frame_header_check(&header, FRAME_FROM_CLIENT, NULL), -EINVAL);
	header.type = FRAME_REQUEST;
	cr_expect_eq(frame_header_check(&header, FRAME_FROM_SERVER, NULL), -EINVAL);
}

/* Three frames, the one in the middle refused, in pieces of any size. */
Test(frame, reader_takes_any_pieces)
{
	static const uint8_t stream[] = "\0\0\0\5\0\0\0\1\1\0first"
					"\0\0\0\4\0\0\0\2\1\0even"
					"\0\0\0\0\0\0\0\3\3\5"
					"\0\0\0\4\0\0\0\5\1\0last";
	size_t length = sizeof(stream) - 1;

	for (size_t piece = 1; piece <= length; piece++) {
		char seen[64] = "";
		struct frame_reader reader;

		frame_reader_init(&reader, FRAME_FROM_CLIENT);
		for (size_t at = 0; at < length;) {
			size_t given = length - at < piece ? length - at : piece;
			enum frame_reader_event event;

			at += frame_reader_feed(&reader, stream + at, given, &event);
			if (event == FRAME_READER_FRAME)
				strncat(strcat(seen, "+"), reader.body.data ?: "", reader.body.length);
			if (event == FRAME_READER_REFUSED)
				strcat(seen, reader.header.stream_id == 2 ? "-even" : "-?");
		}
		cr_expect_str_eq(seen, "+first-even++last", "in pieces of %zu: %s", piece, seen);
		frame_reader_done(&reader);
	}
}

Test(frame, reader_keeps_nothing_of_an_oversized_message)
{
	uint8_t data[4096] = { 0, 0x50, 0, 0, 0, 0, 0, 7, 1, 0 };
	size_t left = FRAME_HEADER_SIZE + 0x500000;
	enum frame_reader_event event = FRAME_READER_MORE;
	struct frame_reader reader;

	frame_reader_init(&reader, FRAME_FROM_CLIENT);
	while (left > 0) {
		size_t given = left < sizeof(data) ? left : sizeof(data);

		cr_assert_eq(event, FRAME_READER_MORE);
		cr_assert_eq(frame_reader_feed(&reader, data, given, &event), given);
		cr_assert_eq(reader.body.capacity, 0);
		left -= given;
	}
	cr_assert_eq(event, FRAME_READER_REFUSED);
	cr_assert_eq(reader.error.code, EMSGSIZE);
	cr_assert_eq(reader.header.stream_id, 7);
	frame_reader_done(&reader);
}

/* A header alone costs nothing, whatever it announces. */
Test(frame, reader_allocates_for_what_came)
{
	static const uint8_t data[] = { 0, 0x40, 0, 0, 0, 0, 0, 1, 1, 0, 'x' };
	enum frame_reader_event event;
	struct frame_reader reader;

	frame_reader_init(&reader, FRAME_FROM_CLIENT);
	cr_assert_eq(frame_reader_feed(&reader, data, sizeof(data), &event), sizeof(data));
	cr_assert_eq(event, FRAME_READER_MORE);
	cr_assert_leq(reader.body.capacity, 1024);
	frame_reader_done(&reader);
}

Test(frame, output_is_bounded)
{
	AUTO_FREE char *body = calloc(1, FRAME_LENGTH_MAX + 1);
	struct frame_header header = { .stream_id = 1, .type = FRAME_RESPONSE };
	struct output output = { 0 };
	size_t n = 0;

	cr_assert_eq(output_add(&output, header, (struct message_bytes){ body, FRAME_LENGTH_MAX + 1 }), -EMSGSIZE);
	cr_assert_eq(output_next(&output).length, 0);
	while (output_add(&output, header, (struct message_bytes){ body, FRAME_LENGTH_MAX }) == 0)
		n++;
	cr_assert_eq(n, OUTPUT_MAX / FRAME_LENGTH_MAX - 1);
	cr_assert_eq(output_add(&output, header, (struct message_bytes){ body, FRAME_LENGTH_MAX }), -ENOBUFS);
	cr_assert(output_is_full(&output));
	output_advance(&output, output_next(&output).length);
	cr_assert_eq(output.bytes.capacity, 0, "an empty queue keeps no memory");
	output_done(&output);
}

Test(frame, output_that_is_never_empty_does_not_grow)
{
	struct frame_header header = { .stream_id = 1, .type = FRAME_RESPONSE };
	struct output output = { 0 };
	char body[1000] = "";

	for (int i = 0; i < 10000; i++) {
		cr_assert_eq(output_add(&output, header, (struct message_bytes){ body, sizeof(body) }), 0);
		if (i > 0)
			output_advance(&output, sizeof(body) + FRAME_HEADER_SIZE);
	}
	cr_assert_eq(output_next(&output).length, sizeof(body) + FRAME_HEADER_SIZE);
	cr_assert_leq(output.bytes.capacity, 8192);
	output_done(&output);
}
