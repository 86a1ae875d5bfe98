// SPDX-License-Identifier: GPL-2.0
/*
 * Random options and ancillary data from several threads on sockets of their own,
 * valid and not, while the context's locators change, datagrams go and others try to
 * unload the module: each result is what a deliberately naive model says.
 *
 *	socket_random [CALLS [SEED]]
 */
#include "sniffer.h"

#include <pthread.h>
#include <stddef.h>
#include <sys/syscall.h>

#define PORT	7060

enum { THREADS = 4, SOCKETS = 8 };

static unsigned long calls = 20000, seed = 1;
static int netlink, done;
static unsigned long tried, refused, wrong;

/* What the model knows of a socket. */
struct model {
	int fd;
	const struct kind *kind;
	bool has_context;
	int dontshim, standby, recv[2], deferred;
	unsigned int timeout, probes, interval;
	bool explores, prefers[2], lists[2];
};

struct worker {
	pthread_t thread;
	uint64_t state;
	struct model sockets[SOCKETS];
};

static unsigned int roll(struct worker *worker, unsigned int sides)
{
	/* xorshift64*. */
	worker->state ^= worker->state >> 12;
	worker->state ^= worker->state << 25;
	worker->state ^= worker->state >> 27;
	return (worker->state * 0x2545f4914f6cdd1dULL >> 33) % sides;
}

static void open_model(struct worker *worker, struct model *model)
{
	static const struct kind *const kinds[] = { &tcp6, &udp6, &udp6, &raw6 };

	memset(model, 0, sizeof(*model));
	model->kind = kinds[roll(worker, 4)];
	model->deferred = 1;
	model->fd = open_kind(model->kind);
	if (model->fd < 0)
		tap_bail("socket");
	/* Ancillary data is looked at once a socket was asked. */
	get_int(model->fd, SHIM_ASSOCIATED);
	if (roll(worker, 4)) {
		connect_ends(model->fd, PORT);
		model->has_context = true;
	} else if (model->kind == &udp6) {
		struct sockaddr_in6 to = at(FOREIGN, PORT);

		if (roll(worker, 2) && connect(model->fd, (struct sockaddr *)&to, sizeof(to)))
			tap_bail("connect");
	}
}

static bool is_associated(const struct model *model)
{
	return model->has_context && !model->dontshim;
}

static bool is_connected(const struct model *model)
{
	struct sockaddr_in6 peer;
	socklen_t len = sizeof(peer);

	return !getpeername(model->fd, (struct sockaddr *)&peer, &len);
}

static void expect_result(const struct model *model, const char *call, long got, long want)
{
	__atomic_fetch_add(&tried, 1, __ATOMIC_RELAXED);
	if (got == want) {
		if (got && (got < 0 || want > 0))
			__atomic_fetch_add(&refused, 1, __ATOMIC_RELAXED);
		return;
	}
	if (__atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED) < 20)
		tap_note("%s, %s: got %ld, the model says %ld (context %d, DONTSHIM %d)",
			 model->kind->name, call, got, want, model->has_context, model->dontshim);
}

static void flag(struct model *model, const char *name, int option, int *stored, int value,
		 int error)
{
	int want = value < 0 || value > 1 ? EINVAL : error;

	expect_result(model, name, set_int(model->fd, option, value), want);
	if (!want)
		*stored = value;
}

static void receive_option(struct worker *worker, struct model *model)
{
	int side = roll(worker, 2), value = (int)roll(worker, 4) - 1;
	int option = side ? SHIM_LOC_PEER_RECV : SHIM_LOC_LOCAL_RECV;
	bool missing = is_connected(model) && !is_associated(model);
	int error = missing && !(value == 0 && model->recv[side]) ? ENOENT : 0;

	flag(model, "SHIM_LOC_*_RECV", option, &model->recv[side], value, error);
	expect_result(model, "get SHIM_LOC_*_RECV", get_int(model->fd, option),
		      missing ? -ENOENT : model->recv[side]);
}

static void timeout(struct worker *worker, struct model *model)
{
	static const int values[] = { -1, 0, 1, 15, 600, 65535, 65536 };
	int value = values[roll(worker, 7)], want = 0;
	bool wished = model->timeout || model->explores;
	bool is_default = !value && !model->explores;

	if (value < 0 || value > 65535)
		want = EINVAL;
	else if (!is_associated(model) && !(is_default && wished))
		want = ENOENT;
	expect_result(model, "SHIM_APP_TIMEOUT", set_int(model->fd, SHIM_APP_TIMEOUT, value), want);
	if (!want)
		model->timeout = value;
	expect_result(model, "get SHIM_APP_TIMEOUT", get_int(model->fd, SHIM_APP_TIMEOUT),
		      is_associated(model) ? (long)model->timeout : -ENOENT);
}

static void explore(struct worker *worker, struct model *model)
{
	struct shim_pathexplore pe = {
		.pe_probenum = 1 + roll(worker, 17),
		.pe_keepaliveto = 1 + roll(worker, 255),
		.pe_initprobeto = 90 + roll(worker, 60000),
		.pe_reserved = !roll(worker, 10),
	}, got;
	bool none = !roll(worker, 4), wished = model->timeout || model->explores;
	socklen_t len = sizeof(got);
	int want = 0, error;

	if (!none && (pe.pe_probenum > 15 || pe.pe_initprobeto < 100 ||
		      pe.pe_initprobeto > 60000 || pe.pe_reserved))
		want = EINVAL;
	else if (!is_associated(model) && !(none && wished))
		want = ENOENT;
	error = none ? set(model->fd, SHIM_PATHEXPLORE, NULL, 0) :
	       set(model->fd, SHIM_PATHEXPLORE, &pe, sizeof(pe));
	expect_result(model, "SHIM_PATHEXPLORE", error, want);
	if (want)
		return;
	model->explores = !none;
	model->timeout = none ? 0 : pe.pe_keepaliveto;
	if (none || !is_associated(model))
		return;
	expect_result(model, "get SHIM_PATHEXPLORE", get(model->fd, SHIM_PATHEXPLORE, &got, &len),
		      0);
	expect_result(model, "what SHIM_PATHEXPLORE shows", memcmp(&got, &pe, sizeof(pe)), 0);
}

static void prefer_one(struct worker *worker, struct model *model)
{
	static const char *const locators[2][5] = {
		{ ULID_A, OTHER_A, ABSENT_A, FOREIGN, ULID_B },
		{ ULID_B, OTHER_B, ABSENT_A, FOREIGN, ULID_A },
	};
	int side = roll(worker, 2), option = side ? SHIM_LOC_PEER_PREF : SHIM_LOC_LOCAL_PREF;
	unsigned int which = roll(worker, 5), how = roll(worker, 5);
	struct shim_locator record = preferred(locators[side][which], roll(worker, 256));
	int want = 0, error;

	if (how == 0) {
		want = is_associated(model) || model->prefers[side] ? 0 : ENOENT;
		error = set(model->fd, option, NULL, 0);
		if (!want)
			model->prefers[side] = false;
	} else if (how == 1) {
		record.lc_family = roll(worker, 2) ? AF_INET : AF_UNIX;
		want = record.lc_family == AF_UNIX ? EINVAL :
		       is_associated(model) ? EINVALIDLOCATOR : ENOENT;
		error = set(model->fd, option, &record, sizeof(record));
	} else {
		want = !is_associated(model) ? ENOENT : which > 1 ? EINVALIDLOCATOR : 0;
		error = set(model->fd, option, &record, sizeof(record));
		if (!want)
			model->prefers[side] = true;
	}
	expect_result(model, "SHIM_LOC_*_PREF", error, want);
}

static void list(struct worker *worker, struct model *model)
{
	int side = roll(worker, 2), option = side ? SHIM_LOCLIST_PEER : SHIM_LOCLIST_LOCAL;
	struct shim_locator records[SHIM_MAX_LOCATORS] = {
		preferred(side ? ULID_B : ULID_A, roll(worker, 256)),
		preferred(side ? OTHER_B : OTHER_A, roll(worker, 256)),
		preferred(FOREIGN, 1),
	};
	unsigned int how = roll(worker, 5);
	socklen_t len = sizeof(records);
	int want, error;

	if (how == 0) {
		want = is_associated(model) || model->lists[side] ? 0 : ENOENT;
		error = set(model->fd, option, NULL, 0);
		if (!want)
			model->lists[side] = false;
	} else if (how == 1) {
		want = is_associated(model) ? 0 : ENOENT;
		error = get(model->fd, option, records, &len);
		if (!want && (len < 40 || len > 60))
			expect_result(model, "length of SHIM_LOCLIST_*", len, 40);
	} else {
		/* Both that everybody may use, or one too many. */
		want = !is_associated(model) ? ENOENT : how == 2 ? EINVALIDLOCATOR : 0;
		error = set(model->fd, option, records, (how == 2 ? 3 : 2) * sizeof(records[0]));
		if (!want)
			model->lists[side] = true;
	}
	expect_result(model, "SHIM_LOCLIST_*", error, want);
}

static void message(struct worker *worker, struct model *model)
{
	char control[CMSG_SPACE(sizeof(struct sockaddr_in6))] __attribute__((aligned(8))) = "";
	static const char *const locators[] = { OTHER_B, ULID_B, FOREIGN, OTHER_A };
	struct iovec iov = { "sixteen octets...", 16 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	unsigned int how = roll(worker, 4), which = roll(worker, 4);
	struct sockaddr_in6 locator = at(locators[which], 0);
	int want, error;

	if (model->kind == &tcp6 || !is_connected(model))
		return;
	cmsg->cmsg_level = SOL_SHIM;
	cmsg->cmsg_type = how == 0 ? SHIM_IF_SEND : how == 1 ? SHIM_FEEDBACK_POSITIVE :
			  SHIM_LOC_PEER_SEND;
	cmsg->cmsg_len = CMSG_LEN(how == 1 ? 0 : sizeof(locator));
	msg.msg_controllen = CMSG_SPACE(how == 1 ? 0 : sizeof(locator));
	if (how != 1)
		memcpy(CMSG_DATA(cmsg), &locator, sizeof(locator));
	want = how == 0 ? EINVAL : !is_associated(model) ? ENOENT : how == 1 || which < 2 ? 0 :
	       EINVALIDLOCATOR;
	error = sendmsg(model->fd, &msg, MSG_DONTWAIT) < 0 ? errno : 0;
	/* Errors of datagrams before, and of buffers, are not what this is about. */
	if (error == ECONNREFUSED || error == EAGAIN || error == ENOBUFS || error == EHOSTUNREACH)
		return;
	expect_result(model, "ancillary data", error, want);
}

static void step(struct worker *worker, struct model *model)
{
	switch (roll(worker, 12)) {
	case 0:
		expect_result(model, "SHIM_ASSOCIATED", get_int(model->fd, SHIM_ASSOCIATED),
			      is_associated(model));
		break;
	case 1:
		/* What a connection may do depends on where its packets go. */
		if (model->kind != &tcp6)
			flag(model, "SHIM_DONTSHIM", SHIM_DONTSHIM, &model->dontshim,
			     (int)roll(worker, 4) - 1, 0);
		expect_result(model, "get SHIM_DONTSHIM", get_int(model->fd, SHIM_DONTSHIM),
			      model->dontshim);
		break;
	case 2:
		flag(model, "SHIM_HOT_STANDBY", SHIM_HOT_STANDBY, &model->standby,
		     (int)roll(worker, 4) - 1, 0);
		expect_result(model, "get SHIM_HOT_STANDBY", get_int(model->fd, SHIM_HOT_STANDBY),
			      model->standby);
		break;
	case 3:
		flag(model, "SHIM_CONTEXT_DEFERRED_SETUP", SHIM_CONTEXT_DEFERRED_SETUP,
		     &model->deferred, (int)roll(worker, 4) - 1, 0);
		expect_result(model, "get SHIM_CONTEXT_DEFERRED_SETUP",
			      get_int(model->fd, SHIM_CONTEXT_DEFERRED_SETUP), model->deferred);
		break;
	case 4:
		receive_option(worker, model);
		break;
	case 5:
		timeout(worker, model);
		break;
	case 6:
		explore(worker, model);
		break;
	case 7:
		prefer_one(worker, model);
		break;
	case 8:
		list(worker, model);
		break;
	case 9:
		message(worker, model);
		break;
	case 10:
		expect_result(model, "an unknown option",
			      set_int(model->fd, 19 + roll(worker, 40), 1), ENOPROTOOPT);
		break;
	default:
		if (!roll(worker, 8)) {
			close(model->fd);
			open_model(worker, model);
		}
	}
}

static void *work(void *data)
{
	struct worker *worker = data;

	for (int i = 0; i < SOCKETS; i++)
		open_model(worker, &worker->sockets[i]);
	while (__atomic_load_n(&tried, __ATOMIC_RELAXED) < calls)
		step(worker, &worker->sockets[roll(worker, SOCKETS)]);
	for (int i = 0; i < SOCKETS; i++)
		close(worker->sockets[i].fd);
	return NULL;
}

/* Somebody moves the context, and somebody wants to unload the module. */
static void *disturb(void *data)
{
	unsigned long *unloaded = data;

	while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE)) {
		use_locators(netlink, TAG_A, OTHER_A, OTHER_B);
		if (!syscall(SYS_delete_module, "shim6", O_NONBLOCK))
			(*unloaded)++;
		use_locators(netlink, TAG_A, ULID_A, ULID_B);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	static struct worker workers[THREADS];
	int base = module_users(), pinned, sink, listener;
	unsigned long unloaded = 0;
	pthread_t disturber;

	if (argc > 1)
		calls = strtoul(argv[1], NULL, 0);
	if (argc > 2)
		seed = strtoul(argv[2], NULL, 0);
	new_namespace();
	add_addresses();
	add_local_address(FOREIGN);
	netlink = open_shim6();
	add_contexts(netlink);
	listener = listen_at(&tcp6, ULID_B, PORT);
	if (listen(listener, 1024))
		tap_bail("listen");
	sink = open_kind(&udp6);
	bind_to(sink, ULID_B, PORT);
	pinned = open_kind(&udp6);
	set_int(pinned, SHIM_DONTSHIM, 1);

	tap_note("%lu calls, seed %lu", calls, seed);
	for (int i = 0; i < THREADS; i++) {
		workers[i].state = seed * 1000003 + i + 1;
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
			tap_bail("thread");
	}
	if (pthread_create(&disturber, NULL, disturb, &unloaded))
		tap_bail("thread");
	for (int i = 0; i < THREADS; i++)
		pthread_join(workers[i].thread, NULL);
	__atomic_store_n(&done, 1, __ATOMIC_RELEASE);
	pthread_join(disturber, NULL);

	same(wrong, 0, "each result is that of the model");
	tap_ok(tried >= calls && refused > calls / 20, "of %lu calls, of which %lu are refused",
	       calls, refused);
	same(unloaded, 0, "the module was never unloaded");
	close(pinned);
	close(listener);
	close(sink);
	for (int i = 0; i < 1000 && module_users() != base; i++)
		usleep(10000);
	same(module_users(), base, "nothing is left");
	return tap_done();
}
