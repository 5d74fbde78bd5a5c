#!/bin/bash
# The status page in a real browser; check.mjs says what is checked.
# usage: run.sh [--page-only] [--only NAME]... [--screenshots DIR] BIN_DIR
set -euo pipefail

here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
page="$here/../../../runtime/control/page/index.html"
page_only=""
screenshots=()
only=()

fail() {
  printf 'status_page: %s\n' "$*" >&2
  exit 1
}

while [[ "${1:-}" == --* ]]; do
  case "$1" in
    --page-only) page_only=1 ;;
    --only)
      only+=(--only "$2")
      shift
      ;;
    --screenshots)
      mkdir -p "$2"
      screenshots=(--screenshots "$(cd "$2" && pwd)")
      shift
      ;;
    *) fail "unknown option $1" ;;
  esac
  shift
done
[[ $# == 1 ]] || fail "usage: run.sh [--page-only] [--only NAME]... [--screenshots DIR] BIN_DIR"
bin="$(cd "$1" && pwd)"
# Beside the programs, so that every build tree installs the packages once.
installed="$bin/../status_page"

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

find_browser() {
  local name
  [[ -z "${CHROMIUM:-}" ]] || return 0
  # The first one takes half the time of the others.
  for name in chromium-headless-shell chromium chromium-browser google-chrome; do
    CHROMIUM="$(command -v "$name")" && export CHROMIUM && return
  done
  printf 'status_page: SKIPPED: there is no chromium; "./dev test" installs one\n' >&2
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

find_browser
install_packages
programs=(--bin "$bin" --work "$work")
[[ -z "$page_only" ]] || programs=()
node "$installed/check.mjs" --page "$page" "${programs[@]}" "${screenshots[@]}" "${only[@]}"
