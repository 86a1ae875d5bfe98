// SPDX-License-Identifier: GPL-2.0
/*
 * All helpers in one unit, as those of the kernel's own rust/helpers are: the headers of the
 * network are read once.
 */
#include "address.c"
#include "cmsg.c"
#include "crypto.c"
#include "datapath.c"
#include "demux.c"
#include "dst.c"
#ifdef CONFIG_FAULT_INJECTION_DEBUG_FS
#include "fault.c"
#endif
#include "ftrace.c"
#include "genetlink.c"
#include "gro.c"
#include "namespace.c"
#include "percpu.c"
#include "rhashtable.c"
#include "rtnetlink.c"
#include "skbuff.c"
#include "slab.c"
#include "sock.c"
#include "tcp.c"
#include "tracepoint.c"
#include "transmit.c"
#include "work.c"
