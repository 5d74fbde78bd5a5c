#!/bin/bash
# Certificates for trying out a fleet, step by step: an authority, collectors, hosts. Not for production, where the
# authority's key belongs on a machine of its own; but what the certificates must have is the same there.
#
# usage: make_test_authority.sh DIRECTORY authority [NAME]
#        make_test_authority.sh DIRECTORY collector NAME [DNS:name|IP:address]...
#        make_test_authority.sh DIRECTORY host HOST_ID
#
# Makes in DIRECTORY: authority.pem and authority.key; NAME.pem and NAME.key; HOST_ID.pem and HOST_ID.key.
# Environment: DAYS, how long a certificate is valid (90; 3650 for an authority). 0 makes one that has expired already.
#   AUTHORITY, whose name signs (authority). USAGE, the extended key usage (clientAuth for hosts, serverAuth for
#   collectors). SAN, the subject's alternative names. The last two are for trying out what is refused.
set -euo pipefail

[[ $# -ge 2 ]] || {
  sed -n '/^# usage/,/^set/{s/^# \{0,1\}//;/^set/d;p}' "$0" >&2
  exit 2
}
directory="$1" kind="$2"
shift 2
mkdir -p "$directory"
cd "$directory"
umask 077

# 1. A key of the kind that costs least to shake hands with. It stays where it is made.
make_key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"; }

# 2. The authority signs itself, once. It signs certificates and nothing else.
make_authority() {
  local name="${1:-authority}"
  make_key "$name"
  openssl req -x509 -new -key "$name.key" -sha256 -days "${DAYS:-3650}" -out "$name.pem" -subj "/CN=cellos test $name" \
    -addext 'basicConstraints=critical,CA:TRUE,pathlen:0' -addext 'keyUsage=critical,keyCertSign,cRLSign'
}

# 3. A node asks with its name; the authority answers with a certificate for one use alone.
make_node() {
  local name="$1" usage="$2" names="$3" authority="${AUTHORITY:-authority}" days="${DAYS:-90}"
  make_key "$name"
  openssl req -new -key "$name.key" -subj "/CN=$name" -out "$name.csr"
  if [[ "$days" == 0 ]]; then
    sign_expired "$name" "$authority" "$(extensions "$usage" "$names")"
  else
    openssl x509 -req -in "$name.csr" -CA "$authority.pem" -CAkey "$authority.key" -sha256 -days "$days" \
      -set_serial "0x$(openssl rand -hex 16)" -extfile <(extensions "$usage" "$names") -out "$name.pem" 2>/dev/null
  fi
  rm -f "$name.csr"
}

extensions() {
  printf 'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n'
  [[ -z "$1" ]] || printf 'extendedKeyUsage=%s\n' "$1"
  [[ -z "$2" ]] || printf 'subjectAltName=%s\n' "$2"
}

# `openssl x509` cannot date into the past, `openssl ca` can.
sign_expired() {
  local name="$1" authority="$2" work
  work="$(mktemp -d)"
  touch "$work/index"
  printf '[ca]\ndefault_ca=own\n[own]\ndatabase=%s\nnew_certs_dir=%s\ndefault_md=sha256\npolicy=any\nrand_serial=yes\n[any]\ncommonName=supplied\n' \
    "$work/index" "$work" >"$work/ca.conf"
  openssl ca -batch -config "$work/ca.conf" -in "$name.csr" -cert "$authority.pem" -keyfile "$authority.key" -notext \
    -startdate 20200101000000Z -enddate 20200201000000Z -extfile <(printf '%s\n' "$3") -out "$name.pem" 2>/dev/null
  rm -rf "$work"
}

case "$kind" in
  authority) make_authority "$@" ;;
  collector)
    name="$1"
    shift
    names="${*:-DNS:$name}"
    make_node "$name" "${USAGE-serverAuth}" "${SAN-${names// /,}}"
    ;;
  host) make_node "$1" "${USAGE-clientAuth}" "${SAN-URI:urn:cellos:host:$1}" ;;
  *)
    printf 'no such kind: %s\n' "$kind" >&2
    exit 2
    ;;
esac
