#!/bin/bash
# Proves by reading sources and documents that the tree keeps its own rules, and prints the graph of its rooms.
# usage: tidy.sh SOURCE_DIR
set -euo pipefail

tidy_dir="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
cd "$1"
max_lines=400
max_function_lines=70
broken=0

# refuse RULE: every line on standard input breaks RULE.
refuse() {
  local line
  while IFS= read -r line; do
    printf '%s: %s\n' "$1" "$line"
    broken=1
  done
}

sources_in() { find "$@" -type f \( -name '*.hpp' -o -name '*.cpp' \) 2>/dev/null | sort; }

# includes REGEX FILE...: the lines that include a header whose name starts so.
includes() {
  local regex="$1"
  shift
  [[ $# -eq 0 ]] || grep -HnE "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]($regex)" "$@" || true
}

dependencies_run_one_way() {
  includes '(\.\./)*(actors|runtime|tests)/' "${messages[@]}"
  includes '(\.\./)*(runtime|tests)/' "${actors[@]}"
  includes '(\.\./)*tests/' "${runtime[@]}"
}

caf_in_messages() { includes 'caf/' "${messages[@]}"; }

cbor_outside_the_codec() {
  includes 'cbor' "${messages[@]}" "${actors[@]}" "${runtime[@]}" | grep -v '^messages/wire_codec\.cpp:' || true
}

# Our own files that the given ones include, directly or not, and the given ones themselves.
reachable() {
  local -A seen=()
  local queue=("$@") file header
  while [[ ${#queue[@]} -gt 0 ]]; do
    file="${queue[0]}"
    queue=("${queue[@]:1}")
    [[ -z "${seen[$file]:-}" && -f "$file" ]] || continue
    seen[$file]=1
    printf '%s\n' "$file"
    while IFS= read -r header; do
      queue+=("$header")
    done < <(sed -nE 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*"([^"]+)".*/\1/p' "$file")
  done
}

crypto_on_the_guest_path() {
  local entries files
  mapfile -t entries < <(printf '%s\n' "${messages[@]}" "${actors[@]}" |
    grep -E '^(messages/|actors/(listener|decoder))' || true)
  mapfile -t files < <(reachable "${entries[@]}")
  includes 'openssl/|sodium|caf/openssl/|gnutls/|gcrypt|mbedtls/|botan' "${files[@]}"
}

long_files() {
  local file lines
  for file in "${all[@]}"; do
    lines="$(wc -l <"$file")"
    [[ "$lines" -le $max_lines ]] || printf '%s (%d lines)\n' "$file" "$lines"
  done
}

# From a line that opens a function at the left margin, or two spaces in, to the brace below it.
long_functions() {
  awk -v most="$max_function_lines" '
    function ended(column) { return $0 ~ "^" column "}[;)]*$" }
    FNR == 1 { outer = inner = 0 }
    /^[A-Za-z~].*[^;]*\{$/ && !/^(namespace|struct|class|enum|union|extern)/ { outer = FNR }
    /^  [A-Za-z~].*\).*\{$/ { inner = FNR }
    outer && ended("") { if (FNR - outer + 1 > most) print FILENAME ":" outer " (" FNR - outer + 1 " lines)"; outer = 0 }
    inner && ended("  ") { if (FNR - inner + 1 > most) print FILENAME ":" inner " (" FNR - inner + 1 " lines)"; inner = 0 }
  ' "${all[@]}"
}

# Names of event types, and members of their lines, in texts of the product; comments may have them.
evidence_spelled_elsewhere() {
  grep -HnE '"([^"]*[^A-Za-z_"])?(guest|run|host)\.v1\.|"(specversion|prevdigest|signedextattrs|dssematerial)\\?":' \
    "${messages[@]}" "${actors[@]}" "${runtime[@]}" /dev/null |
    grep -vE '^messages/event_(types|line)\.hpp:|^[^:]*:[0-9]+: *//' || true
}

reminders() { grep -HnE '\b(TODO|FIXME)\b' "${all[@]}" || true; }

misnamed_suites() {
  local file stem suites
  for file in "${tests[@]}"; do
    [[ "$file" == *_test.cpp ]] || continue
    stem="$(basename "$file" _test.cpp)"
    suites="$(sed -nE 's/^#define CAF_SUITE +([A-Za-z0-9_]+).*/\1/p' "$file" | xargs)"
    [[ "$suites" == "$stem" ]] || printf '%s (suite: %s)\n' "$file" "${suites:-none}"
  done
}

# Files that documents name or link to, and that there are not; a name may be a stem.
absent_files() {
  local document name
  for document in *.md docs/*.md docs/adr/*.md; do
    [[ -f "$document" ]] || continue
    {
      grep -oE '`[^`]+`' "$document" |
        grep -oE '(^|[^A-Za-z0-9_./])(actors|cmake|config|docs|messages|runtime|tests)/[A-Za-z0-9_./-]*' |
        sed -E 's/^[^a-z]//; s/[./]+$//'
      grep -oE '\]\([^)#:]+[)#]' "$document" | tr -d ')#' | sed -E "s|^..|$(dirname "$document")/|"
    } | while IFS= read -r name; do
      [[ -e "$name" ]] || compgen -G "$name.*" >/dev/null || printf '%s: %s\n' "$document" "$name"
    done || true
  done
}

# Documents and configuration files that sources name, and that there are not; a name may be the beginning of one.
absent_documents() {
  local at name
  grep -HnoE '\b(docs|config)/[a-z0-9_/-]+(\.[a-z]+)*' "${all[@]}" | while IFS= read -r at; do
    name="${at##*:}"
    compgen -G "$name*" >/dev/null || printf '%s\n' "$at"
  done
}

# In docs/evidence.md a test is `suite: case`.
absent_tests() {
  local suite named
  [[ -f docs/evidence.md ]] || return 0
  while IFS= read -r named; do
    suite="${named%%: *}"
    grep -rlE "^#define CAF_SUITE $suite$" tests --include='*.cpp' 2>/dev/null |
      xargs -r grep -qF "CAF_TEST(${named#*: })" || echo "docs/evidence.md: $named"
  done < <(grep -oE '`[a-z0-9_]+: [a-z][a-z0-9_ ]*`' docs/evidence.md | tr -d '`' | sort -u)
}

# Words that docs/glossary.md replaces. They are looked for in every text of ours, also inside identifiers; names that
# the API has already given to others stay.
replaced_words='untold|told|tells?|telling|books|judge[sd]?|judging|verdicts?|stretch(es)?|settlement|patience|chronicle'
replaced_words+='|estate|census|roster|fate|coherence|forsaken?|overslept|condemn(s|ed)?|workings|petted|reckoning|deeds?|bury'
replaced_words+='|any_form|own_form|second_look|look_for_life|host_questions|hard_times|sudden_death|rough_day'
names_given='silence_told|silenceTold'

words_that_went() {
  find . -type f -not -path './.git/*' -not -path './build/*' -not -name 'package-lock.json' -not -name '*.png' \
    -not -name LICENSE -not -path ./docs/glossary.md -not -path './tests/tidy/*' -not -path './node_modules/*' -print0 |
    xargs -0 grep -InE "(^|[^A-Za-z])($replaced_words)([^a-z]|$)" |
    sed -E "s/\\b($names_given)\\b//g" | grep -E ":[0-9]+:.*(^|[^A-Za-z])($replaced_words)([^a-z]|$)" | sed 's|^\./||' || true
}

# Names that say nothing (CONTRIBUTING.md). systemd calls itself a service_manager; control_api's get_ is HTTP's.
empty_names() {
  printf '%s\n' "${all[@]}" | grep -E '/[a-z_]*(manager|helper|util|utils|common)[a-z_]*\.[a-z]+$' |
    grep -v '/service_manager\.' || true
  grep -HnE '\b(class|struct|enum|namespace) +[a-z_]*(manager|helper|util|common|_data)\b' "${all[@]}" |
    grep -vE '\bservice_manager\b' || true
  grep -HnE '(^|[^.>:_a-z])get_[a-z_]+ *\(' "${all[@]}" | grep -v '/control_api\.' || true
}

# The first column of the tables below a heading of docs/operations.md.
explained_below() {
  [[ ! -f docs/operations.md ]] ||
    awk -v heading="## $1" '/^## / { inside = $0 == heading } inside && /^\| `/' docs/operations.md |
    sed -E 's/^\| ([^|]*) \|.*/\1/' | grep -oE '[A-Za-z_]+' | sort -u
}

# differing FILE EXPLAINED: of the names on standard input, those that only one of the two has.
differing() {
  local file="$1"
  sort -u | comm -3 - <(explained_below "$2") |
    sed -E "s|^([^\t].*)|$file: docs/operations.md lacks \1|; s|^\t(.*)|$file: it has no \1|"
}

events_and_alerts_without_explanation() {
  [[ ! -f actors/events.cpp ]] ||
    cat actors/events*.cpp | tr '\n' ' ' | grep -oE ' emit\([^;]*' | sed -nE 's/^[^"]*"([a-z_]+)".*/\1/p' |
    differing actors/events.cpp "Events an operator sees"
  [[ ! -f config/prometheus/alerts.yml ]] ||
    sed -nE 's/.*- alert: *([A-Za-z]+).*/\1/p' config/prometheus/alerts.yml |
    differing config/prometheus/alerts.yml "When an alert fires"
}

mapfile -t messages < <(sources_in messages)
mapfile -t actors < <(sources_in actors)
mapfile -t runtime < <(sources_in runtime)
mapfile -t tests < <(sources_in tests)
all=("${messages[@]}" "${actors[@]}" "${runtime[@]}" "${tests[@]}")
[[ ${#all[@]} -gt 0 ]] || refuse "no sources found" <<<"$1"

"$tidy_dir/rooms.sh" --graph .
refuse "rooms include what cmake/rooms.txt allows, without a cycle" < <("$tidy_dir/rooms.sh" .)
refuse "dependencies run messages <- actors <- runtime" < <(dependencies_run_one_way)
refuse "messages/ knows no CAF" < <(caf_in_messages)
refuse "only messages/wire_codec.cpp includes cbor.h" < <(cbor_outside_the_codec)
refuse "no crypto header is reachable from the guest path" < <(crypto_on_the_guest_path)
refuse "a file has at most $max_lines lines" < <(long_files)
refuse "a function has at most $max_function_lines lines" < <(long_functions)
refuse "only messages/event_types and event_line spell event types and lines" < <(evidence_spelled_elsewhere)
refuse "no reminders in sources" < <(reminders)
refuse "a test file defines one suite, named as its stem" < <(misnamed_suites)
refuse "documents name files that there are" < <(absent_files)
refuse "sources name documents that there are" < <(absent_documents)
refuse "documents name tests that there are" < <(absent_tests)
refuse "docs/glossary.md has another word for it" < <(words_that_went)
refuse "a name says what a thing is" < <(empty_names)
refuse "docs/operations.md explains each event and alert, and no other" < <(events_and_alerts_without_explanation)

exit "$broken"
