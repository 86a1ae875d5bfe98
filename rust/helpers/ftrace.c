// SPDX-License-Identifier: GPL-2.0
/*
 * ftrace callbacks: access to the registers of the traced call, and the module
 * reference that a redirected call holds. What a callback calls must not be
 * traced itself.
 */
#ifdef CONFIG_X86_KERNEL_IBT
#include <asm/ibt.h>
#endif
#include <linux/ftrace.h>
#include <linux/module.h>
#include <linux/rcupdate.h>

#include "helpers.h"

/* Without arguments there is no callback, see rust/kernel_ext/ftrace/absent.rs. */
#ifdef CONFIG_DYNAMIC_FTRACE_WITH_ARGS
unsigned long notrace shim6_helper_ftrace_argument(struct ftrace_regs *regs, unsigned int n)
{
	return ftrace_regs_get_argument(regs, n);
}

void notrace shim6_helper_ftrace_redirect(struct ftrace_regs *regs, unsigned long target)
{
	ftrace_regs_set_instruction_pointer(regs, target);
}
#else
unsigned long shim6_helper_ftrace_argument(struct ftrace_regs *regs, unsigned int n)
{
	return 0;
}

void shim6_helper_ftrace_redirect(struct ftrace_regs *regs, unsigned long target)
{
}
#endif

/* Where the function begins that calls ftrace at @ip. Nothing but an ENDBR can stand before. */
unsigned long notrace shim6_helper_ftrace_function(unsigned long ip)
{
#ifdef CONFIG_X86_KERNEL_IBT
	u32 before = *(const u32 *)(ip - ENDBR_INSN_SIZE);

	/* What begins a function may have been taken away, as nobody jumps to it indirectly. */
	if (before == gen_endbr() || before == gen_endbr_poison())
		return ip - ENDBR_INSN_SIZE;
#endif
	return ip;
}

bool notrace shim6_helper_in_this_module(unsigned long address)
{
	return within_module(address, THIS_MODULE);
}

bool notrace shim6_helper_this_module_get(void)
{
	return try_module_get(THIS_MODULE);
}

void shim6_helper_this_module_put(void)
{
	module_put(THIS_MODULE);
}

/* Without preemption in the kernel, an ordinary grace period does. */
void shim6_helper_synchronize_rcu_tasks(void)
{
	synchronize_rcu_tasks();
}
