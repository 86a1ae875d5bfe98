// SPDX-License-Identifier: GPL-2.0
/* Network namespaces: private data, /proc/net, /proc/sys/net, addresses. */
#include <linux/timekeeping.h>
#include <linux/proc_fs.h>
#include <linux/seq_file_net.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysctl.h>
#include <net/addrconf.h>
#include <net/net_namespace.h>
#include <net/netns/generic.h>

#include "helpers.h"

void *shim6_helper_net_generic(const struct net *net, unsigned int id)
{
	return net_generic(net, id);
}

struct net *shim6_helper_seq_file_net(struct seq_file *seq)
{
	return seq_file_single_net(seq);
}

/* Settings of one namespace. */
struct sysctls {
	struct net *net;
	void (*changed)(struct net *net);
	struct ctl_table table[];
};

/* A setting whose value is the index of a word in a list that ends with NULL. */
static int do_word(const struct ctl_table *table, int write, void *buffer, size_t *lenp,
		   loff_t *ppos)
{
	const char *const *words = table->extra1;
	const struct sysctls *sysctls = table->extra2;
	unsigned int *value = table->data;
	char word[32] = "";
	const struct ctl_table string = {
		.data = word,
		.maxlen = sizeof(word),
	};
	int index, err;

	if (!write)
		strscpy(word, words[READ_ONCE(*value)]);
	err = proc_dostring(&string, write, buffer, lenp, ppos);
	if (err || !write)
		return err;
	index = match_string(words, -1, strim(word));
	if (index < 0)
		return index;
	WRITE_ONCE(*value, index);
	sysctls->changed(sysctls->net);
	return 0;
}

/*
 * A table of unsigned integers, @count of them, with limits that stand @stride
 * octets apart, as do lists of words. A setting with words shows these instead
 * of the integer, and who writes to it makes @changed be called. The table belongs to
 * the returned header and is freed with it.
 */
struct ctl_table_header *
shim6_helper_register_uint_sysctls(struct net *net, const char *path, const char *const *names,
				   unsigned int **values, const unsigned int *min,
				   const unsigned int *max, const char *const *words,
				   unsigned int stride, unsigned int count,
				   void (*changed)(struct net *net))
{
	struct ctl_table_header *header;
	const char *const *list;
	struct sysctls *sysctls;
	struct ctl_table *table;
	unsigned int i;

	sysctls = kzalloc(struct_size(sysctls, table, count), GFP_KERNEL);
	if (!sysctls)
		return NULL;
	sysctls->net = net;
	sysctls->changed = changed;
	table = sysctls->table;
	for (i = 0; i < count; i++) {
		table[i].procname = names[i];
		table[i].data = values[i];
		table[i].maxlen = sizeof(unsigned int);
		table[i].mode = 0644;
		list = (void *)words + i * stride;
		if (*list) {
			table[i].proc_handler = do_word;
			table[i].extra1 = (void *)list;
			table[i].extra2 = sysctls;
			continue;
		}
		table[i].proc_handler = proc_douintvec_minmax;
		table[i].extra1 = (void *)min + i * stride;
		table[i].extra2 = (void *)max + i * stride;
	}
	header = register_net_sysctl_sz(net, path, table, count);
	if (!header)
		kfree(sysctls);
	return header;
}

void shim6_helper_unregister_uint_sysctls(struct ctl_table_header *header)
{
	const struct ctl_table *table = header->ctl_table_arg;

	unregister_net_sysctl_table(header);
	kfree(container_of(table, struct sysctls, table[0]));
}

struct proc_dir_entry *shim6_helper_proc_create_net(struct net *net, const char *name,
						    int (*show)(struct seq_file *, void *))
{
	return proc_create_net_single(name, 0444, net->proc_net, show, NULL);
}

void shim6_helper_proc_remove_net(struct net *net, const char *name)
{
	remove_proc_entry(name, net->proc_net);
}

/* For the list that exit_batch() gets. */
void shim6_helper_for_each_exiting_net(struct list_head *namespaces,
				       void (*exit)(struct net *net))
{
	struct net *net;

	list_for_each_entry(net, namespaces, exit_list)
		exit(net);
}

bool shim6_helper_net_is_dying(const struct net *net)
{
	return !check_net(net);
}

/* Index of the interface that has @addr, 0 if none of this namespace has it. */
int shim6_helper_ipv6_addr_ifindex(struct net *net, const struct in6_addr *addr)
{
	struct net_device *dev;
	int ifindex;

	rcu_read_lock();
	dev = ipv6_dev_find(net, addr, NULL);
	ifindex = dev ? dev->ifindex : 0;
	rcu_read_unlock();
	return ifindex;
}
