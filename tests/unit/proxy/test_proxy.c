/* The proxy as it runs, confined, between sockets of this test. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "proxy/proxy.h"

#define PATIENCE_MS 20000
#define NOBODY 65534

static struct allow_list list;
static struct reach_settings settings;
static struct proxy proxy;
static int listen_fd = -EBADF, server_fd = -EBADF;
static uint16_t proxy_port, server_port;

static int listen_here(uint16_t *ret_port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert_geq(fd, 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	cr_assert_eq(listen(fd, 16), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	*ret_port = ntohs(address.sin_port);
	return fd;
}

/* %u in text is the server's port. */
static void begin(const char *text)
{
	char names[512];
	struct error err = { 0 };

	signal(SIGPIPE, SIG_IGN);
	listen_fd = listen_here(&proxy_port);
	server_fd = listen_here(&server_port);
	snprintf(names, sizeof(names), text, server_port, server_port);
	cr_assert_eq(allow_list_parse(names, &list, &err), 0, "%s", err.message);
	settings.list = &list;
	if (settings.n_resolvers == 0)
		reach_take_resolvers(NULL, &settings);
	cr_assert_eq(proxy_start(&settings, &listen_fd, 1, &proxy, &err), 0, "%s", err.message);
	close_and_reset(&listen_fd);
}

static int ask(const char *text)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(proxy_port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char request[1024];

	cr_assert_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	snprintf(request, sizeof(request), text, server_port, server_port);
	cr_assert_eq(send(fd, request, strlen(request), MSG_NOSIGNAL), (ssize_t)strlen(request));
	return fd;
}

static bool is_ready(int fd)
{
	struct pollfd polled = { .fd = fd, .events = POLLIN };

	return poll(&polled, 1, PATIENCE_MS) > 0;
}

static void expect(int fd, const char *wanted)
{
	char text[512] = { 0 };
	size_t length = 0;

	while (length < strlen(wanted)) {
		ssize_t n;

		cr_assert(is_ready(fd), "nothing comes; so far: %s", text);
		n = recv(fd, text + length, sizeof(text) - 1 - length, 0);
		cr_assert_gt(n, 0, "the end comes; so far: %s", text);
		length += (size_t)n;
	}
	cr_expect_eq(strncmp(text, wanted, strlen(wanted)), 0, "got: %s", text);
}

static int take_server(void)
{
	int fd;

	cr_assert(is_ready(server_fd), "nobody connects");
	fd = accept(server_fd, NULL, NULL);
	cr_assert_geq(fd, 0);
	return fd;
}

static void hear(const char *outcome, const char *host, bool was_allowed)
{
	struct outcome_report report;

	cr_assert(is_ready(proxy.control_fd), "no report of %s", outcome);
	cr_assert_eq(proxy_hear(&proxy, &report), 1);
	cr_expect_str_eq(outcome_name(report.outcome), outcome);
	cr_expect_str_eq(report.host, host);
	cr_expect_eq(report.was_allowed, was_allowed);
}

static void end(void)
{
	struct outcome_report report;

	proxy_close(&proxy);
	cr_expect_eq(proxy_hear_last(&proxy, &report), -1, "nothing is left to be said");
	cr_expect_eq(proxy.pid, -1);
	close_and_reset(&server_fd);
}

Test(proxy, plain_http_goes_through)
{
	AUTO_CLOSE int client = -EBADF, server = -EBADF;

	begin("a.test:%u=127.0.0.1");
	client = ask(
		"POST http://a.test:%u/x HTTP/1.1\r\nHost: a.test:%u\r\nContent-Length: 2\r\n\r\nhiGET http://b.test/");
	server = take_server();
	expect(server, "POST /x HTTP/1.1\r\nHost: a.test:");
	cr_assert_gt(send(server, "HTTP/1.1 200 OK\r\n\r\nyes", 22, 0), 0);
	shutdown(server, SHUT_WR); /* to close it with something unread would cut the answer off */
	expect(client, "HTTP/1.1 200 OK\r\n\r\nyes");
	hear("done", "a.test", true);
	end();
}

Test(proxy, what_is_not_listed_is_refused)
{
	static const char *const requests[] = {
		"GET http://b.test:%u/ HTTP/1.1\r\n\r\n",
		"GET http://a.test/ HTTP/1.1\r\n\r\n",
		"CONNECT b.test:%u HTTP/1.1\r\n\r\n",
	};
	static const char *const hosts[] = { "b.test", "a.test", "b.test" };

	begin("a.test:%u=127.0.0.1");
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		AUTO_CLOSE int client = ask(requests[i]);

		expect(client, "HTTP/1.1 403 ");
		close_and_reset(&client);
		hear("not-listed", hosts[i], false);
	}
	end();
}

Test(proxy, no_request_at_all)
{
	AUTO_CLOSE int client = -EBADF;

	begin("a.test:%u=127.0.0.1");
	client = ask("GET / HTTP/1.1\r\n\r\n");
	expect(client, "HTTP/1.1 400 ");
	close_and_reset(&client);
	hear("malformed", "", false);
	client = ask("GET http://a.te");
	close_and_reset(&client);
	hear("gone", "", false);
	end();
}

Test(proxy, a_connection_that_is_no_tls_reaches_nobody)
{
	AUTO_CLOSE int client = -EBADF, server = -EBADF;
	char byte;

	begin("a.test:%u=127.0.0.1");
	client = ask("CONNECT a.test:%u HTTP/1.1\r\n\r\n");
	expect(client, "HTTP/1.1 200 ");
	server = take_server();
	cr_assert_gt(send(client, "SSH-2.0-x\r\n", 11, 0), 0);
	hear("server-name", "a.test", false);
	cr_assert(is_ready(server));
	cr_expect_leq(recv(server, &byte, 1, 0), 0, "the server has seen a byte of it");
	end();
}

/* Turns a question of n bytes, which has room behind it, into its answer: 127.0.0.1, or that all of it is to be had by TCP. */
static size_t answer(uint8_t *message, size_t n, bool is_cut)
{
	static const uint8_t loopback[] = { 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 127, 0, 0, 1 };

	message[2] = is_cut ? 0x83 : 0x81;
	message[3] = 0x80;
	/* AAAA: there is none. */
	if (is_cut || message[n - 3] != DNS_A)
		return n;
	message[7] = 1;
	memcpy(message + n, loopback, sizeof(loopback));
	return n + sizeof(loopback);
}

static _Noreturn void resolve_datagrams(int fd, bool is_cut)
{
	for (;;) {
		struct sockaddr_in address;
		socklen_t length = sizeof(address);
		uint8_t message[512];
		ssize_t n = recvfrom(fd, message, 256, 0, (struct sockaddr *)&address, &length);

		if (n < 12)
			_exit(1);
		n = (ssize_t)answer(message, (size_t)n, is_cut);
		(void)!sendto(fd, message, (size_t)n, 0, (struct sockaddr *)&address, length);
	}
}

/* A byte at a time, as streams may come. */
static _Noreturn void resolve_streams(int fd)
{
	for (;;) {
		int client = accept(fd, NULL, NULL);
		uint8_t message[512];

		while (recv(client, message, 2, MSG_WAITALL) == 2 && message[0] == 0 &&
		       recv(client, message + 2, message[1], MSG_WAITALL) == message[1]) {
			size_t n = answer(message + 2, message[1], /* is_cut= */ false);

			message[1] = (uint8_t)n;
			for (size_t i = 0; i < n + 2; i++)
				(void)!send(client, message + i, 1, MSG_NOSIGNAL);
		}
		close(client);
	}
}

static int resolver_fds[2] = { -EBADF, -EBADF }; /* by datagram, by stream: of one port */

static void use_resolver_port(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	uint16_t port;

	/* Somebody else may have the same number for datagrams. */
	do {
		close_and_reset(&resolver_fds[0]);
		close_and_reset(&resolver_fds[1]);
		resolver_fds[1] = listen_here(&port);
		resolver_fds[0] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		address.sin_port = htons(port);
	} while (bind(resolver_fds[0], (struct sockaddr *)&address, sizeof(address)) < 0);
	memcpy(&settings.resolvers[0], &address, sizeof(address));
	settings.n_resolvers = 1;
}

/* DNS rebinding: the resolver's word does not open a way to this host. */
static pid_t use_resolver(void)
{
	pid_t pid;

	use_resolver_port();
	pid = fork();
	if (pid == 0)
		resolve_datagrams(resolver_fds[0], /* is_cut= */ false);
	return pid;
}

static void end_resolver(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

Test(proxy, a_name_that_leads_to_this_host_is_refused)
{
	AUTO_CLOSE int client = -EBADF;
	pid_t resolver = use_resolver();

	begin("a.test:%u");
	client = ask("GET http://a.test:%u/ HTTP/1.1\r\n\r\n");
	expect(client, "HTTP/1.1 403 ");
	close_and_reset(&client);
	hear("not-public", "a.test", false);
	end();
	end_resolver(resolver);
}

Test(proxy, but_not_where_the_list_names_that_range)
{
	AUTO_CLOSE int client = -EBADF, server = -EBADF;
	pid_t resolver = use_resolver();

	begin("a.test:%u=127.0.0.0/8");
	client = ask("GET http://a.test:%u/ HTTP/1.1\r\n\r\n");
	server = take_server();
	close_and_reset(&client);
	close_and_reset(&server);
	hear("done", "a.test", true);
	end();
	end_resolver(resolver);
}

Test(proxy, an_answer_that_is_cut_is_asked_for_by_tcp)
{
	AUTO_CLOSE int client = -EBADF, server = -EBADF;
	pid_t datagrams, streams;

	use_resolver_port();
	datagrams = fork();
	if (datagrams == 0)
		resolve_datagrams(resolver_fds[0], /* is_cut= */ true);
	streams = fork();
	if (streams == 0)
		resolve_streams(resolver_fds[1]);
	begin("a.test:%u=127.0.0.0/8");
	client = ask("GET http://a.test:%u/ HTTP/1.1\r\n\r\n");
	server = take_server();
	close_and_reset(&client);
	close_and_reset(&server);
	hear("done", "a.test", true);
	end();
	end_resolver(datagrams);
	end_resolver(streams);
}

Test(proxy, a_resolver_without_tcp_has_no_address)
{
	AUTO_CLOSE int client = -EBADF;
	pid_t datagrams;

	use_resolver_port();
	close_and_reset(&resolver_fds[1]);
	datagrams = fork();
	if (datagrams == 0)
		resolve_datagrams(resolver_fds[0], /* is_cut= */ true);
	begin("a.test:%u=127.0.0.0/8");
	client = ask("GET http://a.test:%u/ HTTP/1.1\r\n\r\n");
	expect(client, "HTTP/1.1 502 ");
	close_and_reset(&client);
	hear("no-address", "a.test", false);
	end();
	end_resolver(datagrams);
}

Test(proxy, the_sites_list_holds)
{
	static const struct endpoint site[] = { { .family = AF_INET, .bits = 8, .address = { 10 } } };
	AUTO_CLOSE int client = -EBADF;

	settings.has_site = true;
	settings.site = site;
	settings.n_site = 1;
	begin("a.test:%u=127.0.0.1");
	client = ask("GET http://a.test:%u/ HTTP/1.1\r\n\r\n");
	expect(client, "HTTP/1.1 403 ");
	close_and_reset(&client);
	hear("site", "a.test", false);
	end();
}

Test(proxy, what_goes_on_is_reported_at_the_end)
{
	AUTO_CLOSE int client = -EBADF, server = -EBADF;
	struct outcome_report report;

	begin("a.test:%u=127.0.0.1");
	client = ask("GET http://a.test:%u/ HTTP/1.1\r\n\r\n");
	server = take_server();
	expect(server, "GET / ");
	proxy_close(&proxy);
	cr_assert_eq(proxy_hear_last(&proxy, &report), 1);
	cr_expect_str_eq(outcome_name(report.outcome), "ended");
	cr_expect(report.was_allowed);
	cr_expect_gt(report.bytes_out, 0);
	cr_expect_eq(proxy_hear_last(&proxy, &report), -1);
	close_and_reset(&server_fd);
}

static unsigned long times_it_waited(void)
{
	char path[64], line[128];
	unsigned long n = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)proxy.pid);
	file = fopen(path, "re");
	cr_assert_not_null(file);
	while (fgets(line, sizeof(line), file))
		(void)sscanf(line, "voluntary_ctxt_switches: %lu", &n);
	fclose(file);
	return n;
}

/* Who comes when there is no descriptor left waits, and so does the proxy: poll(2) would tell of him again and again. */
Test(proxy, without_descriptors_it_waits)
{
	enum { BUSY = SERVE_CLIENTS_MAX - 1, OWN = 5, LEAST = 3 };
	struct rlimit most, few = { .rlim_cur = 2 * BUSY + OWN };
	int clients[BUSY], servers[BUSY], late;
	unsigned long waited;

	/* The limits of somebody else take CAP_SYS_RESOURCE to change. */
	if (geteuid() == 0)
		cr_assert_eq(setresgid(NOBODY, NOBODY, NOBODY) | setresuid(NOBODY, NOBODY, NOBODY), 0);
	begin("a.test:%u=127.0.0.1");
	for (int i = 0; i < BUSY; i++) {
		clients[i] = ask("GET http://a.test:%u/ HTTP/1.1\r\n\r\n");
		servers[i] = take_server();
		expect(servers[i], "GET / ");
	}
	cr_assert_eq(prlimit(proxy.pid, RLIMIT_NOFILE, NULL, &most), 0);
	few.rlim_max = most.rlim_max;
	cr_assert_eq(prlimit(proxy.pid, RLIMIT_NOFILE, &few, NULL), 0);
	late = ask("GET http://b.test/ HTTP/1.1\r\n\r\n");
	waited = times_it_waited();
	for (int i = 0; times_it_waited() < waited + LEAST && i < PATIENCE_MS / 10; i++)
		usleep(10000);
	cr_expect_geq(times_it_waited(), waited + LEAST, "it never waits");
	cr_assert_eq(prlimit(proxy.pid, RLIMIT_NOFILE, &most, NULL), 0);
	expect(late, "HTTP/1.1 403 ");
	close(late);
	hear("not-listed", "b.test", false);
	for (int i = 0; i < BUSY; i++) {
		close(servers[i]);
		close(clients[i]);
		hear("done", "a.test", true);
	}
	end();
}

/* What would not be reported is not let through. */
Test(proxy, so_many_requests_and_no_more)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	AUTO_CLOSE int late = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	begin("a.test:%u=127.0.0.1");
	for (int i = 0; i < SERVE_REQUESTS_MAX; i++) {
		AUTO_CLOSE int client = ask("x");

		close_and_reset(&client);
		if (i == SERVE_REQUESTS_MAX - 1)
			hear("too-many", "", false);
		hear("gone", "", false);
	}
	address.sin_port = htons(proxy_port);
	cr_expect_lt(connect(late, (struct sockaddr *)&address, sizeof(address)), 0, "it still listens");
	end();
}

Test(proxy, is_confined)
{
	char path[64], line[256];
	bool no_new_privs = false, is_filtered = false;
	FILE *file;

	begin("a.test:%u=127.0.0.1");
	snprintf(path, sizeof(path), "/proc/%d/status", (int)proxy.pid);
	file = fopen(path, "re");
	cr_assert_not_null(file);
	while (fgets(line, sizeof(line), file)) {
		no_new_privs |= strcmp(line, "NoNewPrivs:\t1\n") == 0;
		is_filtered |= strcmp(line, "Seccomp:\t2\n") == 0;
		if (geteuid() == 0 && strncmp(line, "Uid:", 4) == 0)
			cr_expect_str_eq(line, "Uid:\t65534\t65534\t65534\t65534\n");
		if (geteuid() == 0 && strncmp(line, "CapPrm:", 7) == 0)
			cr_expect_str_eq(line, "CapPrm:\t0000000000000000\n");
	}
	fclose(file);
	cr_expect(no_new_privs);
	cr_expect(is_filtered);
	/* Of who is not dumpable only root may look at that. */
	snprintf(path, sizeof(path), "/proc/%d/environ", (int)proxy.pid);
	file = geteuid() == 0 ? fopen(path, "re") : NULL;
	for (int letter = file ? fgetc(file) : EOF; letter != EOF; letter = fgetc(file))
		cr_assert_eq(letter, '\0', "it has brig's environment");
	if (file)
		fclose(file);
	end();
}

Test(proxy, a_report_that_is_none)
{
	struct outcome_report report = { .host = "a.test" };

	cr_expect(outcome_report_is_good(&report));
	report.outcome = OUTCOME_N;
	cr_expect_not(outcome_report_is_good(&report));
	report.outcome = 0;
	strcpy(report.host, "a\"b\n");
	cr_expect_not(outcome_report_is_good(&report));
	memset(report.host, 'a', sizeof(report.host));
	cr_expect_not(outcome_report_is_good(&report));
}
