/* The values of a policy file that are the policy's own, as types for base/json. Not for others. */
#pragma once

#include "base/json.h"

/* struct opt_u64 */
extern const struct json_type policy_values_count;	/* processes, 0 for none: a number */
extern const struct json_type policy_values_bytes;	/* "2g", "0" for none */
extern const struct json_type policy_values_processors; /* "1.5", "0" for none; into thousandths */

/* const char *, in the arena */
extern const struct json_type policy_values_path;	/* absolute, normalised, not "/" */
extern const struct json_type policy_values_sysctl;	/* "net.core.somaxconn", "net.ipv4.*"; stored with slashes */
extern const struct json_type policy_values_interface;	/* of a network: "eth1", "mlx*" */
extern const struct json_type policy_values_annotation; /* a name */

extern const struct json_type policy_values_endpoint;	/* struct endpoint */
extern const struct json_type policy_values_capability; /* int */
extern const struct json_type policy_values_access;	/* unsigned: "rw" -> BPF_DEVCG_ACC_* */
