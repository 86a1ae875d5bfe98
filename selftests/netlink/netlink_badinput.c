// SPDX-License-Identifier: GPL-2.0
/*
 * Wrong requests of every kind to the generic netlink family shim6: the errno,
 * the sentence and the place that the kernel answers with, and that a refused
 * request has changed nothing.
 */
#include "context.h"

#define ULID_LOCAL	"2001:db8:1::a"
#define ULID_PEER	"2001:db8:3::b"
#define OTHER_LOCAL	"2001:db8:2::a"
#define OTHER_PEER	"2001:db8:4::b"
#define NOT_OURS	"2001:db8:9::9"

#define TAG_MAX		0x7fffffffffffULL

static int fd;
static struct request request;

/* Parts of a good request to add a context. */
enum {
	WITHOUT_ULID_LOCAL	= 1 << 0,
	WITHOUT_ULID_PEER	= 1 << 1,
	WITHOUT_TAG_LOCAL	= 1 << 2,
	WITHOUT_TAG_PEER	= 1 << 3,
	WITHOUT_ALL		= 15,
};

static void add(unsigned int without)
{
	begin_command(&request, SHIM6_CMD_CONTEXT_ADD, 0);
	if (!(without & WITHOUT_ULID_LOCAL))
		put_address(&request, SHIM6_A_ULID_LOCAL, ULID_LOCAL);
	if (!(without & WITHOUT_ULID_PEER))
		put_address(&request, SHIM6_A_ULID_PEER, ULID_PEER);
	if (!(without & WITHOUT_TAG_LOCAL))
		put_u64(&request, SHIM6_A_TAG_LOCAL, 0x100);
	if (!(without & WITHOUT_TAG_PEER))
		put_u64(&request, SHIM6_A_TAG_PEER, 0x200);
}

/* The context that is there during the whole test. */
static void name(__u8 command)
{
	begin_command(&request, command, 0);
	put_u64(&request, SHIM6_A_TAG_LOCAL, 1);
}

enum place {
	NOWHERE,	/* the request as a whole */
	AT,		/* a bad attribute of this type */
	MISSING,	/* an attribute of this type is missing */
	MISSING_IN,	/* the same in the last nest */
};

static __u16 type_at(__u32 offset)
{
	const struct nlattr *attr = (const void *)(request.octets + offset);

	if (!offset || offset + NLA_HDRLEN > request.header.nlmsg_len)
		return 0;
	return attr->nla_type & NLA_TYPE_MASK;
}

/* Sends the request; a sentence of NULL means that the kernel itself refuses. */
static void refused(const char *what, int error, const char *sentence, enum place place,
		    __u16 type)
{
	struct picture before = look_at_all(fd);
	struct answer answer = exchange(fd, &request, NULL, NULL);
	struct picture after = look_at_all(fd);
	__u16 bad = type_at(answer.offset);
	bool right = answer.error == error;

	if (sentence)
		right = right && !strcmp(answer.sentence, sentence);
	switch (place) {
	case NOWHERE:
		break;
	case AT:
		right = right && bad == type;
		break;
	case MISSING:
		right = right && answer.missing == type && !answer.missing_nest;
		break;
	case MISSING_IN:
		right = right && answer.missing == type && answer.missing_nest;
		break;
	}
	if (!same(&after, &before)) {
		tap_note("something has changed");
		right = false;
	}
	if (!tap_ok(right, "%s", what)) {
		tap_note("wanted errno %d (%s), \"%s\"", error, strerror(error),
			 sentence ? sentence : "");
		tap_note("errno %d (%s), \"%s\", bad attribute %u, missing %u%s", answer.error,
			 strerror(answer.error), answer.sentence, bad, answer.missing,
			 answer.missing_nest ? " in a nest" : "");
	}
}

static void wrong_identities(void)
{
	static const struct {
		const char *text, *is;
	} unsuitable[] = {
		{ "::", "is the unspecified address" },
		{ "ff0e::1", "is a multicast address" },
		{ "::1", "is the loopback address" },
		{ "fe80::1", "is a link-local address" },
		{ "::ffff:192.0.2.1", "is an IPv4-mapped address" },
	};
	char what[128], sentence[128];
	size_t i;

	for (i = 0; i < sizeof(unsuitable) / sizeof(*unsuitable); i++) {
		add(WITHOUT_ULID_LOCAL);
		put_address(&request, SHIM6_A_ULID_LOCAL, unsuitable[i].text);
		snprintf(what, sizeof(what), "add: local ULID %s", unsuitable[i].text);
		snprintf(sentence, sizeof(sentence), "ULID(local) %s", unsuitable[i].is);
		refused(what, EINVAL, sentence, AT, SHIM6_A_ULID_LOCAL);

		add(WITHOUT_ULID_PEER);
		put_address(&request, SHIM6_A_ULID_PEER, unsuitable[i].text);
		snprintf(what, sizeof(what), "add: peer ULID %s", unsuitable[i].text);
		snprintf(sentence, sizeof(sentence), "ULID(peer) %s", unsuitable[i].is);
		refused(what, EINVAL, sentence, AT, SHIM6_A_ULID_PEER);

		add(0);
		put_locator(&request, SHIM6_A_LOCATOR_PEER, ULID_PEER);
		put_locator(&request, SHIM6_A_LOCATOR_PEER, unsuitable[i].text);
		snprintf(what, sizeof(what), "add: locator %s", unsuitable[i].text);
		snprintf(sentence, sizeof(sentence), "the address of a locator %s",
			 unsuitable[i].is);
		refused(what, EINVAL, sentence, AT, SHIM6_A_LOCATOR_ADDRESS);

		name(SHIM6_CMD_CONTEXT_SET);
		put_address(&request, SHIM6_A_CURRENT_PEER, unsuitable[i].text);
		snprintf(what, sizeof(what), "set: current peer locator %s", unsuitable[i].text);
		snprintf(sentence, sizeof(sentence), "the current peer locator %s",
			 unsuitable[i].is);
		refused(what, EINVAL, sentence, AT, SHIM6_A_CURRENT_PEER);
	}

	add(WITHOUT_ULID_LOCAL);
	refused("add: no local ULID", EINVAL, "ULID(local) is missing", MISSING,
		SHIM6_A_ULID_LOCAL);
	add(WITHOUT_ULID_PEER);
	refused("add: no peer ULID", EINVAL, "ULID(peer) is missing", MISSING, SHIM6_A_ULID_PEER);
	add(WITHOUT_ULID_PEER);
	put_address(&request, SHIM6_A_ULID_PEER, ULID_LOCAL);
	refused("add: same address twice", EINVAL, "both ULIDs are the same address", AT,
		SHIM6_A_ULID_PEER);
}

static void wrong_tags(void)
{
	add(WITHOUT_TAG_LOCAL);
	refused("add: no local tag", EINVAL, "CT(local), the local tag, is missing", MISSING,
		SHIM6_A_TAG_LOCAL);
	add(WITHOUT_TAG_PEER);
	refused("add: no peer tag", EINVAL, "CT(peer), the peer's tag, is missing", MISSING,
		SHIM6_A_TAG_PEER);
	add(WITHOUT_TAG_LOCAL);
	put_u64(&request, SHIM6_A_TAG_LOCAL, TAG_MAX + 1);
	refused("add: local tag of 48 bits", ERANGE, "CT(local), the local tag, is above 47 bits",
		AT, SHIM6_A_TAG_LOCAL);
	add(WITHOUT_TAG_PEER);
	put_u64(&request, SHIM6_A_TAG_PEER, UINT64_MAX);
	refused("add: peer tag of 64 bits", ERANGE, "CT(peer), the peer's tag, is above 47 bits",
		AT, SHIM6_A_TAG_PEER);
	begin_command(&request, SHIM6_CMD_CONTEXT_GET, 0);
	put_u64(&request, SHIM6_A_TAG_LOCAL, TAG_MAX + 1);
	refused("get: tag of 48 bits", ERANGE, "CT(local), the local tag, is above 47 bits", AT,
		SHIM6_A_TAG_LOCAL);
}

static void wrong_lists(void)
{
	struct nlattr *nest;
	char text[64];
	int i;

	add(0);
	put_locator(&request, SHIM6_A_LOCATOR_LOCAL, OTHER_LOCAL);
	refused("add: local list without ULID", EINVAL,
		"the local locators do not include ULID(local)", AT, SHIM6_A_LOCATOR_LOCAL);
	add(0);
	put_locator(&request, SHIM6_A_LOCATOR_PEER, OTHER_PEER);
	refused("add: peer list without ULID", EINVAL,
		"the peer locators do not include ULID(peer)", AT, SHIM6_A_LOCATOR_PEER);

	add(0);
	put_locator(&request, SHIM6_A_LOCATOR_LOCAL, ULID_LOCAL);
	put_locator(&request, SHIM6_A_LOCATOR_LOCAL, OTHER_LOCAL);
	put_locator(&request, SHIM6_A_LOCATOR_LOCAL, ULID_LOCAL);
	refused("add: locator twice in a list", EINVAL, "this locator is there twice", AT,
		SHIM6_A_LOCATOR_LOCAL);

	add(0);
	put_locator(&request, SHIM6_A_LOCATOR_PEER, ULID_PEER);
	for (i = 0; i < 32; i++) {
		snprintf(text, sizeof(text), "2001:db8:5::%x", i + 1);
		put_locator(&request, SHIM6_A_LOCATOR_PEER, text);
	}
	refused("add: list of 33", E2BIG, "a list has more than 32 locators", AT,
		SHIM6_A_LOCATOR_PEER);

	add(0);
	put_locator(&request, SHIM6_A_LOCATOR_LOCAL, ULID_LOCAL);
	put_locator(&request, SHIM6_A_LOCATOR_PEER, ULID_PEER);
	put_locator(&request, SHIM6_A_LOCATOR_PEER, ULID_LOCAL);
	refused("add: locator in both lists", EINVAL, "this locator is in both lists", AT,
		SHIM6_A_LOCATOR_PEER);

	add(0);
	nest = nest_begin(&request, SHIM6_A_LOCATOR_LOCAL);
	put_u8(&request, SHIM6_A_LOCATOR_PRIORITY, 1);
	nest_end(&request, nest);
	refused("add: locator without address", EINVAL, "the address of a locator is missing",
		MISSING_IN, SHIM6_A_LOCATOR_ADDRESS);

	add(0);
	nest = nest_begin(&request, SHIM6_A_LOCATOR_LOCAL);
	nest_end(&request, nest);
	refused("add: empty locator", EINVAL, "the address of a locator is missing", MISSING_IN,
		SHIM6_A_LOCATOR_ADDRESS);

	for (i = 0; i < 256; i++) {
		if (i == 1 || i == 2 || (i > 3 && i < 255))
			continue;
		add(0);
		nest = nest_begin(&request, SHIM6_A_LOCATOR_LOCAL);
		put_address(&request, SHIM6_A_LOCATOR_ADDRESS, ULID_LOCAL);
		put_u8(&request, SHIM6_A_LOCATOR_VERIFICATION, i);
		nest_end(&request, nest);
		snprintf(text, sizeof(text), "add: verification method %d", i);
		refused(text, EINVAL, "the verification method is neither HBA (1) nor CGA (2)", AT,
			SHIM6_A_LOCATOR_VERIFICATION);
	}

	add(0);
	nest = nest_begin(&request, SHIM6_A_LOCATOR_LOCAL);
	put_address(&request, SHIM6_A_LOCATOR_ADDRESS, ULID_LOCAL);
	put_u8(&request, SHIM6_A_LOCATOR_FLAGS, 4);
	nest_end(&request, nest);
	refused("add: unknown flag of a locator", EINVAL,
		"a flag of a locator is neither BROKEN (1) nor TRANSIENT (2)", AT,
		SHIM6_A_LOCATOR_FLAGS);

	add(0);
	nest = nest_begin(&request, SHIM6_A_LOCATOR_LOCAL);
	put_address(&request, SHIM6_A_LOCATOR_ADDRESS, ULID_LOCAL);
	put_address(&request, SHIM6_A_LOCATOR_ADDRESS, OTHER_LOCAL);
	nest_end(&request, nest);
	refused("add: two addresses in a locator", EINVAL, "this attribute is there twice", AT,
		SHIM6_A_LOCATOR_ADDRESS);

	add(0);
	nest = nest_begin(&request, SHIM6_A_LOCATOR_LOCAL);
	put_address(&request, SHIM6_A_LOCATOR_ADDRESS, ULID_LOCAL);
	put_u8(&request, SHIM6_A_LOCATOR_FLAGS + 1, 4);
	nest_end(&request, nest);
	refused("add: unknown attribute in a locator", EINVAL, NULL, AT, SHIM6_A_LOCATOR_FLAGS + 1);
}

static void wrong_current_pairs(void)
{
	add(0);
	put_address(&request, SHIM6_A_CURRENT_LOCAL, OTHER_LOCAL);
	refused("add: current local locator not in list", EINVAL,
		"the current local locator is not one of the local locators", AT,
		SHIM6_A_CURRENT_LOCAL);
	add(0);
	put_address(&request, SHIM6_A_CURRENT_PEER, OTHER_PEER);
	refused("add: current peer locator not in list", EINVAL,
		"the current peer locator is not one of the peer locators", AT,
		SHIM6_A_CURRENT_PEER);
	add(0);
	put_locator(&request, SHIM6_A_LOCATOR_LOCAL, ULID_LOCAL);
	put_locator(&request, SHIM6_A_LOCATOR_LOCAL, NOT_OURS);
	put_address(&request, SHIM6_A_CURRENT_LOCAL, NOT_OURS);
	refused("add: current local locator not on the host", EADDRNOTAVAIL,
		"the current local locator is no address of this network namespace", AT,
		SHIM6_A_CURRENT_LOCAL);
	add(WITHOUT_ULID_LOCAL);
	put_address(&request, SHIM6_A_ULID_LOCAL, NOT_OURS);
	put_locator(&request, SHIM6_A_LOCATOR_PEER, ULID_PEER);
	put_locator(&request, SHIM6_A_LOCATOR_PEER, OTHER_PEER);
	put_address(&request, SHIM6_A_CURRENT_PEER, OTHER_PEER);
	refused("add: local ULID is to be translated and not on the host", EADDRNOTAVAIL,
		"the current local locator is no address of this network namespace", NOWHERE, 0);

	name(SHIM6_CMD_CONTEXT_SET);
	refused("set: nothing", EINVAL, "nothing to set, give a current locator, local or peer",
		MISSING, SHIM6_A_CURRENT_LOCAL);
	name(SHIM6_CMD_CONTEXT_SET);
	put_address(&request, SHIM6_A_CURRENT_LOCAL, NOT_OURS);
	refused("set: current local locator not on the host", EADDRNOTAVAIL,
		"the current local locator is no address of this network namespace", AT,
		SHIM6_A_CURRENT_LOCAL);
	name(SHIM6_CMD_CONTEXT_SET);
	put_address(&request, SHIM6_A_CURRENT_LOCAL, "2001:db8:7::7");
	refused("set: current local locator not in list", EINVAL,
		"the current local locator is not one of the local locators", AT,
		SHIM6_A_CURRENT_LOCAL);
	name(SHIM6_CMD_CONTEXT_SET);
	put_address(&request, SHIM6_A_CURRENT_LOCAL, OTHER_LOCAL);
	put_address(&request, SHIM6_A_CURRENT_PEER, "2001:db8:7::7");
	refused("set: local good, peer not in list, nothing done", EINVAL,
		"the current peer locator is not one of the peer locators", AT,
		SHIM6_A_CURRENT_PEER);
}

static void wrong_names(void)
{
	static const struct {
		__u8 command;
		const char *text;
	} named[] = {
		{ SHIM6_CMD_CONTEXT_GET, "get" },
		{ SHIM6_CMD_CONTEXT_DEL, "del" },
		{ SHIM6_CMD_CONTEXT_SET, "set" },
	};
	char what[64];
	size_t i;

	for (i = 0; i < sizeof(named) / sizeof(*named); i++) {
		__u8 command = named[i].command;
		bool set = command == SHIM6_CMD_CONTEXT_SET;

		begin_command(&request, command, 0);
		if (set)
			put_address(&request, SHIM6_A_CURRENT_LOCAL, ULID_LOCAL);
		snprintf(what, sizeof(what), "%s: no name", named[i].text);
		refused(what, EINVAL, "name the context, by both ULIDs or by its local tag",
			MISSING, SHIM6_A_ULID_LOCAL);

		name(command);
		if (set)
			put_address(&request, SHIM6_A_CURRENT_LOCAL, ULID_LOCAL);
		put_address(&request, SHIM6_A_ULID_LOCAL, ULID_LOCAL);
		put_address(&request, SHIM6_A_ULID_PEER, ULID_PEER);
		snprintf(what, sizeof(what), "%s: name by tag and by ULIDs", named[i].text);
		refused(what, EINVAL,
			"name the context either by its ULIDs and FII or by its local tag", AT,
			SHIM6_A_ULID_LOCAL);

		name(command);
		if (set)
			put_address(&request, SHIM6_A_CURRENT_LOCAL, ULID_LOCAL);
		put_u32(&request, SHIM6_A_FII, 0);
		snprintf(what, sizeof(what), "%s: name by tag and FII", named[i].text);
		refused(what, EINVAL,
			"name the context either by its ULIDs and FII or by its local tag", AT,
			SHIM6_A_FII);

		begin_command(&request, command, 0);
		if (set)
			put_address(&request, SHIM6_A_CURRENT_LOCAL, ULID_LOCAL);
		put_address(&request, SHIM6_A_ULID_PEER, ULID_PEER);
		snprintf(what, sizeof(what), "%s: half a pair of ULIDs", named[i].text);
		refused(what, EINVAL, "ULID(local) is missing", MISSING, SHIM6_A_ULID_LOCAL);

		begin_command(&request, command, 0);
		if (set)
			put_address(&request, SHIM6_A_CURRENT_LOCAL, ULID_LOCAL);
		put_u64(&request, SHIM6_A_TAG_LOCAL, 0x999);
		snprintf(what, sizeof(what), "%s: unknown tag", named[i].text);
		refused(what, ENOENT, "there is no such context", NOWHERE, 0);

		begin_command(&request, command, 0);
		if (set)
			put_address(&request, SHIM6_A_CURRENT_LOCAL, ULID_LOCAL);
		put_address(&request, SHIM6_A_ULID_LOCAL, ULID_LOCAL);
		put_address(&request, SHIM6_A_ULID_PEER, OTHER_PEER);
		put_u32(&request, SHIM6_A_FII, 1);
		snprintf(what, sizeof(what), "%s: other FII", named[i].text);
		refused(what, ENOENT, "there is no such context", NOWHERE, 0);
	}

	add(WITHOUT_TAG_LOCAL);
	put_u64(&request, SHIM6_A_TAG_LOCAL, 1);
	refused("add: tag of another context", EEXIST,
		"CT(local), the local tag, is that of another context", NOWHERE, 0);
	add(WITHOUT_ULID_PEER);
	put_address(&request, SHIM6_A_ULID_PEER, OTHER_PEER);
	refused("add: ULIDs of another context", EEXIST,
		"there is a context with these ULIDs and this FII already", NOWHERE, 0);
}

static void wrong_shapes(void)
{
	struct nlattr *attr;
	__u16 type;

	add(0);
	put_address(&request, SHIM6_A_ULID_LOCAL, OTHER_LOCAL);
	refused("add: ULID(local) twice", EINVAL, "this attribute is there twice", AT,
		SHIM6_A_ULID_LOCAL);
	name(SHIM6_CMD_CONTEXT_GET);
	put_u64(&request, SHIM6_A_TAG_LOCAL, 2);
	refused("get: two tags", EINVAL, "this attribute is there twice", AT, SHIM6_A_TAG_LOCAL);

	for (type = SHIM6_A_STATE; type <= SHIM6_A_SWITCHES; type++) {
		char what[64];

		add(0);
		if (type == SHIM6_A_STATE)
			put_u8(&request, type, SHIM6_STATE_ESTABLISHED);
		else
			put_u64(&request, type, 0);
		snprintf(what, sizeof(what), "add: attribute %u, which is for get only", type);
		refused(what, EINVAL, "this attribute is reported, it cannot be set", AT, type);
	}
	add(0);
	put_u64(&request, SHIM6_A_MAX + 1, 0);
	refused("add: unknown attribute", EINVAL, NULL, AT, SHIM6_A_MAX + 1);
	add(0);
	put_u64(&request, 0, 0);
	refused("add: attribute of type 0", EINVAL, NULL, AT, 0);
	name(SHIM6_CMD_CONTEXT_SET);
	put_address(&request, SHIM6_A_CURRENT_LOCAL, OTHER_LOCAL);
	put_u64(&request, SHIM6_A_TAG_PEER, 5);
	refused("set: attribute of another command", EINVAL, NULL, AT, SHIM6_A_TAG_PEER);
	begin_command(&request, SHIM6_CMD_CONTEXT_GET, NLM_F_DUMP);
	put_u64(&request, SHIM6_A_TAG_LOCAL, 1);
	refused("dump: attribute", EINVAL, NULL, AT, SHIM6_A_TAG_LOCAL);

	add(WITHOUT_ULID_LOCAL);
	put(&request, SHIM6_A_ULID_LOCAL, NULL, 15);
	refused("add: address of 15 octets", ERANGE, NULL, AT, SHIM6_A_ULID_LOCAL);
	add(WITHOUT_ULID_LOCAL);
	put(&request, SHIM6_A_ULID_LOCAL, NULL, 17);
	refused("add: address of 17 octets", ERANGE, NULL, AT, SHIM6_A_ULID_LOCAL);
	add(WITHOUT_ULID_LOCAL);
	put(&request, SHIM6_A_ULID_LOCAL, NULL, 0);
	refused("add: empty address", ERANGE, NULL, AT, SHIM6_A_ULID_LOCAL);
	add(WITHOUT_TAG_LOCAL);
	put_u32(&request, SHIM6_A_TAG_LOCAL, 7);
	refused("add: tag of 4 octets", EINVAL, NULL, AT, SHIM6_A_TAG_LOCAL);
	add(0);
	put_u64(&request, SHIM6_A_FII, 7);
	refused("add: FII of 8 octets", EINVAL, NULL, AT, SHIM6_A_FII);
	add(WITHOUT_TAG_LOCAL);
	put(&request, SHIM6_A_TAG_LOCAL | NLA_F_NESTED, NULL, 8);
	refused("add: tag as a nest", EINVAL, NULL, AT, SHIM6_A_TAG_LOCAL);
	add(0);
	attr = nest_begin(&request, SHIM6_A_LOCATOR_LOCAL);
	put_address(&request, SHIM6_A_LOCATOR_ADDRESS, ULID_LOCAL);
	nest_end(&request, attr);
	attr->nla_type &= ~NLA_F_NESTED;
	refused("add: locator without the flag of a nest", EINVAL, NULL, AT,
		SHIM6_A_LOCATOR_LOCAL);
	add(0);
	attr = nest_begin(&request, SHIM6_A_LOCATOR_LOCAL);
	put_address(&request, SHIM6_A_LOCATOR_ADDRESS, ULID_LOCAL);
	nest_end(&request, attr);
	(attr + 1)->nla_len = 64;
	refused("add: attribute in a nest longer than the nest", EINVAL, NULL, NOWHERE, 0);
	add(0);
	attr = put(&request, SHIM6_A_FII, NULL, 4);
	attr->nla_len = 200;
	refused("add: attribute longer than the message", EINVAL, NULL, NOWHERE, 0);
	add(0);
	attr = put(&request, SHIM6_A_FII, NULL, 4);
	attr->nla_len = 3;
	refused("add: attribute shorter than its header", EINVAL, NULL, NOWHERE, 0);
	add(0);
	append(&request, "\1\2", 2);
	refused("add: octets behind the last attribute", EINVAL, NULL, NOWHERE, 0);

	begin(&request, shim6_family, 0);
	refused("no generic netlink header", EINVAL, NULL, NOWHERE, 0);
	begin_command(&request, SHIM6_CMD_MAX + 1, 0);
	refused("unknown command", EOPNOTSUPP, NULL, NOWHERE, 0);
	begin_command(&request, SHIM6_CMD_UNSPEC, 0);
	refused("command 0", EOPNOTSUPP, NULL, NOWHERE, 0);
	add(0);
	request.header.nlmsg_flags |= NLM_F_DUMP;
	refused("add as a dump", EOPNOTSUPP, NULL, NOWHERE, 0);
	add(0);
	request.header.nlmsg_flags |= NLM_F_CREATE;
	refused("add: flag without a meaning", EINVAL, NULL, NOWHERE, 0);
	add(0);
	((struct genlmsghdr *)NLMSG_DATA(&request.header))->reserved = 1;
	refused("add: reserved octets", EINVAL, NULL, NOWHERE, 0);
}

int main(void)
{
	struct answer answer;

	new_namespace();
	fd = open_shim6();
	add_local_address(ULID_LOCAL);
	add_local_address(OTHER_LOCAL);

	begin_command(&request, SHIM6_CMD_CONTEXT_ADD, 0);
	put_address(&request, SHIM6_A_ULID_LOCAL, ULID_LOCAL);
	put_address(&request, SHIM6_A_ULID_PEER, OTHER_PEER);
	put_u64(&request, SHIM6_A_TAG_LOCAL, 1);
	put_u64(&request, SHIM6_A_TAG_PEER, 2);
	put_locator(&request, SHIM6_A_LOCATOR_LOCAL, ULID_LOCAL);
	put_locator(&request, SHIM6_A_LOCATOR_LOCAL, OTHER_LOCAL);
	put_locator(&request, SHIM6_A_LOCATOR_LOCAL, NOT_OURS);
	answer = exchange(fd, &request, NULL, NULL);
	if (!tap_ok(!answer.error, "a context, for the others to be compared with"))
		tap_note("errno %d (%s), \"%s\"", answer.error, strerror(answer.error),
			 answer.sentence);

	wrong_identities();
	wrong_tags();
	wrong_lists();
	wrong_current_pairs();
	wrong_names();
	wrong_shapes();

	tap_ok(look_at_all(fd).contexts == 1, "the context is there, and no other");
	return tap_done();
}
