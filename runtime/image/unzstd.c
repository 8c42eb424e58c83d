/* The calls for memory of our own are in zstd.h for static linking alone. */
#define ZSTD_STATIC_LINKING_ONLY
#include "image/unzstd.h"

#include <errno.h>
#include <stdlib.h>

#include <zstd.h>
#include <zstd_errors.h>

struct unzstd {
	ZSTD_DStream *stream;
	bool complete;
	void *memory;
};

struct unzstd *unzstd_new(void)
{
	struct unzstd *unzstd = calloc(1, sizeof(*unzstd));
	size_t size = ZSTD_estimateDStreamSize((size_t)1 << UNZSTD_WINDOW_LOG_MAX);

	if (!unzstd)
		return NULL;
	unzstd->memory = malloc(size);
	unzstd->stream = unzstd->memory ? ZSTD_initStaticDStream(unzstd->memory, size) : NULL;
	if (!unzstd->stream ||
	    ZSTD_isError(ZSTD_DCtx_setParameter(unzstd->stream, ZSTD_d_windowLogMax, UNZSTD_WINDOW_LOG_MAX))) {
		unzstd_free(unzstd);
		return NULL;
	}
	return unzstd;
}

void unzstd_free(struct unzstd *unzstd)
{
	if (!unzstd)
		return;
	free(unzstd->memory);
	free(unzstd);
}

int unzstd_step(struct unzstd *unzstd, struct window *window)
{
	ZSTD_inBuffer in = { .src = window->in, .size = window->n_in };
	ZSTD_outBuffer out = { .dst = window->out, .size = window->n_out };
	size_t rc;

	if (in.size == 0 && unzstd->complete)
		return 0;
	rc = ZSTD_decompressStream(unzstd->stream, &out, &in);
	if (ZSTD_isError(rc)) {
		ZSTD_ErrorCode code = ZSTD_getErrorCode(rc);

		return code == ZSTD_error_frameParameter_windowTooLarge || code == ZSTD_error_memory_allocation
			       ? -EFBIG
			       : -EBADMSG;
	}
	unzstd->complete = rc == 0;
	window->in += in.pos;
	window->n_in -= in.pos;
	window->out += out.pos;
	window->n_out -= out.pos;
	return 0;
}

bool unzstd_is_complete(const struct unzstd *unzstd)
{
	return unzstd->complete;
}
