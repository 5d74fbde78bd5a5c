#!/bin/bash
# Installs the Debian package in a fresh Debian whose first process is systemd, and does there what an operator, an
# orchestrator and Firecracker under its jailer do: install, add a cell, send, look, kill, hang, reload, upgrade, purge.
#
# usage: run.sh PACKAGE WORK_DIR     as root; WORK_DIR keeps the fresh system for the next run
# CELLOS_DEBIAN_MIRROR: where Debian comes from
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
package="$(realpath "$1")"
work="$(realpath "$2")"
mirror="${CELLOS_DEBIAN_MIRROR:-http://deb.debian.org/debian}"
suite=bookworm
timeout=60

name=cellos-host-telemetry
unit=cellos-telemetryd.service
evidence=/var/lib/cellos-telemetry
configuration=/etc/cellos-telemetry/telemetryd.toml
control=/run/cellos-telemetry/control.sock
cells_uid=10002
api_is_there=""

source "$here/container.sh"

say() { printf 'package-test: %s\n' "$*"; }

fail() {
  say "FAILED: $*"
  [[ -z "$leader" ]] || inside journalctl --no-pager --unit "$unit" --lines 40 || true
  exit 1
}

# expect WHAT WANTED GOT
expect() {
  [[ "$2" == "$3" ]] || fail "$1: expected '$2', got '$3'"
  say "ok: $1: $3"
}

# wait_for WHAT COMMAND...: until it succeeds.
wait_for() {
  local what="$1" deadline=$((SECONDS + timeout))
  shift
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < deadline)) || fail "$what did not happen in $timeout s"
    read -rt 0.1 <>/dev/zero || true
  done
}

property() { inside systemctl show --value --property "$1" "$unit"; }
is_property() { [[ "$(property "$1")" == "$2" ]]; }

# is_served_by_other_than PID: another daemon is ready, with the one cell.
is_served_by_other_than() {
  [[ "$(property MainPID)" != "$1" ]] && is_property ActiveState active && is_property StatusText "Serving 1 cell"
}

apt() {
  inside env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 --yes "$@" >"$scratch/apt.log" 2>&1 ||
    fail "apt-get $*: $(cat "$scratch/apt.log")"
}

# --- cells: through the API where there is one, else through the file ---

api() {
  local method="$1" path="$2"
  shift 2
  inside curl --silent --show-error --fail-with-body --unix-socket "$control" -X "$method" "http://localhost$path" "$@"
}

# add_cell ID VSOCK_UDS_BASE
add_cell() {
  if [[ -n "$api_is_there" ]]; then
    local body
    body="$(jq -nc --arg run "run-of-$1" --arg base "$2" --argjson uid "$cells_uid" '{run_id: $run, vsock_uds_base: $base,
      spec_signature_hash: "sha256:0", keepalive_window: "10m", expected_uid: $uid}')"
    api PUT "/cells/$1" --data "$body" >/dev/null || fail "PUT /cells/$1"
  else
    inside tee -a "$configuration" >/dev/null <<TOML

[[cell]]
id = "$1"
run_id = "run-of-$1"
vsock_uds_base = "$2"
spec_signature_hash = "sha256:0"
keepalive_window = "10m"
expected_uid = $cells_uid
TOML
    inside systemctl reload "$unit" || fail "the reload with cell $1"
  fi
  wait_for "the socket of $1" inside test -S "$2_9001"
}

# remove_cell ID: prints the totals that the daemon answers with, where it does.
remove_cell() {
  if [[ -n "$api_is_there" ]]; then
    api DELETE "/cells/$1"
    return
  fi
  # They are at the end, and the one asked for is the last.
  inside sed -i "/^\[\[cell\]\]\$/,\$d" "$configuration"
  inside systemctl reload "$unit"
}

# send SOCKET FRAMES SCENARIO: as the uid that Firecracker runs as for the cell; adds to what was sent.
sent_frames=0
sent_declarations=0
send() {
  local report
  report="$(inside setpriv --reuid "$cells_uid" --regid "$cells_uid" --clear-groups \
    cellos-guest-sim --socket "$1" --frames "$2" --scenario "$3" --quiet)" || fail "cellos-guest-sim could not send: $report"
  sent_frames=$((sent_frames + $(jq .frames <<<"$report")))
  sent_declarations=$((sent_declarations + $(jq .declarations <<<"$report")))
}

events_of() { inside cellos-telemetryctl tail --evidence "$evidence" --cell "$1" --json; }
declarations_of() { events_of "$1" | jq -s '[.[] | select(.data.probeSource != null)] | length'; }
has_declarations() { [[ "$(declarations_of "$1")" == "$2" ]]; }

# metric NAME: summed over its labels.
metric() { api GET /metrics | awk -v name="$1" '$1 == name || index($1, name "{") == 1 { sum += $2 } END { print sum + 0 }'; }

most_files() { (($(ulimit -Hn) < $1)) && ulimit -Hn || echo "$1"; }

# --- what is shown ---

# documented N: the N-th block of commands below "Installing" in docs/operations.md, word for word, but for building.
documented() {
  awk -v wanted="$1" '/^## / { inside = $0 == "## Installing" } !inside { next }
    /^```/ { open = !open; blocks += open; next }
    open && blocks == wanted && !/^\.\/dev / { print }' "$here/../../../docs/operations.md"
}

# follow N: runs that block as root, in a directory where the package is as after building.
follow() {
  documented "$1" >"$container/root/documented.sh"
  [[ -s "$container/root/documented.sh" ]] || fail "docs/operations.md has no block $1 below Installing"
  inside env DEBIAN_FRONTEND=noninteractive bash -euxc 'cd /root && source documented.sh' >"$scratch/documented.log" 2>&1 ||
    fail "block $1 of the documented installation: $(cat "$scratch/documented.log")"
}

runs_as() { inside getent passwd "$(inside awk '/^Uid/ { print $2 }' "/proc/$(property MainPID)/status")" | cut -d: -f1; }

the_documented_installation_starts_nothing_before_its_host_has_a_name() {
  inside apt-get -qq update
  inside mkdir -p /root/build/release
  cp "$package" "$container/root/build/release/"
  echo 'APT::Get::Assume-Yes "true";' >"$container/etc/apt/apt.conf.d/90yes"
  follow 1
  expect "the service after apt install" "inactive exec-condition" "$(property ActiveState) $(property Result)"
  expect "who says why" 1 "$(inside systemctl status "$unit" | grep -c "host_id is not set in $configuration")"
  inside sh -c "! ls $evidence/*.jsonl" >/dev/null 2>&1 || fail "there is evidence before the host has a name"
}

installs_and_runs() {
  follow 2
  expect "the service as documented" active "$(property ActiveState)"
  expect "and at the next boot" enabled "$(inside systemctl is-enabled "$unit")"
  expect "it is ready, and says so" "Serving 0 cells" "$(property StatusText)"
  expect "its user" cellos-telemetry "$(runs_as)"
  expect "its capabilities" 0000000000000001 "$(inside awk '/^CapEff/ { print $2 }' "/proc/$(property MainPID)/status")"
  # A container is not allowed more than its host.
  expect "its files" "$(most_files 65536)" "$(inside awk '/^Max open files/ { print $4 }' "/proc/$(property MainPID)/limits")"
  expect "its evidence directory" "cellos-telemetry 750" "$(inside stat -c '%U %a' "$evidence")"
  inside test -x "/usr/share/$name/verify/verify-run.sh" || fail "the verification by hand is not installed"
  inside test -s /usr/share/man/man8/cellos-telemetryd.8.gz || fail "the man page is not installed"
  inside systemctl restart "$unit"
  expect "the service after a restart" active "$(property ActiveState)"
  if inside test -S "$control"; then
    api_is_there=1
    expect "the control socket" "cellos-telemetry 660" "$(inside stat -c '%U %a' "$control")"
  else
    say "NOT SHOWN: this build serves no control API; cells come from the file, and nothing is asked of it"
  fi
}

a_cell_is_served_and_its_totals_agree() {
  local socket=/run/fc/steady/v.sock_9001 totals answered
  inside install -d -o "$cells_uid" -g cellos-telemetry -m 0770 /run/fc/steady
  add_cell steady /run/fc/steady/v.sock
  expect "the socket is the cell's" "$cells_uid cellos-telemetry 660" "$(inside stat -c '%u %G %a' "$socket")"
  sent_frames=0 sent_declarations=0
  send "$socket" 1000 honest
  send "$socket" 500 garbage
  send "$socket" 300 forged
  wait_for "appending everything" has_declarations steady "$sent_declarations"
  if [[ -n "$api_is_there" ]]; then
    expect "top" 1 "$(inside cellos-telemetryctl top --once | grep -c steady)"
    expect "frames in /metrics" "$sent_frames" "$(metric cellos_telemetry_frames_received_total)"
    expect "declarations in /metrics" "$sent_declarations" "$(metric cellos_telemetry_declarations_appended_total)"
    expect "the page" 1 "$(api GET / | grep -ic '<!doctype html>')"
  fi
  answered="$(remove_cell steady)"
  wait_for "the end of the run" inside grep -q 'run.v1.ended' -r "$evidence"
  totals="$(events_of steady | jq -c 'select(.type | endswith("run.v1.ended")) | .data.totals')"
  expect "frames in the log" "$sent_frames" "$(jq -r .received <<<"$totals")"
  expect "declarations in the log" "$sent_declarations" "$(jq -r .appended <<<"$totals")"
  expect "frames in the journal" 1 \
    "$(inside journalctl --no-pager --unit "$unit" | grep -c " cell_retired cell=steady .*received=$sent_frames appended=$sent_declarations ")"
  [[ -z "$api_is_there" ]] ||
    expect "frames in the answer to DELETE" "$sent_frames" "$(jq -r '.totals.received // .received' <<<"$answered")"
  inside test ! -e "$socket" || fail "the socket is still there"
}

# The run has ended, the daemon stops: nothing is missing from the first line on.
the_log_verifies_from_its_first_line() {
  follow 3
  say "ok: verify --finished as documented"
  expect "the service after verifying" active "$(property ActiveState)"
  # Not because nothing was looked at.
  expect "a cut log" 1 "$(inside sh -c "mkdir -p /root/cut && cp $evidence/evidence-*.jsonl /root/cut && sed -i 3d /root/cut/*01.jsonl; \
    cellos-telemetryctl verify --keys /etc/cellos-telemetry/signing.key.pub.json /root/cut >/dev/null; echo \$?")"
}

add_drop_in() {
  inside mkdir -p "/etc/systemd/system/$unit.d"
  inside tee "/etc/systemd/system/$unit.d/$1" >/dev/null
  inside systemctl daemon-reload
  inside systemctl restart "$unit"
}

# As the jailer leaves it: the chroot's root is closed to all but the cell's uid.
a_jailed_cell_survives_the_daemon() {
  local root=/srv/jailer/firecracker/jailed/root pid
  inside mkdir -p /srv/jailer
  inside cat "/usr/share/$name/systemd/jailer.conf" | add_drop_in jailer.conf
  inside install -d -o "$cells_uid" -g "$cells_uid" -m 0700 "$root"
  inside install -d -o "$cells_uid" -g cellos-telemetry -m 0770 "$root/vsock"
  add_cell jailed "$root/vsock/v.sock"
  sent_declarations=0
  send "$root/vsock/v.sock_9001" 400 honest
  wait_for "appending everything" has_declarations jailed "$sent_declarations"
  pid="$(property MainPID)"
  inside systemctl kill --signal KILL "$unit"
  wait_for "another daemon after SIGKILL" is_served_by_other_than "$pid"
  send "$root/vsock/v.sock_9001" 300 honest
  wait_for "appending everything" has_declarations jailed "$sent_declarations"
  expect "declarations before and after SIGKILL" 700 "$(declarations_of jailed)"
  expect "the crash is on record" 1 "$(events_of jailed | grep -c daemon_restart)"
}

a_hung_daemon_is_started_again() {
  local pid
  add_drop_in test-watchdog.conf <<<$'[Service]\nWatchdogSec=2s'
  pid="$(property MainPID)"
  inside systemctl kill --signal STOP "$unit"
  wait_for "another daemon after one that hung" is_served_by_other_than "$pid"
  expect "who ended it" 1 "$(inside journalctl --no-pager --unit "$unit" | grep -c 'Watchdog timeout')"
}

a_bad_file_changes_nothing() {
  local pid
  pid="$(property MainPID)"
  inside cp "$configuration" /root/kept.toml
  inside sed -i 's/^host_id = .*/host_id = 7/' "$configuration"
  ! inside systemctl reload "$unit" 2>/dev/null || fail "a bad file was reloaded"
  inside cp /root/kept.toml "$configuration"
  inside systemctl reload "$unit"
  expect "the daemon after a bad and a good reload" "$pid active" "$(property MainPID) $(property ActiveState)"
}

# The same package with a higher revision.
next_package() {
  local unpacked="$container/root/next"
  dpkg-deb -R "$package" "$unpacked"
  sed -i 's/^Version: .*/&.1/' "$unpacked/DEBIAN/control"
  dpkg-deb --root-owner-group -b "$unpacked" "$container/next.deb" >/dev/null
  rm -rf "$unpacked"
}

an_upgrade_keeps_and_a_purge_removes() {
  local before
  before="$(inside sha256sum "$configuration")"
  next_package
  apt install /next.deb
  expect "the configuration after the upgrade" "$before" "$(inside sha256sum "$configuration")"
  expect "the service after the upgrade" active "$(property ActiveState)"
  expect "declarations after the upgrade" 700 "$(declarations_of jailed)"
  wait_for "the daemon after the upgrade" is_property StatusText "Serving 1 cell"
  apt remove "$name"
  inside test -s "$configuration" || fail "apt remove took the configuration"
  inside sh -c "ls $evidence/*.jsonl" >/dev/null || fail "apt remove took the evidence"
  inside test ! -e /srv/jailer/firecracker/jailed/root/vsock/v.sock_9001 || fail "a stopped daemon's socket is still there"
  apt purge "$name"
  inside test ! -e "$evidence" || fail "apt purge left the evidence"
  inside test ! -e "$configuration" || fail "apt purge left the configuration"
  inside test -s /etc/cellos-telemetry/signing.key || fail "apt purge took the signing key"
  say "ok: apt remove keeps, apt purge removes"
}

fresh_container
cp "$package" "$container/"
boot_container
for step in the_documented_installation_starts_nothing_before_its_host_has_a_name installs_and_runs \
  a_cell_is_served_and_its_totals_agree the_log_verifies_from_its_first_line a_jailed_cell_survives_the_daemon \
  a_hung_daemon_is_started_again a_bad_file_changes_nothing an_upgrade_keeps_and_a_purge_removes; do
  say "== ${step//_/ }"
  "$step"
done
[[ -n "$api_is_there" ]] || say "NOT SHOWN: what needs a control API"
say "the package works"
