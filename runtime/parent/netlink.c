#include "parent/netlink.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The kernel cuts a list into pieces that fit what is asked for, from 8 KiB on (Documentation/userspace-api/netlink/intro.rst). */
#define ANSWER_MAX 16384

int netlink_open(void)
{
	return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
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
	struct rtattr *attribute = (struct rtattr *)(void *)(message->bytes + end);

	attribute->rta_type = type;
	attribute->rta_len = (unsigned short)RTA_LENGTH(size);
	memcpy(RTA_DATA(attribute), data, size);
	message->header.nlmsg_len = (uint32_t)(end + RTA_LENGTH(size));
}

static int send_message(int fd, const struct netlink_message *message)
{
	ssize_t sent = send(fd, message->bytes, message->header.nlmsg_len, 0);

	return sent < 0 ? -errno : 0;
}

static int code_of(const struct nlmsghdr *answer)
{
	const struct nlmsgerr *verdict = NLMSG_DATA(answer);

	return answer->nlmsg_len < NLMSG_LENGTH(sizeof(*verdict)) ? -EPROTO : verdict->error;
}

struct walk {
	int (*take)(void *context, const struct nlmsghdr *answer); /* NULL: only the verdict is waited for */
	void *context;
	int code; /* what take has said when it had enough: the rest is read all the same, or the next order would find it */
};

static bool is_last(struct walk *walk, const struct nlmsghdr *answers, size_t size)
{
	for (; NLMSG_OK(answers, size); answers = NLMSG_NEXT(answers, size)) {
		if (answers->nlmsg_type == NLMSG_ERROR && walk->code >= 0)
			walk->code = code_of(answers);
		if (answers->nlmsg_type == NLMSG_DONE || answers->nlmsg_type == NLMSG_ERROR)
			return true;
		if (walk->take && walk->code >= 0)
			walk->code = walk->take(walk->context, answers);
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
			return -errno;
	} while (size < 0 || !is_last(walk, &answers.first, (size_t)size));
	return walk->code;
}

int netlink_order(int fd, struct netlink_message *message)
{
	int rc;

	message->header.nlmsg_flags |= NLM_F_ACK;
	rc = send_message(fd, message);
	return rc < 0 ? rc : receive(fd, &(struct walk){ 0 });
}

int netlink_list(int fd, struct netlink_message *message, int (*take)(void *context, const struct nlmsghdr *answer),
		 void *context)
{
	int rc;

	message->header.nlmsg_flags |= NLM_F_DUMP;
	rc = send_message(fd, message);
	return rc < 0 ? rc : receive(fd, &(struct walk){ .take = take, .context = context });
}
