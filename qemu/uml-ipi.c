// SPDX-License-Identifier: GPL-2.0
/*
 * Between User-Mode Linux with several processors and the C library.
 *
 * That kernel disables interrupts by a variable, and beside that blocks the signal by
 * which its processors interrupt each other: a system call of the host whenever it
 * disables or enables interrupts, which is several times for each packet. Here that
 * signal is never blocked while the kernel runs: one that comes while it is meant to
 * be is noted, and is given to the kernel when it unblocks it. The kernel does the same
 * with its other signals.
 *
 * Loaded by LD_PRELOAD. The kernel's side is in arch/um/os-Linux/smp.c and, of a
 * processor that has nothing to do, in os_idle_sleep() of arch/um/os-Linux/time.c.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

/* IPI_SIGNAL there. */
#define SIGNAL	SIGRTMIN

typedef int mask_function(int how, const sigset_t *set, sigset_t *old);
typedef int action_function(int signal, const struct sigaction *action, struct sigaction *old);

/* Of one processor, which is a thread. */
static __thread bool is_lazy, is_idle;
static __thread bool is_blocked;
/* Interrupts that came while they were blocked, a bit for each kind. */
static __thread unsigned int pending;

static void (*kernel_handler)(int signal, siginfo_t *info, void *context);

static mask_function *real_mask(void)
{
	static mask_function *function;

	if (!function)
		function = (mask_function *)dlsym(RTLD_NEXT, "sigprocmask");
	return function;
}

/* A signal handler of this thread sees what came before. */
static void set_blocked(bool value)
{
	__atomic_store_n(&is_blocked, value, __ATOMIC_RELAXED);
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static bool is_only(const sigset_t *set, int signal)
{
	/* The kernel has 64 signals, in the first word. */
	return *(const unsigned long *)set == 1UL << (signal - 1);
}

/* Ends the time in which interrupts wait. */
static void unblock(void)
{
	unsigned int came, kind;

	for (;;) {
		set_blocked(false);
		came = __atomic_exchange_n(&pending, 0, __ATOMIC_SEQ_CST);
		if (!came)
			return;
		set_blocked(true);
		for (kind = 0; came >> kind; kind++) {
			siginfo_t info = { .si_value.sival_int = kind };

			if (came >> kind & 1)
				kernel_handler(SIGNAL, &info, NULL);
		}
	}
}

static void on_signal(int signal, siginfo_t *info, void *context)
{
	if (is_blocked) {
		__atomic_fetch_or(&pending, 1U << info->si_value.sival_int, __ATOMIC_RELAXED);
		return;
	}
	set_blocked(true);
	kernel_handler(signal, info, context);
	unblock();
}

int sigaction(int signal, const struct sigaction *action, struct sigaction *old)
{
	action_function *real = (action_function *)dlsym(RTLD_NEXT, "sigaction");
	struct sigaction ours;

	if (signal != SIGNAL || !action)
		return real(signal, action, old);
	kernel_handler = action->sa_sigaction;
	ours = *action;
	ours.sa_sigaction = on_signal;
	/* Softirqs run in the kernel's handler with interrupts enabled. */
	ours.sa_flags |= SA_NODEFER;
	sigdelset(&ours.sa_mask, SIGNAL);
	return real(signal, &ours, old);
}

/* A processor waits for signals that are really blocked, in a signalfd. */
static int begin_idle(const sigset_t *alarm)
{
	sigset_t both = *alarm;
	unsigned int came, kind;
	int err;

	sigaddset(&both, SIGNAL);
	err = real_mask()(SIG_BLOCK, &both, NULL);
	if (err)
		return err;
	is_idle = true;
	came = __atomic_exchange_n(&pending, 0, __ATOMIC_SEQ_CST);
	for (kind = 0; came >> kind; kind++) {
		union sigval value = { .sival_int = kind };

		if (came >> kind & 1)
			pthread_sigqueue(pthread_self(), SIGNAL, value);
	}
	return 0;
}

int sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
	sigset_t both;

	if (!set || old)
		return real_mask()(how, set, old);
	if (is_only(set, SIGNAL) && how == SIG_BLOCK && is_lazy) {
		set_blocked(true);
		return 0;
	}
	if (is_only(set, SIGNAL) && how == SIG_UNBLOCK) {
		if (is_lazy) {
			unblock();
			return 0;
		}
		is_lazy = true;
		return real_mask()(how, set, old);
	}
	if (is_only(set, SIGALRM) && how == SIG_BLOCK && is_lazy && is_blocked)
		return begin_idle(set);
	if (is_only(set, SIGALRM) && how == SIG_UNBLOCK && is_idle) {
		is_idle = false;
		both = *set;
		sigaddset(&both, SIGNAL);
		return real_mask()(how, &both, NULL);
	}
	return real_mask()(how, set, old);
}
