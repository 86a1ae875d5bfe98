#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A configuration that boot.sh expects to be in force after a boot. Run by qemu/packages
# in the system with the packages installed.

set -e

(cd /etc/shim6 && shim6 hba generate --prefix 2001:db8:a:1::/64 --prefix 2001:db8:a:2::/64 --output boot.hba)
cat >/etc/shim6/shim6.toml <<'EOF'
[[identity]]
name = "boot"
file = "boot.hba"

[policy]
prefixes = ["2001:db8:b::/48"]
EOF
# The administrator takes the comment from one line.
sed -i 's/^#\(net.shim6.send_timeout\) = .*/\1 = 7000/' /etc/sysctl.d/shim6.conf
