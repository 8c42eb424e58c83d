/* The tables that config.json is decoded by, one an object. Internal to spec. */
#pragma once

#include "base/json.h"

extern const struct json_type spec_type;	   /* struct spec: the whole document */
extern const struct json_type spec_type_process;   /* struct spec_process */
extern const struct json_type spec_type_linux;	   /* struct spec_linux */
extern const struct json_type spec_type_resources; /* struct spec_resources */
extern const struct json_type spec_type_seccomp;   /* struct spec_seccomp */

/* Lists of struct spec_id_mapping. */
extern const struct json_type spec_type_id_mappings;
