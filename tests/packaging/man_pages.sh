#!/bin/bash
# The man pages speak of every command and option that the programs have, of no other, and of every key of the
# configuration. usage: man_pages.sh SOURCE_DIR BIN_DIR MAN_DIR (where the pages are that the build made)
set -euo pipefail

pages="$1/docs/man"
configuration="$1/config/telemetryd.toml"
bin="$2"
made="$3"
broken=0

complain() {
  echo "$*"
  broken=1
}

# compare PAGE WHAT: standard input is what diff says; "<" only the page has, ">" only the program.
compare() {
  local mark name
  while read -r mark name; do
    case "$mark" in
      '<') complain "$1 reports $2 $name, which there is not" ;;
      '>') complain "$1 lacks $2 $name" ;;
    esac
  done
}

options_in_help() { "$@" --help | sed -nE 's/^  (-[^ ]+).*/\1/p' | tr ',' '\n' | sort -u; }

# Options that a page, or a part of one on standard input, describes in its lists.
options_in_page() {
  sed -nE 's/^\.It Fl (.*)/\1/p' | sed -E 's/ Ar .*//; s/ , /\n/g' | sed 's/^/-/' | sort -u
}

# The part of the page before the first command, or of one command.
part_of() {
  awk -v wanted="$2" '/^\.S[sh] / { now = ($1 == ".Ss") ? $2 : "" } now == wanted' "$1"
}

commands_in_help() { "$1" --help | sed -n '/^Subcommands:/,$s/^  \([a-z]\+\) .*/\1/p' | sort; }

check_program() {
  local program="$1" page="$pages/$1.$2" command
  compare "$page" option < <(diff <(part_of "$page" "" | options_in_page) <(options_in_help "$bin/$program"))
  compare "$page" command < <(diff <(sed -n 's/^\.Ss //p' "$page" | sort) <(commands_in_help "$bin/$program"))
  for command in $(commands_in_help "$bin/$program"); do
    grep -qx "\.Ss $command" "$page" || continue
    compare "$page" "option of $command:" < <(
      diff <(part_of "$page" "$command" | options_in_page) <(options_in_help "$bin/$program" "$command"))
  done
}

check_program cellos-telemetryd 8
check_program cellos-telemetryctl 1
check_program cellos-guest-sim 1

keys_in_configuration() { sed -nE 's/^#?([a-z][a-z_]*) = .*/\1/p' "$configuration" | sort; }
compare "$made/telemetryd.toml.5" key < <(
  diff <(sed -nE 's/^\.It Ic ([a-z_]+) .*/\1/p' "$made/telemetryd.toml.5" | sort) <(keys_in_configuration))
[[ "$(keys_in_configuration | wc -l)" -gt 20 ]] || complain "few keys found in $configuration"

# That the comparison can fail.
! diff <(options_in_page <<<$'.It Fl h , -help\n.It Fl -gone Ar x') <(options_in_help "$bin/cellos-telemetryd") >/dev/null ||
  complain "a page with other options was let pass"

if command -v mandoc >/dev/null; then
  # How lines are broken in the source is not what is checked here.
  mandoc -Tlint -Wwarning "$pages"/*.[1-8] "$made"/*.[1-8] 2>/dev/null | grep -v 'new sentence, new line' && broken=1
else
  echo "note: not linted, no mandoc here; install the package mandoc"
fi
exit "$broken"
