// SPDX-License-Identifier: GPL-2.0
/* Points of the module that can be made to fail, in the debugfs of kernels with fault injection. */
#include <linux/debugfs.h>
#include <linux/fault-inject.h>

#include "helpers.h"

static struct fault_attr points[SHIM6_FAULT_POINTS] = {
	[0 ... SHIM6_FAULT_POINTS - 1] = FAULT_ATTR_INITIALIZER,
};

struct dentry *shim6_helper_faults_open(const char *name, const char *const *point_names,
					unsigned int count)
{
	struct dentry *directory = debugfs_create_dir(name, NULL);

	for (unsigned int i = 0; i < min(count, SHIM6_FAULT_POINTS); i++) {
		/* Its name is logged when it fails, without a trace. */
		points[i].verbose = 1;
		fault_create_debugfs_attr(point_names[i], directory, &points[i]);
	}
	return directory;
}

void shim6_helper_faults_close(struct dentry *directory)
{
	debugfs_remove(directory);
}

bool shim6_helper_should_fail(unsigned int point)
{
	return should_fail(&points[point], 1);
}
