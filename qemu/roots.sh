# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Step 1: build roots, that is Debian trees with a kernel and the tools that
# can build for it.  Everything comes from the host's own Debian archive through
# apt; nothing needs to be installed on the host.

# The base URI of the Debian archive that this host uses.
archive() {
	local uri
	if [[ -n ${SHIM6_MIRROR-} ]]; then
		printf '%s\n' "$SHIM6_MIRROR"
		return
	fi
	uri=$(apt-get --print-uris -o "Dir::State::lists=$CACHE/none" update 2>/dev/null |
		sed -nE "s:^'(.*/debian(/[0-9TZ]+)?)/dists/[^/]+/InRelease' .*:\1:p" | sed -n 1p) || true
	[[ -n $uri ]] ||
		die "apt on this host names no Debian archive; say which one to use with SHIM6_MIRROR=URI"
	case $uri in
	mirror+file:*) uri=$(grep -v '^#' "${uri#mirror+file:}" | awk 'NF { print $1; exit }') ;;
	esac
	printf '%s\n' "$uri"
}

# How the host's apt reaches its archive (proxies, certificates, whether a mirror
# may lag behind), for an apt that reads no host configuration.
apt_settings() {
	apt-config dump Acquire |
		grep -E '^Acquire::(https?::(Proxy|Ca|Verify|Timeout)|Check-Valid-Until|Max-ValidTime|Retries)[^ ]* "[^"]+";$' || true
}

# host_package NAME: unpack a package of the host's own distribution into the
# cache.  apt gets a state directory of ours, so this needs neither root nor fresh lists.
host_package() {
	cached "host/$1" "package $1" fetch_host_package "$1"
}

fetch_host_package() {
	local name=$1 into=$2
	local -a options=(
		-o "Dir::State::lists=$into/lists" -o "Dir::Cache=$into/cache"
		-o APT::Sandbox::User=root -o Acquire::Languages=none
	)
	mkdir -p "$into/lists/partial" "$into/cache/archives/partial"
	apt-get "${options[@]}" update
	(cd "$into" && apt-get "${options[@]}" download "$name")
	dpkg -x "$into"/*.deb "$into"
	rm -rf "$into"/*.deb "$into/lists" "$into/cache"
}

# Sets MMDEBSTRAP and KEYRING.
need_mmdebstrap() {
	MMDEBSTRAP=$(command -v mmdebstrap || true)
	if [[ -z $MMDEBSTRAP ]]; then
		host_package mmdebstrap
		MMDEBSTRAP=$CACHE/host/mmdebstrap/usr/bin/mmdebstrap
	fi
	need_keyring
}

need_keyring() {
	local directory
	for directory in /usr "$CACHE/host/debian-archive-keyring/usr"; do
		for KEYRING in "$directory"/share/keyrings/debian-archive-keyring.{pgp,gpg}; do
			[[ ! -e $KEYRING ]] || return 0
		done
	done
	host_package debian-archive-keyring
	need_keyring
}

# sources SUITE...: their sources.list lines.
sources() {
	local suite
	for suite in "$@"; do
		printf 'deb [signed-by=%s] %s %s main\n' "$KEYRING" "$(archive)" "$suite"
	done
}

# resolve ROOT: find out which kernel and which packages ROOT is made of today,
# once, and remember it in the cache until somebody deletes it (`make update`).
# Sets the variables of load_resolution.
resolve() {
	local root=$1 recipe
	recipe=$(recipe "$root" | digest)
	cached "resolved/$root-$recipe" "packages of build root $root" find_packages "$root"
	# shellcheck disable=SC1090
	. "$CACHE/resolved/$root-$recipe/resolution"
}

# All that decides what a build root holds, beside the archive's state.
recipe() {
	local root=$1 kernel=${ROOT_KERNEL[$1]}
	printf '%s\n' 1 "${ROOT_SUITES[$root]}" "${ROOT_PINNED[$root]}" "${ROOT_EXTRA[$root]}" \
		"${ROOT_PACKAGES[@]}" "$kernel" "${KERNEL_RELEASES[$kernel]}"
}

find_packages() {
	local root=$1 into=$2 kernel=${ROOT_KERNEL[$1]} release version include
	local -a apt options packages suites
	read -ra suites <<<"${ROOT_SUITES[$root]}"
	read -ra packages <<<"${ROOT_PACKAGES[*]} ${ROOT_EXTRA[$root]} ${ROOT_PINNED[$root]}"
	need_keyring
	mkdir -p "$into/apt/lists/partial" "$into/apt/archives/partial"
	: >"$into/apt/status"
	sources "${suites[@]}" >"$into/apt/sources.list"
	apt_settings >"$into/apt/apt.conf"
	options=(
		-c "$into/apt/apt.conf"
		-o "Dir::Etc::sourcelist=$into/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null
		-o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null
		-o "Dir::State=$into/apt" -o "Dir::State::status=$into/apt/status" -o "Dir::Cache=$into/apt"
		-o APT::Architecture=amd64 -o APT::Architectures::=amd64 -o APT::Install-Recommends=false
		-o APT::Sandbox::User=root -o Acquire::Languages=none
	)
	apt-get "${options[@]}" -o APT::Update::Error-Mode=any update
	release=$(apt-cache "${options[@]}" pkgnames linux-image- |
		sed -nE "s/^linux-image-(${KERNEL_RELEASES[$kernel]})$/\1/p" | sort -V | tail -n 1)
	[[ -n $release ]] ||
		die "the archive has no linux-image package of series $kernel in ${ROOT_SUITES[$root]}"
	version=$(apt-cache "${options[@]}" madison "linux-image-$release" | awk 'NR == 1 { print $3 }')
	# Image and source come from two source packages: take the source that the image was built from.
	packages+=("linux-image-$release" "linux-headers-$release" "linux-source-$kernel=$version")
	apt=(apt-get "${options[@]}" -s install '?essential' "${packages[@]}")
	"${apt[@]}" | sed -n 's/^Inst //p' | sort >"$into/packages"
	include=$(IFS=, && printf '%s' "${packages[*]}")
	{
		printf 'RELEASE=%q\n' "$release"
		printf 'VERSION=%q\n' "$version"
		printf 'INCLUDE=%q\n' "$include"
		printf 'ROOT_KEY=%q\n' "$root-$({
			recipe "$root"
			cat "$into/packages"
		} | digest)"
	} >"$into/resolution"
	rm -rf "$into/apt"
}

# bootstrap SUITES INCLUDE [OPTION OF mmdebstrap]...: a Debian tree as tar on standard output.
bootstrap() {
	local mode=unshare
	local -a suites lines settings wrapper=()
	read -ra suites <<<"$1"
	mapfile -t settings < <(apt_settings)
	mapfile -t lines < <(sources "${suites[@]}")
	if ((EUID == 0)); then
		mode=root
		wrapper=("${NAMESPACE[@]}" --mount-proc)
	elif ! command -v newuidmap >/dev/null || ! grep -q "^\($(id -un)\|$EUID\):" /etc/subuid; then
		die "to install packages as $(id -un) the system needs newuidmap and a range in /etc/subuid: apt install uidmap (or run as root once)"
	fi
	# No initramfs is ever booted from a build root.
	INITRD=No "${wrapper[@]}" "$MMDEBSTRAP" --mode="$mode" --variant=minbase --format=tar --architectures=amd64 \
		--aptopt='APT::Install-Recommends "false"' --aptopt='APT::Sandbox::User "root"' \
		"${settings[@]/#/--aptopt=}" \
		--essential-hook="printf 'path-exclude=/usr/share/%s/*\n' doc info locale man >\"\$1/etc/dpkg/dpkg.cfg.d/shim6\"" \
		--include="$2" "${@:3}" "${suites[0]}" - "${lines[@]}"
}

# need_python: sets PYTHON, a directory with the Python modules that the checks need; they
# are of the suite of the first root and its Python.
need_python() {
	local name
	name=python/$(printf '%s\n' 1 "$IMAGE_SUITE" "${CHECK_PYTHON[@]}" | digest)
	PYTHON=$CACHE/$name
	cached "$name" "Python modules (Debian $IMAGE_SUITE)" make_python
}

make_python() {
	need_mmdebstrap
	bootstrap "$IMAGE_SUITE" "$(IFS=, && printf '%s' "${CHECK_PYTHON[*]}")" --variant=extract |
		tar -x -C "$1" --strip-components=5 ./usr/lib/python3/dist-packages
}

# need_root ROOT: sets ROOT_DIR, beside what resolve sets.
need_root() {
	[[ -n ${NAMESPACE-} ]] || namespace_command
	resolve "$1"
	ROOT_DIR=$CACHE/roots/$ROOT_KEY
	cached "roots/$ROOT_KEY" "build root $1 (Debian ${ROOT_SUITES[$1]}, kernel $RELEASE)" make_root "$1"
}

make_root() {
	local root=$1 into=$2
	need_mmdebstrap
	bootstrap "${ROOT_SUITES[$root]}" "$INCLUDE" | unpack_root "$into"
}

# unpack_root DIRECTORY: a tree from bootstrap, with places for what in-root mounts.
unpack_root() {
	tar -x -C "$1" --exclude='./dev/*'
	mkdir -p "$1"/{src,cache,kernel,share,out,.cargo,etc/ssl/certs}
	touch "$1"/{.cargo/config.toml,etc/resolv.conf,etc/ssl/certs/ca-certificates.crt}
}
