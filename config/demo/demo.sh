#!/bin/bash
# Three simulated guests against the real daemon, shown live: one honest, one that sends garbage and forged attribution,
# one that falls silent. Ends by itself within a minute. usage: demo.sh DIRECTORY_OF_THE_PROGRAMS
set -euo pipefail

programs="$1"
place="$(mktemp -d "${TMPDIR:-/tmp}/cellos-demo.XXXXXX")"
evidence="$place/evidence"
daemon_log="$place/daemon.log"
daemon=""
tail=""

say() { printf '\n\033[1m== %s\033[0m\n' "$*"; }

clean_up() {
  [[ -z "$tail" ]] || kill "$tail" 2>/dev/null || true
  [[ -z "$daemon" ]] || kill "$daemon" 2>/dev/null || true
}
trap clean_up EXIT

# wait_for SECONDS COMMAND...: until the command succeeds.
wait_for() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < deadline)) || { printf 'demo: gave up waiting for: %s\n' "$*" >&2; cat "$daemon_log" >&2; exit 1; }
    sleep 0.05
  done
}

guest() {
  local cell="$1"
  shift
  "$programs/cellos-guest-sim" --quiet --socket "$place/$cell.sock_9001" "$@" >"$place/$cell.sent.json"
}

cell() {
  printf '\n[[cell]]\nid = "%s"\nrun_id = "run-1"\nvsock_uds_base = "%s/%s.sock"\n' "$1" "$place" "$1"
  printf 'spec_signature_hash = "sha256:%s"\nkeepalive_window = "%s"\n' "$2" "$3"
}

{
  printf 'host_id = "demo-host"\n\n[evidence]\ndir = "%s"\n' "$evidence"
  cell honest 11aa 10s
  cell hostile 22bb 10s
  cell silent 33cc 2s
} >"$place/telemetryd.toml"

say "cellos-telemetryd with three cells (its log: $daemon_log)"
"$programs/cellos-telemetryd" --config "$place/telemetryd.toml" 2>"$daemon_log" &
daemon=$!
wait_for 10 grep -q daemon_ready "$daemon_log"
cat "$daemon_log"

say "three guests; what the host makes of them: time, cell, what, and the run and spec only the host can stamp"
"$programs/cellos-telemetryctl" tail --evidence "$evidence" --follow &
tail=$!
guest honest --frames 36 --rate 5 &
honest=$!
guest hostile --scenario mixed --frames 48 --rate 8 --seed 7 &
hostile=$!
guest silent --scenario silent-after-N --frames 12 --silent-after 6 --rate 5 --hold 4s --resume &
silent=$!
wait "$honest" "$hostile" "$silent"
wait_for 10 grep -q agent_resumed "$evidence"/*.jsonl
wait_for 10 grep -q frames_refused "$evidence"/*.jsonl
sleep 0.3  # the last lines on the screen
kill "$tail"
wait "$tail" 2>/dev/null || true
tail=""

say "SIGTERM: the daemon drains and ends each run with its totals"
kill -TERM "$daemon"
wait "$daemon"
daemon=""
"$programs/cellos-telemetryctl" tail --evidence "$evidence" --type run.v1.ended

say "what the hostile guest says it sent: every refusal is accounted for, nothing it forged got anywhere"
cat "$place/hostile.sent.json"

say "silence, reported once for the run"
"$programs/cellos-telemetryctl" tail --evidence "$evidence" --type agent_

say "the evidence log, one CloudEvent a line"
ls -l "$evidence"/*.jsonl
printf '\n%s lines. Kept for you in %s\n' "$(cat "$evidence"/*.jsonl | wc -l)" "$evidence"
