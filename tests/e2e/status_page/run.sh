#!/bin/bash
# The status page in a real browser: before a host that is made up, then before the real daemon; and the checks notice
# when the page is wrong. usage: run.sh [--page-only] [--screenshots DIR] BIN_DIR
# shellcheck disable=SC2016  # sed's scripts look like variables
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
page="$here/../../../runtime/control/page/index.html"
page_only=""
screenshots=()

fail() {
  printf 'status_page: %s\n' "$*" >&2
  exit 1
}

while [[ "${1:-}" == --* ]]; do
  case "$1" in
    --page-only) page_only=1 ;;
    --screenshots)
      mkdir -p "$2"
      screenshots=(--screenshots "$(cd "$2" && pwd)")
      shift
      ;;
    *) fail "unknown option $1" ;;
  esac
  shift
done
[[ $# == 1 ]] || fail "usage: run.sh [--page-only] [--screenshots DIR] BIN_DIR"
bin="$(cd "$1" && pwd)"
# Beside the programs, so that every build tree installs the packages once.
installed="$bin/../status_page"

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

find_browser() {
  local name
  [[ -z "${CHROMIUM:-}" ]] || return 0
  for name in chromium chromium-browser google-chrome; do
    CHROMIUM="$(command -v "$name")" && export CHROMIUM && return
  done
  printf 'status_page: SKIPPED: there is no chromium; "./dev page" installs one\n' >&2
  exit 77
}

install_packages() {
  command -v npm >/dev/null || fail "needs node and npm"
  mkdir -p "$installed"
  cp "$here"/*.mjs "$here/package.json" "$here/package-lock.json" "$installed/"
  cmp --silent "$installed/package-lock.json" "$installed/installed.lock" && return
  npm ci --prefix "$installed" --ignore-scripts --no-audit --no-fund >&2
  cp "$installed/package-lock.json" "$installed/installed.lock"
}

# The page, changed by the sed SCRIPT, fails the CHECK for the REASON.
catches() { # CHECK REASON SCRIPT
  local broken said
  broken="$(mktemp "$work/broken.XXXXXX")" said="$(mktemp "$work/said.XXXXXX")"
  sed -E "$3" "$page" >"$broken"
  ! cmp --silent "$page" "$broken" || fail "changes nothing: $3"
  if TIMEOUT_MS=8000 node "$installed/page_check.mjs" "$broken" --only "$1" >"$said"; then
    fail "$1 does not notice: $3"
  fi
  grep --quiet "^FAILED  $1: .*$2" "$said" || fail "$1 fails, but not for '$2': $(cat "$said")"
}

catches_what_shows_wrongly() {
  catches what_a_guest_writes_stays_text "#events says" \
    's/made\.textContent = text;/made.innerHTML = text;/; s/` \$\{text\} `\);/element("i", "", text));/'
  catches what_a_guest_writes_stays_text "#events says" 's/cut\.replace\(unseen,/cut.replace(\/$^\/g,/'
  catches a_cell_goes_silent_and_comes_back_live "cell-2 is silenced" \
    's/put\(part\.stateText, cell\.state\)/put(part.stateText, "connected")/'
  catches nothing_is_cut_off_on_any_screen "at 390 pixels" 's/flex: 0 1 110px; min-width: 0;/flex: none; width: 180px;/'
  catches without_any_cell_it_says_how_to_add_one "No cells on this host" 's/cells\.size \? "No cell matches/lastPoll ? "No cell matches/'
  catches an_agent_quiet_again_is_no_countdown_at_zero "it says for how long" 's/overdue: left !== null/overdue: left === undefined/'
  catches many_changes_do_not_put_the_figures_off "cell-2 is silenced" 's/(performance.now\(\) \+ delay) < dueAt/\1 > 0/'
}

catches_what_acts_wrongly() {
  catches a_stream_that_drops_comes_back "slower than the events" 's/addEventListener\("dropped"/addEventListener("none"/'
  catches asks_less_and_less_often "it asked after" 's/1000 \* 2 \*\* Math\.min\(failures - 1, 6\)/1000/'
  catches needs_no_mouse "switched off" 's/ && byId\("shortcuts"\)\.checked//'
  catches tab_reaches_everything_in_order "focus cannot be seen" \
    's/:focus-visible \{ outline: 2px solid/:focus-visible { outline: 0 none/'
  catches follows_the_scheme_and_the_toggle "something moves" 's/prefers-reduced-motion: no-preference/min-width: 1px/'
  catches is_accessible "color-contrast" 's/--quiet: light-dark\(#56616c/--quiet: light-dark(#b6c1cc/'
}

find_browser
install_packages
node "$installed/page_check.mjs" "$page" "${screenshots[@]}"
# Mostly they wait: two at a time.
catches_what_shows_wrongly & one=$!
catches_what_acts_wrongly & other=$!
caught=1
wait "$one" || caught=""
wait "$other" || caught=""
[[ -n "$caught" ]] || fail "a broken page goes unnoticed"
[[ -n "$page_only" ]] || node "$installed/daemon_check.mjs" --bin "$bin" --work "$work" "${screenshots[@]}"
