// SPDX-License-Identifier: GPL-2.0
/* A netlink request from the kernel to the kernel. */
#include <linux/cred.h>
#include <linux/net.h>
#include <linux/netlink.h>
#include <linux/sched/task.h>
#include <linux/uio.h>

#include "helpers.h"

/*
 * Sends @request and receives one answer, with the credentials of the kernel.
 * The explicit address matters: it makes netlink ask for the capabilities of
 * the current task instead of those of a file, which there is none.
 * Returns the length of the answer or an errno.
 */
int shim6_helper_netlink_exchange(struct socket *socket, void *request, size_t request_len,
				  void *answer, size_t answer_len)
{
	struct sockaddr_nl kernel_address = { .nl_family = AF_NETLINK };
	struct msghdr message = {
		.msg_name = &kernel_address,
		.msg_namelen = sizeof(kernel_address),
	};
	struct kvec vec = { .iov_base = request, .iov_len = request_len };
	struct msghdr reply = {};
	const struct cred *old;
	struct cred *cred;
	int err;

	cred = prepare_kernel_cred(&init_task);
	if (!cred)
		return -ENOMEM;
	old = override_creds(cred);
	err = kernel_sendmsg(socket, &message, &vec, 1, request_len);
	revert_creds(old);
	put_cred(cred);
	if (err < 0)
		return err;

	vec.iov_base = answer;
	vec.iov_len = answer_len;
	return kernel_recvmsg(socket, &reply, &vec, 1, answer_len, MSG_DONTWAIT);
}
