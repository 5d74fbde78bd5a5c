#!/bin/bash
# The log of a real daemon, with every kind of guest, holds before the public CloudEvents SDK and the published schemas;
# and the checker that says so notices what is wrong. usage: run.sh BIN_DIR
# shellcheck disable=SC2016  # sed's addresses look like variables
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
bin="$(cd "$1" && pwd)"
schemas="$here/../../../config/schemas"
# Beside the programs, so that every build tree installs the packages once.
sdk="$bin/../cloud_events_sdk"
timeout=60

scenarios=(honest burst garbage forged truncated oversized wrong-major slow-drip reconnecting heartbeat-only mixed)
frames=1000
# 20,000 bytes a second is all that slow-drip sends.
slow_frames=40

expected_types=(
  guest.v1.agent_resumed
  guest.v1.agent_silenced
  guest.v1.capability_denied
  guest.v1.fs_inotify_fired
  guest.v1.net_connect_attempted
  guest.v1.process_exited
  guest.v1.process_spawned
  guest.v1.telemetry_dropped
  host.probe.v1.process
  host.v1.key_changed
  host.v1.run_closed
  host.v1.run_opened
  host.v1.started
  host.v1.stopped
  run.v1.checkpoint
  run.v1.ended
  run.v1.key_changed
  run.v1.resumed
  run.v1.started
)

fail() {
  printf 'cloud_events_sdk: %s\n' "$*" >&2
  exit 1
}

work="$(mktemp -d)"
# What was started and not waited for yet, by pid.
declare -A running=()
clean_up() {
  local pid
  for pid in "${!running[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
  rm -rf "$work"
}
trap clean_up EXIT

# Starts COMMAND as $child and NAME; whatever else happens, it does not outlive its time by much.
start() { # NAME COMMAND...
  timeout --kill-after=5 "$timeout" "${@:2}" &
  child=$!
  running[$child]="$1"
}

join() { # PID
  local name="${running[$1]}" status=0
  wait "$1" || status=$?
  unset "running[$1]"
  [[ $status == 0 ]] || fail "$name ended with $status: $(cat "$work/$name.stderr")"
}

install_packages() {
  command -v npm >/dev/null || fail "needs node and npm"
  mkdir -p "$sdk"
  cp "$here"/*.mjs "$here/package.json" "$here/package-lock.json" "$sdk/"
  cmp --silent "$sdk/package-lock.json" "$sdk/installed.lock" && return
  npm ci --prefix "$sdk" --ignore-scripts --no-audit --no-fund >&2
  cp "$sdk/package-lock.json" "$sdk/installed.lock"
}

cell() { # ID [MORE_KEYS]
  cat <<TOML
[[cell]]
id = "$1"
run_id = "run-1"
vsock_uds_base = "$work/$1"
spec_signature_hash = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
${2:-}
TOML
}

write_configuration() {
  local scenario version
  printf 'host_id = "host-a"\n[evidence]\ndir = "%s/evidence"\n' "$work"
  cat <<TOML
[signing]
alg = "ed25519"
mode = "checkpoint"
checkpoint_events = 500
$1
[probes]
record = ["process"]
attempts_threshold = 5
packets_background = 0
TOML
  for scenario in "${scenarios[@]}"; do
    for version in 1.0 1.1; do cell "$scenario-$version"; done
  done
  cell lossy
  cell odd
  cell silent 'keepalive_window = "200ms"'
}

# The daemon's own log says so, or has said so.
await() {
  timeout "$timeout" grep --quiet --max-count=1 -e "$1" \
    <(exec tail --follow --lines=+1 --pid="$daemon" "$work/daemon.stderr" 2>/dev/null) ||
    fail "the daemon never said '$1': $(cat "$work/daemon.stderr")"
}

await_declaration_of() { # CELL
  timeout "$timeout" bash -c 'until grep --quiet --no-messages "/$1/.*guestPid" "$2"/evidence/*.jsonl; do sleep 0.02; done' \
    await "$1" "$work" || fail "no declaration of $1 came into the log"
}

start_daemon() { # SIGNING_KEYS
  write_configuration "$1" >"$work/telemetryd.toml"
  : >"$work/daemon.stderr"
  start daemon "$bin/cellos-telemetryd" --config "$work/telemetryd.toml" 2>>"$work/daemon.stderr"
  daemon=$child
  await daemon_ready
}

start_guest() { # CELL SIM_ARG...
  start "$1" "$bin/cellos-guest-sim" --quiet --socket "$work/$1_9001" "${@:2}" >/dev/null 2>"$work/$1.stderr"
}

start_guests() {
  local scenario version count
  for scenario in "${scenarios[@]}"; do
    count=$frames
    [[ $scenario != slow-drip ]] || count=$slow_frames
    for version in 1.0 1.1; do
      start_guest "$scenario-$version" --scenario "$scenario" --frames "$count" --content-version "$version"
    done
  done
  start_guest lossy --scenario lossy --frames "$frames" --content-version 1.1
  start odd node "$sdk/odd_guest.mjs" send "$work/odd_9001" 2>"$work/odd.stderr"
}

fall_silent_and_return() {
  start_guest silent --scenario silent-after-N --silent-after 10 --frames 20 --hold 1h
  local silent=$child
  # Reported before the guest had even connected, the silence says nothing of the guest.
  await_declaration_of silent
  await 'agent_silenced.*cell=silent'
  kill -TERM "$silent"
  join "$silent"
  start_guest silent --scenario honest --frames 10
}

make_key() { # KID
  "$bin/cellos-telemetryctl" keygen --alg ed25519 --kid "$1" --out "$work/$1.key" >/dev/null 2>&1
}

# Runs are left open by one daemon, and go on under the key of the next.
die_and_come_back() {
  local served
  make_key first
  make_key second
  start_daemon "kid = 'first'
key_file = '$work/first.key'"
  # The daemon itself is the child of the timeout around it.
  served="$(<"/proc/$daemon/task/$daemon/children")"
  kill -KILL "${served% }"
  wait "$daemon" 2>/dev/null || true
  unset "running[$daemon]"
  start_daemon "kid = 'second'
key_file = '$work/second.key'
former_kid = 'first'
former_key_file = '$work/first.key'"
}

make_log() {
  local pid
  die_and_come_back
  start_guests
  fall_silent_and_return
  for pid in "${!running[@]}"; do
    [[ $pid == "$daemon" ]] || join "$pid"
  done
  kill -TERM "$daemon"
  join "$daemon"
}

check() { node "$sdk/check.mjs" --schemas "$schemas" --ended "$@"; }

# A log that COMMAND has changed is refused for the reason.
catches() { # REASON COMMAND...
  LC_ALL=C "${@:2}" <"$work/good.jsonl" >"$work/broken.jsonl"
  ! cmp --silent "$work/good.jsonl" "$work/broken.jsonl" || fail "changes nothing: ${*:2}"
  ! check "$work/broken.jsonl" >/dev/null 2>"$work/said" || fail "not caught: ${*:2}"
  grep --quiet --fixed-strings -e "$1" "$work/said" || fail "caught, but not for '$1': ${*:2}: $(cat "$work/said")"
}

catches_broken_logs() {
  cat "${log[@]}" | grep '"id":"host-a/honest-1.0/' >"$work/good.jsonl"
  check "$work/good.jsonl" >/dev/null

  catches "sequence is" sed -E '50s/("sequence":")0/\11/'
  catches "sequence is" sed 50d
  catches "sequence is" sed 50p
  catches "sequence is" sed -E '50{h;d};51G'
  catches "sequence is" sed 1d
  catches "run.v1.started is number 50" sed -E '50s/guest\.v1\.[a-z_]+/run.v1.started/'
  catches "id is" sed -E '50s/("id":"[^"]*)[0-9]"/\1x"/'
  catches "has not" sed '$d'
  catches "after its chain's run.v1.ended" sed '$p'
  catches "do not balance" sed -E '$s/"appended":"[0-9]+"/"appended":"1"/'

  catches "property 'subject'" sed -E '50s/"subject":"[^"]*",//'
  catches "property 'guestPid'" sed -E '50s/"guestPid":[0-9]+,//'
  catches "guestUid" sed '50s/"hostReceivedAt"/"guestUid":0,&/'
  catches "no schema for type" sed -E '50s/guest\.v1\.[a-z_]+/guest.v1.other/'
  catches "/specversion" sed '50s/"specversion":"1.0"/"specversion":"0.3"/'
  catches "/data/guestMonotonicNs" sed -E '50s/("guestMonotonicNs":)"([0-9]+)"/\1\2/'
  catches "/time" sed '50s/Z"/+00:00"/g'
  catches "data.cellId is not" sed -E '50s/"cellId":"[^"]*"/"cellId":"other"/'

  catches "data is not last, compact" sed -E '50s/("guestPid":[0-9]+),("hostReceivedAt":"[^"]*")/\2,\1/'
  catches "data is not last, compact" sed '50s/"data":{/"data":{ /'
  catches "data is not last, compact" sed '50s/"guestComm":"/&\\u0041/'
  catches "says something twice" sed '50s/"time":/"time":"2026-01-01T00:00:00.000000000Z",&/'
  catches "not UTF-8" sed '50s/"guestComm":"/&\xff/'
  catches "does not end" head --bytes=-1
}

install_packages
make_log
log=("$work"/evidence/*.jsonl)
check "${expected_types[@]/#/--expect=}" "${log[@]}"
node "$sdk/odd_guest.mjs" compare odd "${log[@]}" || fail "the log does not say what the odd guest sent"
catches_broken_logs
