/* What the benchmark's containers run, as /bin/true: ends at once, or, told `wait`, when it is killed. */
#include <unistd.h>

int main(int argc, char **argv)
{
	(void)argv;
	while (argc > 1)
		pause();
	return 0;
}
