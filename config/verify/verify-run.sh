#!/bin/bash
# Verifies one run by hand, with openssl and jq: every digest, every link, every ed25519 signature.
# usage: verify-run.sh KEYS.json CHAIN LOG.jsonl...
#
# Slow, some 30 processes a line: it is there to be read, and for whoever trusts no program of this project. A key list is
# {"KID": "base64url of the 32 bytes"}. Exit 0: everything from the chain's first event to its last is proven, by as many
# signatures as the last line says.
set -euo pipefail
# Without it a command that fails within $(...) would be forgotten.
shopt -s inherit_errexit

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

# The attributes of $line, each in Base64, so that no content of theirs can end or split a word; "-" for one that is absent.
attributes='["id","source","specversion","type","datacontenttype","dataschema","subject","time",
  "chain","sequence","prevdigest","signedextattrs","dssematerial"] as $names |
  if type != "object" then error("no object") else . end | . as $event |
  $names | map($event[.] | if . == null then "-" elif type == "string" then @base64 else error("an attribute that is no text") end |
  if . == "" then "-" else . end) | join(" ")'
attribute() { # NUMBER
  [[ "${fields[$1]}" == - ]] || from_base64 <<<"${fields[$1]}"
}

# Digests of the attributes, and of the data's bytes as they stand in the line, one after the other, and their digest.
material() {
  local number data="${line#*,\"data\":}"
  {
    for number in 0 1 2 3 4 5 6 7; do attribute "$number" | sha256; done
    printf '%s' "${data%\}}" | sha256
    for number in 8 9 10; do
      printf '%s' "${names[number - 8]}" | sha256
      attribute "$number" | sha256
    done
  } | sha256
}
names=(chain sequence prevdigest)

# An ed25519 key in DER is these twelve bytes and the point.
public_key() { # KID
  local point
  point="$(jq -er --arg kid "$1" '.[$kid] | strings' "$keys")" || fail "key $1 is not in $keys"
  point="$(tr -- '-_' '+/' <<<"$point")="
  {
    printf '\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00'
    from_base64 <<<"$point"
  } >"$work/key.der"
  openssl pkey -pubin -inform DER -in "$work/key.der" -out "$work/key.pem" || fail "key $1 is no ed25519 key"
}

# Every signature of the envelope must be good. Counted here, so that none is passed over.
check_signatures() {
  local envelope signers kid signature count good=0
  envelope="$(attribute 12 | from_base64)" || fail "its dssematerial is no Base64"
  signers="$(jq -er --arg type "$payload_type" --arg payload "$digest" '
    if (keys == ["payload", "payloadType", "signatures"]) and .payloadType == $type then . else error("another envelope") end |
    if .payload == $payload then . else error("its content is not what was signed") end |
    .signatures | if type == "array" and length >= 1 and length <= 2 then . else error("not one or two signatures") end |
    map(if keys == ["keyid", "sig"] and (.keyid | test("^[A-Za-z0-9._:@/+-]+$")) and (.sig | test("^[A-Za-z0-9+/]+=*$"))
        then .keyid + " " + .sig else error("no signature") end) | join("\n")' <<<"$envelope")" || fail "its envelope is not good"
  count="$(jq -er '.signatures | length' <<<"$envelope")" || fail "its envelope is not good"
  { printf 'DSSEv1 46 %s 32 ' "$payload_type" && from_base64 <<<"$digest"; } >"$work/message"
  while read -r kid signature; do
    public_key "$kid"
    from_base64 <<<"$signature" >"$work/signature" || fail "the signature by $kid is no Base64"
    openssl pkeyutl -verify -pubin -inkey "$work/key.pem" -rawin -in "$work/message" -sigfile "$work/signature" \
      >/dev/null || fail "the signature by $kid is wrong"
    good=$((good + 1))
  done <<<"$signers"
  [[ $good -ge 1 && $good == "$count" ]] || fail "$good of $count signatures were checked"
  signatures=$((signatures + good))
}

where="$chain"
grep -h --fixed-strings "\"chain\":\"$chain\",\"sequence\":" -- "$@" >"$work/lines" || [[ $? == 1 ]] || fail "the log cannot be read"
expected="$no_event_before" events=0 unsigned=0 signatures=0
while IFS= read -r line; do
  events=$((events + 1)) unsigned=$((unsigned + 1))
  where="$chain, event $events"
  words="$(jq -er "$attributes" <<<"$line")" || fail "is no event"
  read -r -a fields <<<"$words"
  [[ ${#fields[@]} == 13 ]] || fail "is no event"
  type="$(attribute 3)"
  [[ "$(attribute 8)" == "$chain" ]] || fail "is of another chain"
  [[ "$(attribute 9)" == "$(printf '%020d' "$events")" ]] || fail "its sequence is $(attribute 9)"
  [[ "$(attribute 10)" == "$expected" ]] || fail "prevdigest is not the digest of the event before"
  [[ "$(attribute 11)" == chain,sequence,prevdigest ]] || fail "its signature does not cover its place in the chain"
  digest="$(material | to_base64)"
  expected="$digest"
  [[ "${fields[12]}" != - ]] || continue
  check_signatures
  unsigned=0
done <"$work/lines"

where="$chain"
[[ $events -gt 0 ]] || fail "not one event"
[[ $signatures -gt 0 ]] || fail "not one signature"
[[ $unsigned == 0 ]] || fail "no signature is over its last $unsigned events"
printf '%s: %d events, all proven by %d signatures; the last is %s\n' "$chain" "$events" "$signatures" "$type"
