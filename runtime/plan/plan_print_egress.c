#include "plan/plan_printer.h"

void plan_print_egress(struct plan_printer *printer, const struct plan_egress *egress)
{
	char text[ENDPOINT_TEXT_MAX];

	if (!egress->enforced)
		return;
	plan_printer_object(printer, "egress");
	plan_printer_bool(printer, "enforced", true);
	plan_printer_bool(printer, "ownNetwork", egress->own_network);
	plan_printer_list(printer, "allow");
	for (size_t i = 0; i < egress->n; i++)
		plan_printer_string(printer, NULL, endpoint_format(&egress->list[i], text));
	plan_printer_list_end(printer);
	plan_printer_object_end(printer);
}
