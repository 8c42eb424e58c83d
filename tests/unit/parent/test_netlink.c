#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "parent/netlink.h"

/* In place of the kernel the test itself, at the other end of a pair. */
struct pair {
	struct netlink netlink;
	int kernel_fd;
};

static struct pair make_pair(void)
{
	int fds[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	return (struct pair){ .netlink.fd = fds[0], .kernel_fd = fds[1] };
}

static void pair_done(struct pair *pair)
{
	netlink_done(&pair->netlink);
	close(pair->kernel_fd);
}

static void say(const struct pair *pair, struct nlmsghdr header, int error)
{
	struct {
		struct nlmsghdr header;
		struct nlmsgerr verdict;
	} answer = { .header = header, .verdict.error = error };

	if (answer.header.nlmsg_len == 0)
		answer.header.nlmsg_len = sizeof(answer);
	cr_assert_eq(send(pair->kernel_fd, &answer, sizeof(answer), 0), sizeof(answer));
}

static int order(struct pair *pair)
{
	struct netlink_message message;

	netlink_begin(&message, RTM_NEWLINK, 0, sizeof(struct ifinfomsg));
	return netlink_order(&pair->netlink, &message);
}

static int count(void *context, const struct nlmsghdr *answer)
{
	(void)answer;
	++*(int *)context;
	return 0;
}

static int list(struct pair *pair, int *n)
{
	struct netlink_message message;

	netlink_begin(&message, RTM_GETADDR, 0, sizeof(struct ifaddrmsg));
	return netlink_list(&pair->netlink, &message, count, n);
}

/* CVE-2021-43784: what is longer than 16 bits can say would be a short attribute, and messages of its own. */
Test(netlink, what_has_no_room_is_not_sent)
{
	static const size_t sizes[] = { NETLINK_MESSAGE_MAX, 65536 + 8, SIZE_MAX - 3 };
	static const char text[65536 + 8];
	struct netlink_message message, after;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct pair pair = make_pair();
		char byte;

		netlink_begin(&message, RTM_NEWLINK, 0, sizeof(struct ifinfomsg));
		netlink_add(&message, IFLA_IFNAME, text, sizes[i]);
		/* Nothing that fits makes it whole again. */
		netlink_add(&message, IFLA_IFNAME, "eth0", sizeof("eth0"));
		netlink_begin(&after, RTM_NEWLINK, 0, sizeof(struct ifinfomsg));
		cr_expect_eq(memcmp(message.bytes + sizeof(message.header), after.bytes + sizeof(after.header),
				    sizeof(after.bytes) - sizeof(after.header)),
			     0, "%zu", sizes[i]);
		cr_expect_eq(netlink_order(&pair.netlink, &message), -EMSGSIZE, "%zu", sizes[i]);
		cr_expect_lt(recv(pair.kernel_fd, &byte, 1, MSG_DONTWAIT), 0);
		pair_done(&pair);
	}
	netlink_begin(&message, RTM_NEWLINK, 0, sizeof(struct ifinfomsg));
	netlink_add(&message, IFLA_IFNAME, text, NETLINK_MESSAGE_MAX - message.header.nlmsg_len - RTA_LENGTH(0));
	cr_expect_eq(message.header.nlmsg_len, NETLINK_MESSAGE_MAX, "so much has room");
}

Test(netlink, an_order_is_answered_by_its_own_number)
{
	struct pair pair = make_pair();

	say(&pair, (struct nlmsghdr){ .nlmsg_type = NLMSG_ERROR, .nlmsg_seq = 99 }, 0);
	say(&pair, (struct nlmsghdr){ .nlmsg_type = NLMSG_ERROR, .nlmsg_seq = 1 }, -EEXIST);
	cr_expect_eq(order(&pair), -EEXIST);
	say(&pair, (struct nlmsghdr){ .nlmsg_type = NLMSG_ERROR, .nlmsg_seq = 1 }, -EEXIST);
	say(&pair, (struct nlmsghdr){ .nlmsg_type = NLMSG_ERROR, .nlmsg_seq = 2 }, 0);
	cr_expect_eq(order(&pair), 0);
	pair_done(&pair);
}

Test(netlink, what_no_kernel_says_is_no_success)
{
	struct pair pair = make_pair();

	say(&pair, (struct nlmsghdr){ .nlmsg_type = NLMSG_ERROR, .nlmsg_seq = 1 }, 5);
	cr_expect_eq(order(&pair), -EPROTO);
	say(&pair, (struct nlmsghdr){ .nlmsg_type = NLMSG_ERROR, .nlmsg_seq = 2, .nlmsg_len = 17 }, 0);
	cr_expect_eq(order(&pair), -EPROTO, "shorter than a verdict, and not a multiple of four");
	pair_done(&pair);
}

Test(netlink, a_length_beyond_the_piece_ends_the_piece)
{
	struct pair pair = make_pair();
	int n = 0;

	say(&pair, (struct nlmsghdr){ .nlmsg_type = RTM_NEWADDR, .nlmsg_seq = 1, .nlmsg_len = 4000 }, 0);
	say(&pair, (struct nlmsghdr){ .nlmsg_type = RTM_NEWADDR, .nlmsg_seq = 1, .nlmsg_len = 33 }, 0);
	say(&pair, (struct nlmsghdr){ .nlmsg_type = NLMSG_DONE, .nlmsg_seq = 1 }, 0);
	cr_expect_eq(list(&pair, &n), 0);
	cr_expect_eq(n, 1);
	pair_done(&pair);
}

Test(netlink, a_list_that_changed_is_to_be_asked_for_again)
{
	struct pair pair = make_pair();
	int n = 0;

	say(&pair, (struct nlmsghdr){ .nlmsg_type = RTM_NEWADDR, .nlmsg_seq = 1, .nlmsg_flags = NLM_F_DUMP_INTR }, 0);
	say(&pair, (struct nlmsghdr){ .nlmsg_type = NLMSG_DONE, .nlmsg_seq = 1 }, 0);
	cr_expect_eq(list(&pair, &n), -EAGAIN);
	cr_expect_eq(n, 0);
	pair_done(&pair);
}

/* As a container with CAP_NET_ADMIN over the network namespace could. */
Test(netlink, nobody_but_the_kernel_is_heard)
{
	struct netlink netlink;
	struct sockaddr_nl address;
	socklen_t length = sizeof(address);
	struct nlmsghdr answer = { .nlmsg_len = sizeof(answer), .nlmsg_type = NLMSG_DONE, .nlmsg_seq = 1 };
	int other_fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	cr_assert_eq(netlink_open(&netlink), 0);
	cr_assert_eq(getsockname(netlink.fd, (struct sockaddr *)&address, &length), 0);
	cr_expect_eq(sendto(other_fd, &answer, sizeof(answer), 0, (const struct sockaddr *)&address, length), -1);
	cr_expect(errno == ECONNREFUSED || errno == EPERM, "errno %d", errno);
	close(other_fd);
	netlink_done(&netlink);
}
