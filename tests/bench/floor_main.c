/* floor [-u] [-n] [-f RANGES] ROOTFS CGROUP-FOLDER COUNT: the yardstick by itself. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "tests/bench/floor.h"
#include "tests/bench/stopwatch.h"

static int usage(void)
{
	fputs("usage: floor [-u] [-n] [-f RANGES] ROOTFS CGROUP-FOLDER COUNT\n"
	      "  -u  with a user namespace\n"
	      "  -n  in the network namespace of the caller\n"
	      "  -f  with a system call filter of so many ranges\n",
	      stderr);
	return 2;
}

int main(int argc, char **argv)
{
	struct floor_request request = { 0 };
	AUTO_FREE uint64_t *times = NULL;
	size_t count;
	int option;

	while ((option = getopt(argc, argv, "unf:")) != -1) {
		if (option == 'u')
			request.has_userns = true;
		else if (option == 'n')
			request.keeps_netns = true;
		else if (option == 'f')
			request.n_filter_ranges = (unsigned)strtoul(optarg, NULL, 10);
		else
			return usage();
	}
	count = argc - optind == 3 ? strtoul(argv[optind + 2], NULL, 10) : 0;
	times = calloc(count + 1, sizeof(*times));
	if (count == 0 || !times)
		return usage();
	request.rootfs = argv[optind];
	request.cgroup_parent = argv[optind + 1];
	for (size_t i = 0; i < count; i++)
		times[i] = floor_measure(&request);
	stopwatch_sort(times, count);
	printf("median_us %.1f fastest_us %.1f\n", (double)times[count / 2] / 1e3, (double)times[0] / 1e3);
	return 0;
}
