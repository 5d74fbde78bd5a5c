#!/bin/bash
# usage: lint.sh BUILD FILE
#
# clang-tidy on one translation unit, as BUILD/compile_commands.json has it. One that passed once, and is the same to the
# last byte and comment of its headers, is not looked at again: BUILD/passed/ knows the digests of those.
set -euo pipefail

build="$1" file="$2"
settings=("$(dirname "$0")"/../../.clang-tidy "$(dirname "$0")"/../.clang-tidy)

commands="$(jq --raw-output --arg file "$file" '.[] | select(.file == $file) | .command' "$build/compile_commands.json")"
command="${commands%%$'\n'*}"
[[ -n "$command" ]] || { echo "lint: $file is not in $build/compile_commands.json" >&2; exit 1; }

digest="$({ clang-tidy-16 --version; cat "$0" "${settings[@]}"; echo "$commands"; eval "${command/ -o * -c / -E -C -dD }"; } | sha256sum)"
passed="$build/passed/${digest%% *}"
[[ ! -e "$passed" ]] || exit 0
clang-tidy-16 --quiet --extra-arg=-Wno-unknown-warning-option -p "$build" "$file"
mkdir -p "$build/passed"
touch "$passed"
