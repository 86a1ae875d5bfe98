// SPDX-License-Identifier: GPL-2.0
/*
 * ftrace callbacks: access to the registers of the traced call, and the module
 * reference that a redirected call holds. What a callback calls must not be
 * traced itself.
 */
#include <linux/ftrace.h>
#include <linux/module.h>

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
