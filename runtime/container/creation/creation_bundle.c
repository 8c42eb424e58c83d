#include "container/creation/creation_bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "container/store.h"

int creation_bundle_find(const char *bundle, char path[static PATH_MAX], struct error *err)
{
	if (!realpath(bundle, path))
		return error_system(err, errno, "open the bundle %s", bundle);
	return 0;
}

static int load_given(const struct brig_attendant *attendant, struct spec **ret, struct buffer *ret_text,
		      struct error *err)
{
	buffer_append(ret_text, attendant->config, attendant->config_length);
	if (ret_text->failed)
		return error_memory(err);
	return spec_parse(attendant->config, attendant->config_length, ret, err);
}

int creation_bundle_load(const char *bundle, const struct brig_create *request, struct spec **ret,
			 struct buffer *ret_text, struct error *err)
{
	AUTO_CLOSE int bundle_fd = -EBADF;
	int rc;

	if (request->attendant)
		return load_given(request->attendant, ret, ret_text, err);
	bundle_fd = open(bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (bundle_fd < 0)
		return error_system(err, errno, "open the bundle %s", bundle);
	rc = spec_load(bundle_fd, request->config ?: STORE_CONFIG, ret, ret_text, err);
	return rc < 0 ? error_prefix(err, "bundle %s", bundle) : 0;
}
