/* The exit statuses of brig doctor, which its help, the installer and scripts go by. */
#include <criterion/criterion.h>

#include "cmd/brig/commands.h"

Test(cmd_doctor, each_health_has_its_status)
{
	cr_expect_eq(cmd_doctor_status(BRIG_HEALTHY), 0);
	cr_expect_eq(cmd_doctor_status(BRIG_LACKS_SOME), 3);
	cr_expect_eq(cmd_doctor_status(BRIG_LACKS_NEEDED), 4);
}
