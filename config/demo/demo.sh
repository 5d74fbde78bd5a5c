#!/bin/bash
# Simulated guests against the real daemon, shown live: one honest, one that sends garbage and forged attribution, one that
# falls silent, one whose VMM is killed, and, where a network namespace can be made, one whose traffic contradicts what it
# declares. Ends by itself within a minute. usage: demo.sh DIRECTORY_OF_THE_PROGRAMS
set -euo pipefail

programs="$1"
place="$(mktemp -d "${TMPDIR:-/tmp}/cellos-demo.XXXXXX")"
evidence="$place/evidence"
daemon_log="$place/daemon.log"
daemon=""
tail=""

say() { printf '\n\033[1m== %s\033[0m\n' "$*"; }

# A pair of interfaces between two namespaces: the liar's, which the host counts, and the world's.
liar_net="cellos-demo-$$"
has_net=""
make_net() {
  ip netns add "$liar_net" && ip netns add "$liar_net-world" &&
    ip -n "$liar_net" link add liar0 type veth peer name world0 netns "$liar_net-world" &&
    ip -n "$liar_net" addr add 10.99.7.1/24 dev liar0 && ip -n "$liar_net-world" addr add 10.99.7.2/24 dev world0 &&
    ip -n "$liar_net" link set liar0 up && ip -n "$liar_net-world" link set world0 up
}

clean_up() {
  ip netns del "$liar_net" 2>/dev/null || true
  ip netns del "$liar_net-world" 2>/dev/null || true
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

make_net >/dev/null 2>&1 && has_net=yes

{
  printf 'host_id = "demo-host"\n\n[evidence]\ndir = "%s"\n' "$evidence"
  printf '\n[probes]\nperiod = "500ms"\ntimeout = "200ms"\nwitness_window = "2s"\n'
  cell honest 11aa 10s
  cell hostile 22bb 10s
  cell silent 33cc 2s
  cell killed 44dd 2s
  printf 'probes = ["process"]\n'
  if [[ -n "$has_net" ]]; then
    cell liar 55ee 2s
    printf 'tap = "liar0"\nnetwork_namespace = "/run/netns/%s"\n' "$liar_net"
  fi
} >"$place/telemetryd.toml"

[[ -n "$has_net" ]] || say "no network namespace can be made here (it needs root): the lying cell is left out"
say "cellos-telemetryd with its cells (its log: $daemon_log)"
"$programs/cellos-telemetryd" --config "$place/telemetryd.toml" 2>"$daemon_log" &
daemon=$!
wait_for 10 grep -q daemon_ready "$daemon_log"
cat "$daemon_log"

say "the guests; what the host makes of them: time, cell, what, and the run and spec only the host can stamp"
"$programs/cellos-telemetryctl" tail --evidence "$evidence" --follow &
tail=$!
guest honest --frames 36 --rate 5 &
honest=$!
guest hostile --scenario mixed --frames 48 --rate 8 --seed 7 &
hostile=$!
guest silent --scenario silent-after-N --frames 12 --silent-after 6 --rate 5 --hold 4s --resume &
silent=$!
guest killed --scenario silent-after-N --frames 12 --silent-after 6 --rate 5 --hold 60s &
killed=$!
if [[ -n "$has_net" ]]; then
  # Says nothing but that it is alive, and talks to the world all the time.
  "$programs/cellos-guest-sim" --quiet --socket "$place/liar.sock_9001" --scenario heartbeat-only --frames 200 --rate 10 \
    >"$place/liar.sent.json" &
  liar=$!
  while kill -0 "$liar" 2>/dev/null; do
    ip netns exec "$liar_net-world" bash -c 'for i in {1..100}; do echo x >/dev/udp/10.99.7.1/9; done' 2>/dev/null || true
    sleep 0.1
  done &
fi
sleep 2
# Its VMM goes: the guest is a child of the shell that runs it.
pkill -KILL -P "$killed" || kill -KILL "$killed"
wait "$honest" "$hostile" "$silent"
wait_for 10 grep -q agent_resumed "$evidence"/*.jsonl
wait_for 20 grep -q 'contradiction_found cell=killed' "$daemon_log"
[[ -z "$has_net" ]] || wait_for 30 grep -q 'contradiction_found cell=liar' "$daemon_log"
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

say "silence, reported once for the run, and what the host had seen of the cell by then: whether its VMM lives"
"$programs/cellos-telemetryctl" tail --evidence "$evidence" --type agent_

say "what cells did and did not declare, found again from the log alone"
"$programs/cellos-telemetryctl" witness "$evidence"

say "the evidence log, one CloudEvent a line"
ls -l "$evidence"/*.jsonl
printf '\n%s lines. Kept for you in %s\n' "$(cat "$evidence"/*.jsonl | wc -l)" "$evidence"
