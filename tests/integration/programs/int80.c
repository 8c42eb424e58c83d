/* Prints what getppid(2) gives by way of the 32-bit entry: 64 is its number there, and 110 the 64-bit one. */
#include <stdio.h>

int main(void)
{
	long result;

	__asm__ volatile("int $0x80" : "=a"(result) : "a"(64L) : "memory");
	printf("%ld\n", result);
	return 0;
}
