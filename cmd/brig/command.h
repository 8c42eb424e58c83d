/* What a command of brig is: one table for each, from which the parser, --help, the man pages and the completion all come,
 * so that they can't disagree. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "container/brig.h"

/* How an option's value is written, and what it becomes in the command's options structure. */
enum option_type {
	OPTION_FLAG,	 /* bool; also --x=true and --x=false */
	OPTION_SWITCH,	 /* enum option_switch: a flag whose absence means "as it was" */
	OPTION_STRING,	 /* const char * */
	OPTION_UNSIGNED, /* unsigned */
	OPTION_NUMBER,	 /* struct option_number */
	OPTION_SIZE,	 /* struct option_number: bytes, with k, m, g or t as powers of 1024; -1: no limit */
	OPTION_DURATION, /* uint64_t, milliseconds; written as Go does: 5s, 1m30s, 250ms */
	OPTION_ENUM,	 /* int: the index in choices */
	OPTION_LIST,	 /* struct option_list: may be given several times */
};

enum option_switch { OPTION_SWITCH_UNSET, OPTION_SWITCH_OFF, OPTION_SWITCH_ON };

struct option_number {
	bool set;
	int64_t value;
};

struct option_list {
	const char **items; /* NULL-terminated; NULL where the option was not given */
	size_t n_items;
};

#define OPTION_HIDDEN 1u	 /* accepted, and in no help: for callers that pass what means nothing here */
#define OPTION_WITHOUT_EFFECT 2u /* accepted with a warning */
#define OPTION_LIMITED 4u	 /* a size that has no "no limit" */

struct command_option {
	const char *name; /* without dashes; NULL ends a table */
	char letter;	  /* or 0 */
	enum option_type type;
	unsigned flags;
	size_t offset;	      /* of the value in the options structure */
	const char *argument; /* what the value stands for: DIR, FILE, a|b; NULL for flags */
	const char *choices;  /* enum: "a|b|c"; NULL: argument is that list */
	const char *help;     /* a sentence without its full stop */
};

enum positional_kind {
	POSITIONAL_END,	      /* ends a table */
	POSITIONAL_CONTAINER, /* the id of a container that exists */
	POSITIONAL_WORD,
	POSITIONAL_OPTIONAL,
	POSITIONAL_REST, /* this and all that follows, options too; const char *const *, NULL-terminated, NULL if there is none */
	POSITIONAL_REST_VERBATIM, /* the same, and begins right after the argument before it */
};

struct command_positional {
	enum positional_kind kind;
	size_t offset; /* of a const char * in the options structure, but for the rest */
	const char *name, *help;
};

struct command_example {
	const char *line, *explanation; /* line NULL ends a table */
};

enum command_group { COMMAND_RUNS, COMMAND_LOOKS, COMMAND_CHANGES, COMMAND_PREPARES, COMMAND_HIDDEN };

#define COMMAND_PROTECTS_ITSELF 1u  /* starts a program inside: brig must be out of that program's reach first */
#define COMMAND_USAGE_IS_FAILURE 2u /* failure_status is that of a bad command line too */
#define COMMAND_KEEPS_NO_STATE 4u   /* touches no state directory */
#define COMMAND_RELAYS_OUTPUT 8u /* a program that it starts has not our standard streams: brig writes what it wrote */
#define COMMAND_OPTIONS_MAX 512

struct command {
	const char *name, *summary; /* summary: a phrase, lower case, without full stop */
	const char *description;    /* paragraphs, an empty line between them; or NULL */
	enum command_group group;
	unsigned flags;
	int failure_status;   /* the exit status of a failure; 0: 1 */
	size_t options_size;  /* of the options structure; at most COMMAND_OPTIONS_MAX */
	const void *defaults; /* an options structure to begin with; NULL: zeroes */
	const struct command_option *options;
	const struct command_positional *positionals;
	const struct command_example *examples;
	/* Returns the exit status, or a negative errno with err set. */
	int (*run)(const struct brig *brig, const void *options, struct error *err);
};

/* Size and check at once. */
#define COMMAND_OPTIONS_SIZE(type) (sizeof(type) + 0 * sizeof(char[sizeof(type) <= COMMAND_OPTIONS_MAX ? 1 : -1]))

#define command_for_each_option(option, command) \
	for (const struct command_option *option = (command)->options; option && option->name; option++)
#define command_for_each_positional(positional, command)                                                           \
	for (const struct command_positional *positional = (command)->positionals; positional && positional->kind; \
	     positional++)
