/* A container that somebody attends to (struct brig_attendant). */
#pragma once

#include "container/creation/creation.h"

/* What its child is told; in creation's memory. NULL: nobody does. */
const struct child_attendant *creation_attendant_of(struct creation *creation);
/* Does a v1 group have to be made to count processor time? */
bool creation_attendant_counts(const struct creation *creation);
