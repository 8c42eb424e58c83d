/* Makes the same refused call so many times, and tells how it was refused. */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	long n = argc > 1 ? atol(argv[1]) : 1, refused = 0, unknown = 0;

	for (long i = 0; i < n; i++) {
		if (unshare(CLONE_NEWUSER) == 0)
			continue;
		refused++;
		unknown += errno == ENOSYS;
	}
	printf("refused %ld, by ENOSYS %ld\n", refused, unknown);
	return 0;
}
