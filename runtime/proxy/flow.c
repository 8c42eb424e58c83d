#include "proxy/flow.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

int flow_read(struct flow *flow, int fd, size_t most)
{
	ssize_t n;

	if (flow->begin > 0) {
		memmove(flow->data, flow->data + flow->begin, flow->end - flow->begin);
		flow->end -= flow->begin;
		flow->begin = 0;
	}
	if (most > FLOW_SIZE)
		most = FLOW_SIZE;
	if (flow->end >= most)
		return 0;
	n = recv(fd, flow->data + flow->end, most - flow->end, MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	flow->is_at_end = n == 0;
	flow->end += (size_t)n;
	return n > 0;
}

int flow_write(struct flow *flow, int fd)
{
	ssize_t n = 0;

	if (flow_holds(flow))
		n = send(fd, flow->data + flow->begin, flow->end - flow->begin, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	flow->begin += (size_t)n;
	flow->bytes += (uint64_t)n;
	if (flow->begin == flow->end)
		flow->begin = flow->end = 0;
	return n > 0;
}
