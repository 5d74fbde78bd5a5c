#!/bin/bash
# What tests boot a real guest of: Debian's cloud kernel, and an initial file system of a static busybox and the modules of
# virtio. Both packages are fetched and taken apart, none is installed.
#
# usage: make_image.sh DIRECTORY     makes DIRECTORY/vmlinuz and DIRECTORY/initramfs.gz; once made, they stay
# The guest runs /scenario/run, which whoever boots it appends to the initial file system.
set -euo pipefail

out="${1:?usage: make_image.sh DIRECTORY}"
modules=(drivers/virtio/virtio_ring drivers/virtio/virtio drivers/virtio/virtio_pci_legacy_dev
  drivers/virtio/virtio_pci_modern_dev drivers/virtio/virtio_pci drivers/char/virtio_console
  net/core/failover drivers/net/net_failover drivers/net/virtio_net)

fail() {
  echo "make_image.sh: $*" >&2
  exit 1
}

fetch() {
  local kernel
  kernel="$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/^ *Depends: *\(linux-image-[^ ]*\)$/\1/p' | head -n 1)"
  [[ -n "$kernel" ]] || fail "apt knows no linux-image-cloud-amd64: apt-get update"
  (cd "$work" && apt-get -qq download "$kernel" busybox-static >/dev/null 2>&1) || fail "$kernel and busybox-static cannot be fetched"
}

write_init() {
  cat >"$1" <<'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc none /proc
mount -t sysfs none /sys
mount -t devtmpfs none /dev
for module in /modules/*.ko; do insmod "$module"; done
# The telemetry port is there once the host's side is connected; without it there is nothing to be seen.
tries=0
until [ -c /dev/vport0p1 ] || [ "$tries" -ge 500 ]; do
  usleep 20000
  tries=$((tries + 1))
done
. /scenario/run
INIT
  chmod 0755 "$1"
}

make_file_system() {
  local root="$work/root" number=0 module
  mkdir -p "$root"/{bin,dev,modules,proc,sys}
  cp "$work/unpacked/bin/busybox" "$root/bin/busybox"
  for module in "${modules[@]}"; do
    number=$((number + 1))
    cp "$work"/unpacked/lib/modules/*/kernel/"$module.ko" "$root/modules/$(printf '%02d' "$number")-${module##*/}.ko"
  done
  write_init "$root/init"
  (cd "$root" && find . -print0 | LC_ALL=C sort --zero-terminated | cpio --null --create --format newc --quiet | gzip --no-name)
}

[[ ! -e "$out/initramfs.gz" || "$out/initramfs.gz" -ot "${BASH_SOURCE[0]}" ]] || exit 0
[[ "$(uname -m)" == x86_64 ]] || fail "there is a guest for x86_64 alone"
mkdir -p "$out"
work="$(mktemp --directory "$out/making.XXXXXX")"
trap 'rm -rf "$work"' EXIT
# Where apt fetches to, as a user of its own if we are root.
chmod 0755 "$work"
fetch
for package in "$work"/*.deb; do dpkg-deb --extract "$package" "$work/unpacked"; done
make_file_system >"$work/initramfs.gz"
cp "$work"/unpacked/boot/vmlinuz-* "$out/vmlinuz"
mv "$work/initramfs.gz" "$out/initramfs.gz"
