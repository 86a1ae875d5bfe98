/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What C offers to Rust: functions that are inline or macros in the kernel's
 * headers. Nothing here knows Shim6.
 */
#ifndef SHIM6_HELPERS_H
#define SHIM6_HELPERS_H

#include <linux/in6.h>
#include <linux/rhashtable-types.h>
#include <linux/sockptr.h>
#include <linux/spinlock_types.h>
#include <linux/types.h>
#include <net/dropreason-core.h>

struct crypto_sig;
struct ctl_table_header;
struct dentry;
struct delayed_work;
struct dst_entry;
struct flowi6;
struct ftrace_regs;
struct genl_family;
struct genl_info;
struct ipcm6_cookie;
struct list_head;
struct msghdr;
struct net;
struct net_device;
struct net_offload;
struct netlink_callback;
struct netlink_ext_ack;
struct nlattr;
struct request_sock;
struct seq_file;
struct sk_buff;
struct skb_shared_info;
struct sock;
struct socket;
struct timer_list;
struct work_struct;
struct workqueue_struct;

/* An address of an interface; @flags are IFA_F_*. */
struct shim6_helper_address {
	struct in6_addr addr;
	u32 ifindex;
	u32 flags;
	bool is_link_up;
};

/* A connection whose retransmission timer has expired @retransmits times. */
struct shim6_helper_tcp_timeout {
	struct net *net;
	struct in6_addr local;
	struct in6_addr peer;
	u32 retransmits;
	u32 rto_msecs;
};

/* A hash table. */
struct shim6_helper_table {
	/* What processors found last, or NULL; and how many elements were taken out by now. */
	void __percpu *recent;
	atomic_long_t removals;
	struct rhashtable table;
};

/* How a packet leaves by a route. */
struct shim6_helper_exit {
	struct dst_entry *dst;
	/* The time, as shim6_helper_coarse_msecs(). */
	u64 msecs;
	/*
	 * What the path takes of it as it is now, and what its sender thinks that is; only if it
	 * does not fit or might not have.
	 */
	u32 mtu;
	u32 known_mtu;
	/* Room for headers of the device. */
	u16 headroom;
	bool is_gso;
	bool fits;
	/* shim6_helper_dev_is_memory() */
	bool is_memory;
	bool has_carrier;
};

/* For whom a packet is, as its header says. */
enum shim6_helper_recipient {
	SHIM6_HELPER_RECIPIENT_FOREIGN,
	/* This host, but the inner address is not one of it. */
	SHIM6_HELPER_RECIPIENT_OUTER,
	/* This host, by both addresses. */
	SHIM6_HELPER_RECIPIENT_OURS,
};

/* address.c */
bool shim6_helper_address_find(struct net *net, const struct in6_addr *addr,
			       struct shim6_helper_address *address);
void shim6_helper_address_for_each(struct net *net,
				   bool (*visit)(void *data,
						 const struct shim6_helper_address *address),
				   void *data);
struct net *shim6_helper_inet6addr_info(const void *ifaddr, struct in6_addr *addr, bool *is_up);
struct net *shim6_helper_netdev_info(const void *info, unsigned int *ifindex);

/* crypto.c */
void shim6_helper_crypto_free_sig(struct crypto_sig *sig);
int shim6_helper_crypto_sig_set_pubkey(struct crypto_sig *sig, const void *key, unsigned int len);
int shim6_helper_crypto_sig_set_privkey(struct crypto_sig *sig, const void *key, unsigned int len);
int shim6_helper_crypto_sig_verify(struct crypto_sig *sig, const void *signature,
				   unsigned int signature_len, const void *digest,
				   unsigned int digest_len);
int shim6_helper_crypto_sig_sign(struct crypto_sig *sig, const void *digest,
				 unsigned int digest_len, void *signature,
				 unsigned int signature_len);
u64 shim6_helper_siphash(const void *data, size_t len, const u64 *key);

/* cmsg.c */
bool shim6_helper_msg_has_level(const struct msghdr *msg, int level);
bool shim6_helper_is_send(const struct ipcm6_cookie *ipc6);
int shim6_helper_msg_for_each(struct msghdr *msg, int level,
			      int (*visit)(void *data, int type, const void *value, size_t len),
			      void *data);
bool shim6_helper_msg_destination(struct sock *sk, const struct msghdr *msg,
				  struct in6_addr *daddr);
bool shim6_helper_msg_source(struct net *net, struct sock *sk, const struct flowi6 *fl6,
			     const struct in6_addr *daddr, struct in6_addr *saddr);
u16 shim6_helper_msg_port(const struct sock *sk, const struct msghdr *msg);
size_t shim6_helper_skb_upper_header(const struct sock *sk, const struct sk_buff *skb, void *to,
				     size_t len);
int shim6_helper_sock_bound_dev(const struct sock *sk, const struct flowi6 *fl6);
bool shim6_helper_sock_has_txtime(const struct sock *sk);
void shim6_helper_set_transmit_time(struct ipcm6_cookie *ipc6, u64 time);
bool shim6_helper_skb_is_error(const struct sk_buff *skb);
bool shim6_helper_skb_is_ipv6(const struct sk_buff *skb);
const void *shim6_helper_skb_network_header(const struct sk_buff *skb);
bool shim6_helper_sock_is_inet(const struct sock *sk);
bool shim6_helper_sock_wants_ctl(const struct sock *sk);
bool shim6_helper_sock_is_raw(const struct sock *sk);
void shim6_helper_sock_set_wants_ctl(struct sock *sk, bool wanted);
void shim6_helper_call_recv_ctl(const void *function, struct sock *sk, struct msghdr *msg,
				struct sk_buff *skb);

/* datapath.c */

/* CHECKSUM_COMPLETE among other bits of its octet in struct sk_buff, and all those of ip_summed. */
#ifdef __BIG_ENDIAN_BITFIELD
#define SHIM6_SKB_SUMMED_COMPLETE	(CHECKSUM_COMPLETE << 1)
#define SHIM6_SKB_SUMMED_MASK		(3 << 1)
#else
#define SHIM6_SKB_SUMMED_COMPLETE	(CHECKSUM_COMPLETE << 5)
#define SHIM6_SKB_SUMMED_MASK		(3 << 5)
#endif

int shim6_helper_routes_start(void);
void shim6_helper_routes_stop(void);
void __percpu *shim6_helper_routes_alloc(void);
void shim6_helper_routes_free(void __percpu *memory);
void shim6_helper_routes_set(void __percpu *memory, struct dst_entry *dst);
void __percpu *shim6_helper_input_routes_alloc(void);
void shim6_helper_input_routes_free(void __percpu *memory);
void shim6_helper_route_input(void __percpu *memory, struct sk_buff *skb);
u64 shim6_helper_coarse_msecs(void);
void shim6_helper_exit_by(const struct sk_buff *skb, struct dst_entry *dst, unsigned int added,
			  struct shim6_helper_exit *exit);
bool shim6_helper_exit_find(const struct sk_buff *skb, void __percpu *memory, unsigned int added,
			    struct shim6_helper_exit *exit);
int shim6_helper_exit_push(struct sk_buff *skb, unsigned int len,
			   const struct shim6_helper_exit *exit, void __percpu *counters,
			   unsigned int counter, unsigned int gso_counter);
s64 shim6_helper_exit_leave(struct sk_buff *skb, void __percpu *memory, unsigned int len,
			    void __percpu *counters, unsigned int counter,
			    unsigned int whole_counter, unsigned int software_counter);
int shim6_helper_skb_open(struct sk_buff *skb, unsigned int len);
int shim6_helper_skb_enter(struct net *net, struct sk_buff *skb, const struct in6_addr *inner,
			   u32 *inner_known, bool is_ours, unsigned int len);
void shim6_helper_ip6_input_anew(struct net *net, struct sk_buff *skb);
u64 shim6_helper_skb_close(struct sk_buff *skb, unsigned int len, unsigned int cut,
			   void __percpu *counters, unsigned int counter);

/* demux.c */
int shim6_helper_demux_start(void);
void shim6_helper_demux_stop(void);
void shim6_helper_demux(struct sk_buff *skb);

/* dst.c */
int shim6_helper_dst_error(const struct dst_entry *dst);
bool shim6_helper_dst_is_local_input(const struct dst_entry *dst);
bool shim6_helper_dev_is_memory(struct net_device *dev);
struct net *shim6_helper_dev_net(const struct net_device *dev);
void shim6_helper_skb_dst_drop(struct sk_buff *skb);
void shim6_helper_skb_dst_update_pmtu(struct sk_buff *skb, u32 mtu);
void shim6_helper_ip6_update_pmtu(struct sk_buff *skb, struct net *net,
				  unsigned int offset, u32 mtu);
int shim6_helper_dst_output(struct net *net, struct sock *sk, struct sk_buff *skb);

/* genetlink.c */
struct net *shim6_helper_genl_info_net(const struct genl_info *info);
void shim6_helper_nl_set_err_msg(struct netlink_ext_ack *extack, const char *msg);
struct sk_buff *shim6_helper_genlmsg_new(size_t payload);
int shim6_helper_genlmsg_reply(struct sk_buff *skb, struct genl_info *info);
void shim6_helper_nlmsg_free(struct sk_buff *skb);
void shim6_helper_genlmsg_end(struct sk_buff *skb, void *header);
void shim6_helper_genlmsg_cancel(struct sk_buff *skb, void *header);
void shim6_helper_genl_dump_check_consistent(struct netlink_callback *cb, void *header);
struct nlattr *shim6_helper_nla_nest_start(struct sk_buff *skb, int attrtype);
void shim6_helper_nla_nest_end(struct sk_buff *skb, struct nlattr *nest);
void shim6_helper_nla_nest_cancel(struct sk_buff *skb, struct nlattr *nest);
struct sk_buff *shim6_helper_genlmsg_new_atomic(size_t payload);
bool shim6_helper_genl_has_listeners(const struct genl_family *family, struct net *net,
				     unsigned int group);
int shim6_helper_genlmsg_multicast(const struct genl_family *family, struct net *net,
				   struct sk_buff *skb, unsigned int group);

/* ftrace.c */
unsigned long shim6_helper_ftrace_argument(struct ftrace_regs *regs, unsigned int n);
void shim6_helper_ftrace_redirect(struct ftrace_regs *regs, unsigned long target);
unsigned long shim6_helper_ftrace_function(unsigned long ip);
bool shim6_helper_in_this_module(unsigned long address);
bool shim6_helper_this_module_get(void);
void shim6_helper_this_module_put(void);
void shim6_helper_synchronize_rcu_tasks(void);

/* gro.c */
void *shim6_helper_gro_begin(struct sk_buff *skb, unsigned int hlen, struct net **net);
void shim6_helper_gro_flush(struct sk_buff *skb);
struct sk_buff *shim6_helper_gro_tcp(struct list_head *head, struct sk_buff *skb,
				     const void *header, unsigned int hlen,
				     const struct in6_addr *saddr, const struct in6_addr *daddr);
struct sk_buff *shim6_helper_gro_udp(struct list_head *head, struct sk_buff *skb,
				     unsigned int hlen, const struct in6_addr *saddr,
				     const struct in6_addr *daddr);
int shim6_helper_gro_complete(struct sk_buff *skb, int thoff, u8 protocol,
			      const struct in6_addr *saddr, const struct in6_addr *daddr);
const struct net_offload *shim6_helper_inet6_offload(u8 protocol);

/* namespace.c */
void *shim6_helper_net_generic(const struct net *net, unsigned int id);
struct net *shim6_helper_seq_file_net(struct seq_file *seq);
struct ctl_table_header *
shim6_helper_register_uint_sysctls(struct net *net, const char *path, const char *const *names,
				   unsigned int **values, const unsigned int *min,
				   const unsigned int *max, const char *const *words,
				   unsigned int stride, unsigned int count,
				   void (*changed)(struct net *net));
void shim6_helper_unregister_uint_sysctls(struct ctl_table_header *header);
struct proc_dir_entry *shim6_helper_proc_create_net(struct net *net, const char *name,
						    int (*show)(struct seq_file *, void *));
void shim6_helper_proc_remove_net(struct net *net, const char *name);
void shim6_helper_for_each_exiting_net(struct list_head *namespaces,
				       void (*exit)(struct net *net));
bool shim6_helper_net_is_dying(const struct net *net);
int shim6_helper_ipv6_addr_ifindex(struct net *net, const struct in6_addr *addr);

/* percpu.c */
void __percpu *shim6_helper_alloc_counters(unsigned int count);
void shim6_helper_free_counters(void __percpu *counters);
void shim6_helper_counter_inc(void __percpu *counters, unsigned int index);
u64 shim6_helper_counter_inc_at(void __percpu *counters, unsigned int index);
u64 shim6_helper_counter_sum(const void __percpu *counters, unsigned int index);

/* slab.c */
struct kmem_cache *shim6_helper_cache_create(const char *name, unsigned int size,
					     unsigned int align);
void *shim6_helper_cache_alloc(struct kmem_cache *cache);

/* fault.c, on kernels with fault injection */
#define SHIM6_FAULT_POINTS	16

struct dentry *shim6_helper_faults_open(const char *name, const char *const *point_names,
					unsigned int count);
void shim6_helper_faults_close(struct dentry *directory);
bool shim6_helper_should_fail(unsigned int point);

/* rhashtable.c */
int shim6_helper_table_init(struct shim6_helper_table *table, unsigned int key_len,
			    bool keeps_recent);
void shim6_helper_table_destroy(struct shim6_helper_table *table,
				void (*release)(void *node, void *arg));
void *shim6_helper_table_lookup_8(struct shim6_helper_table *table, const void *key);
void *shim6_helper_table_lookup_36(struct shim6_helper_table *table, const void *key);
int shim6_helper_table_insert_8(struct shim6_helper_table *table, struct rhash_head *node);
int shim6_helper_table_insert_36(struct shim6_helper_table *table, struct rhash_head *node);
int shim6_helper_table_remove_8(struct shim6_helper_table *table, struct rhash_head *node);
int shim6_helper_table_remove_36(struct shim6_helper_table *table, struct rhash_head *node);
int shim6_helper_list_table_init_8(struct rhltable *table);
struct rhlist_head *shim6_helper_list_table_lookup_8(struct rhltable *table, const void *key);
struct rhlist_head *shim6_helper_list_table_next(struct rhlist_head *node);
int shim6_helper_list_table_insert_8(struct rhltable *table, struct rhlist_head *node);
int shim6_helper_list_table_remove_8(struct rhltable *table, struct rhlist_head *node);
bool shim6_helper_refcount_inc_not_zero(void *refcount);
void *shim6_helper_rcu_swap(void **slot, void *value);

/* rtnetlink.c */
int shim6_helper_netlink_exchange(struct socket *socket, void *request, size_t request_len,
				  void *answer, size_t answer_len);

/* skbuff.c */
int shim6_helper_skb_unclone(struct sk_buff *skb);
bool shim6_helper_skb_network_may_pull(struct sk_buff *skb, unsigned int len);
struct skb_shared_info *shim6_helper_skb_shinfo(const struct sk_buff *skb);
u32 shim6_helper_skb_network_header_len(const struct sk_buff *skb);
struct net_device *shim6_helper_skb_dev(const struct sk_buff *skb);
void *shim6_helper_skb_data(const struct sk_buff *skb);
bool shim6_helper_skb_may_pull(struct sk_buff *skb, unsigned int len);
void shim6_helper_skb_reset_transport_header(struct sk_buff *skb);
int shim6_helper_skb_trim(struct sk_buff *skb, unsigned int len);
void shim6_helper_kfree_skb(struct sk_buff *skb, enum skb_drop_reason reason);
bool shim6_helper_skb_linearize(struct sk_buff *skb);
void shim6_helper_skb_detach(struct sk_buff *skb);
void shim6_helper_consume_skb(struct sk_buff *skb);
void shim6_helper_skb_set_ignore_df(struct sk_buff *skb);
u8 shim6_helper_skb_ip_summed(const struct sk_buff *skb);
void shim6_helper_skb_set_checksum_unnecessary(struct sk_buff *skb);
void shim6_helper_skb_clear_tstamp(struct sk_buff *skb);
void shim6_helper_skb_mac_header_rebuild(struct sk_buff *skb);
struct sock *shim6_helper_skb_full_sock(const struct sk_buff *skb, struct sock *sk);
bool shim6_helper_sock_forbids_fragments(const struct sock *sk);
bool shim6_helper_skb_confirm_untrack(struct sk_buff *skb);
unsigned int shim6_helper_skb_transport_size(const struct sk_buff *skb);

/* sock.c */
bool shim6_helper_socket_is_inet(const struct socket *sock);
u16 shim6_helper_sock_family(const struct sock *sk);
u16 shim6_helper_sock_protocol(const struct sock *sk);
bool shim6_helper_sock_is_datagram(const struct sock *sk);
bool shim6_helper_sock_is_connected(const struct sock *sk);
struct net *shim6_helper_sock_net(const struct sock *sk);
bool shim6_helper_sock_holds_net(const struct sock *sk);
bool shim6_helper_sock_has_file(const struct sock *sk);
bool shim6_helper_sock_get(struct sock *sk);
void shim6_helper_sock_put(struct sock *sk);
void shim6_helper_sock_peer(const struct sock *sk, struct in6_addr *peer);
void shim6_helper_sock_local(const struct sock *sk, struct in6_addr *local);
struct sock *shim6_helper_request_listener(const struct request_sock *req);
void shim6_helper_lock_sock(struct sock *sk);
bool shim6_helper_sockptr_is_null(const sockptr_t *from);
int shim6_helper_copy_from_sockptr(void *to, const sockptr_t *from, size_t len);
int shim6_helper_setsockopt(struct socket *sock, int level, int name, void *value, int len);
int shim6_helper_getsockopt_nowhere(struct socket *sock, int level, int name);

/* tcp.c */
bool shim6_helper_tcp_timed_out(const struct sock *sk, struct shim6_helper_tcp_timeout *timeout);

/* How a connection goes on: at all, over another path, only if it waits again. */
#define SHIM6_RESUME		1
#define SHIM6_RESUME_OTHER_PATH	2
#define SHIM6_RESUME_AGAIN	4

typedef unsigned int (*shim6_helper_resume_fn)(const struct in6_addr *local,
					       const struct in6_addr *peer, void *data);
void shim6_helper_tcp_resume(struct net *net, shim6_helper_resume_fn wanted, void *data);

/* tracepoint.c */
int shim6_helper_tracepoint_register(const char *name, void *probe, void *data);
void shim6_helper_tracepoint_unregister(const char *name, void *probe, void *data);
void shim6_helper_tracepoint_synchronize(void);

/* transmit.c */
int shim6_helper_ip6_send(struct net *net, const struct in6_addr *saddr,
			  const struct in6_addr *daddr, u8 nexthdr, u32 mark,
			  const void *payload, unsigned int len);
void shim6_helper_ip6_give_up(struct net *net, const struct in6_addr *saddr,
			      const struct in6_addr *daddr);

/* work.c */
struct workqueue_struct *shim6_helper_alloc_workqueue(const char *name, int max_active);
void shim6_helper_init_work(struct work_struct *work, void (*run)(struct work_struct *work));
void shim6_helper_init_delayed_work(struct delayed_work *work,
				    void (*run)(struct work_struct *work));
void shim6_helper_queue_delayed_work(struct delayed_work *work, unsigned int msecs);
void shim6_helper_timer_setup(struct timer_list *timer,
			      void (*expired)(struct timer_list *timer), bool deferrable);
void shim6_helper_timer_arm(struct timer_list *timer, unsigned int msecs);
void shim6_helper_timer_arm_within(struct timer_list *timer, unsigned int msecs);
bool shim6_helper_timer_pending(const struct timer_list *timer);
void shim6_helper_spin_lock_bh(spinlock_t *lock);
bool shim6_helper_spin_trylock_bh(spinlock_t *lock);
void shim6_helper_spin_unlock_bh(spinlock_t *lock);
void shim6_helper_spin_assert_is_held(spinlock_t *lock);
void shim6_helper_smp_mb(void);

const unsigned char *shim6_helper_skb_linear(const struct sk_buff *skb, unsigned int *len);
bool shim6_helper_sock_is_established(const struct sock *sk);
void shim6_helper_for_each_connected(struct net *net, bool (*visit)(struct sock *sk, void *data),
				     void *data);
void shim6_helper_sock_owner(struct sock *sk, u64 *cookie, u64 *inode, u32 *uid);
void shim6_helper_sock_ports(const struct sock *sk, u16 *local, u16 *peer);

#endif /* SHIM6_HELPERS_H */
