/* What a program can do with the network, a line each: `network KIND ADDRESS PORT ...`, any number of such. "ok": it has got an answer.
 * `network serve PORT...` answers on TCP and UDP, both families, to whoever asks, and says "ready". */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_MS 3000
#define SERVED_MAX 32

union any {
	struct sockaddr generic;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t address_of(const char *text, int port, union any *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (inet_pton(AF_INET, text, &ret->v4.sin_addr) == 1) {
		ret->v4.sin_family = AF_INET;
		ret->v4.sin_port = htons((uint16_t)port);
		return sizeof(ret->v4);
	}
	ret->v6.sin6_family = AF_INET6;
	ret->v6.sin6_port = htons((uint16_t)port);
	if (inet_pton(AF_INET6, text, &ret->v6.sin6_addr) != 1)
		exit(99);
	return sizeof(ret->v6);
}

static const char *outcome(int number)
{
	return number == 0 ? "ok" : number == ETIMEDOUT ? "timeout" : strerrorname_np(number);
}

/* 0, ETIMEDOUT, or the socket's error. */
static int wait_for(int fd, short events)
{
	struct pollfd polled = { .fd = fd, .events = events };
	int number = 0;
	socklen_t size = sizeof(number);

	if (poll(&polled, 1, ANSWER_MS) == 0)
		return ETIMEDOUT;
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &number, &size);
	return number;
}

static int get_answer(int fd)
{
	char answer[128];
	int number = wait_for(fd, POLLIN);

	if (number == 0 && recv(fd, answer, sizeof(answer), 0) <= 0)
		number = errno ?: EPIPE;
	return number;
}

static int talk_tcp(int family, int protocol, const union any *to, socklen_t size)
{
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK, protocol), number = 0;

	if (fd < 0)
		return errno;
	if (connect(fd, &to->generic, size) < 0)
		number = errno == EINPROGRESS ? wait_for(fd, POLLOUT) : errno;
	if (number == 0 && send(fd, "question", 8, MSG_NOSIGNAL) < 0)
		number = errno;
	if (number == 0)
		number = get_answer(fd);
	close(fd);
	return number;
}

/* With its SYN: no connect(2). */
static int talk_fast(const union any *to, socklen_t size)
{
	int fd = socket(to->generic.sa_family, SOCK_STREAM, 0), number = 0;

	if (sendto(fd, "question", 8, MSG_FASTOPEN | MSG_NOSIGNAL | MSG_DONTWAIT, &to->generic, size) < 0)
		number = errno == EINPROGRESS ? wait_for(fd, POLLOUT) : errno;
	close(fd);
	return number;
}

static int talk_udp(int fd, const union any *to, socklen_t size, int connected)
{
	int number = 0;

	if (fd < 0)
		return errno;
	if (connected && connect(fd, &to->generic, size) < 0)
		number = errno;
	if (number == 0 && sendto(fd, "question", 8, 0, connected ? NULL : &to->generic, connected ? 0 : size) < 0)
		number = errno;
	if (number == 0)
		number = get_answer(fd);
	close(fd);
	return number;
}

static int udp(int family)
{
	return socket(family, SOCK_DGRAM, 0);
}

/* Asks for the route to be written down. The options that say where to go are made of the same header, and take more rights. */
static int talk_with_options(const union any *to, socklen_t size)
{
	const uint8_t option[8] = { IPOPT_RR, 7, IPOPT_MINOFF };
	int fd = udp(AF_INET);

	if (setsockopt(fd, IPPROTO_IP, IP_OPTIONS, option, sizeof(option)) < 0)
		return errno;
	return talk_udp(fd, to, size, 0);
}

static int ping(const union any *to, socklen_t size)
{
	int v6 = to->generic.sa_family == AF_INET6;
	int fd = socket(to->generic.sa_family, SOCK_DGRAM, v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP), number = 0;
	struct icmphdr echo = { .type = v6 ? 128 : ICMP_ECHO };

	if (fd < 0)
		return errno;
	if (sendto(fd, &echo, sizeof(echo), 0, &to->generic, size) < 0)
		number = errno;
	if (number == 0)
		number = get_answer(fd);
	close(fd);
	return number;
}

static int make_socket(int family, int type, int protocol)
{
	int fd = socket(family, type, protocol);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

/* Asks a server of this very host in the name of another: its answer would be the first packet of a connection to that one. */
static int ask_as_another(const union any *to, socklen_t size, const char *own, int type)
{
	int fd = socket(AF_INET6, type | SOCK_NONBLOCK, 0), one = 1, number = 0;
	union any server;
	socklen_t server_size = address_of(own, 7001, &server);

	if (setsockopt(fd, IPPROTO_IPV6, 78 /* IPV6_FREEBIND */, &one, sizeof(one)) < 0 ||
	    bind(fd, &to->generic, size) < 0)
		return errno;
	if (connect(fd, &server.generic, server_size) < 0 && errno != EINPROGRESS)
		number = errno;
	if (number == 0 && type == SOCK_DGRAM && send(fd, "x", 1, 0) < 0)
		number = errno;
	usleep(200000);
	close(fd);
	return number;
}

/* ::ffff:ADDRESS */
static socklen_t map(union any *to)
{
	struct in_addr address = to->v4.sin_addr;
	in_port_t port = to->v4.sin_port;

	*to = (union any){ .v6 = { .sin6_family = AF_INET6, .sin6_port = port } };
	memset(&to->v6.sin6_addr.s6_addr[10], 0xff, 2);
	memcpy(&to->v6.sin6_addr.s6_addr[12], &address, 4);
	return sizeof(to->v6);
}

/* setsockopt(2) as a program of 32 bits calls it, the value within its reach. */
static int set_option_32(int fd, int level, int number, const void *value, socklen_t length)
{
	int result = -ENOSYS;
#if defined(__x86_64__)
	void *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	memcpy(low, value, length);
	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(366L), "b"((long)fd), "c"((long)level), "d"((long)number), "S"(low), "D"((long)length)
			 : "memory");
#endif
	errno = -result;
	return result < 0 ? -1 : 0;
}

/* Joins the group at eth0, by the option of that number: of each family there are four. */
static int join(const char *option, const union any *group, socklen_t size, bool by_32_bits)
{
	int family = group->generic.sa_family, number = atoi(option);
	union {
		struct ip_mreqn v4;
		struct ip_mreq_source v4_source;
		struct ipv6_mreq v6;
		struct group_req group;
		struct group_source_req group_source;
	} request = { 0 };
	socklen_t length = sizeof(request.v4);

	if (number == MCAST_JOIN_GROUP || number == MCAST_JOIN_SOURCE_GROUP) {
		request.group_source.gsr_interface = if_nametoindex("eth0");
		memcpy(&request.group_source.gsr_group, group, size);
		memcpy(&request.group_source.gsr_source, group, size);
		/* Somebody, who is no group. */
		if (family == AF_INET)
			((struct sockaddr_in *)&request.group_source.gsr_source)->sin_addr.s_addr = htonl(0x0a000001);
		else
			((struct sockaddr_in6 *)&request.group_source.gsr_source)->sin6_addr.s6_addr[0] = 0xfd;
		length = number == MCAST_JOIN_GROUP ? sizeof(request.group) : sizeof(request.group_source);
		if (number == MCAST_JOIN_GROUP)
			memcpy(&request.group.gr_group, group, size);
	} else if (family == AF_INET6) {
		request.v6.ipv6mr_multiaddr = group->v6.sin6_addr;
		request.v6.ipv6mr_interface = if_nametoindex("eth0");
		length = sizeof(request.v6);
	} else if (number == IP_ADD_SOURCE_MEMBERSHIP) {
		request.v4_source.imr_multiaddr = group->v4.sin_addr;
		request.v4_source.imr_interface.s_addr = inet_addr("10.231.7.1");
		request.v4_source.imr_sourceaddr.s_addr = htonl(0x0a000001);
		length = sizeof(request.v4_source);
	} else {
		request.v4.imr_multiaddr = group->v4.sin_addr;
		request.v4.imr_ifindex = (int)if_nametoindex("eth0");
	}
	return (by_32_bits ? set_option_32 : setsockopt)(socket(family, SOCK_DGRAM, 0),
							 family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6, number,
							 &request, length) < 0
		       ? errno
		       : 0;
}

static int act(const char *kind, const char *address, const char *port)
{
	union any to;
	socklen_t size = address_of(address, atoi(port), &to);
	int family = to.generic.sa_family;

	if (strncmp(kind, "mapped-", 7) == 0) {
		size = map(&to);
		kind += 7;
		family = AF_INET6;
	}
	errno = 0;
	if (strcmp(kind, "tcp") == 0)
		return talk_tcp(family, 0, &to, size);
	if (strcmp(kind, "mptcp") == 0)
		return talk_tcp(family, 262 /* IPPROTO_MPTCP */, &to, size);
	if (strcmp(kind, "fast") == 0)
		return talk_fast(&to, size);
	if (strcmp(kind, "udp") == 0)
		return talk_udp(udp(family), &to, size, 1);
	if (strcmp(kind, "send") == 0)
		return talk_udp(udp(family), &to, size, 0);
	if (strcmp(kind, "options") == 0)
		return talk_with_options(&to, size);
	if (strcmp(kind, "ping") == 0)
		return ping(&to, size);
	if (strcmp(kind, "join") == 0)
		return join(port, &to, size, /* by_32_bits= */ false);
	if (strcmp(kind, "join-32") == 0)
		return join(port, &to, size, /* by_32_bits= */ true);
	if (strcmp(kind, "raw") == 0)
		return make_socket(family, SOCK_RAW, IPPROTO_ICMP);
	if (strcmp(kind, "packet") == 0)
		return make_socket(AF_PACKET, SOCK_DGRAM, 0);
	if (strcmp(kind, "sctp") == 0)
		return make_socket(family, SOCK_STREAM, IPPROTO_SCTP);
	if (strcmp(kind, "udplite") == 0)
		return make_socket(family, SOCK_DGRAM, IPPROTO_UDPLITE);
	if (strncmp(kind, "spoof-tcp-", 10) == 0)
		return ask_as_another(&to, size, kind + 10, SOCK_STREAM);
	if (strncmp(kind, "spoof-udp-", 10) == 0)
		return ask_as_another(&to, size, kind + 10, SOCK_DGRAM);
	return EINVAL;
}

static int open_server(int type, int port)
{
	union any any = { .v6 = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) } };
	int fd = socket(AF_INET6, type, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &one, sizeof(one));
	if (bind(fd, &any.generic, sizeof(any.v6)) < 0 || (type == SOCK_STREAM && listen(fd, 16) < 0)) {
		perror("serve");
		exit(98);
	}
	return fd;
}

/* From the address that was asked. */
static void answer_datagram(int fd)
{
	char question[128], control[256];
	union any from;
	struct iovec data = { question, sizeof(question) };
	struct msghdr message = { .msg_name = &from,
				  .msg_namelen = sizeof(from),
				  .msg_iov = &data,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(fd, &message, 0);

	if (n <= 0)
		return;
	puts("datagram");
	fflush(stdout);
	data.iov_len = (size_t)n;
	sendmsg(fd, &message, 0);
}

static void answer_connection(int fd)
{
	const struct timeval patience = { .tv_sec = 5 };
	char question[128];
	int client = accept(fd, NULL, NULL);
	ssize_t n;

	setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	n = client < 0 ? -1 : recv(client, question, sizeof(question), 0);
	if (n > 0)
		send(client, question, (size_t)n, MSG_NOSIGNAL);
	close(client);
}

__attribute__((noreturn)) static void serve(char **ports, int n_ports)
{
	struct pollfd polled[SERVED_MAX];
	int n = 0;

	for (int i = 0; i < n_ports && n + 2 <= SERVED_MAX; i++) {
		polled[n++] = (struct pollfd){ .fd = open_server(SOCK_STREAM, atoi(ports[i])), .events = POLLIN };
		polled[n++] = (struct pollfd){ .fd = open_server(SOCK_DGRAM, atoi(ports[i])), .events = POLLIN };
	}
	puts("ready");
	fflush(stdout);
	for (;;) {
		poll(polled, (nfds_t)n, -1);
		for (int i = 0; i < n; i++) {
			if (polled[i].revents && i % 2)
				answer_datagram(polled[i].fd);
			else if (polled[i].revents)
				answer_connection(polled[i].fd);
		}
	}
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "serve") == 0)
		serve(argv + 2, argc - 2);
	for (int i = 1; i + 2 < argc; i += 3) {
		printf("%s %s %s: %s\n", argv[i], argv[i + 1], argv[i + 2],
		       outcome(act(argv[i], argv[i + 1], argv[i + 2])));
		fflush(stdout);
	}
	return 0;
}
