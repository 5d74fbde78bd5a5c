#!/bin/bash
# Three hosts forward their evidence logs to two collectors over mutual TLS, and one of them into a stream of NATS JetStream
# as well. One collector is killed, one host is cut off. At the end both collectors together have every byte of every log,
# the stream has each line once and in order, and each log verifies. Ends by itself within a minute.
# usage: fleet.sh DIRECTORY_OF_THE_PROGRAMS
set -euo pipefail

programs="$1"
certificates="$(dirname "${BASH_SOURCE[0]}")/../certificates/make_test_authority.sh"
place="$(mktemp -d "${TMPDIR:-/tmp}/cellos-fleet.XXXXXX")"
hosts=(host-a host-b host-c)
collectors=(collector-1 collector-2)
declare -A pids=()

say() { printf '\n\033[1m== %s\033[0m\n' "$*"; }

clean_up() {
  local each
  for each in "${pids[@]}"; do kill -CONT "$each" 2>/dev/null && kill "$each" 2>/dev/null || true; done
}
trap clean_up EXIT

# wait_for SECONDS COMMAND...: until the command succeeds.
wait_for() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    ((SECONDS < deadline)) || { printf 'demo: gave up waiting for: %s\n' "$*" >&2; tail -n 5 "$place"/*/daemon.log >&2; exit 1; }
    sleep 0.05
  done
}

tls() {
  printf '\n[tls]\ncertificate_file = "%s/certificates/%s.pem"\nkey_file = "%s/certificates/%s.key"\n' "$place" "$1" "$place" "$1"
  printf 'ca_file = "%s/certificates/authority.pem"\n' "$place"
}

# start NODE EVENT: from its configuration; ready once its log says so.
start() {
  local node="$1" event="$2"
  "$programs/cellos-telemetryd" --config "$place/$node/telemetryd.toml" 2>>"$place/$node/daemon.log" &
  pids[$node]=$!
  wait_for 10 grep -q "$event" "$place/$node/daemon.log"
}

stop() {
  kill -TERM "${pids[$1]}"
  wait "${pids[$1]}"
  unset "pids[$1]"
}

make_collector() {
  local node="$1" port="$2"
  mkdir -p "$place/$node"
  bash "$certificates" "$place/certificates" collector "$node" IP:127.0.0.1
  {
    printf 'host_id = "%s"\n\n[evidence]\ndir = "%s/%s/evidence"\n' "$node" "$place" "$node"
    tls "$node"
    printf '\n[control]\nsocket = "%s/%s/control.sock"\n' "$place" "$node"
    printf '\n[collector]\nlisten = "127.0.0.1:%s"\ndir = "%s/%s/hosts"\nsilence_window = "3s"\n' "$port" "$place" "$node"
  } >"$place/$node/telemetryd.toml"
}

# In a directory of its own, on a port that it chooses.
start_nats() {
  mkdir -p "$place/nats"
  printf 'listen: "127.0.0.1:-1"\njetstream { store_dir: "%s/nats/store" }\n' "$place" >"$place/nats/nats.conf"
  PATH="$PATH:/usr/sbin" nats-server -c "$place/nats/nats.conf" 2>"$place/nats/daemon.log" &
  pids[nats]=$!
  wait_for 10 grep -q "Server is ready" "$place/nats/daemon.log"
  nats_port="$(sed -n 's/.*Listening for client connections on .*:\([0-9]*\)$/\1/p' "$place/nats/daemon.log")"
}

# ask_nats COUNT WORD: sends what standard input says, prints so many answers with this word. The protocol is text.
ask_nats() {
  exec 3<>"/dev/tcp/127.0.0.1/$nats_port"
  { printf 'CONNECT {"verbose":false}\r\nSUB answers 1\r\n' && cat; } >&3
  grep -a -m "$1" "$2" <&3
  exec 3>&-
}

# The lines of the stream, in its order; each message holds many.
stream_lines() {
  local count i body
  count="$(printf 'PUB $JS.API.STREAM.INFO.EVIDENCE answers 0\r\n\r\n' | ask_nats 1 stream_info_response | jq .state.messages)"
  for ((i = 1; i <= count; ++i)); do
    body="{\"seq\":$i}"
    printf 'PUB $JS.API.STREAM.MSG.GET.EVIDENCE answers %d\r\n%s\r\n' "${#body}" "$body"
  done | ask_nats "$count" stream_msg_get_response | jq -rs 'sort_by(.message.seq)[].message.data | @base64d' |
    sed -e '/^[][]$/d' -e 's/,$//'
}

port_of() { sed -n 's/.*collector_listening address=[^ ]*:\([0-9]*\)$/\1/p' "$place/$1/daemon.log" | tail -n 1; }

make_host() {
  local node="$1"
  mkdir -p "$place/$node"
  bash "$certificates" "$place/certificates" host "$node"
  "$programs/cellos-telemetryctl" keygen --alg ed25519 --kid "$node" --out "$place/$node/signing.key" >/dev/null
  {
    printf 'host_id = "%s"\n\n[evidence]\ndir = "%s/%s/evidence"\nfsync = "50ms"\nsegment_bytes = "256KiB"\n' "$node" "$place" "$node"
    printf '\n[signing]\nalg = "ed25519"\nkid = "%s"\nkey_file = "%s/%s/signing.key"\nmode = "checkpoint"\n' "$node" "$place" "$node"
    tls "$node"
    printf '\n[forward]\ncollectors = ["127.0.0.1:%s", "127.0.0.1:%s"]\n' "$(port_of collector-1)" "$(port_of collector-2)"
    if [[ "$node" == host-c ]]; then
      printf '\n[forward.jetstream]\nservers = ["nats://127.0.0.1:%s"]\nstream = "EVIDENCE"\nfence = "subject"\ncreate_stream = true\n' "$nats_port"
    fi
    printf '\n[[cell]]\nid = "cell-1"\nrun_id = "run-1"\nvsock_uds_base = "%s/%s/cell-1.sock"\nspec_signature_hash = "sha256:11aa"\n' "$place" "$node"
  } >"$place/$node/telemetryd.toml"
}

# What both collectors keep of a host's log, put together by position: the names of the files say where they begin.
put_together() {
  local node="$1" collector piece name segment offset
  mkdir -p "$place/together/$node"
  for collector in "${collectors[@]}"; do
    for piece in "$place/$collector/hosts/$node"/*/evidence-*.jsonl; do
      [[ -e "$piece" ]] || continue
      name="$(basename "$piece" .jsonl)"
      segment="${name:9:20}" offset="${name:30:20}"
      dd if="$piece" of="$place/together/$node/evidence-$segment.jsonl" bs=64K oflag=seek_bytes seek=$((10#$offset)) conv=notrunc status=none
    done
  done
}

say "two collectors; certificates of a test authority ($place/certificates)"
bash "$certificates" "$place/certificates" authority
for each in "${collectors[@]}"; do
  make_collector "$each" 0
  start "$each" collector_listening
  sed -i "s/127.0.0.1:0/127.0.0.1:$(port_of "$each")/" "$place/$each/telemetryd.toml"
done
grep -h collector_listening "$place"/collector-*/daemon.log

say "a NATS server with JetStream"
start_nats
grep -h "Listening for client" "$place/nats/daemon.log"

say "three hosts, a cell each, that forward to the first collector; host-c into a stream as well"
guests=()
for each in "${hosts[@]}"; do
  make_host "$each"
  start "$each" collector_reached
  "$programs/cellos-guest-sim" --quiet --socket "$place/$each/cell-1.sock_9001" --frames 20000 --rate 2000 >/dev/null &
  guests+=($!)
done
grep -hE '(collector|receiver)_reached' "$place"/host-*/daemon.log

say "collector-1 is killed (SIGKILL): the hosts go on with collector-2"
kill -KILL "${pids[collector-1]}"
wait "${pids[collector-1]}" 2>/dev/null || true
for each in "${hosts[@]}"; do wait_for 20 grep -q "collector_reached collector=127.0.0.1:$(port_of collector-2)" "$place/$each/daemon.log"; done
grep -hE 'collector_(lost|reached)' "$place"/host-*/daemon.log

say "host-b is cut off: collector-2 notices its silence, once, and its return"
kill -STOP "${pids[host-b]}"
wait_for 15 grep -q "host_silenced host=host-b" "$place/collector-2/daemon.log"
start collector-1 daemon_ready
kill -CONT "${pids[host-b]}"
wait_for 15 grep -q "host_resumed host=host-b" "$place/collector-2/daemon.log"
grep -hE 'host_(silenced|resumed)' "$place/collector-2/daemon.log"

say "the fleet as collector-2 sees it; its status page has the same table"
"$programs/cellos-telemetryctl" hosts --socket "$place/collector-2/control.sock"

say "SIGTERM to the hosts: each delivers its last line before it ends"
for each in "${guests[@]}"; do wait "$each"; done
for each in "${hosts[@]}"; do stop "$each"; done
for each in "${collectors[@]}"; do stop "$each"; done

say "what both collectors keep, put together by position, is byte for byte what the hosts have; and it verifies"
for each in "${hosts[@]}"; do
  put_together "$each"
  for segment in "$place/$each"/evidence/evidence-*.jsonl; do
    cmp "$segment" "$place/together/$each/$(basename "$segment")"
  done
  printf '%s: %s lines, all copied. ' "$each" "$(cat "$place/$each"/evidence/evidence-*.jsonl | wc -l)"
  "$programs/cellos-telemetryctl" verify --keys "$place/$each/signing.key.pub.json" --finished "$place/together/$each" | tail -n 1
done

say "the stream has each line of host-c once and in order"
stream_lines >"$place/stream.jsonl"
cat "$place"/host-c/evidence/evidence-*.jsonl | cmp - "$place/stream.jsonl"
printf '%s lines in the stream\n' "$(wc -l <"$place/stream.jsonl")"
printf '\nKept for you in %s\n' "$place"
