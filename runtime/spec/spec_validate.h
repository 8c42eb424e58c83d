/* What the tables can't say: rules of the OCI specification between fields, and the forms of strings. Nothing here looks at
 * the host. Each returns 0, or -EINVAL with err set: the path in the document, what was found, what is allowed. */
#pragma once

#include "base/error.h"
#include "spec/spec.h"

/* The whole document, part by part; the first thing that is wrong is reported. */
int spec_validate(const struct spec *spec, struct error *err);
/* where: "process.", or "" for a document of its own. */
int spec_validate_process(const struct spec_process *process, const char *where, struct error *err);
/* where: "linux.resources.", or "" for a document of its own. */
int spec_validate_resources(const struct spec_resources *resources, const char *where, struct error *err);
int spec_validate_hooks(const struct spec_hooks *hooks, struct error *err);
int spec_validate_mounts(const struct spec *spec, struct error *err);
int spec_validate_linux(const struct spec_linux *linux_, struct error *err);
int spec_validate_seccomp(const struct spec_seccomp *seccomp, struct error *err);
/* One id map. where: "linux.", "mounts[2]."; name: "uidMappings". */
int spec_validate_id_map(const struct spec_id_mapping *list, size_t n, const char *where, const char *name,
			 struct error *err);
/* The namespace of that type (CLONE_NEW*), or NULL: the container stays in the runtime's. */
const struct spec_namespace *spec_validate_find_namespace(const struct spec_linux *linux_, uint64_t type);
