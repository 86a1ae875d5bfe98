// SPDX-License-Identifier: GPL-2.0
/* Workqueues, timers, locks against softirq, barriers: inline functions and macros. */
#include <asm/barrier.h>
#include <linux/jiffies.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/workqueue.h>

#include "helpers.h"

struct workqueue_struct *shim6_helper_alloc_workqueue(const char *name, int max_active)
{
	return alloc_workqueue("%s", WQ_UNBOUND | WQ_MEM_RECLAIM, max_active, name);
}

void shim6_helper_init_work(struct work_struct *work, void (*run)(struct work_struct *work))
{
	INIT_WORK(work, run);
}

void shim6_helper_timer_setup(struct timer_list *timer,
			      void (*expired)(struct timer_list *timer), bool deferrable)
{
	timer_setup(timer, expired, deferrable ? TIMER_DEFERRABLE : 0);
}

/* The tick in progress does not count, so that no timer is early. */
static unsigned long deadline(unsigned int msecs)
{
	return jiffies + msecs_to_jiffies(msecs) + 1;
}

void shim6_helper_timer_arm(struct timer_list *timer, unsigned int msecs)
{
	mod_timer(timer, deadline(msecs));
}

void shim6_helper_timer_arm_within(struct timer_list *timer, unsigned int msecs)
{
	timer_reduce(timer, deadline(msecs));
}

bool shim6_helper_timer_pending(const struct timer_list *timer)
{
	return timer_pending(timer);
}

void shim6_helper_spin_lock_bh(spinlock_t *lock)
{
	spin_lock_bh(lock);
}

bool shim6_helper_spin_trylock_bh(spinlock_t *lock)
{
	return spin_trylock_bh(lock);
}

void shim6_helper_spin_unlock_bh(spinlock_t *lock)
{
	spin_unlock_bh(lock);
}

void shim6_helper_spin_assert_is_held(spinlock_t *lock)
{
	lockdep_assert_held(lock);
}

void shim6_helper_smp_mb(void)
{
	/* What it is paired with is the caller's to say. */
	smp_mb();
}

void shim6_helper_init_delayed_work(struct delayed_work *work,
				    void (*run)(struct work_struct *work))
{
	INIT_DELAYED_WORK(work, run);
}

/* Runs at least @msecs from now, also if it was to run earlier. */
void shim6_helper_queue_delayed_work(struct delayed_work *work, unsigned int msecs)
{
	mod_delayed_work(system_dfl_wq, work, msecs_to_jiffies(msecs));
}
