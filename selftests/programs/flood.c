// SPDX-License-Identifier: GPL-2.0
/*
 * Sends control messages (RFC 5533) as fast as it can, or at a rate, past
 * this host's own Shim6 layer:
 *
 *	flood [-n COUNT] [-r PER-SECOND] i1 PREFIX DESTINATION
 *	flood [-n COUNT] [-r PER-SECOND] i2 PREFIX DESTINATION
 *	flood [-n COUNT] [-r PER-SECOND] copy SOURCE DESTINATION HEX
 *
 * i1: I1 messages, each from another address of another /64 below PREFIX, of
 * which the first 32 bits are taken, with another tag and another nonce.
 * i2: the same with I2 messages, whose validators are made up. copy: the same
 * Shim6 header, given in hexadecimal, from one address; a checksum of its own is
 * computed. Checksums are right in all of them.
 *
 * Its last line is "sent=N seconds=N.NN". SIGTERM ends it early, with that line.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <limits.h>
#include <netinet/ip6.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../lib/arguments.h"

#define SHIM6		140
#define NO_NEXT_HEADER	59
#define I1_TYPE		1
#define I1_LEN		16
#define I2_TYPE		3
#define I2_LEN		24
#define VALIDATOR	1
#define VALIDATOR_LEN	16
/* Type, Length and 16 octets, padded to a multiple of 8. */
#define VALIDATOR_OPTION_LEN	24
#define MOST		1240
#define BATCH		64

struct packet {
	struct ip6_hdr ip;
	unsigned char shim6[MOST];
};

static const char usage[] =
	"usage: flood [-n COUNT] [-r PER-SECOND] i1|i2 PREFIX DESTINATION\n"
	"       flood [-n COUNT] [-r PER-SECOND] copy SOURCE DESTINATION HEX\n"
	"  -n COUNT       messages to send (default 100000); 0: until SIGTERM\n"
	"  -r PER-SECOND  at most so many in a second (default: no limit)\n";

static volatile sig_atomic_t stopped;

static void on_term(int signal)
{
	(void)signal;
	stopped = 1;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static uint64_t random64(void)
{
	static uint64_t state;

	if (!state && getrandom(&state, sizeof(state), 0) != sizeof(state))
		err(1, "getrandom");
	/* Splitmix64: different for 2^64 calls, which is all that is asked of it. */
	uint64_t z = (state += 0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static void randomize(unsigned char *at, size_t len)
{
	uint64_t word;
	size_t n;

	for (; len; at += n, len -= n) {
		word = random64();
		n = len < sizeof(word) ? len : sizeof(word);
		memcpy(at, &word, n);
	}
}

/* Over the Shim6 header only (RFC 5533, section 5.3). */
static void checksum(unsigned char *header, size_t len)
{
	uint32_t sum = 0;
	size_t i;

	header[4] = 0;
	header[5] = 0;
	for (i = 0; i < len; i += 2)
		sum += header[i] << 8 | header[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	header[4] = ~sum >> 8;
	header[5] = ~sum;
}

static void finish(struct packet *packet, size_t len)
{
	packet->ip.ip6_flow = htonl(6U << 28);
	packet->ip.ip6_plen = htons(len);
	packet->ip.ip6_nxt = SHIM6;
	packet->ip.ip6_hlim = 64;
	checksum(packet->shim6, len);
}

/* Another sender, another context. */
static size_t make_up(struct packet *packet, int type)
{
	size_t len = type == I1_TYPE ? I1_LEN : I2_LEN + VALIDATOR_OPTION_LEN;
	unsigned char *octets = packet->shim6;

	randomize(packet->ip.ip6_src.s6_addr + 4, 12);
	memset(octets, 0, len);
	octets[0] = NO_NEXT_HEADER;
	octets[1] = len / 8 - 1;
	octets[2] = type;
	/* Tag (its top bit is reserved), Initiator Nonce. */
	randomize(octets + 6, 10);
	octets[6] &= 0x7f;
	if (type == I2_TYPE) {
		randomize(octets + 16, 4);
		octets[I2_LEN + 1] = VALIDATOR << 1;
		octets[I2_LEN + 3] = VALIDATOR_LEN;
		randomize(octets + I2_LEN + 4, VALIDATOR_LEN);
	}
	return len;
}

static size_t unhex(const char *text, unsigned char *into)
{
	unsigned int octet;
	size_t n = 0;

	for (; *text; text += 2) {
		if (!isxdigit(text[0]) || !isxdigit(text[1]) || sscanf(text, "%2x", &octet) != 1)
			errx(2, "not hexadecimal: %s", text);
		if (n == MOST)
			errx(2, "message too long");
		into[n++] = octet;
	}
	if (n < 8 || n % 8)
		errx(2, "a Shim6 header has a multiple of 8 octets, not %zu", n);
	return n;
}

int main(int argc, char **argv)
{
	static struct packet packets[BATCH];
	static struct mmsghdr messages[BATCH];
	static struct iovec data[BATCH];
	struct sigaction term = { .sa_handler = on_term };
	struct sockaddr_in6 to;
	long count = 100000, rate = 0, sent = 0;
	size_t len = 0;
	double began;
	int fd, option, type = 0, i, n;

	while ((option = getopt(argc, argv, "n:r:")) != -1) {
		switch (option) {
		case 'n':
			count = number(optarg, 0, LONG_MAX);
			break;
		case 'r':
			rate = number(optarg, 0, LONG_MAX);
			break;
		default:
			errx(2, "\n%s", usage);
		}
	}
	argv += optind;
	argc -= optind;
	if (argc == 3 && !strcmp(argv[0], "i1"))
		type = I1_TYPE;
	else if (argc == 3 && !strcmp(argv[0], "i2"))
		type = I2_TYPE;
	else if (argc == 4 && !strcmp(argv[0], "copy"))
		len = unhex(argv[3], packets[0].shim6);
	else
		errx(2, "\n%s", usage);
	packets[0].ip.ip6_src = name(argv[1], 0).sin6_addr;
	to = name(argv[2], 0);

	fd = socket(AF_INET6, SOCK_RAW, IPPROTO_RAW);
	if (fd < 0)
		err(1, "raw socket");
	packets[0].ip.ip6_dst = to.sin6_addr;
	finish(&packets[0], len);
	for (i = 0; i < BATCH; i++) {
		packets[i] = packets[0];
		data[i].iov_base = &packets[i];
		messages[i].msg_hdr.msg_iov = &data[i];
		messages[i].msg_hdr.msg_iovlen = 1;
		messages[i].msg_hdr.msg_name = &to;
		messages[i].msg_hdr.msg_namelen = sizeof(to);
	}

	sigaction(SIGTERM, &term, NULL);
	began = now();
	while (!stopped && (!count || sent < count)) {
		n = count && count - sent < BATCH ? count - sent : BATCH;
		if (rate) {
			double due = sent / (double)rate - (now() - began);

			if (n > rate / 50 + 1)
				n = rate / 50 + 1;
			if (due > 0)
				usleep(due * 1e6);
		}
		for (i = 0; i < n; i++) {
			size_t octets = len;

			if (type) {
				octets = make_up(&packets[i], type);
				finish(&packets[i], octets);
			}
			data[i].iov_len = sizeof(struct ip6_hdr) + octets;
		}
		n = sendmmsg(fd, messages, n, 0);
		if (n > 0)
			sent += n;
		else if (errno != ENOBUFS && errno != EINTR)
			err(1, "sendmmsg");
	}
	printf("sent=%ld seconds=%.2f\n", sent, now() - began);
	return 0;
}
