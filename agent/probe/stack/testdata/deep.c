/*
 * A program that waits in a read, many calls deep, in functions whose frames are of all kinds. It says first what it was called through,
 * as libgcc's unwinder sees it.
 */
#include <alloca.h>
#include <execinfo.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline))

volatile long sink;

NOINLINE int bottom(long a, long b)
{
	void *callers[64];
	char c[16];
	int n = backtrace(callers, 64);

	for (int i = 1; i < n; i++)
		printf("%p ", callers[i]);
	printf("\n");
	fflush(stdout);
	n = read(0, c, sizeof(c));
	sink += a + b;
	return n;
}

/* A frame of a size that only the caller knows. */
NOINLINE int room(long depth, long size)
{
	char *more = alloca(size);

	memset(more, depth, size);
	return bottom(depth, size) + more[size - 1];
}

/* All the registers that functions preserve are in use over the call. */
NOINLINE int busy(long depth, long a, long b, long c, long d, long e)
{
	long f = a * b, g = c * d, h = e * depth;
	int n;

	if (depth > 0)
		n = busy(depth - 1, a + 1, b + depth, c ^ a, d + g, e + h);
	else
		n = room(depth + 3, a + 100);
	sink += a + b + c + d + e + f + g + h;
	return n;
}

/* A large frame, and arguments on the stack. */
NOINLINE int large(long a, long b, long c, long d, long e, long f, long g, long h)
{
	volatile char local[5000];
	int n;

	local[a] = b;
	n = busy(9, a, b, c, d, e);
	sink += local[a] + f + g + h;
	return n;
}

int main(void)
{
	int n = large(1, 2, 3, 4, 5, 6, 7, 8);

	printf("%d\n", n);
	return 0;
}
