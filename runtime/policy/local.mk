runtime_policy_sources = \
	runtime/policy/policy.c \
	runtime/policy/policy.h

folder_docs += runtime/policy/README.md
