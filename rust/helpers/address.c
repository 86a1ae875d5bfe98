// SPDX-License-Identifier: GPL-2.0
/* Addresses and devices of a namespace, and what notifiers tell about them. */
#include <linux/netdevice.h>
#include <linux/rcupdate.h>
#include <net/addrconf.h>
#include <net/if_inet6.h>
#include <net/net_namespace.h>

#include "helpers.h"

static bool is_link_up(const struct net_device *dev)
{
	return netif_running(dev) && netif_carrier_ok(dev);
}

static void describe(const struct inet6_ifaddr *ifa, struct shim6_helper_address *address)
{
	const struct net_device *dev = ifa->idev->dev;

	address->addr = ifa->addr;
	address->ifindex = dev->ifindex;
	address->flags = READ_ONCE(ifa->flags);
	address->is_link_up = is_link_up(dev);
}

/*
 * Looks at all addresses: for one that is tentative or a duplicate, or on an interface
 * of another routing domain (VRF).
 */
static bool find_slowly(struct net *net, const struct in6_addr *addr,
			struct shim6_helper_address *address)
{
	const struct inet6_ifaddr *ifa;
	struct net_device *dev;
	struct inet6_dev *idev;
	bool found = false;

	for_each_netdev_rcu(net, dev) {
		idev = __in6_dev_get(dev);
		if (!idev)
			continue;
		list_for_each_entry_rcu(ifa, &idev->addr_list, if_list) {
			if (!ipv6_addr_equal(&ifa->addr, addr))
				continue;
			/* One in use rather than a duplicate that is not. */
			if (!found || !(ifa->flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)))
				describe(ifa, address);
			found = true;
		}
	}
	return found;
}

/*
 * False if no interface of the namespace has @addr. Of the flags of one that may be
 * used, IFA_F_DEPRECATED alone is told.
 */
bool shim6_helper_address_find(struct net *net, const struct in6_addr *addr,
			       struct shim6_helper_address *address)
{
	const struct net_device *dev;
	bool found = true;

	rcu_read_lock();
	/* By hash: a host may have very many addresses. */
	dev = ipv6_dev_find(net, addr, NULL);
	if (dev) {
		address->addr = *addr;
		address->ifindex = dev->ifindex;
		address->flags = ipv6_chk_addr_and_flags(net, addr, dev, false, 1,
							 IFA_F_TENTATIVE | IFA_F_DEPRECATED) ?
				 0 : IFA_F_DEPRECATED;
		address->is_link_up = is_link_up(dev);
	} else {
		found = find_slowly(net, addr, address);
	}
	rcu_read_unlock();
	return found;
}

/* @visit returns false to end the walk. It runs under the RCU read lock. */
void shim6_helper_address_for_each(struct net *net,
				   bool (*visit)(void *data,
						 const struct shim6_helper_address *address),
				   void *data)
{
	struct shim6_helper_address address;
	const struct inet6_ifaddr *ifa;
	struct net_device *dev;
	struct inet6_dev *idev;

	rcu_read_lock();
	for_each_netdev_rcu(net, dev) {
		idev = __in6_dev_get(dev);
		if (!idev)
			continue;
		list_for_each_entry_rcu(ifa, &idev->addr_list, if_list) {
			describe(ifa, &address);
			if (!visit(data, &address))
				goto out;
		}
	}
out:
	rcu_read_unlock();
}

/* For the chain of inet6addr notifiers. */
struct net *shim6_helper_inet6addr_info(const void *ifaddr, struct in6_addr *addr, bool *is_up)
{
	const struct inet6_ifaddr *ifa = ifaddr;

	*addr = ifa->addr;
	*is_up = ifa->idev->dev->flags & IFF_UP;
	return dev_net(ifa->idev->dev);
}

/* For the chain of netdevice notifiers. */
struct net *shim6_helper_netdev_info(const void *info, unsigned int *ifindex)
{
	const struct net_device *dev = netdev_notifier_info_to_dev(info);

	*ifindex = dev->ifindex;
	return dev_net(dev);
}
