#include "shim/process/exit_order.h"

#include <stddef.h>

void exit_order_add(struct exit_order *order, struct exit_entry *entry, enum process_kind kind)
{
	*entry = (struct exit_entry){ .kind = kind, .next = order->first };
	order->first = entry;
}

void exit_order_remove(struct exit_order *order, struct exit_entry *entry)
{
	for (struct exit_entry **place = &order->first; *place; place = &(*place)->next) {
		if (*place == entry) {
			*place = entry->next;
			entry->next = NULL;
			return;
		}
	}
}

/* A flag and no place in the order: what is told first is decided by the ends. */
void exit_order_announce(struct exit_entry *entry)
{
	entry->announced = true;
}

void exit_order_exit(struct exit_order *order, struct exit_entry *entry, int status, struct timespec at)
{
	if (entry->exited)
		return;
	entry->exited = true;
	entry->status = status;
	entry->at = at;
	entry->sequence = order->exits++;
}

/* The init's turn comes once it is the only one left. */
static bool may_be_told(const struct exit_order *order, const struct exit_entry *entry)
{
	if (!entry->exited || !entry->announced)
		return false;
	return entry->kind == PROCESS_EXEC || (order->first == entry && !entry->next);
}

struct exit_entry *exit_order_take(struct exit_order *order)
{
	struct exit_entry *found = NULL;

	for (struct exit_entry *entry = order->first; entry; entry = entry->next) {
		if (may_be_told(order, entry) && (!found || entry->sequence < found->sequence))
			found = entry;
	}
	if (found)
		exit_order_remove(order, found);
	return found;
}
