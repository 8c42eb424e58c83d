/* A proxy that was taken over, as brig's side hears it. */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/cleanup.h"
#include "proxy/proxy.h"

/* What was a proxy of ours and is somebody else's: its end of the conversation. */
static int take_over(struct proxy *taken)
{
	int ends[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
	*taken = proxy_none();
	taken->control_fd = ends[0];
	return ends[1];
}

Test(proxy, one_that_says_more_than_ours_ever_would_is_ended)
{
	const struct outcome_report good = { .outcome = OUTCOME_ENDED, .was_allowed = true };
	struct outcome_report report;
	struct proxy taken;
	AUTO_CLOSE int fd = take_over(&taken);

	cr_assert(outcome_report_is_good(&good));
	for (int i = 0; i <= SERVE_REQUESTS_MAX; i++) {
		cr_assert_eq(send(fd, &good, sizeof(good), 0), (ssize_t)sizeof(good));
		cr_assert_eq(proxy_hear(&taken, &report), 1, "%d", i);
	}
	cr_assert_eq(send(fd, &good, sizeof(good), 0), (ssize_t)sizeof(good));
	cr_expect_eq(proxy_hear(&taken, &report), -1);
	cr_expect_eq(taken.control_fd, -EBADF);
}

Test(proxy, one_that_goes_on_saying_something_is_not_waited_for_longer)
{
	const struct outcome_report good = { .outcome = OUTCOME_ENDED, .was_allowed = true };
	struct outcome_report report;
	struct proxy taken;
	AUTO_CLOSE int fd = take_over(&taken);

	for (int i = 0; i < 3; i++)
		cr_assert_eq(send(fd, &good, sizeof(good), 0), (ssize_t)sizeof(good));
	proxy_close(&taken);
	cr_assert_eq(proxy_hear_last(&taken, &report), 1);
	taken.silent_by -= 5000;
	cr_expect_eq(proxy_hear_last(&taken, &report), -1);
	cr_expect_eq(taken.control_fd, -EBADF);
}
