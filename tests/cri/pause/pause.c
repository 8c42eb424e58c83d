/* What holds a pod's namespaces where the runtime needs a process for that. It reaps what ends in a shared pid namespace. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void finish(int signal)
{
	(void)signal;
	_exit(0);
}

int main(void)
{
	signal(SIGTERM, finish);
	signal(SIGINT, finish);
	signal(SIGCHLD, SIG_IGN);
	for (;;)
		pause();
}
