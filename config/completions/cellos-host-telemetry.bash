# bash completion of cellos-telemetryd, cellos-telemetryctl and cellos-guest-sim. It asks the programs themselves what
# they take, so that it knows as much as they do.

# What stands in the first column of a section of a --help text: section_of SECTION TEXT
_cellos_section() {
  awk -v section="$1:" '/^[^ ]/ { inside = ($0 == section); next } inside && /^  [^ ]/ { print }' <<<"$2"
}

_cellos_host_telemetry() {
  local program="${COMP_WORDS[0]}" current="${COMP_WORDS[COMP_CWORD]}" before="" help commands command="" options choices
  [[ "$COMP_CWORD" -lt 1 ]] || before="${COMP_WORDS[COMP_CWORD - 1]}"
  COMPREPLY=()
  help="$("$program" --help 2>/dev/null)" || return 0

  commands="$(_cellos_section Subcommands "$help" | awk '{ print $1 }')"
  if [[ -n "$commands" ]]; then
    # The first word that is none of the program's own options.
    local word
    for word in "${COMP_WORDS[@]:1:COMP_CWORD - 1}"; do
      [[ "$word" == -* ]] || { command="$word"; break; }
    done
    if [[ -n "$command" ]]; then
      help="$("$program" "$command" --help 2>/dev/null)" || return 0
    fi
  fi
  options="$(_cellos_section Options "$help")"

  # An option that takes a value has the value's kind in its second column.
  local taken
  taken="$(awk -v option="$before" '{ n = split($1, names, ","); for (i = 1; i <= n; ++i) if (names[i] == option && $2 ~ /^[A-Z]+($|[:=[ ])/) print $2 }' <<<"$options")"
  if [[ -n "$taken" ]]; then
    choices="$(sed -n 's/.*{\(.*\)}.*/\1/p' <<<"$taken" | tr ',' ' ')"
    [[ "$before" != --scenario ]] || choices="$("$program" --list 2>/dev/null | awk '{ print $1 }')"
    if [[ -n "$choices" ]]; then
      mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$current")
    else
      mapfile -t COMPREPLY < <(compgen -f -- "$current")
    fi
  elif [[ -n "$commands" && -z "$command" && "$current" != -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$current")
  elif [[ "$current" == -* ]] || [[ -z "$(_cellos_section Positionals "$help")" ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$(awk '{ gsub(",", " ", $1); print $1 }' <<<"$options")" -- "$current")
  else
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
  fi
}

complete -o filenames -F _cellos_host_telemetry cellos-telemetryd cellos-telemetryctl cellos-guest-sim
