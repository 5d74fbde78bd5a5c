#!/bin/bash
# The unit and its drop-ins: systemd understands them, and holds what they leave open for little.
# usage: systemd_unit.sh SOURCE_DIR BIN_DIR
set -euo pipefail

source="$1"
units="$source/config/systemd"
bin="$2"
highest=20  # of 100, "OK" in systemd's words

command -v systemd-analyze >/dev/null || { echo "skipped: no systemd-analyze; install the package systemd"; exit 77; }

scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
unit="$scratch/cellos-telemetryd.service"
services="cellos-telemetryd cellos-telemetry-collector"

fail() {
  echo "systemd_unit: $*"
  exit 1
}

exposure_is_low() {
  systemd-analyze security --offline=true --no-pager --threshold="$highest" "$unit" >"$scratch/exposure" 2>&1
}

# No word on standard error: an unknown setting is only a warning to systemd.
understood() {
  sed "s|=/usr/sbin/|=$bin/|" "$unit" >"$scratch/verified.service"
  systemd-analyze verify --man=no "$scratch/verified.service" >"$scratch/said" 2>&1 && ! grep "verified.service" "$scratch/said"
}

for service in $services; do
  for drop_in in "" "$units"/examples/*.conf; do
    # A collector serves no cells.
    [[ "$service" != *-collector || "$drop_in" != */@(jailer|probes).conf ]] || continue
    cat "$units/$service.service" ${drop_in:+"$drop_in"} >"$unit"
    name="$service $(basename "${drop_in:-unit}")"
    exposure_is_low || fail "$name: $(cat "$scratch/exposure")"
    understood || fail "$name: $(cat "$scratch/said")"
    echo "$name: $(tail -n 1 "$scratch/exposure")"
  done
done

# What probes.conf offers beyond that costs more, and is understood too; and capabilities that it grants can be given up.
probes="$units/examples/probes.conf"
{ cat "$units/cellos-telemetryd.service" "$probes"; sed -n 's/^#\([A-Z][A-Za-z]*=.*\)/\1/p' "$probes"; } >"$unit"
understood || fail "all of probes.conf: $(cat "$scratch/said")"
grep -q '^CapabilityBoundingSet=CAP_SYS_ADMIN$' "$unit" || fail "probes.conf offers nothing for network_namespace"
grep -q '^SystemCallFilter=.*capset' "$probes" || fail "probes.conf grants what cannot be given up"

# What this test would not let pass.
grep -v '^CapabilityBoundingSet=' "$units/cellos-telemetryd.service" >"$unit"
exposure_is_low && fail "a unit with every capability was let pass"
sed 's/^ProtectHome=/ProtectHoem=/' "$units/cellos-telemetryd.service" >"$unit"
understood >/dev/null && fail "a misspelt setting was let pass"

# The condition itself, as systemd would have it run.
condition() {
  sed -n '/^ExecCondition=/,/[^\\]$/p' "$units/$1.service" | sed -e '1s/^ExecCondition=//' -e 's/\$\$/$/g' \
    -e "s|/etc/[a-z/-]*.toml|$scratch/installed.toml|"
}

# starts_with_a_name SERVICE EXAMPLE: what is installed starts nothing before it has a host_id, and lacks nothing else.
starts_with_a_name() {
  condition "$1" >"$scratch/condition"
  awk -f "$source/config/debian/installed_configuration.awk" "$2" >"$scratch/installed.toml"
  sh "$scratch/condition" 2>"$scratch/said" && fail "$1 starts without a host_id"
  grep -q "host_id is not set in $scratch/installed.toml" "$scratch/said" || fail "$1: nothing says why: $(cat "$scratch/said")"
  "$bin/cellos-telemetryctl" check "$scratch/installed.toml" >"$scratch/said" 2>&1 && fail "$2 is whole without a host_id"
  [[ "$(grep -c . "$scratch/said")" == 1 ]] || fail "$2 lacks more than host_id: $(cat "$scratch/said")"
  sed -i 's/^#host_id = .*/host_id = "host-a"/' "$scratch/installed.toml"
  sh "$scratch/condition" || fail "$1 does not start with a host_id"
  "$bin/cellos-telemetryctl" check "$scratch/installed.toml" >"$scratch/said" 2>&1 || fail "$2: $(cat "$scratch/said")"
  # What is not there is for the daemon to say.
  rm "$scratch/installed.toml"
  sh "$scratch/condition" || fail "without a file $1 is skipped"
}
starts_with_a_name cellos-telemetryd "$source/config/telemetryd.toml"
starts_with_a_name cellos-telemetry-collector "$source/config/collector.toml"

# What a unit may write to is its own, and so is its user.
for setting in User StateDirectory RuntimeDirectory ConfigurationDirectory; do
  values="$(for service in $services; do sed -n "s/^$setting=//p" "$units/$service.service"; done | sort -u | wc -l)"
  [[ "$values" == 2 ]] || fail "the units share their $setting"
done

systemd-sysusers --root="$scratch" --dry-run "$units/cellos-host-telemetry.sysusers" >"$scratch/said" 2>&1 ||
  fail "sysusers: $(cat "$scratch/said")"
for user in cellos-telemetry cellos-telemetry-collector; do
  grep -qw -- "$user" "$scratch/said" || fail "sysusers makes no user $user: $(cat "$scratch/said")"
done
# The group must be known to make a directory of it.
mkdir -p "$scratch/etc" && echo "cellos-telemetry:x:990:" >"$scratch/etc/group"
systemd-tmpfiles --root="$scratch" --create "$units/cellos-host-telemetry.tmpfiles" 2>"$scratch/said" || true
[[ -d "$scratch/run/fc" ]] || fail "tmpfiles makes no /run/fc: $(cat "$scratch/said")"
