/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Test Anything Protocol, version 13: one line a test, the plan at the end.
 */
#ifndef SELFTESTS_TAP_H
#define SELFTESTS_TAP_H

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned int tap_tests;
static unsigned int tap_failures;

#define TAP_PRINTF(string, args) __attribute__((format(printf, string, args), unused))

/* A line for the reader, no result. */
TAP_PRINTF(1, 2) static void tap_note(const char *format, ...)
{
	va_list args;

	fputs("# ", stdout);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

/* One test. */
TAP_PRINTF(2, 3) static bool tap_ok(bool ok, const char *format, ...)
{
	va_list args;

	tap_tests++;
	if (!ok)
		tap_failures++;
	printf("%s %u - ", ok ? "ok" : "not ok", tap_tests);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
	return ok;
}

/* A test that cannot be run here. */
TAP_PRINTF(2, 3) static void tap_skip(const char *why, const char *format, ...)
{
	va_list args;

	printf("ok %u - ", ++tap_tests);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf(" # SKIP %s\n", why);
	fflush(stdout);
}

/* The tests cannot go on. */
TAP_PRINTF(1, 2) static void tap_bail(const char *format, ...)
{
	int error = errno;
	va_list args;

	fputs("Bail out! ", stdout);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf(" (%s)\n", strerror(error));
	exit(1);
}

/* The plan, and the exit status of the program. */
__attribute__((unused)) static int tap_done(void)
{
	printf("1..%u\n", tap_tests);
	fflush(stdout);
	return tap_failures || !tap_tests ? 1 : 0;
}

#endif /* SELFTESTS_TAP_H */
