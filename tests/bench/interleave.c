/* interleave ROUNDS FILE: runs the commands of FILE in turn, ROUNDS times over, so that what else the machine does hits all of
 * them alike, and prints for each what it took. A line of FILE is `NAME PHASE COMMAND...`, split at blanks; instead of a
 * command there can be
 *     @floor [-u] [-n] [-f RANGES] ROOTFS CGROUP-FOLDER     the yardstick
 *     @end PID-FILE                                         kills and reaps the process that a runtime left in our care
 * Output: a line a job, separated by tabs: name, phase, median and fastest time and median processor time in
 * microseconds, peak memory in KiB. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "tests/bench/floor.h"
#include "tests/bench/stopwatch.h"

#define JOBS_MAX 64
#define WORDS_MAX 32
#define LINE_SIZE 4096
/* The first rounds fill caches: the kernel's, and those of the runtimes. */
#define WARM_UP_ROUNDS 3

struct job {
	char line[LINE_SIZE]; /* words points into it */
	char *words[WORDS_MAX + 1];
	size_t n_words;
	uint64_t *times, *processor_times;
	long peak_kib;
};

struct sample {
	uint64_t time, processor_time; /* nanoseconds */
	long peak_kib;
};

static _Noreturn void fail(const char *what, const char *why)
{
	fprintf(stderr, "interleave: %s: %s\n", what, why);
	exit(1);
}

static void split(struct job *job)
{
	char *rest = job->line, *word;

	while ((word = strsep(&rest, " \t\n")))
		if (*word && job->n_words < WORDS_MAX)
			job->words[job->n_words++] = word;
}

static size_t read_jobs(const char *path, struct job *jobs, size_t n_rounds)
{
	FILE *file = fopen(path, "re");
	size_t n = 0;

	if (!file)
		fail(path, strerror(errno));
	while (n < JOBS_MAX && fgets(jobs[n].line, LINE_SIZE, file)) {
		split(&jobs[n]);
		if (jobs[n].n_words == 0)
			continue;
		if (jobs[n].n_words < 3)
			fail(path, "a line is NAME PHASE COMMAND...");
		jobs[n].times = calloc(n_rounds, sizeof(uint64_t));
		jobs[n].processor_times = calloc(n_rounds, sizeof(uint64_t));
		if (!jobs[n].times || !jobs[n].processor_times)
			fail(path, strerror(ENOMEM));
		n++;
	}
	fclose(file);
	return n;
}

static struct sample run_floor(const struct job *job)
{
	struct floor_request request = { 0 };
	size_t i = 3;

	for (; i < job->n_words && job->words[i][0] == '-'; i++) {
		if (strcmp(job->words[i], "-u") == 0)
			request.has_userns = true;
		else if (strcmp(job->words[i], "-n") == 0)
			request.keeps_netns = true;
		else if (strcmp(job->words[i], "-f") == 0 && i + 1 < job->n_words)
			request.n_filter_ranges = (unsigned)strtoul(job->words[++i], NULL, 10);
	}
	if (job->n_words - i != 2)
		fail("@floor", "wants ROOTFS and CGROUP-FOLDER");
	request.rootfs = job->words[i];
	request.cgroup_parent = job->words[i + 1];
	return (struct sample){ .time = floor_measure(&request) };
}

static struct sample run_end(const struct job *job)
{
	FILE *file = fopen(job->words[3], "re");
	uint64_t begin = stopwatch_now();
	int pid;

	if (!file || fscanf(file, "%d", &pid) != 1 || pid <= 1)
		fail(job->words[3], "no pid in it");
	fclose(file);
	if (kill(pid, SIGKILL) < 0 || waitpid(pid, NULL, 0) != pid)
		fail(job->words[3], strerror(errno));
	return (struct sample){ .time = stopwatch_now() - begin };
}

static uint64_t nanoseconds(struct timeval time)
{
	return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_usec * 1000;
}

static struct sample run_command(struct job *job)
{
	uint64_t begin = stopwatch_now();
	struct sample sample;
	struct rusage usage;
	int status, rc;
	pid_t pid;

	rc = posix_spawnp(&pid, job->words[2], NULL, NULL, &job->words[2], environ);
	if (rc != 0)
		fail(job->words[2], strerror(rc));
	if (wait4(pid, &status, 0, &usage) != pid)
		fail("wait4", strerror(errno));
	sample.time = stopwatch_now() - begin;
	if (status != 0) {
		fprintf(stderr, "interleave: %s %s ended with wait status %#x:", job->words[0], job->words[1], status);
		for (size_t i = 2; i < job->n_words; i++)
			fprintf(stderr, " %s", job->words[i]);
		fputc('\n', stderr);
		exit(1);
	}
	sample.processor_time = nanoseconds(usage.ru_utime) + nanoseconds(usage.ru_stime);
	sample.peak_kib = usage.ru_maxrss;
	return sample;
}

static struct sample run_job(struct job *job)
{
	if (strcmp(job->words[2], "@floor") == 0)
		return run_floor(job);
	if (strcmp(job->words[2], "@end") == 0)
		return run_end(job);
	return run_command(job);
}

static void report(struct job *job, size_t n_rounds)
{
	stopwatch_sort(job->times, n_rounds);
	stopwatch_sort(job->processor_times, n_rounds);
	printf("%s\t%s\t%.1f\t%.1f\t%.1f\t%ld\n", job->words[0], job->words[1], (double)job->times[n_rounds / 2] / 1e3,
	       (double)job->times[0] / 1e3, (double)job->processor_times[n_rounds / 2] / 1e3, job->peak_kib);
	free(job->times);
	free(job->processor_times);
}

/* Containers have nothing to say: a runtime that speaks there takes the time of whoever reads it. */
static void silence_output(void)
{
	AUTO_CLOSE int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null_fd < 0 || dup2(null_fd, STDIN_FILENO) < 0 || dup2(null_fd, STDOUT_FILENO) < 0)
		fail("/dev/null", strerror(errno));
}

int main(int argc, char **argv)
{
	size_t n_rounds = argc == 3 ? strtoul(argv[1], NULL, 10) : 0, n_jobs;
	int output_fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	AUTO_FREE struct job *jobs = NULL;

	if (n_rounds == 0)
		fail("usage", "interleave ROUNDS FILE");
	jobs = calloc(JOBS_MAX, sizeof(*jobs));
	if (!jobs || output_fd < 0)
		fail("set up", strerror(errno));
	n_jobs = read_jobs(argv[2], jobs, n_rounds);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	silence_output();
	for (size_t round = 0; round < n_rounds + WARM_UP_ROUNDS; round++) {
		for (size_t i = 0; i < n_jobs; i++) {
			struct sample sample = run_job(&jobs[i]);

			if (sample.peak_kib > jobs[i].peak_kib)
				jobs[i].peak_kib = sample.peak_kib;
			if (round < WARM_UP_ROUNDS)
				continue;
			jobs[i].times[round - WARM_UP_ROUNDS] = sample.time;
			jobs[i].processor_times[round - WARM_UP_ROUNDS] = sample.processor_time;
		}
	}
	dup2(output_fd, STDOUT_FILENO);
	for (size_t i = 0; i < n_jobs; i++)
		report(&jobs[i], n_rounds);
	return 0;
}
