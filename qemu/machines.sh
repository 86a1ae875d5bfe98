# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2154 # the options of qemu/run.
#
# What qemu/run has to start for a kernel: QEMU, or the kernel itself.  Each
# function fills $command, and adds to $mounts what it needs; inside, the files of
# this run are at /run/shim6.

# Where there are no modules, what they would bring when they are loaded for the first time is
# here from the beginning.
BUILT_IN=(bonding.max_bonds=0 dummy.numdummies=0 ifb.numifbs=0 sysctl.net.core.fb_tunnels_only_for_init_net=2)

# The emulated computer.
plan_emulator() {
	# A bare /dev/kvm proves nothing: it exists where the processor has no such extensions.
	# Emulated, it is a tenth faster without a fifth level of page tables and wide registers.
	# Processors take turns: side by side, they go on with code that another one has changed.
	local counter accelerator=tcg,thread=single processor=max,la57=off,avx=off,avx2=off,pku=off port image=/boot/vmlinuz-$RELEASE
	if [[ $icount == yes ]]; then
		smp=1
		# shellcheck disable=SC2054 # the comma belongs to the option.
		arguments+=(-icount shift=0,sleep=off)
	elif grep -qwE 'vmx|svm' /proc/cpuinfo && [[ -r /dev/kvm && -w /dev/kvm ]]; then
		accelerator=kvm processor=max
	else
		# The kernel would compare with an emulated timer, which is late on a busy host, and believe
		# that: its clock was 15 times too fast (seen).
		counter=$(counter_khz)
		[[ -z $counter ]] || append+=" tsc_early_khz=$counter"
	fi
	if [[ -n $system ]]; then
		# What systemd does once after an update was done when the system was made.
		append+=' systemd.condition_needs_update=0'
	fi
	if is_built "$kernel"; then
		image=/kernel/linux append="${BUILT_IN[*]} $append"
		mounts+=("$KERNEL_DIR:/kernel:ro")
	else
		mounts+=("$ROOT_DIR/boot:/boot:ro")
	fi
	# shellcheck disable=SC2054 # commas belong to the options.
	command=(
		qemu-system-x86_64 -machine q35,hpet=off -accel "$accelerator" -cpu "$processor" -smp "$smp" -m "$mem"
		-nodefaults -no-user-config -display none -no-reboot
		-kernel "$image" -initrd /run/boot/initramfs
		# The kernel ends the machine (-no-reboot) on any oops.  Emulated processors stand still
		# on a busy host: no check of the timer against them, and a stall is one after a minute.
		-append "console=ttyS0 panic=-1 oops=panic no_timer_check rcupdate.rcu_cpu_stall_timeout=60 net.ifnames=0 $append"
		-chardev file,id=console,path=/run/shim6/console -serial chardev:console
		-drive if=none,id=image,format=raw,readonly=on,file.locking=off,file=/run/image/image.squashfs
		-device virtio-blk-pci,drive=image,serial=image
		-virtfs local,path=/run/opt,mount_tag=shim6,security_model=none,readonly=on,multidevs=remap
		-device virtio-serial-pci
		-chardev file,id=control,path=/proc/self/fd/3 -device virtserialport,chardev=control,name=shim6.control
	)
	if ! is_built "$kernel"; then
		# shellcheck disable=SC2054 # the same.
		command+=(
			-drive if=none,id=modules,format=raw,readonly=on,file.locking=off,file=/run/boot/modules.squashfs
			-device "virtio-blk-pci,drive=modules,serial=modules"
		)
	fi
	if [[ -n $system ]]; then
		mounts+=("$system:/run/layer:ro")
		command+=(
			-drive "if=none,id=layer,format=raw,readonly=on,file.locking=off,file=/run/layer/layer.squashfs"
			-device "virtio-blk-pci,drive=layer,serial=layer"
		)
	fi
	if [[ -n $share ]]; then
		command+=(-virtfs "local,path=/share,mount_tag=share,security_model=none,multidevs=remap")
	fi
	if [[ $interactive == yes ]]; then
		command+=(-chardev "stdio,id=terminal,signal=off" -device "virtconsole,chardev=terminal")
	else
		for port in out err; do
			command+=(-chardev "file,id=$port,path=/run/shim6/$port" -device "virtserialport,chardev=$port,name=shim6.$port")
		done
	fi
	plan_nics
	command+=("${arguments[@]}")
}

# counter_khz: how fast processors of this host count, which is how fast emulated ones do; nothing
# where they do not.
counter_khz() {
	enter "$QEMU_ROOT" "$QEMU_DIR:/src:ro" "$run:/out" -- \
		sh -c 'gcc -O2 -Wall -Wextra -Werror -o /out/counter /src/counter.c && /out/counter'
}

# What stands between User-Mode Linux with several processors and the C library: uml-ipi.c.
make_ipi_library() {
	enter "$QEMU_ROOT" "$QEMU_DIR:/src:ro" "$run:/out" -- \
		gcc -O2 -Wall -Wextra -Werror -fPIC -shared -ftls-model=initial-exec -o /out/uml-ipi.so /src/uml-ipi.c
}

# Its NICs, on one segment.
plan_nics() {
	local station=1 socket index
	if [[ -n $segment ]]; then
		mounts+=("$(dirname "$(realpath -m "${segment%,*}")"):/run/segment")
		socket=addr.type=unix,addr.path=/run/segment/$(basename "${segment%,*}")
		case $segment in
		*,a) command+=(-netdev "stream,id=segment,server=on,$socket") ;;
		*,b) command+=(-netdev "stream,id=segment,server=off,reconnect-ms=100,$socket") && station=2 ;;
		*) die "--segment takes SOCKET,a or SOCKET,b" ;;
		esac
		command+=(-netdev "hubport,id=uplink,hubid=0,netdev=segment")
	fi
	for index in "${!nics[@]}"; do
		command+=(
			-netdev "hubport,id=nic$index,hubid=0"
			-device "$(printf '%s,netdev=nic%d,mac=52:54:00:00:%02x:%02x' "${nics[index]}" "$index" "$station" "$index")"
		)
	done
}

# claim_processor: sets claimed to a processor of the host that no other machine claims,
# empty if there is none. The one processor of User-Mode Linux is many processes
# that wait for each other: twice as fast if they share one of the host.
claim_processor() {
	local first last processor
	mkdir -p "$CACHE/lock"
	while IFS=- read -r first last; do
		for ((processor = first; processor <= ${last:-first}; processor++)); do
			claimed=$processor
			exec {claim}>"$CACHE/lock/processor-$processor"
			! flock -n "$claim" || return 0
			exec {claim}>&-
		done
	done < <(taskset -cp $$ | sed 's/.*: //' | tr , '\n')
	claimed=''
}

# User-Mode Linux: the kernel is a program, its serial lines are our descriptors,
# their numbers known to guest/agent. All files come through hostfs, which reads them
# at once: where time travels, a disk would answer after years.
plan_process() {
	if ((${#nics[@]} || ${#arguments[@]})) || [[ -n $segment$system || $icount == yes ]]; then
		die "User-Mode Linux has no NICs and no QEMU: --nic, --segment, --system, --icount and --qemu-arg are for other kernels"
	fi
	mounts+=("$KERNEL_DIR:/kernel:ro")
	local seccomp=on
	# Its first program dies at once under seccomp (clang, KASAN): processes are traced there.
	[[ ${KERNEL_CONFIG[$kernel]} != uml-debug.config ]] || seccomp=off
	local -a process=(setsid /kernel/linux "mem=${mem}M" "seccomp=$seccomp")
	case ${KERNEL_CONFIG[$kernel]} in
	uml-smp.config)
		process+=("ncpus=$smp")
		make_ipi_library
		process=(setsid env LD_PRELOAD=/run/shim6/uml-ipi.so "${process[@]:1}")
		;;
	*)
		claim_processor
		[[ -z $claimed ]] || process=(taskset -c "$claimed" "${process[@]}")
		# Computing takes no time then, and waiting no time of the host.
		[[ $interactive == yes || $real_time == yes ]] || process+=(time-travel=inf-cpu)
		;;
	esac
	# On a panic the kernel ends its process group: it must not be ours.
	# shellcheck disable=SC2054 # commas belong to the options.
	command=(
		bash -c 'exec 4>>/run/shim6/console 5>>/run/shim6/out 6>>/run/shim6/err && exec "$@"' bash
		"${process[@]}" initrd=/run/boot/initramfs
		con=null ssl=null con0=fd:0,fd:1 ssl0=null,fd:4 ssl1=null,fd:3 ssl2=null,fd:5 ssl3=null,fd:6
		console=ttyS0 panic=-1 oops=panic net.ifnames=0 "${BUILT_IN[@]}"
	)
	# shellcheck disable=SC2206 # words.
	command+=($append)
}
