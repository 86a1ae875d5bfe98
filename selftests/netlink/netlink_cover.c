// SPDX-License-Identifier: GPL-2.0
/*
 * Requests to the generic netlink family shim6, changed by chance for as long as that reaches
 * something new: addresses of the module's code where the kernel has KCOV, and answers that
 * were not seen before. Each request gets an answer, what is refused a sentence, and nothing
 * is left in the end. Much is tried where the kernel has KCOV, little elsewhere.
 *
 *	netlink_cover [SEED [INPUTS]]
 */
#include "inputs.h"

static int fd;
static unsigned long done, refused, silent;
static bool dirty;
static struct search searched;

static void add_request(struct input *input, const struct request *request)
{
	struct message *message = &input->messages[input->count++];

	message->flags = request->header.nlmsg_flags;
	message->len = request->header.nlmsg_len - NLMSG_HDRLEN;
	memcpy(message->octets, request->octets + NLMSG_HDRLEN, message->len);
}

static void context_request(struct input *input)
{
	struct request request;

	begin_add(&request, addresses[OWN], addresses[PEER], 1, 2);
	put_u32(&request, SHIM6_A_FII, 0);
	put_locator(&request, SHIM6_A_LOCATOR_LOCAL, addresses[OWN]);
	put_locator(&request, SHIM6_A_LOCATOR_LOCAL, addresses[OTHER_OWN]);
	put_locator(&request, SHIM6_A_LOCATOR_PEER, addresses[PEER]);
	put_locator(&request, SHIM6_A_LOCATOR_PEER, addresses[PEER_LOCATOR]);
	put_address(&request, SHIM6_A_CURRENT_LOCAL, addresses[OWN]);
	put_address(&request, SHIM6_A_CURRENT_PEER, addresses[PEER_LOCATOR]);
	add_request(input, &request);
}

static void identity_request(struct input *input, const char *name)
{
	struct request request;

	begin_identity(&request, name);
	add_request(input, &request);
}

static void start_request(struct input *input, const char *peer)
{
	struct request request;

	begin_named(&request, SHIM6_CMD_CONTEXT_START, addresses[HBA], peer);
	add_request(input, &request);
}

/* What every command looks like when it is right, behind what it needs. */
static void begin_corpus(void)
{
	static struct input input;
	struct request request;

	for (__u8 command = 1; command < SHIM6_CMD_EVENT; command++) {
		memset(&input, 0, sizeof(input));
		context_request(&input);
		identity_request(&input, command % 2 ? "hostA" : "hostC");
		begin_command(&request, command, 0);
		if (command < SHIM6_CMD_CONTEXT_START) {
			put_address(&request, SHIM6_A_ULID_LOCAL, addresses[OWN]);
			put_address(&request, SHIM6_A_ULID_PEER, addresses[PEER]);
		}
		if (command == SHIM6_CMD_CONTEXT_SET) {
			put_address(&request, SHIM6_A_CURRENT_LOCAL, addresses[OTHER_OWN]);
			put_locator(&request, SHIM6_A_LOCATOR_LOCAL, addresses[OTHER_OWN]);
		}
		if (command == SHIM6_CMD_IDENTITY_GET || command == SHIM6_CMD_IDENTITY_DEL)
			put(&request, SHIM6_A_NAME, command % 2 ? "hostA" : "hostC", 6);
		if (command == SHIM6_CMD_POLICY_ADD || command == SHIM6_CMD_POLICY_DEL) {
			put_address(&request, SHIM6_A_PREFIX, "2001:db8::");
			put_u8(&request, SHIM6_A_PREFIX_LEN, 48);
		}
		add_request(&input, &request);
		begin_command(&request, command, NLM_F_DUMP);
		add_request(&input, &request);
		keep(&searched, &input);
	}

	/* A peer that does not answer. */
	memset(&input, 0, sizeof(input));
	identity_request(&input, "hostA");
	start_request(&input, addresses[PEER]);
	begin_command(&request, SHIM6_CMD_CONTEXT_GET, NLM_F_DUMP);
	add_request(&input, &request);
	keep(&searched, &input);

	/* One that does, as it is this host, and all that can be set then. */
	memset(&input, 0, sizeof(input));
	identity_request(&input, "hostA");
	identity_request(&input, "hostB");
	start_request(&input, addresses[FOREIGN_HBA]);
	begin_named(&request, SHIM6_CMD_CONTEXT_SET, addresses[HBA], addresses[FOREIGN_HBA]);
	put_u32(&request, SHIM6_A_SEND_TIMEOUT, 15000);
	put_u8(&request, SHIM6_A_KEEPALIVES, 1);
	put_u8(&request, SHIM6_A_INITIAL_PROBES, 4);
	put_u32(&request, SHIM6_A_PROBE_TIMEOUT, 500);
	put_u8(&request, SHIM6_A_HOT_STANDBY, 1);
	add_request(&input, &request);
	begin_named(&request, SHIM6_CMD_CONTEXT_SET, addresses[HBA], addresses[FOREIGN_HBA]);
	put_u8(&request, SHIM6_A_RESET, SHIM6_REAP_KEEPALIVES);
	put_address(&request, SHIM6_A_CURRENT_LOCAL, addresses[OTHER_HBA]);
	put_locator(&request, SHIM6_A_LOCATOR_LOCAL, addresses[OTHER_HBA]);
	add_request(&input, &request);
	begin_command(&request, SHIM6_CMD_CONTEXT_GET, NLM_F_DUMP);
	add_request(&input, &request);
	keep(&searched, &input);
}

/* Names of what a dump shows, to be deleted one by one. */
static struct request victims[256];
static unsigned int victim_count;

static void collect(const struct nlmsghdr *header, void *data)
{
	const __u8 *commands = data;	/* How to delete, and by what. */
	const struct nlattr *attr = find_in_message(header, commands[1]);
	const struct nlattr *len = find_in_message(header, SHIM6_A_PREFIX_LEN);

	/* Peers that did not answer have no context. */
	if (!attr)
		return;
	if (victim_count == sizeof(victims) / sizeof(victims[0]))
		tap_bail("more is there than expected");
	begin_command(&victims[victim_count], commands[0], 0);
	put(&victims[victim_count], commands[1], payload(attr), attr->nla_len - NLA_HDRLEN);
	if (len)
		put_u8(&victims[victim_count], SHIM6_A_PREFIX_LEN, *(const __u8 *)payload(len));
	victim_count++;
}

/* Everything goes; returns how many could not be deleted. */
static unsigned int delete_all(void)
{
	static const __u8 kinds[][3] = {
		{ SHIM6_CMD_CONTEXT_DEL, SHIM6_A_TAG_LOCAL, SHIM6_CMD_CONTEXT_GET },
		{ SHIM6_CMD_IDENTITY_DEL, SHIM6_A_NAME, SHIM6_CMD_IDENTITY_GET },
		{ SHIM6_CMD_POLICY_DEL, SHIM6_A_PREFIX, SHIM6_CMD_POLICY_GET },
	};
	struct request request;
	unsigned int failed = 0;

	/* What is established by itself goes first, while nothing can be deleted meanwhile. */
	begin_command(&request, SHIM6_CMD_CONTEXT_FLUSH, 0);
	failed += exchange(fd, &request, NULL, NULL).error != 0;
	for (unsigned int i = 0; i < 3; i++) {
		struct answer answer;

		do {
			victim_count = 0;
			begin_command(&request, kinds[i][2], NLM_F_DUMP);
			answer = exchange(fd, &request, collect, (void *)kinds[i]);
		} while (again(&answer));
		while (victim_count)
			failed += exchange(fd, &victims[--victim_count], NULL, NULL).error != 0;
	}
	return failed;
}

/* The kernel itself refuses without words: headers, flags and commands. */
static bool may_be_silent(const struct message *message, int error)
{
	return error == EOPNOTSUPP || message->len < GENL_HDRLEN;
}

static void show(const struct message *message, struct answer answer)
{
	printf("# flags %#x, errno %d:", message->flags, answer.error);
	for (unsigned int i = 0; i < message->len; i++)
		printf(" %02x", (__u8)message->octets[i]);
	putchar('\n');
}

/* Runs an input in a clean namespace; returns whether it got a new answer. */
static bool run(const void *what)
{
	const struct input *input = what;
	static struct request request;
	unsigned int found = 0;

	for (unsigned int i = 0; i < input->count; i++) {
		const struct message *message = &input->messages[i];
		struct answer answer;
		__u64 hash = NOTHING;

		begin(&request, shim6_family, message->flags);
		memcpy(request.octets + NLMSG_HDRLEN, message->octets, message->len);
		request.header.nlmsg_len += message->len;
		answer = exchange(fd, &request, NULL, NULL);
		if (answer.error) {
			refused++;
			if (!answer.sentence[0] && !may_be_silent(message, answer.error) &&
			    ++silent < 10)
				show(message, answer);
		} else {
			done++;
			dirty = true;
			/* Workers and packets have their turn. */
			if (message->octets[0] == SHIM6_CMD_CONTEXT_START)
				poll(NULL, 0, 2);
		}
		for (const char *at = answer.sentence; *at; at++)
			hash = mixed(hash, (__u8)*at);
		hash = mixed(hash, answer.error);
		hash = mixed(hash, answer.messages > 0);
		hash = mixed(hash, message->len ? message->octets[0] : 0);
		found += is_new(other_than_address(hash));
	}
	return found;
}

static void clean(void)
{
	if (dirty && delete_all())
		tap_bail("something cannot be deleted");
	dirty = false;
}

int main(int argc, char **argv)
{
	unsigned int failed;
	bool covers;

	new_namespace();
	fd = open_shim6();
	for (unsigned int i = 0; i < LOCALS; i++)
		add_local_address(addresses[i]);
	covers = begin_search(&searched, sizeof(struct input), argc, argv);
	begin_corpus();
	search(&searched);

	tap_note("%lu requests were done, %lu refused", done, refused);
	tap_ok(done && refused, "some requests were good, others were not");
	tap_ok(!silent, "all that was refused was refused with a sentence");
	if (covers)
		report("netlink");
	failed = delete_all();
	tap_ok(!failed && !look_at_all(fd).contexts, "nothing is left");
	return tap_done();
}
