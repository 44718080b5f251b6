#!/bin/bash
# Boots one of Debian's kernels in qemu and runs PAYLOAD/test.sh in it as root.
#
#   boot.sh KERNEL PAYLOAD [MODULE...]
#
# KERNEL   what follows "linux-image-" in a package name; a metapackage (cloud-amd64, 6.12-cloud-amd64) means its newest version
# PAYLOAD  a directory that is laid over the guest's root
# MODULE   kernel modules to load before test.sh, with what they depend on
#
# Environment: VM_MEMORY (1G), VM_LIMIT (120 seconds), VM_APPEND (more kernel command line), VM_QEMU (more options of qemu),
# VM_CACHE (~/.cache/vmtest), VM_TOLD (a file that takes the results of checks, guest-checks).
# Exit status: that of test.sh (0..123), 124 time limit, 125 the guest died, 126 the kernel or a tool cannot be had (reason on stderr).
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
kernel=$1 payload=$2
shift 2
cache=${VM_CACHE:-$HOME/.cache/vmtest}

unavailable() { echo "$1" >&2; exit 126; }

for tool in qemu-system-x86_64 cpio depmod xz zstd lz4 python3 gcc /bin/busybox; do
	command -v "$tool" >/dev/null || unavailable "$tool is missing: apt-get install qemu-system-x86 busybox-static cpio kmod xz-utils zstd lz4 python3 gcc libc6-dev"
done

# A metapackage depends on the image of today. What was fetched before serves when the package lists cannot answer.
version=$(apt-cache depends "linux-image-$kernel" 2>/dev/null | sed -n 's/.*Depends: linux-image-//p' | head -1)
version=${version:-$kernel}
root=$cache/$version
fetch() {
	local fetched
	[ ! -s "$root/vmlinux" ] || return 0
	fetched=$(mktemp -d)
	(cd "$fetched" && apt-get download -q "linux-image-$version" >/dev/null 2>&1) || { rm -rf "$fetched"; unavailable "package linux-image-$version cannot be downloaded"; }
	rm -rf "$root"
	mkdir -p "$root"
	dpkg -x "$fetched"/*.deb "$root"
	rm -rf "$fetched"
	python3 "$here/extract-vmlinux.py" "$root"/boot/vmlinuz-* "$root/vmlinux"
	depmod -b "$root" "$(ls "$root/lib/modules")"
}

# One boot at a time looks for a kernel: others may want the same.
mkdir -p "$cache"
exec 9>"$cache/$version.lock"
flock 9
fetch
exec 9>&-

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
guest=$work/guest
mkdir -p "$guest"/{bin,dev,proc,sys,tmp,run,etc,modules}
cp /bin/busybox "$guest/bin/"
for applet in $(/bin/busybox --list | grep -vxE 'busybox|init|linuxrc'); do ln -s busybox "$guest/bin/$applet"; done
gcc -O1 -static -s -o "$guest/bin/exit-qemu" "$here/exit-qemu.c"
install -m 755 "$here/guest-init" "$guest/init"
install -m 644 "$here/guest-checks" "$guest/checks.sh"
echo 'root:x:0:0:root:/:/bin/sh' >"$guest/etc/passwd"
echo 'root:x:0:' >"$guest/etc/group"
echo '127.0.0.1 localhost' >"$guest/etc/hosts"

release=$(ls "$root/lib/modules")
for module in "$@"; do modprobe -d "$root" -S "$release" --show-depends "$module" | awk '$1 == "insmod" { print $2 }'; done |
	awk '!seen[$0]++' | while read -r file; do
		name=$(basename "$file" .xz)
		case $file in *.xz) xz -dc "$file" >"$guest/modules/$name" ;; *) cp "$file" "$guest/modules/$name" ;; esac
		echo "$name"
	done >"$guest/modules/order"

archive() { (cd "$1" && find . -mindepth 1 -print0 | LC_ALL=C sort -z | cpio -0 -o -H newc --reproducible -R 0:0 --quiet); }
{ archive "$guest"; archive "$payload"; } >"$work/initrd" # the kernel unpacks one after the other, later files win

# One CPU, one emulation thread: two threads are unsafe while the guest patches its own code, which attaching BPF programs does.
set +e
timeout -k 5 "${VM_LIMIT:-120}" qemu-system-x86_64 -M q35 -accel tcg,thread=single -cpu max -smp 1 -m "${VM_MEMORY:-1G}" \
	${VM_QEMU:-} -nodefaults -no-user-config -display none -serial stdio -serial "file:${VM_TOLD:-/dev/null}" -no-reboot -device isa-debug-exit,iobase=0xf4,iosize=4 \
	-kernel "$root/vmlinux" -initrd "$work/initrd" -append "console=ttyS0 panic=-1 quiet ${VM_APPEND:-}" </dev/null | tee "$work/console"
status=${PIPESTATUS[0]}
# exit-qemu makes qemu leave with (status << 1) | 1. A panic reboots, and qemu then leaves with 0.
case $status in
124 | 137) exit 124 ;;
0) # Lockdown closes the port to exit-qemu; a guest that powers off then has said its status.
	said=$(sed -n 's/^@@DONE \([0-9]*\) .*/\1/p' "$work/console" | tail -1)
	exit "${said:-125}"
	;;
*) [ $((status & 1)) = 1 ] && exit $((status >> 1)); exit 125 ;;
esac
