#include "parent/seccomp/seccomp_code.h"

#include <stdlib.h>

#define NOWHERE SIZE_MAX
/* Each place costs an instruction, or stands for a return that will be one. */
#define PLACES_MAX (2 * SECCOMP_CODE_MAX)
#define SHORT_JUMP_MAX 255

struct seccomp_code_place {
	size_t position; /* in reversed; of the copy that is nearest by now */
	bool is_return;
	uint32_t action;
};

struct seccomp_code *seccomp_code_new(struct arena *arena)
{
	struct seccomp_code *code = arena_new_of(arena, struct seccomp_code);

	if (!code)
		return NULL;
	code->reversed = arena_array_of(arena, SECCOMP_CODE_MAX, struct sock_filter);
	code->places = arena_array_of(arena, PLACES_MAX, struct seccomp_code_place);
	return code->reversed && code->places ? code : NULL;
}

static void emit(struct seccomp_code *code, struct sock_filter instruction)
{
	if (code->n == SECCOMP_CODE_MAX)
		code->overflow = true;
	else
		code->reversed[code->n++] = instruction;
}

static struct seccomp_target new_place(struct seccomp_code *code, struct seccomp_code_place place)
{
	if (code->n_places == PLACES_MAX) {
		code->overflow = true;
		return (struct seccomp_target){ 0 };
	}
	code->places[code->n_places] = place;
	return (struct seccomp_target){ (uint32_t)code->n_places++ };
}

struct seccomp_target seccomp_code_return(struct seccomp_code *code, uint32_t action)
{
	for (size_t i = 0; i < code->n_places; i++)
		if (code->places[i].is_return && code->places[i].action == action)
			return (struct seccomp_target){ (uint32_t)i };
	return new_place(code, (struct seccomp_code_place){ NOWHERE, true, action });
}

struct seccomp_target seccomp_code_here(struct seccomp_code *code)
{
	return new_place(code, (struct seccomp_code_place){ .position = code->n - 1 });
}

void seccomp_code_load(struct seccomp_code *code, uint32_t offset)
{
	emit(code, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset));
}

void seccomp_code_and(struct seccomp_code *code, uint32_t mask)
{
	emit(code, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, mask));
}

/* How many instructions the next one has to skip to get there. */
static size_t distance(const struct seccomp_code *code, const struct seccomp_code_place *place)
{
	return code->n - 1 - place->position;
}

/* A return is as long as a jump to it. */
static void copy_here(struct seccomp_code *code, struct seccomp_code_place *place)
{
	if (place->is_return)
		emit(code, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, place->action));
	else
		emit(code, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, (uint32_t)distance(code, place)));
	place->position = code->n - 1;
}

/* Brings target within reach of an instruction that comes `after` instructions from here. */
static struct seccomp_code_place *reach(struct seccomp_code *code, struct seccomp_target target, size_t after)
{
	struct seccomp_code_place *place = &code->places[target.place];

	if (place->position == NOWHERE || distance(code, place) + after > SHORT_JUMP_MAX)
		copy_here(code, place);
	return place;
}

void seccomp_code_branch(struct seccomp_code *code, uint16_t operation, uint32_t value, struct seccomp_target yes,
			 struct seccomp_target no)
{
	/* Reaching for the second may put one more instruction between here and the first. */
	const struct seccomp_code_place *yes_place = reach(code, yes, /* after= */ 1);
	const struct seccomp_code_place *no_place = reach(code, no, /* after= */ 0);

	if (code->overflow)
		return;
	emit(code, (struct sock_filter)BPF_JUMP(BPF_JMP | operation | BPF_K, value, (uint8_t)distance(code, yes_place),
						(uint8_t)distance(code, no_place)));
}

void seccomp_code_continue(struct seccomp_code *code, struct seccomp_target target)
{
	struct seccomp_code_place *place = &code->places[target.place];

	if (place->position == NOWHERE || place->position != code->n - 1)
		copy_here(code, place);
}

struct sock_filter *seccomp_code_steal(const struct seccomp_code *code)
{
	struct sock_filter *program = calloc(code->n, sizeof(*program));

	for (size_t i = 0; program && i < code->n; i++)
		program[i] = code->reversed[code->n - 1 - i];
	return program;
}
