/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Identities of the test vectors: hostA and hostB are HBAs, hostC is a CGA with a key.
 */
#ifndef SELFTESTS_IDENTITY_H
#define SELFTESTS_IDENTITY_H

#include "netlink.h"

#define VECTORS		"/opt/shim6/rust/proto/tests/vectors/"

/* What hostA and hostB have. */
#define HBA_A		"2001:db8:a:1:87b:8895:4bd3:1492"
#define OTHER_HBA_A	"2001:db8:a:2:10c8:6551:484f:c005"
#define HBA_B		"2001:db8:b:1:24b7:330d:d41f:c548"

/*
 * The first value of a key of a file of test vectors, behind the name that it belongs to,
 * which is hexadecimal.
 */
static size_t UNUSED vector(const char *file_name, const char *name, const char *key,
			    char *octets, size_t size)
{
	static char text[1 << 20];
	FILE *file = fopen(file_name, "re");
	size_t len = file ? fread(text, 1, sizeof(text) - 1, file) : 0, count = 0;
	const char *at;
	unsigned int octet;

	if (!len)
		tap_bail("%s", file_name);
	fclose(file);
	text[len] = '\0';
	at = strstr(text, name);
	at = at ? strstr(at, key) : NULL;
	at = at ? strchr(strchr(at, ':'), '"') : NULL;
	if (!at)
		tap_bail("no %s of %s in %s", key, name, file_name);
	for (at++; count < size && sscanf(at, "%2x", &octet) == 1; at += 2)
		octets[count++] = octet;
	return count;
}

/* A request to add one. */
static void UNUSED begin_identity(struct request *request, const char *name)
{
	char pds[1024], key[2400];

	begin_command(request, SHIM6_CMD_IDENTITY_ADD, 0);
	put(request, SHIM6_A_NAME, name, strlen(name) + 1);
	put(request, SHIM6_A_PDS, pds,
	    vector(VECTORS "hba.json", name, "\"pds\"", pds, sizeof(pds)));
	if (!strcmp(name, "hostC"))
		put(request, SHIM6_A_PRIVATE_KEY, key,
		    vector(VECTORS "keys.json", "rsa1024", "pkcs1_private_der", key, sizeof(key)));
}

#endif /* SELFTESTS_IDENTITY_H */
