// SPDX-License-Identifier: GPL-2.0
/*
 * The programs of the README and of shim6(7), as they are printed there, do what is said of
 * them.
 */
#include "message.h"

#define PORT	7042
#define ECHO	7

/* Runs a program whose standard output is read. */
static FILE *run(const char *command)
{
	FILE *output = popen(command, "re");

	if (!output)
		tap_bail("%s", command);
	return output;
}

/* The program ends with status 0, and these lines are all that it prints. */
static void prints(FILE *output, const char *expected, const char *what)
{
	char text[256] = "";
	size_t len = fread(text, 1, sizeof(text) - 1, output);
	int status = pclose(output);

	text[len] = 0;
	if (!tap_ok(!status && !strcmp(text, expected), "%s", what))
		tap_note("status %d, and it prints: %s", status, text);
}

static void test_readme(void)
{
	int listener = listen_at(&tcp6, ULID_B, PORT);

	prints(run("page_prefer " ULID_A " " ULID_B " 7042 " OTHER_B),
	       "associated: 1\npeer locator: " OTHER_B "\n",
	       "README: a connection prefers another locator of its peer");
	close(listener);
}

static void test_manual(void)
{
	FILE *output;
	int fd;

	fd = patient(&udp6);
	bind_to(fd, ULID_B, ECHO);
	want_both(fd);
	output = run("page_datagram " ULID_A " " ULID_B " " OTHER_B);
	take(fd, &in, 0);
	came(&in, OTHER_B, ULID_A, "shim6(7): the datagram goes over the chosen locator");
	if (connect(fd, (struct sockaddr *)&in.from, sizeof(in.from)))
		tap_bail("connect");
	same(send_over(fd, fresh_mark(), OTHER_B, NULL), 0, "its answer by the same");
	prints(output, "answered from " OTHER_B "\n", "and the program tells by which one it came");
	close(fd);
}

int main(void)
{
	two_ends();
	test_readme();
	test_manual();
	return tap_done();
}
