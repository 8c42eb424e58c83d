/* Where a child that is born waits for its parent. */
#pragma once

#include "child/child.h"
#include "parent/birth.h"

/* Two processes that need not meet are spared a wake-up. What runs at once need not wait before it mounts for what its program alone needs:
 * the two work side by side. */
enum child_wait birth_wait_where(const struct birth_request *request);
