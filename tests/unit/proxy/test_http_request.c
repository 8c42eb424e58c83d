#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "proxy/http_request.h"

static struct http_request request;
static enum outcome why;

static int parse(const char *text)
{
	return http_request_parse(text, strlen(text), &request, &why);
}

Test(http_request, connect)
{
	static const char text[] = "CONNECT Www.Example.org.:8443 HTTP/1.1\r\nHost: www.example.org:8443\r\n\r\nmore";

	cr_assert_eq(parse(text), sizeof(text) - 1 - 4);
	cr_expect(request.is_connect);
	cr_expect_str_eq(request.host, "www.example.org");
	cr_expect_eq(request.port, 8443);
}

Test(http_request, a_host_without_the_port_of_connect)
{
	cr_expect_gt(parse("CONNECT a.test:8443 HTTP/1.1\r\nHost: a.test\r\n\r\n"), 0);
	cr_expect_gt(parse("CONNECT a.test:443 HTTP/1.0\r\n\r\n"), 0);
}

Test(http_request, plain_http_as_the_server_is_to_have_it)
{
	static const char text[] =
		"POST http://a.test:8080/x?y=http://b.test/ HTTP/1.1\r\nHost: A.test:8080\r\nX-Kept:  yes \r\n"
		"Proxy-Authorization: Basic AAAA\r\nProxy-Connection: keep-alive\r\nConnection: close, x-gone\r\n"
		"X-Gone: 1\r\nKeep-Alive: 5\r\nTE: trailers\r\nUpgrade: h2c\r\nContent-Length: 3\r\n\r\nabcd";
	struct buffer out __attribute__((cleanup(buffer_done_cleanup))) = { 0 };

	cr_assert_gt(parse(text), 0, "%d", why);
	cr_expect_eq(request.port, 8080);
	cr_expect_eq(request.body, 3);
	http_request_write(&request, text, &out);
	cr_expect_str_eq(out.data,
			 "POST /x?y=http://b.test/ HTTP/1.1\r\nHost: a.test:8080\r\nX-Kept: yes\r\nContent-Length: "
			 "3\r\nConnection: close\r\n\r\n");
}

Test(http_request, no_path_is_the_root)
{
	static const char *const texts[] = { "GET http://a.test HTTP/1.0\r\n\r\n",
					     "GET http://a.test?q HTTP/1.0\r\n\r\n" };
	static const char *const wanted[] = { "GET / HTTP/1.0\r\n", "GET /?q HTTP/1.0\r\n" };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct buffer out __attribute__((cleanup(buffer_done_cleanup))) = { 0 };

		cr_assert_gt(parse(texts[i]), 0);
		http_request_write(&request, texts[i], &out);
		cr_expect_eq(strncmp(out.data, wanted[i], strlen(wanted[i])), 0, "%s", out.data);
	}
}

/* A length is not for Connection to take away: the server would read the body as the next request. */
Test(http_request, connection_does_not_drop_the_length)
{
	static const char text[] =
		"POST http://a.test/ HTTP/1.1\r\nConnection: content-length\r\nContent-Length: 1\r\n\r\nx";
	struct buffer out __attribute__((cleanup(buffer_done_cleanup))) = { 0 };

	cr_assert_gt(parse(text), 0);
	http_request_write(&request, text, &out);
	cr_expect_not_null(strstr(out.data, "Content-Length: 1\r\n"));
}

Test(http_request, refuses_what_two_could_read_in_two_ways)
{
	static const char *const bad[] = {
		"GET / HTTP/1.1\r\nHost: a.test\r\n\r\n",
		"GET https://a.test/ HTTP/1.1\r\n\r\n",
		"GET ftp://a.test/ HTTP/1.1\r\n\r\n",
		"GET http://user@a.test/ HTTP/1.1\r\n\r\n",
		"GET http://a.test@b.test/ HTTP/1.1\r\n\r\n",
		"GET http:///x HTTP/1.1\r\n\r\n",
		"GET http://a.test:/ HTTP/1.1\r\n\r\n",
		"GET http://a.test:0/ HTTP/1.1\r\n\r\n",
		"GET http://a.test:99999/ HTTP/1.1\r\n\r\n",
		"GET http://a.test:+80/ HTTP/1.1\r\n\r\n",
		"GET http://127.0.0.1/ HTTP/1.1\r\n\r\n",
		"GET http://[::1]/ HTTP/1.1\r\n\r\n",
		"GET http://2130706433/ HTTP/1.1\r\n\r\n",
		"GET http://a.test\\@b.test/ HTTP/1.1\r\n\r\n",
		"GET http://a.test/# HTTP/1.1\r\n\r\n",
		"GET http://a.test/\x01 HTTP/1.1\r\n\r\n",
		"GET http://a.test/ HTTP/2.0\r\n\r\n",
		"GET http://a.test/ HTTP/1.1 \r\n\r\n",
		"GET  http://a.test/ HTTP/1.1\r\n\r\n",
		"GET http://a.test/\r\n\r\n",
		"GET http://a.test/ HTTP/1.1\n\n", /* it would wait for an answer, and the proxy for its end */
		"GET http://a.test/ HTTP/1.1\r\n\n",
		"G ET http://a.test/ HTTP/1.1\r\n\r\n",
		"GET\thttp://a.test/ HTTP/1.1\r\n\r\n",
		"\r\nGET http://a.test/ HTTP/1.1\r\n\r\n",
		"AMETHODTHATISFARTOOLONG http://a.test/ HTTP/1.1\r\n\r\n",
		"GET http://a.test/ HTTP/1.1\nHost: a.test\r\n\r\n",
		"GET http://a.test/ HTTP/1.1\r\nHost: b.test\r\n\r\n",
		"GET http://a.test/ HTTP/1.1\r\nHost: a.test:81\r\n\r\n",
		"GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\nhost: a.test\r\n\r\n",
		"GET http://a.test/ HTTP/1.1\r\nHost:\r\n\r\n",
		"GET http://a.test/ HTTP/1.1\r\nX : y\r\n\r\n",
		"GET http://a.test/ HTTP/1.1\r\nX: y\r\n folded\r\n\r\n",
		"GET http://a.test/ HTTP/1.1\r\nX: y\rz\r\n\r\n",
		"GET http://a.test/ HTTP/1.1\r\nX: y\nZ: z\r\n\r\n",
		"GET http://a.test/ HTTP/1.1\r\nno colon\r\n\r\n",
		"GET http://a.test/ HTTP/1.1\r\n: y\r\n\r\n",
		"POST http://a.test/ HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
		"POST http://a.test/ HTTP/1.1\r\nContent-Length: 1, 1\r\n\r\n",
		"POST http://a.test/ HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
		"POST http://a.test/ HTTP/1.1\r\nContent-Length: 0x1\r\n\r\n",
		"POST http://a.test/ HTTP/1.1\r\nContent-Length:\r\n\r\n",
		"POST http://a.test/ HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
		"CONNECT a.test HTTP/1.1\r\n\r\n",
		"CONNECT http://a.test:443 HTTP/1.1\r\n\r\n",
		"CONNECT a.test:443/ HTTP/1.1\r\n\r\n",
		"CONNECT 127.0.0.1:443 HTTP/1.1\r\n\r\n",
		"CONNECT a.test:443 HTTP/1.1\r\nHost: b.test:443\r\n\r\n",
		"CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:444\r\n\r\n",
		"CONNECT a.test:443 HTTP/1.1\r\nContent-Length: 5\r\n\r\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		cr_expect_eq(parse(bad[i]), -EINVAL, "taken: %s", bad[i]);
		cr_expect_eq(why, OUTCOME_MALFORMED, "%s", bad[i]);
	}
}

Test(http_request, a_zero_byte)
{
	static const char text[] = "GET http://a.test\0.b.test/ HTTP/1.1\r\n\r\n";

	cr_expect_eq(http_request_parse(text, sizeof(text) - 1, &request, &why), -EINVAL);
}

Test(http_request, a_body_without_a_length)
{
	cr_expect_eq(parse("POST http://a.test/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"), -EINVAL);
	cr_expect_eq(why, OUTCOME_NO_LENGTH);
	cr_expect_str_eq(request.host, "a.test", "it is to be reported who was asked for");
}

Test(http_request, too_much)
{
	char text[HTTP_HEAD_MAX + 64] = "GET http://a.test/ HTTP/1.1\r\n";

	for (int i = 0; i <= HTTP_FIELDS_MAX; i++)
		strcat(text, "A: b\r\n");
	strcat(text, "\r\n");
	cr_expect_eq(parse(text), -EINVAL, "%d fields", HTTP_FIELDS_MAX + 1);
	memset(text, 'a', sizeof(text));
	memcpy(text, "GET http://a.test/", 18);
	cr_expect_eq(http_request_parse(text, HTTP_HEAD_MAX - 1, &request, &why), 0, "it may still end");
	cr_expect_eq(http_request_parse(text, HTTP_HEAD_MAX, &request, &why), -EINVAL);
	cr_expect_eq(why, OUTCOME_TOO_LARGE);
}

Test(http_request, each_beginning_of_a_head_waits_for_the_rest)
{
	static const char text[] = "GET http://a.test/ HTTP/1.1\r\nHost: a.test\r\n\r\n";

	for (size_t i = 0; i < sizeof(text) - 1; i++)
		cr_expect_eq(http_request_parse(text, i, &request, &why), 0, "%zu bytes", i);
	cr_expect_eq(parse("\x16\x03\x01 TLS"), -EINVAL, "this is no request, and need not be waited for");
}

/* Whatever is taken is safe to be written. */
Test(http_request, hostile_bytes)
{
	static const char seed[] =
		"POST http://a.test:8080/p?q HTTP/1.1\r\nHost: a.test:8080\r\nConnection: x\r\nX: y\r\nContent-Length: 5\r\n\r\n";
	static const char letters[] = "\r\n :/@?#.,\t\0aA09[]*%\x7f\xff";
	unsigned state = 7;
	size_t n_taken = 0;

	for (int round = 0; round < 20000; round++) {
		char text[sizeof(seed)];
		int rc;

		memcpy(text, seed, sizeof(seed));
		for (unsigned i = 0; i < 1 + state % 3; i++) {
			state = state * 1103515245 + 12345;
			text[(state >> 8) % (sizeof(seed) - 1)] = letters[(state >> 20) % (sizeof(letters) - 1)];
		}
		state = state * 1103515245 + 12345;
		rc = http_request_parse(text, sizeof(seed) - 1, &request, &why);
		cr_assert(rc == -EINVAL || (rc >= 0 && (size_t)rc < sizeof(seed)));
		if (rc > 0) {
			struct buffer out __attribute__((cleanup(buffer_done_cleanup))) = { 0 };

			n_taken++;
			http_request_write(&request, text, &out);
			cr_assert_eq(memchr(out.data, '\0', out.length), NULL);
			cr_assert_eq(memmem(out.data, out.length, "\r\n\r\n", 4), out.data + out.length - 4,
				     "one head and nothing behind it");
		}
	}
	cr_expect_gt(n_taken, 100);
}
