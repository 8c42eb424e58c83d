#include "plan/plan_printer.h"

void plan_print_landlock(struct plan_printer *printer, const struct plan_landlock *landlock)
{
	if (!landlock->enabled && !landlock->refuses_tcp)
		return;
	plan_printer_object(printer, "landlock");
	plan_printer_bool(printer, "enabled", landlock->enabled);
	plan_printer_bool(printer, "refuses_tcp", landlock->refuses_tcp);
	plan_printer_list(printer, "places");
	for (size_t i = 0; i < landlock->n_places; i++)
		plan_printer_string(printer, NULL, landlock->places[i].destination);
	plan_printer_list_end(printer);
	plan_printer_object_end(printer);
}
