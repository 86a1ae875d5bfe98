// SPDX-License-Identifier: GPL-2.0
/* Connections of TCP: what they know of paths, and what they are told. */
#include <linux/tcp.h>
#include <net/dst.h>
#include <net/inet_connection_sock.h>
#include <net/inet_hashtables.h>
#include <net/ipv6.h>
#include <net/sock.h>
#include <net/tcp.h>

#include "helpers.h"

/*
 * Whether @sk retransmits because its head waited for as long as the retransmission
 * timer does, but a loss probe was due before (RFC 8985, Section 7.2). Who goes on
 * sending puts the probe off that long, and the timer starts again behind it.
 */
static bool is_overdue(const struct sock *sk)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);

	return icsk->icsk_pending == ICSK_TIME_LOSS_PROBE &&
	       icsk->icsk_ca_state < TCP_CA_Recovery && tcp_rtx_queue_head(sk) &&
	       tcp_rto_delta_us(sk) <= 0;
}

/*
 * Whether @sk, which retransmits, does so because its timer expired, and what is
 * to be known of it. Called with the lock of @sk held, from its tracepoint.
 */
bool shim6_helper_tcp_timed_out(const struct sock *sk, struct shim6_helper_tcp_timeout *timeout)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);

	if (!sk_fullsock(sk) || sk->sk_family != AF_INET6 || ipv6_addr_v4mapped(&sk->sk_v6_daddr))
		return false;
	/* The count goes back to zero with the first new acknowledgement. */
	if (!icsk->icsk_retransmits && !is_overdue(sk))
		return false;
	timeout->net = sock_net(sk);
	timeout->local = sk->sk_v6_rcv_saddr;
	timeout->peer = sk->sk_v6_daddr;
	timeout->retransmits = max(icsk->icsk_retransmits, 1);
	timeout->rto_msecs = jiffies_to_msecs(icsk->icsk_rto);
	return true;
}

/* Whether @sk waits for its retransmission timer, or for the loss probe before that. */
static bool waits_for_loss(const struct sock *sk)
{
	u8 pending = READ_ONCE(inet_csk(sk)->icsk_pending);

	return pending == ICSK_TIME_RETRANS || pending == ICSK_TIME_LOSS_PROBE;
}

/* How @sk is to go on, 0 if it is not among those that are. */
static unsigned int how_to_resume(struct net *net, const struct sock *sk,
				  shim6_helper_resume_fn wanted, void *data)
{
	if (!sk_fullsock(sk) || sk->sk_family != AF_INET6 || !net_eq(sock_net(sk), net) ||
	    !waits_for_loss(sk))
		return 0;
	return wanted(&sk->sk_v6_rcv_saddr, &sk->sk_v6_daddr, data);
}

/*
 * @sk, whose timer has expired over the path before, begins on another path as a new
 * connection does: with an initial window (RFC 5681, Section 3.1; RFC 6928). Slow start
 * goes as far there as it could before. What the window allows leaves now. The head alone
 * would do little: it may have arrived, and then its acknowledgement is lost until the peer
 * has moved as well. Called with the lock of @sk held, which nobody owns.
 */
static void begin_path(struct sock *sk)
{
	const struct dst_entry *dst = __sk_dst_get(sk);
	struct tcp_sock *tp = tcp_sk(sk);
	u32 window = dst ? dst_metric(dst, RTAX_INITCWND) : 0;

	window = min(window ?: TCP_INIT_CWND, tp->snd_cwnd_clamp);
	WRITE_ONCE(tp->snd_ssthresh, max(tp->snd_ssthresh, tp->prior_ssthresh));
	tcp_snd_cwnd_set(tp, max(tcp_snd_cwnd(tp), window));
	if (!test_and_set_bit(TCP_TSQ_DEFERRED, &sk->sk_tsq_flags))
		sock_hold(sk);
	sk->sk_prot->release_cb(sk);
}

/*
 * The timeouts of an outage are not those of the path that works now: the next one
 * is not backed off. Nor are they congestion of another path.
 */
static void forgive(struct sock *sk, bool is_other_path)
{
	struct inet_connection_sock *icsk = inet_csk(sk);
	struct tcp_sock *tp = tcp_sk(sk);

	icsk->icsk_backoff = 0;
	if (tp->srtt_us)
		icsk->icsk_rto = clamp(__tcp_set_rto(tp), tcp_rto_min(sk), tcp_rto_max(sk));
	if (is_other_path && icsk->icsk_ca_state == TCP_CA_Loss && icsk->icsk_retransmits)
		begin_path(sk);
}

static void resume(struct sock *sk, unsigned int how)
{
	struct inet_connection_sock *icsk = inet_csk(sk);

	bh_lock_sock(sk);
	if (waits_for_loss(sk) && (!(how & SHIM6_RESUME_AGAIN) || icsk->icsk_retransmits)) {
		/* Whoever owns it may send nothing, its window being full. The timer waits. */
		if (!sock_owned_by_user(sk))
			forgive(sk, how & SHIM6_RESUME_OTHER_PATH);
		sk_reset_timer(sk, &sk->tcp_retransmit_timer, jiffies + 1);
	}
	bh_unlock_sock(sk);
	sock_put(sk);
}

/*
 * An outage backs the retransmission timers of connections off. Those that wait
 * for theirs, or for the loss probe before it, and are @wanted get it now, with the
 * next one not backed off; with SHIM6_RESUME_AGAIN, only if they heard of nothing
 * since. Sleeps between buckets.
 */
void shim6_helper_tcp_resume(struct net *net, shim6_helper_resume_fn wanted, void *data)
{
	struct inet_hashinfo *hashinfo = net->ipv4.tcp_death_row.hashinfo;
	unsigned int i, n, seen, flags, how[16], skip = 0;
	struct hlist_nulls_node *node;
	struct sock *found[16], *sk;

	for (i = 0; i <= hashinfo->ehash_mask;) {
		struct inet_ehash_bucket *bucket = &hashinfo->ehash[i];

		n = 0;
		seen = 0;
		if (!hlist_nulls_empty(&bucket->chain)) {
			/* Locks of sockets are taken before that of the bucket. */
			spin_lock_bh(inet_ehash_lockp(hashinfo, i));
			sk_nulls_for_each(sk, node, &bucket->chain) {
				if (seen++ < skip)
					continue;
				flags = how_to_resume(net, sk, wanted, data);
				if (flags && refcount_inc_not_zero(&sk->sk_refcnt)) {
					found[n] = sk;
					how[n++] = flags;
				}
				if (n == ARRAY_SIZE(found))
					break;
			}
			spin_unlock_bh(inet_ehash_lockp(hashinfo, i));
		}
		/* The same bucket again while it may have more. */
		skip = n == ARRAY_SIZE(found) ? seen : 0;
		i += !skip;
		local_bh_disable();
		while (n) {
			n--;
			resume(found[n], how[n]);
		}
		local_bh_enable();
		cond_resched();
	}
}
