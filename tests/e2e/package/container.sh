# A fresh Debian with systemd as its first process. Sourced by run.sh, which sets work, suite and mirror.

container=""
container_process=""
leader=""
machine="cellos-package-$$"
scratch="$(mktemp -d)"

cannot_start() {
  printf 'package-test: cannot start a container: %s\n' "$1"
  exit 1
}

# The bootstrapped system is kept in $work; each run has a copy of its own, in $container.
fresh_container() {
  local base="$work/$suite"
  if [[ ! -e "$base.complete" ]]; then
    rm -rf "$base"
    debootstrap --variant=minbase --include=systemd,init-system-helpers,ca-certificates,curl "$suite" "$base" "$mirror" \
      >"$work/debootstrap.log" 2>&1 || cannot_start "see $work/debootstrap.log"
    touch "$base.complete"
  fi
  container="$scratch/system"
  cp -a --reflink=auto "$base" "$container"
  # Else the first boot asks questions.
  echo uninitialized >"$container/etc/machine-id"
  ln -sf /dev/null "$container/etc/systemd/system/systemd-firstboot.service"
}

# Where systemd does not run here, the container gets a cgroup of its own, which we remove.
own_cgroups() {
  local hierarchy
  [[ ! -d /run/systemd/system ]] || return 0
  for hierarchy in /sys/fs/cgroup /sys/fs/cgroup/unified /sys/fs/cgroup/systemd; do
    [[ ! -w "$hierarchy/cgroup.procs" ]] || printf '%s/%s\n' "$hierarchy" "$machine"
  done
}

boot_container() {
  local options=(--quiet --register=no --directory "$container" --machine "$machine" --console=pipe --boot)
  [[ -d /run/systemd/system ]] || options+=(--keep-unit)
  (
    while IFS= read -r cgroup; do
      mkdir "$cgroup" && echo "$BASHPID" >"$cgroup/cgroup.procs"
    done < <(own_cgroups)
    exec systemd-nspawn "${options[@]}" </dev/null >"$scratch/boot.log" 2>&1
  ) &
  container_process=$!
  wait_for "the container's first process" find_first_process
  wait_for "the container's boot" inside systemctl is-system-running
}

find_first_process() { leader="$(pgrep --parent "$container_process" systemd)" && [[ -n "$leader" ]]; }

# Never outside, whatever went wrong.
inside() {
  [[ -n "$leader" && ! "/proc/$leader/ns/mnt" -ef /proc/self/ns/mnt ]] || cannot_start "see $scratch/boot.log"
  nsenter --target "$leader" --mount --uts --ipc --pid --root --wd -- \
    env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 "$@"
}

remove_cgroups() {
  local cgroup
  while IFS= read -r cgroup; do
    [[ ! -d "$cgroup" ]] || find "$cgroup" -depth -type d -exec rmdir {} + || true
  done < <(own_cgroups)
}

end_container() {
  if [[ -n "$container_process" ]]; then
    # Twice: orderly, then at once.
    kill "$container_process" 2>/dev/null || true
    timeout 20 tail --pid="$container_process" -f /dev/null || kill -KILL "$container_process" 2>/dev/null || true
    wait "$container_process" 2>/dev/null || true
    remove_cgroups
  fi
  rm -rf --one-file-system "$scratch"
}
trap end_container EXIT
