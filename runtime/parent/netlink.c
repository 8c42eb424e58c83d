#include "parent/netlink.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/cleanup.h"

/* The kernel cuts a list into pieces that fit what is asked for, from 8 KiB on (Documentation/userspace-api/netlink/intro.rst). */
#define ANSWER_MAX 16384
#define ANSWER_TIMEOUT_S 10

/* Who has CAP_NET_ADMIN in the namespace may send to its sockets: one that is connected to the kernel hears nobody else. What the kernel
 * does not say within this time it won't. */
int netlink_open(struct netlink *ret)
{
	const struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	const struct timeval patience = { .tv_sec = ANSWER_TIMEOUT_S };
	AUTO_CLOSE int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0 || connect(fd, (const struct sockaddr *)&kernel, sizeof(kernel)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0)
		return -errno;
	*ret = (struct netlink){ .fd = steal_fd(&fd) };
	return 0;
}

void netlink_done(struct netlink *netlink)
{
	close_and_reset(&netlink->fd);
}

void *netlink_begin(struct netlink_message *message, uint16_t type, uint16_t flags, size_t size)
{
	memset(message, 0, sizeof(*message));
	message->header.nlmsg_type = type;
	message->header.nlmsg_flags = NLM_F_REQUEST | flags;
	message->header.nlmsg_len = (uint32_t)NLMSG_LENGTH(size);
	return NLMSG_DATA(&message->header);
}

void netlink_add(struct netlink_message *message, uint16_t type, const void *data, size_t size)
{
	size_t end = NLMSG_ALIGN(message->header.nlmsg_len);
	struct rtattr *attribute;

	/* CVE-2021-43784: an attribute's length has 16 bits, and what wraps around makes messages of its own of the rest. */
	if (message->header.nlmsg_len < NLMSG_HDRLEN || size > sizeof(message->bytes) ||
	    end + RTA_SPACE(size) > sizeof(message->bytes)) {
		message->header.nlmsg_len = 0;
		return;
	}
	attribute = (struct rtattr *)(void *)(message->bytes + end);
	attribute->rta_type = type;
	attribute->rta_len = (unsigned short)RTA_LENGTH(size);
	memcpy(RTA_DATA(attribute), data, size);
	message->header.nlmsg_len = (uint32_t)(end + RTA_LENGTH(size));
}

/* 0 or a negative errno, as NLMSG_ERROR has it; a kernel of these days says nothing else. */
static int code_of(const struct nlmsghdr *answer)
{
	const struct nlmsgerr *verdict = NLMSG_DATA(answer);

	if (answer->nlmsg_len < NLMSG_LENGTH(sizeof(*verdict)) || verdict->error > 0)
		return -EPROTO;
	return verdict->error;
}

struct walk {
	uint32_t sequence;
	int (*take)(void *context, const struct nlmsghdr *answer); /* NULL: only the verdict is waited for */
	void *context;
	int code; /* what take has said when it had enough: the rest is read all the same, or the next order would find it */
};

static void take_answer(struct walk *walk, const struct nlmsghdr *answer)
{
	if (walk->code < 0)
		return;
	/* Somebody has changed the table while it was read. */
	if (answer->nlmsg_flags & NLM_F_DUMP_INTR)
		walk->code = -EAGAIN;
	else if (answer->nlmsg_type == NLMSG_ERROR)
		walk->code = code_of(answer);
	else if (walk->take && answer->nlmsg_type >= NLMSG_MIN_TYPE)
		walk->code = walk->take(walk->context, answer);
}

/* Whether that was the last piece. left: signed, as the macros may take more of it than there is. */
static bool take_piece(struct walk *walk, const struct nlmsghdr *answer, ssize_t left)
{
	for (; NLMSG_OK(answer, left); answer = NLMSG_NEXT(answer, left)) {
		if (answer->nlmsg_seq != walk->sequence)
			continue;
		take_answer(walk, answer);
		if (answer->nlmsg_type == NLMSG_DONE || answer->nlmsg_type == NLMSG_ERROR)
			return true;
	}
	return false;
}

static int receive(int fd, struct walk *walk)
{
	union {
		struct nlmsghdr first;
		unsigned char bytes[ANSWER_MAX];
	} answers;
	ssize_t size;

	do {
		size = recv(fd, answers.bytes, sizeof(answers.bytes), 0);
		if (size < 0 && errno != EINTR)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
	} while (size < 0 || !take_piece(walk, &answers.first, size));
	return walk->code;
}

/* Each has a number, by which the answers to one that was given up are told from its own. */
static int ask(struct netlink *netlink, struct netlink_message *message, uint16_t flags, struct walk *walk)
{
	if (message->header.nlmsg_len < NLMSG_HDRLEN)
		return -EMSGSIZE;
	message->header.nlmsg_flags |= flags;
	message->header.nlmsg_seq = walk->sequence = ++netlink->sequence;
	if (send(netlink->fd, message->bytes, message->header.nlmsg_len, 0) < 0)
		return -errno;
	return receive(netlink->fd, walk);
}

int netlink_order(struct netlink *netlink, struct netlink_message *message)
{
	return ask(netlink, message, NLM_F_ACK, &(struct walk){ 0 });
}

int netlink_list(struct netlink *netlink, struct netlink_message *message,
		 int (*take)(void *context, const struct nlmsghdr *answer), void *context)
{
	return ask(netlink, message, NLM_F_DUMP, &(struct walk){ .take = take, .context = context });
}
