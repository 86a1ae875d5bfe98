// SPDX-License-Identifier: GPL-2.0
/*
 * Random options and ancillary data from several threads on random sockets, valid and
 * not, while the context's locators change, packets come and go and others try to
 * unload the module: each result is what a deliberately naive model says, and nothing
 * is left in the end.
 *
 *	socket_random [CALLS [SEED]]
 */
#include "sniffer.h"

#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define PORT	7060

enum { THREADS = 4, SOCKETS = 32, CONNECTIONS = 256 };

static unsigned long calls = 20000, seed = 1;
static int netlink, done;
static unsigned long tried, refused, wrong, heard;

/* What the model knows of a socket. */
static struct model {
	int fd;
	const struct kind *kind;
	bool has_context;
	int dontshim, standby, recv[2], deferred;
	unsigned int timeout, probes, interval;
	bool explores, prefers[2], lists[2];
} models[SOCKETS];

static pthread_mutex_t locks[SOCKETS];

struct worker {
	pthread_t thread;
	uint64_t state;
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

	*model = (struct model){ .kind = kinds[roll(worker, 4)], .deferred = 1 };
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

/* One locator at most of each side that was asked for, and one that the side has. */
static bool is_told(const struct model *model, struct msghdr *msg)
{
	static const char *const locators[2][2] = { { ULID_A, OTHER_A }, { ULID_B, OTHER_B } };
	bool may_be_told = is_associated(model) && model->kind != &tcp6;
	unsigned int count[2] = { 0 };
	char text[INET6_ADDRSTRLEN];

	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		int side = cmsg->cmsg_type == SHIM_LOC_PEER_RECV;
		struct sockaddr_in6 locator;

		memcpy(&locator, CMSG_DATA(cmsg), sizeof(locator));
		if (cmsg->cmsg_level != SOL_SHIM || !may_be_told || !model->recv[side] ||
		    count[side]++ || !(is(&locator.sin6_addr, locators[side][0]) ||
				       is(&locator.sin6_addr, locators[side][1]))) {
			inet_ntop(AF_INET6, &locator.sin6_addr, text, sizeof(text));
			tap_note("level %d, type %d, %s, wanted %d, %u of this side",
				 cmsg->cmsg_level, cmsg->cmsg_type, text, model->recv[side],
				 count[side]);
			return false;
		}
		__atomic_fetch_add(&heard, 1, __ATOMIC_RELAXED);
	}
	return true;
}

/* What came, up to a few messages. */
static void receive(struct model *model)
{
	char control[2 * CMSG_SPACE(sizeof(struct sockaddr_in6))] __attribute__((aligned(8)));
	char octets[2048];

	for (int i = 0; i < 4; i++) {
		struct sockaddr_in6 from;
		struct iovec iov = { octets, sizeof(octets) };
		struct msghdr msg = { .msg_name = &from, .msg_namelen = sizeof(from),
				      .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
				      .msg_controllen = sizeof(control) };

		if (recvmsg(model->fd, &msg, MSG_DONTWAIT) <= 0)
			return;
		/* Before it is bound, a raw socket gets what is for B, too. */
		if (model->kind == &raw6 && !is(&from.sin6_addr, ULID_B))
			continue;
		expect_result(model, "what is told of a message", is_told(model, &msg), true);
	}
}

static void message(struct worker *worker, struct model *model)
{
	char control[CMSG_SPACE(sizeof(struct sockaddr_in6))] __attribute__((aligned(8))) = "";
	static const char *const locators[] = { OTHER_B, ULID_B, FOREIGN, OTHER_A };
	struct iovec iov = { "sixteen octets...", 16 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
	unsigned int how = roll(worker, 5), which = roll(worker, 4);
	struct sockaddr_in6 locator = at(locators[which], 0);
	struct pollfd answer = { .fd = model->fd, .events = POLLIN };
	int want, error;

	if (!is_connected(model))
		return;
	receive(model);
	cmsg->cmsg_level = SOL_SHIM;
	cmsg->cmsg_type = how == 0 ? SHIM_IF_SEND : how == 1 ? SHIM_FEEDBACK_POSITIVE :
			  SHIM_LOC_PEER_SEND;
	cmsg->cmsg_len = CMSG_LEN(how == 1 ? 0 : sizeof(locator));
	msg.msg_controllen = how == 4 ? 0 : CMSG_SPACE(how == 1 ? 0 : sizeof(locator));
	if (how != 1)
		memcpy(CMSG_DATA(cmsg), &locator, sizeof(locator));
	want = how == 4 ? 0 : model->kind == &tcp6 ? EOPNOTSUPP : how == 0 ? EINVAL :
	       !is_associated(model) ? ENOENT : how == 1 || which < 2 ? 0 : EINVALIDLOCATOR;
	error = sendmsg(model->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? errno : 0;
	/* Errors of datagrams before, and of buffers, are not what this is about. */
	if (error == ECONNREFUSED || error == EAGAIN || error == ENOBUFS || error == EHOSTUNREACH)
		return;
	expect_result(model, "ancillary data", error, want);
	/* On a busy machine no answer would be there in time, were none waited for. */
	if (!error && model->kind == &udp6 && !roll(worker, 4) &&
	    poll(&answer, 1, 1000) > 0)
		receive(model);
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

	while (__atomic_load_n(&tried, __ATOMIC_RELAXED) < calls) {
		unsigned int which = roll(worker, SOCKETS);

		pthread_mutex_lock(&locks[which]);
		step(worker, &models[which]);
		pthread_mutex_unlock(&locks[which]);
	}
	return NULL;
}

/* The peer: accepts, answers, and closes when the other end has. */
static void *answer(void *data)
{
	struct pollfd fds[2 + CONNECTIONS];
	struct sockaddr_in6 from;
	int *ends = data, count = 2;
	char octets[2048];

	for (int i = 0; i < 2; i++)
		fds[i] = (struct pollfd){ .fd = ends[i], .events = POLLIN };
	while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE)) {
		int fd;

		if (poll(fds, count, 100) <= 0)
			continue;
		for (int i = count - 1; i >= 2; i--) {
			ssize_t len;

			if (!fds[i].revents)
				continue;
			len = recv(fds[i].fd, octets, sizeof(octets), MSG_DONTWAIT);
			if (len > 0) {
				send(fds[i].fd, octets, len, MSG_DONTWAIT | MSG_NOSIGNAL);
			} else {
				close(fds[i].fd);
				fds[i] = fds[--count];
			}
		}
		while (count < 2 + CONNECTIONS &&
		       (fd = accept4(ends[0], NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0)
			fds[count++] = (struct pollfd){ .fd = fd, .events = POLLIN };
		for (int i = 0; i < 16; i++) {
			socklen_t len = sizeof(from);
			ssize_t got = recvfrom(ends[1], octets, sizeof(octets), MSG_DONTWAIT,
					       (struct sockaddr *)&from, &len);

			if (got < 0)
				break;
			sendto(ends[1], octets, got, MSG_DONTWAIT, (struct sockaddr *)&from, len);
		}
	}
	while (count > 2)
		close(fds[--count].fd);
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

/*
 * Objects of these caches. The kernel keeps some that were freed: each processor has a few
 * until the cache is shrunk, and the last namespace that went is freed with the next one.
 */
static const char *const caches[] = { "TCPv6", "UDPv6", "RAWv6", "net_namespace" };

enum { CACHES = sizeof(caches) / sizeof(caches[0]) };

static FILE *open_cache(const char *cache, const char *what, const char *mode)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/kernel/slab/%s/%s", cache, what);
	return fopen(path, mode);
}

static void count_objects(long *objects)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(unshare(CLONE_NEWNET));
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		tap_bail("a namespace that goes at once");
	for (int i = 0; i < CACHES; i++) {
		FILE *file = open_cache(caches[i], "shrink", "we");

		objects[i] = -1;
		if (!file)
			continue;
		fputs("1", file);
		fclose(file);
		file = open_cache(caches[i], "objects", "re");
		if (!file || fscanf(file, "%ld", &objects[i]) != 1)
			tap_bail("objects of %s", caches[i]);
		fclose(file);
	}
}

/* As many objects as before, after a minute at most. */
static void nothing_is_left(const long *before)
{
	long objects[CACHES];
	int more = 1;

	for (int i = 0; i < 600 && more; i++) {
		usleep(100000);
		count_objects(objects);
		more = 0;
		for (int j = 0; j < CACHES; j++)
			more += objects[j] > before[j];
	}
	for (int i = 0; i < CACHES; i++) {
		if (before[i] < 0)
			tap_skip("no such cache in /sys/kernel/slab", "no more objects of %s",
				 caches[i]);
		else if (!tap_ok(objects[i] <= before[i], "no more objects of %s", caches[i]))
			tap_note("%ld, before %ld", objects[i], before[i]);
	}
}

static void start(pthread_t *thread, void *(*function)(void *), void *data)
{
	if (pthread_create(thread, NULL, function, data))
		tap_bail("thread");
}

int main(int argc, char **argv)
{
	static struct worker workers[THREADS], first;
	int base = module_users_at_rest(), home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int pinned, ends[2];
	unsigned long unloaded = 0;
	pthread_t disturber, answerer;
	long before[CACHES];

	if (argc > 1)
		calls = strtoul(argv[1], NULL, 0);
	if (argc > 2)
		seed = strtoul(argv[2], NULL, 0);
	count_objects(before);
	count_objects(before);
	netlink = two_ends();
	add_local_address(FOREIGN);
	ends[0] = listen_at(&tcp6, ULID_B, PORT);
	if (listen(ends[0], 1024) || fcntl(ends[0], F_SETFL, O_NONBLOCK))
		tap_bail("listen");
	ends[1] = open_kind(&udp6);
	bind_to(ends[1], ULID_B, PORT);
	pinned = open_kind(&udp6);
	set_int(pinned, SHIM_DONTSHIM, 1);

	tap_note("%lu calls, seed %lu", calls, seed);
	start(&answerer, answer, ends);
	first.state = seed;
	for (int i = 0; i < SOCKETS; i++) {
		pthread_mutex_init(&locks[i], NULL);
		open_model(&first, &models[i]);
	}
	for (int i = 0; i < THREADS; i++) {
		workers[i].state = seed * 1000003 + i + 1;
		start(&workers[i].thread, work, &workers[i]);
	}
	start(&disturber, disturb, &unloaded);
	for (int i = 0; i < THREADS; i++)
		pthread_join(workers[i].thread, NULL);
	__atomic_store_n(&done, 1, __ATOMIC_RELEASE);
	pthread_join(disturber, NULL);
	pthread_join(answerer, NULL);
	for (int i = 0; i < SOCKETS; i++)
		close(models[i].fd);

	same(wrong, 0, "each result is that of the model");
	tap_ok(tried >= calls && refused > calls / 20, "of %lu calls, of which %lu are refused",
	       tried, refused);
	tap_ok(heard > calls / 5000, "with %lu locators of received datagrams", heard);
	same(unloaded, 0, "the module was never unloaded");
	close(pinned);
	close(ends[0]);
	close(ends[1]);
	close(netlink);
	for (int i = 0; i < 1000 && module_users() != base; i++)
		usleep(10000);
	same(module_users(), base, "the module has no more users");
	same(still_taken_over("ip6_datagram_send_ctl"), 0,
	     "no function of the kernel is taken over");
	same(still_taken_over("sock_cmsg_send"), 0, "nor that of TCP");
	if (setns(home, CLONE_NEWNET))
		tap_bail("return to the namespace");
	nothing_is_left(before);
	return tap_done();
}
