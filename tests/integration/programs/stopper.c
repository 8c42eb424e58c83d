/* Stops every other process of its pid namespace that it may send a signal to, again and again (kill(2), pid -1), until there is /tmp/end. */
#include <signal.h>
#include <unistd.h>

int main(void)
{
	do
		for (int i = 0; i < 10000; i++)
			kill(-1, SIGSTOP);
	while (access("/tmp/end", F_OK) < 0);
	return 0;
}
