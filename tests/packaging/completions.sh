#!/bin/bash
# Completion offers what the programs take. usage: completions.sh SHELL SOURCE_DIR BIN_DIR
set -euo pipefail

shell="$1"
completions="$2/config/completions"
export PATH="$3:$PATH"
broken=0

command -v "$shell" >/dev/null || { echo "skipped: no $shell here; install the package $shell"; exit 77; }

# What is offered for the last of the words, sorted, on one line.
offered_by_bash() {
  bash -c '
    source "$1/cellos-host-telemetry.bash"
    shift
    COMP_WORDS=("$@")
    COMP_CWORD=$(($# - 1))
    _cellos_host_telemetry
    printf "%s\n" "${COMPREPLY[@]}"' bash "$completions" "$@" | sort | tr '\n' ' '
}

# zsh's own functions are replaced by ones that print what they are given to offer.
offered_by_zsh() {
  zsh -f -c '
    _describe() { [[ $1 != -o ]] || shift; print -l -- ${${(P)2}%%:*}; }
    _files() { print -l -- *(N); }
    file=$1; shift
    words=("$@")
    CURRENT=$#
    source $file' zsh "$completions/_cellos-host-telemetry" "$@" | { grep -e "^${*: -1}" || true; } | sort | tr '\n' ' '
}

# expect "WORDS" OFFERED...: at these words, all of OFFERED. A word "''" is an empty one.
expect() {
  local words offered each
  read -ra words <<<"$1"
  shift
  [[ "${words[-1]}" != "''" ]] || words[-1]=""
  offered=" $("offered_by_$shell" "${words[@]}")"
  for each in "$@"; do
    [[ "$offered" == *" $each "* ]] && continue
    echo "$shell: at '${words[*]}' $each is not offered, but:$offered"
    broken=1
  done
}

[[ "$shell" != zsh ]] || zsh -n "$completions/_cellos-host-telemetry"

options_of() { "$@" --help | sed -nE 's/^  (-[^ ]+).*/\1/p' | tr ',' ' ' | tr '\n' ' '; }

scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"
touch some.toml

for program in cellos-telemetryd cellos-telemetryctl cellos-guest-sim; do
  # shellcheck disable=SC2046
  expect "$program -" $(options_of "$program")
done
mapfile -t commands < <(cellos-telemetryctl --help | sed -n '/^Subcommands:/,$s/^  \([a-z]\+\) .*/\1/p')
[[ ${#commands[@]} -ge 2 ]] || { echo "no subcommands found"; exit 1; }
expect "cellos-telemetryctl ''" "${commands[@]}"
for command in "${commands[@]}"; do
  # shellcheck disable=SC2046
  expect "cellos-telemetryctl $command -" $(options_of cellos-telemetryctl "$command")
done
expect "cellos-telemetryctl ch" check
expect "cellos-telemetryctl check ''" some.toml
expect "cellos-telemetryd --config ''" some.toml
expect "cellos-guest-sim --socket x --content-version ''" 1.0 1.1
expect "cellos-guest-sim --scenario f" forged flood
[[ "$(offered_by_"$shell" cellos-telemetryctl ch)" != *tail* ]] || { echo "$shell: tail is offered for ch"; broken=1; }
exit "$broken"
