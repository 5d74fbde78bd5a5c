#!/bin/bash
# The graph of rooms, from the #include lines: who includes from whom, and whether it may. usage: rooms.sh [--graph] SOURCE_DIR
#
# A room is messages/, actors/ or a folder of runtime/. Prints what cmake/rooms.txt does not allow, what it allows for
# nothing, and cycles; with --graph, the graph itself, each edge with the number of its #include lines.
set -euo pipefail

graph=""
if [[ "${1:-}" == --graph ]]; then
  graph=yes
  shift
fi
cd "$1"
table=cmake/rooms.txt

# ROOM OTHER FILE: HEADER for every line of our sources that includes another room's header.
inclusions() {
  { grep -rHoE --include='*.hpp' --include='*.cpp' '^[[:space:]]*#[[:space:]]*include[[:space:]]*["<][^">]+' \
    messages actors runtime 2>/dev/null || true; } |
    awk '
      function room(path,  part) {
        split(path, part, "/")
        return part[1] == "runtime" && part[3] != "" ? part[1] "/" part[2] : part[1]
      }
      {
        file = substr($0, 1, index($0, ":") - 1)
        header = $0
        sub(/^[^"<]*["<]/, "", header)
        if (header ~ /^\.\.\//) {
          folder = file
          sub(/\/[^\/]*$/, "", folder)
          while (sub(/^\.\.\//, "", header)) if (!sub(/\/[^\/]*$/, "", folder)) folder = "."
          header = folder == "." ? header : folder "/" header
        }
        if (header ~ /^(messages|actors|runtime)\// && room(file) != room(header))
          print room(file), room(header), file ": " header
      }'
}

# ROOM OTHER for every pair in the table.
allowed() { [[ ! -f $table ]] || awk '!/^#/ { sub(/:$/, "", $1); for (i = 2; i <= NF; ++i) print $1, $i }' "$table"; }

rooms_without_a_row() {
  local room
  for room in messages actors runtime/*/; do
    room="${room%/}"
    [[ -z "$(find "$room" -name '*.[ch]pp' 2>/dev/null)" ]] || grep -q "^$room:" "$table" 2>/dev/null ||
      echo "$room has no row in $table"
  done
}

found="$(inclusions)"
edges="$(awk 'NF { print $1, $2 }' <<<"$found" | sort | uniq -c | awk '{ print $2, $3, $1 }')"

if [[ -n "$graph" ]]; then
  awk 'NF { if (!($1 in to)) order[++n] = $1; to[$1] = to[$1] " " $2 "(" $3 ")" }
       END { for (i = 1; i <= n; ++i) print order[i] " ->" to[order[i]] }' <<<"$edges"
  exit
fi

rooms_without_a_row
awk 'NR == FNR { allowed[$1, $2] = 1; next }
     NF && !(($1, $2) in allowed) { edge = $1 " -> " $2; sub(/^[^ ]+ [^ ]+ /, ""); print edge " is not in cmake/rooms.txt: " $0 }' \
  <(allowed; echo) <(echo "$found")
awk 'NR == FNR { used[$1, $2] = 1; next } !(($1, $2) in used) { print $1 " -> " $2 " is in cmake/rooms.txt for nothing" }' \
  <(echo "$edges") <(allowed)
{ cut -d' ' -f1,2 <<<"$edges"; allowed; } | awk 'NF == 2' | tsort 2>&1 >/dev/null | grep -v 'contains a loop' |
  sed 's/^tsort: //' | paste -sd' ' | sed -nE 's/(.+)/a cycle: \1/p' || true
