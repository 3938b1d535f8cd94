/*
 * A program that is shaped like those that use a TLS library, and waits in a read of it. It says what the call was made with:
 * session, buffer, and where the count goes. SHAPE is how the function that reads gets there, as the libraries do it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline))

struct session {
	int version;
	const struct method *method;
	int fd;
	int (*pull)(struct session *s, void *buf, size_t len);
};

struct method {
	int (*read)(struct session *s, void *buf, size_t len, size_t *count);
};

volatile long sink;

NOINLINE int bytes_of(struct session *s, void *buf, size_t len)
{
	char record[300];
	int n;

	memset(record, len, sizeof(record));
	n = read(s->fd, record, sizeof(record) < len ? sizeof(record) : len);
	if (n <= 0)
		exit(1); /* the test has given up */
	memcpy(buf, record, n);
	return n;
}

/* Keeps all it was called with over a call, and over a loop. */
NOINLINE int read_records(struct session *s, int type, void *buf, size_t len, int peek, size_t *count)
{
	int n = 0;

	for (int tries = 0; tries < 3 && n <= 0; tries++) {
		n = s->pull(s, buf, len - tries);
		sink += type + peek;
	}
	if (n <= 0)
		return -1;
	*count = n;
	s->version += peek;
	return 1;
}

NOINLINE int read_internal(struct session *s, void *buf, size_t len, int peek, size_t *count)
{
	int n;

	s->version++;
	n = read_records(s, 23, buf, len, peek, count);
	if (n < 0 && s->version < 0)
		n = read_records(s, 23, buf, len, peek, count);
	return n;
}

NOINLINE int method_read(struct session *s, void *buf, size_t len, size_t *count)
{
	return read_internal(s, buf, len, 0, count);
}

NOINLINE int method_peek(struct session *s, void *buf, size_t len, size_t *count)
{
	return read_internal(s, buf, len, 1, count);
}

const struct method reads = { method_read }, peeks = { method_peek };

#if SHAPE == 1 /* OpenSSL 1.1.1 and later: wrappers of a function that jumps to a method, which jumps to another function */
NOINLINE int internal(struct session *s, void *buf, size_t len, size_t *count)
{
	if (!s->method)
		return -1;
	if (s->version == 77) {
		sink++;
		return 0;
	}
	sink = s->fd;
	return s->method->read(s, buf, len, count);
}

NOINLINE int SSL_read(struct session *s, void *buf, int num)
{
	size_t n = 0;
	int ret;

	if (num < 0)
		return -1;
	ret = internal(s, buf, num, &n);
	if (ret > 0)
		ret = n;
	return ret;
}

NOINLINE int SSL_read_ex(struct session *s, void *buf, size_t num, size_t *count)
{
	int ret = internal(s, buf, num, count);

	return ret < 0 ? 0 : ret;
}
#elif SHAPE == 2 /* GnuTLS: the arguments move on */
NOINLINE int SSL_read(struct session *s, void *buf, int num)
{
	size_t n = 0;

	if (s->version == 77)
		return -1;
	return read_records(s, 23, buf, num, 0, &n) > 0 ? (int)n : -1;
}

NOINLINE int SSL_read_ex(struct session *s, void *buf, size_t num, size_t *count)
{
	return read_records(s, 23, buf, num, 0, count) > 0;
}
#else /* BoringSSL: the function itself keeps them */
NOINLINE int SSL_read(struct session *s, void *buf, int num)
{
	char room[64];
	int n = 0;

	while (n <= 0) {
		n = s->pull(s, room, num);
		if (n < 0)
			return s->version;
	}
	memcpy(buf, room, n);
	return n;
}

NOINLINE int SSL_read_ex(struct session *s, void *buf, size_t num, size_t *count)
{
	*count = SSL_read(s, buf, num);
	return 1;
}
#endif

NOINLINE int SSL_write(struct session *s, const void *buf, int num)
{
	return write(s->fd, buf, num);
}

NOINLINE int uses(struct session *s, int extended)
{
	char buf[100];
	size_t count = 0;
	int n;

	printf("%p %p %p\n", (void *)s, (void *)buf, (void *)&count);
	fflush(stdout);
	n = extended ? SSL_read_ex(s, buf, sizeof(buf), &count) : SSL_read(s, buf, sizeof(buf));
	printf("%d %zu %.*s\n", n, count, extended ? (int)count : n, buf);
	return n;
}

int main(int argc, char **argv)
{
	struct session s = { .method = argc > 2 ? &peeks : &reads, .pull = bytes_of };

	return uses(&s, argc > 1 && strcmp(argv[1], "ex") == 0) < 0;
}
