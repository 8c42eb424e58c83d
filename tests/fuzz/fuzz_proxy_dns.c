/* libFuzzer: any bytes as a resolver's answer to the egress proxy, for a.test; its number is the first two of them. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "proxy/dns_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool is_so)
{
	if (!is_so)
		abort();
}

static void read_as(const uint8_t *data, size_t size, const char *name)
{
	uint16_t id = size >= 2 ? (uint16_t)(data[0] << 8 | data[1]) : 0;
	struct dns_addresses found = { .n = DNS_ADDRESSES_MAX + 1 };
	int rc = dns_message_read(data, size, id, name, &found);

	expect(rc == 0 || rc == -EAGAIN || rc == -EIO);
	if (rc < 0) {
		expect(found.n == DNS_ADDRESSES_MAX + 1);
		return;
	}
	expect(found.type == DNS_A || found.type == DNS_AAAA);
	expect(found.n <= DNS_ADDRESSES_MAX);
	/* No address is made of anything but what was sent. */
	for (size_t i = 0; i < found.n; i++)
		expect(memmem(data, size, found.bytes[i], found.type == DNS_A ? 4 : 16) != NULL);
	expect(dns_message_read(data, size, (uint16_t)(id + 1), name, &found) == -EAGAIN);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_FREE uint8_t *bytes = malloc(size ?: 1);

	memcpy(bytes, data, size);
	read_as(bytes, size, "a.test");
	read_as(bytes, size, "b.a-longer-name.of-three-labels.test");
	return 0;
}
