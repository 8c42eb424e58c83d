/* Built and run inside the container. */
#include <pthread.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static int squares[8];

static void *square(void *argument)
{
	int *place = argument;

	*place = (int)(place - squares) * (int)(place - squares);
	return NULL;
}

int main(void)
{
	pthread_t threads[8];
	int sum = 0;
	int status = 1;

	for (int i = 0; i < 8; i++) {
		if (pthread_create(&threads[i], NULL, square, &squares[i]) != 0) {
			return 1;
		}
	}
	for (int i = 0; i < 8; i++) {
		pthread_join(threads[i], NULL);
		sum += squares[i];
	}
	if (fork() == 0) {
		_exit(7);
	}
	wait(&status);
	printf("threads %d, child %d\n", sum, WEXITSTATUS(status));
	return 0;
}
