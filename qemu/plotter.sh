# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# A Debian tree that can draw, for what tools/plot makes.  Sourced after lib.sh.

PLOTTER_PACKAGES=(python3-matplotlib)

# need_plotter: sets PLOTTER.
need_plotter() {
	local name
	need_root stable
	name=plotters/$(printf '%s\n' 1 "$IMAGE_SUITE" "${PLOTTER_PACKAGES[@]}" "$ROOT_KEY" | digest)
	PLOTTER=$CACHE/$name
	cached "$name" "plotter (Debian $IMAGE_SUITE)" make_plotter
}

make_plotter() {
	need_mmdebstrap
	bootstrap "$IMAGE_SUITE" "$(IFS=, && printf '%s' "${PLOTTER_PACKAGES[*]}")" | unpack_root "$1"
}

# plot PROGRAM ARGUMENT...: runs a program of tools/plot, with build/ at /out.
plot() {
	enter "$PLOTTER" "$TOP:/src:ro" "$BUILD:/out" -- python3 "/src/tools/plot/$1" "${@:2}"
}
