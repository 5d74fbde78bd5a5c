#!/bin/bash
# Verifies one run by hand, with openssl and jq: every digest, every link, every ed25519 signature.
# usage: verify-run.sh KEYS.json CHAIN LOG.jsonl...
#
# Slow, some 30 processes a line: it is there to be read, and for whoever trusts no program of this project. A key list is
# {"KID": "base64url of the 32 bytes"}. Exit 0: everything from the chain's first event to its last is proven.
set -euo pipefail

if [[ $# -lt 3 ]]; then
  echo "usage: verify-run.sh KEYS.json CHAIN LOG.jsonl...; verify --json lists the chains" >&2
  exit 2
fi
keys="$1" chain="$2"
shift 2
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
payload_type="https://cloudevents.io/verifiability/dsse/v0.1"
no_event_before="AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

fail() {
  printf 'verify-run: %s: %s\n' "$where" "$*" >&2
  exit 1
}

sha256() { openssl dgst -sha256 -binary; }
to_base64() { openssl base64 -A; }
from_base64() { openssl base64 -d -A; }
attribute() { jq -j --arg name "$1" '.[$name] // ""' <<<"$line"; }

# Digests of the attributes, and of the data's bytes as they stand in the line, one after the other, and their digest.
material() {
  local name data="${line#*,\"data\":}"
  {
    for name in id source specversion type datacontenttype dataschema subject time; do attribute "$name" | sha256; done
    printf '%s' "${data%\}}" | sha256
    for name in chain sequence prevdigest; do
      printf '%s' "$name" | sha256
      attribute "$name" | sha256
    done
  } | sha256
}

# An ed25519 key in DER is these twelve bytes and the point.
public_key() { # KID
  local point
  point="$(jq -er --arg kid "$1" '.[$kid]' "$keys")" || fail "key $1 is not in $keys"
  point="$(tr -- '-_' '+/' <<<"$point")="
  {
    printf '\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00'
    from_base64 <<<"$point"
  } >"$work/key.der"
  openssl pkey -pubin -inform DER -in "$work/key.der" -out "$work/key.pem" || fail "key $1 is no ed25519 key"
}

check_signatures() {
  local envelope kid signature
  envelope="$(attribute dssematerial | from_base64)"
  [[ "$(jq -r .payloadType <<<"$envelope")" == "$payload_type" ]] || fail "another payloadType"
  [[ "$(jq '.signatures | length' <<<"$envelope")" != 0 ]] || fail "no signature"
  [[ "$(jq -r .payload <<<"$envelope")" == "$digest" ]] || fail "its content is not what was signed"
  { printf 'DSSEv1 46 %s 32 ' "$payload_type" && from_base64 <<<"$digest"; } >"$work/message"
  while read -r kid signature; do
    public_key "$kid"
    from_base64 <<<"$signature" >"$work/signature"
    openssl pkeyutl -verify -pubin -inkey "$work/key.pem" -rawin -in "$work/message" -sigfile "$work/signature" \
      >/dev/null || fail "the signature by $kid is wrong"
  done < <(jq -r '.signatures[] | .keyid + " " + .sig' <<<"$envelope")
}

where="$chain"
expected="$no_event_before" events=0 unsigned=0
while IFS= read -r line; do
  events=$((events + 1)) unsigned=$((unsigned + 1))
  where="$chain, event $events"
  type="$(attribute type)"
  [[ "$(attribute sequence)" == "$(printf '%020d' "$events")" ]] || fail "its sequence is $(attribute sequence)"
  [[ "$(attribute prevdigest)" == "$expected" ]] || fail "prevdigest is not the digest of the event before"
  digest="$(material | to_base64)"
  expected="$digest"
  [[ -n "$(attribute dssematerial)" ]] || continue
  check_signatures
  unsigned=0
done < <(grep -h --fixed-strings "\"chain\":\"$chain\",\"sequence\":" "$@")

where="$chain"
[[ $events -gt 0 ]] || fail "not one event"
[[ $unsigned == 0 ]] || fail "no signature is over its last $unsigned events"
printf '%s: %d events, all proven; the last is %s\n' "$chain" "$events" "$type"
