#include "image/decoder.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sha2.h>

#include "base/reap.h"
#include "base/syscalls.h"
#include "image/gunzip.h"
#include "image/unzstd.h"

#define IN_SIZE (128 * 1024)
#define OUT_SIZE (256 * 1024)
#define PIPE_SIZE (1024 * 1024)

/* How the process ends: all that it says beside what it writes. */
enum outcome {
	OUTCOME_SOUND,
	OUTCOME_UNREADABLE,
	OUTCOME_SHORT,
	OUTCOME_DAMAGED,
	OUTCOME_WINDOW,
	OUTCOME_CUT,
	OUTCOME_TOO_MUCH,
	OUTCOME_DIGEST,
	OUTCOME_UNWRITABLE,
	OUTCOME_UNCONFINED,
	N_OUTCOMES,
};

/* All that the process needs, made before it is confined: afterwards there is no memory to be had. */
struct work {
	int in_fd, out_fd;
	uint64_t left; /* bytes to read */
	uint64_t room; /* bytes that may still come out */
	enum document_layer kind;
	struct gunzip *gunzip;
	struct unzstd *unzstd;
	struct digest digest;
	SHA2_CTX sha;
	uint8_t in[IN_SIZE], out[OUT_SIZE];
};

static void work_free(struct work *work)
{
	if (!work)
		return;
	gunzip_free(work->gunzip);
	unzstd_free(work->unzstd);
	free(work);
}
DEFINE_CLEANUP(struct work *, work_free);

static struct work *work_new(const struct layout_blob *blob, enum document_layer kind, uint64_t max)
{
	AUTO(work_free) struct work *work = calloc(1, sizeof(*work));

	if (!work)
		return NULL;
	*work = (struct work){
		.in_fd = blob->fd, .out_fd = -EBADF, .left = blob->size, .kind = kind, .digest = blob->digest
	};
	work->room = blob->size > (UINT64_MAX - DECODER_RATIO_FREE) / DECODER_RATIO_MAX
			     ? UINT64_MAX
			     : blob->size * DECODER_RATIO_MAX + DECODER_RATIO_FREE;
	if (work->room > max)
		work->room = max;
	if (kind == DOCUMENT_LAYER_GZIP)
		work->gunzip = gunzip_new();
	else if (kind == DOCUMENT_LAYER_ZSTD)
		work->unzstd = unzstd_new();
	if ((kind == DOCUMENT_LAYER_GZIP && !work->gunzip) || (kind == DOCUMENT_LAYER_ZSTD && !work->unzstd))
		return NULL;
	SHA256Init(&work->sha);
	return steal_ptr(&work);
}

/* ---- in the process: nothing but read(2), write(2) and pure functions ---- */

static int step(struct work *work, struct window *window)
{
	size_t n = window->n_in < window->n_out ? window->n_in : window->n_out;

	if (work->gunzip)
		return gunzip_step(work->gunzip, window);
	if (work->unzstd)
		return unzstd_step(work->unzstd, window);
	memcpy(window->out, window->in, n);
	window->in += n;
	window->n_in -= n;
	window->out += n;
	window->n_out -= n;
	return 0;
}

/* The bound on what comes out is held here, before it is written: a bomb costs its reader no more than the bound. */
static enum outcome put(struct work *work, size_t length)
{
	size_t done = 0;

	if (length > work->room)
		return OUTCOME_TOO_MUCH;
	work->room -= length;
	while (done < length) {
		ssize_t n = write(work->out_fd, work->out + done, length - done);

		if (n < 0 && errno != EINTR)
			return OUTCOME_UNWRITABLE;
		done += n > 0 ? (size_t)n : 0;
	}
	return OUTCOME_SOUND;
}

/* Once more also where all input is used up and the output was full: the decompressor may hold back more. */
static enum outcome unpack_chunk(struct work *work, size_t length)
{
	struct window window = { .in = work->in, .n_in = length };
	enum outcome outcome;
	int rc;

	do {
		window.out = work->out;
		window.n_out = sizeof(work->out);
		rc = step(work, &window);
		if (rc < 0)
			return rc == -EFBIG ? OUTCOME_WINDOW : OUTCOME_DAMAGED;
		outcome = put(work, sizeof(work->out) - window.n_out);
	} while (outcome == OUTCOME_SOUND && (window.n_in > 0 || window.n_out == 0));
	return outcome;
}

static enum outcome get(struct work *work, size_t *ret_length)
{
	ssize_t n;

	do {
		n = read(work->in_fd, work->in, work->left < sizeof(work->in) ? work->left : sizeof(work->in));
	} while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n < 0 ? OUTCOME_UNREADABLE : OUTCOME_SHORT;
	SHA256Update(&work->sha, work->in, (size_t)n);
	work->left -= (uint64_t)n;
	*ret_length = (size_t)n;
	return OUTCOME_SOUND;
}

/* The digest is of the blob as it is stored, and known only at its end: whoever reads the pipe keeps nothing until
 * decoder_finish() has said that it is right. */
static enum outcome unpack(struct work *work)
{
	enum outcome outcome = OUTCOME_SOUND;
	uint8_t digest[DIGEST_SIZE];
	size_t length = 0;

	while (outcome == OUTCOME_SOUND && work->left > 0) {
		outcome = get(work, &length);
		if (outcome == OUTCOME_SOUND)
			outcome = unpack_chunk(work, length);
	}
	if (outcome != OUTCOME_SOUND)
		return outcome;
	if ((work->gunzip && !gunzip_is_complete(work->gunzip)) || (work->unzstd && !unzstd_is_complete(work->unzstd)))
		return OUTCOME_CUT;
	SHA256Final(digest, &work->sha);
	return memcmp(digest, work->digest.bytes, sizeof(digest)) == 0 ? OUTCOME_SOUND : OUTCOME_DIGEST;
}

/* It keeps its user: with another one that user's processes could trace it. Nothing but the two descriptors is left to it. */
static enum outcome confine(struct work *work)
{
	int in_fd = fcntl(work->in_fd, F_DUPFD, 10), out_fd = fcntl(work->out_fd, F_DUPFD, 10);

	if (in_fd < 0 || out_fd < 0 || dup2(in_fd, 0) < 0 || dup2(out_fd, 1) < 0 || sys_close_range(2, ~0U, 0) < 0)
		return OUTCOME_UNCONFINED;
	work->in_fd = 0;
	work->out_fd = 1;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0) < 0)
		return OUTCOME_UNCONFINED;
	return OUTCOME_SOUND;
}

static void run_confined(struct work *work)
{
	enum outcome outcome = confine(work);

	if (outcome == OUTCOME_SOUND)
		outcome = unpack(work);
	/* The thread's exit: exit_group(2) is not among the strict mode's calls. */
	for (;;)
		syscall(SYS_exit, (int)outcome);
}

/* ---- on our side ---- */

static const char *const reasons[N_OUTCOMES] = {
	[OUTCOME_UNREADABLE] = "the blob can't be read",
	[OUTCOME_SHORT] = "the blob became shorter while it was read",
	[OUTCOME_DAMAGED] = "its compressed data is damaged",
	[OUTCOME_WINDOW] = "it was compressed with a window of more than 8 MiB (zstd: at most level 19, no --long)",
	[OUTCOME_CUT] = "its compressed data is cut off",
	[OUTCOME_TOO_MUCH] = "it unpacks to more than is allowed, or than its size makes likely (a bomb)",
	[OUTCOME_DIGEST] = "its content does not have the digest that it is named by",
	[OUTCOME_UNWRITABLE] = "what was unpacked could not be handed over",
	[OUTCOME_UNCONFINED] = "the process that unpacks it could not be confined",
};

int decoder_start(const struct layout_blob *blob, enum document_layer kind, uint64_t max, struct decoder *ret,
		  struct error *err)
{
	AUTO(work_free) struct work *work = work_new(blob, kind, max);
	AUTO_CLOSE int read_fd = -EBADF;
	AUTO_CLOSE int write_fd = -EBADF;
	int ends[2];
	pid_t pid;

	if (!work)
		return error_memory(err);
	if (lseek(blob->fd, (off_t)blob->offset, SEEK_SET) < 0)
		return error_system(err, errno, "lseek in the layout");
	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_system(err, errno, "pipe2");
	read_fd = ends[0];
	write_fd = ends[1];
	/* Fewer turns between the two; no matter where it is not granted. */
	fcntl(read_fd, F_SETPIPE_SZ, PIPE_SIZE);
	work->out_fd = write_fd;
	pid = fork();
	if (pid < 0)
		return error_system(err, errno, "fork");
	if (pid == 0)
		run_confined(work);
	ret->pid = pid;
	ret->fd = steal_fd(&read_fd);
	return 0;
}

int decoder_finish(struct decoder *decoder, struct error *err)
{
	int status = reap_child(decoder->pid);

	decoder->pid = -1;
	if (status < 0)
		return error_system(err, -status, "waitpid");
	if (WIFEXITED(status) && WEXITSTATUS(status) == OUTCOME_SOUND)
		return 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) < N_OUTCOMES)
		return error_set(err, ERROR_REFUSED, EBADMSG, "%s", reasons[WEXITSTATUS(status)]);
	/* A call that strict mode does not have is answered by SIGKILL, a wild pointer by SIGSEGV. */
	return error_set(err, ERROR_REFUSED, EBADMSG, "the process that unpacks it died (%s %d)",
			 WIFSIGNALED(status) ? "signal" : "status",
			 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

void decoder_done(struct decoder *decoder)
{
	close_and_reset(&decoder->fd);
	if (decoder->pid > 0) {
		kill(decoder->pid, SIGKILL);
		reap_child(decoder->pid);
	}
	decoder->pid = -1;
}
