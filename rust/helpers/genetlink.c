// SPDX-License-Identifier: GPL-2.0
/* Generic netlink: inline functions and macros. */
#include <linux/netlink.h>
#include <net/genetlink.h>
#include <net/netlink.h>

#include "helpers.h"

struct net *shim6_helper_genl_info_net(const struct genl_info *info)
{
	return genl_info_net(info);
}

/* NL_SET_ERR_MSG() takes literals only. */
void shim6_helper_nl_set_err_msg(struct netlink_ext_ack *extack, const char *msg)
{
	do_trace_netlink_extack(msg);
	if (extack)
		extack->_msg = msg;
}

struct sk_buff *shim6_helper_genlmsg_new(size_t payload)
{
	return genlmsg_new(payload, GFP_KERNEL);
}

int shim6_helper_genlmsg_reply(struct sk_buff *skb, struct genl_info *info)
{
	return genlmsg_reply(skb, info);
}

void shim6_helper_nlmsg_free(struct sk_buff *skb)
{
	nlmsg_free(skb);
}

void shim6_helper_genlmsg_end(struct sk_buff *skb, void *header)
{
	genlmsg_end(skb, header);
}

void shim6_helper_genlmsg_cancel(struct sk_buff *skb, void *header)
{
	genlmsg_cancel(skb, header);
}

void shim6_helper_genl_dump_check_consistent(struct netlink_callback *cb, void *header)
{
	genl_dump_check_consistent(cb, header);
}

struct nlattr *shim6_helper_nla_nest_start(struct sk_buff *skb, int attrtype)
{
	return nla_nest_start(skb, attrtype);
}

void shim6_helper_nla_nest_end(struct sk_buff *skb, struct nlattr *nest)
{
	nla_nest_end(skb, nest);
}

void shim6_helper_nla_nest_cancel(struct sk_buff *skb, struct nlattr *nest)
{
	nla_nest_cancel(skb, nest);
}

struct sk_buff *shim6_helper_genlmsg_new_atomic(size_t payload)
{
	return genlmsg_new(payload, GFP_ATOMIC);
}

bool shim6_helper_genl_has_listeners(const struct genl_family *family, struct net *net,
				     unsigned int group)
{
	return genl_has_listeners(family, net, group) > 0;
}

int shim6_helper_genlmsg_multicast(const struct genl_family *family, struct net *net,
				   struct sk_buff *skb, unsigned int group)
{
	return genlmsg_multicast_netns(family, net, skb, 0, group, GFP_ATOMIC);
}
