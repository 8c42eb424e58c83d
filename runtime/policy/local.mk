runtime_policy_sources = \
	runtime/policy/egress_value.c \
	runtime/policy/egress_value.h \
	runtime/policy/limit_value.c \
	runtime/policy/limit_value.h \
	runtime/policy/policy.c \
	runtime/policy/policy.h \
	runtime/policy/policy_audit.c \
	runtime/policy/policy_document.c \
	runtime/policy/policy_file.c \
	runtime/policy/policy_internal.h \
	runtime/policy/policy_sets.c \
	runtime/policy/policy_values.c \
	runtime/policy/policy_values.h

folder_docs += runtime/policy/README.md
