#!/bin/bash
# Follows docs/adding-an-event.md to the letter, in a copy of the tree. usage: adding_an_event.sh SOURCE_DIR CXX
set -euo pipefail

source_dir="$1"
cxx="$2"
copy="$(mktemp -d)"
trap 'rm -rf "$copy"' EXIT

mkdir -p "$copy"/tests/{messages,support} "$copy"/runtime/control
cp -r "$source_dir"/{messages,config,docs} "$copy"
cp -r "$source_dir"/runtime/control/page "$copy"/runtime/control
cp "$source_dir"/tests/messages/{event_types,cloud_event}_test.cpp "$copy"/tests/messages
cp "$source_dir"/tests/support/{unit_main.cpp,probe_events.hpp} "$copy"/tests/support
cd "$copy"

# Lines of a file that begin with TEXT, white space aside.
matching() { awk -v text="$2" '{ line = $0; sub(/^ +/, "", line) } index(line, text) == 1' "$1"; }

# put FILE HOW TEXT < PIECE: adds lines to a file, right behind or before the one that begins with TEXT; `new`: they are
# the file.
put() {
  local file="$1" how="$2" text="$3" piece count
  piece="$(mktemp -p "$copy")"
  cat >"$piece"
  [[ -s "$piece" ]] || { echo "adding-an-event.md has nothing for $file"; exit 1; }
  if [[ "$how" == new ]]; then
    [[ ! -e "$file" ]] || { echo "$file is there already"; exit 1; }
    cp "$piece" "$file"
    return
  fi
  count="$(matching "$file" "$text" | wc -l)"
  [[ "$count" == 1 ]] || { echo "$file has $count lines that begin with: $text"; exit 1; }
  awk -v how="$how" -v text="$text" -v piece="$piece" '
    function add(  line) { while ((getline line < piece) > 0) print line }
    { line = $0; sub(/^ +/, "", line); here = index(line, text) == 1 }
    here && how == "before" { add() }
    { print }
    here && how == "behind" { add() }' "$file" >"$file.changed"
  mv "$file.changed" "$file"
}

# The piece below the Nth mark `<!-- FILE HOW[: TEXT] -->`, without its fences.
piece() {
  awk -v wanted="$1" '
    /^<!-- .* -->$/ { ++mark }
    mark == wanted && /^```/ { if (inside) exit; inside = 1; next }
    mark == wanted && inside { print }' "$source_dir/docs/adding-an-event.md"
}

mapfile -t marks < <(sed -nE 's/^<!-- (.*) -->$/\1/p' "$source_dir/docs/adding-an-event.md")

# step FILE: puts in place what the document has for it.
step() {
  local i file how text found=1
  for i in "${!marks[@]}"; do
    file="${marks[$i]%% *}"
    [[ "$file" == "$1" ]] || continue
    how="${marks[$i]#* }"
    text="${how#*: }"
    put "$file" "${how%%:*}" "$text" < <(piece $((i + 1)))
    found=0
  done
  return "$found"
}

build() {
  local name="$1"
  shift
  "$cxx" -std=c++20 -O0 -I. "-DCELLOS_SOURCE_DIR=\"$copy\"" -o "$name" tests/support/unit_main.cpp \
    "tests/messages/${name}_test.cpp" "$@" -lcaf_core -lpthread
}

passes() { "./$1" -n -v 4 -r 0 -s "^$1\$" >"$1.log" 2>&1 && ! grep -qE 'suites: +0' "$1.log"; }

must_pass() { passes "$1" || { cat "$1.log"; echo "$1 fails: $2"; exit 1; }; }
must_fail() { ! passes "$1" || { echo "$1 passes: $2"; exit 1; }; }

step messages/event_types.hpp
build event_types
must_fail event_types "without a schema"
step config/schemas/run.v1.paused.schema.json
must_fail event_types "without a row in the document"
step docs/evidence.md
must_pass event_types "with table, schema and document"

step messages/cloud_event.hpp
step messages/cloud_event.cpp
step tests/messages/cloud_event_test.cpp
build cloud_event messages/{chain_name,chain_writer,cloud_event,event_line,host_probe,host_sighting,json_text,signing_statement,timestamp}.cpp
must_pass cloud_event "with its writer"
grep -q run_paused_is_exactly_this_line cloud_event.log || { echo "the new case did not run"; exit 1; }

# Nothing but the table, the schema, its row, one writer and its test.
changed="$(diff -rq "$source_dir/messages" messages || true)"
[[ "$(wc -l <<<"$changed")" == 3 ]] || { echo "more of messages/ changed than table and writer: $changed"; exit 1; }
