// Pages with one thing wrong, each of which a check must notice: `change` is made in every line where it applies, and
// `check` then fails for the `reason`.

export const brokenPages = [
  {
    check: "what_a_guest_writes_stays_text", reason: /^never: #events says/,
    change: [[/made\.textContent = text;/, "made.innerHTML = text;"], [/` \$\{text\} `\);/, 'element("i", "", text));']],
  },
  { check: "what_a_guest_writes_stays_text", reason: /^never: #events says/, change: [[/cut\.replace\(unseen,/, "cut.replace(/$^/g,"]] },
  {
    check: "what_comes_with_a_reading_stays_text", reason: /became elements|^never: #detail says/,
    change: [[/if \(text !== undefined\) made\.textContent = text;/, "if (text !== undefined) made.innerHTML = text;"],
      [/item\.append\(element\("b", "", textOf\(reading\.probe, 40\)\), ` \$\{readingText\(reading\)\} `\)/, 'item.append(element("b", "", reading.probe), element("i", "", JSON.stringify(reading.output)))']],
  },
  {
    check: "a_vmm_that_ended_is_seen_in_the_list", reason: /it comes first/,
    change: [[/vmm === "alive" \? 1 : vmm \? 0 : 2/, 'vmm === "alive" ? 0 : 1']],
  },
  {
    check: "a_cell_shows_what_the_host_read_and_what_that_contradicts", reason: /Contradictions, the last/,
    change: [[/last\.map\(contradictionItem\)/, "[]"]],
  },
  {
    check: "readings_are_no_flood_and_contradictions_stay_in_sight", reason: /contradiction: declaration unwitnessed/,
    change: [[/\(type\.startsWith\("host\.probe\.v1\."\) && !isContradiction\(type\)\)/, "false"]],
  },
  {
    check: "a_cell_goes_silent_and_comes_back_live", reason: /cell-2 is silenced/,
    change: [[/put\(part\.stateText, stateOf\(cell\)\)/, 'put(part.stateText, "connected")']],
  },
  {
    check: "nothing_is_cut_off_at_390", reason: /at 390 pixels/,
    change: [[/flex: 0 1 110px; min-width: 0;/, "flex: none; width: 180px;"]],
  },
  {
    check: "a_collector_shows_its_hosts_and_who_needs_somebody", reason: /first comes/,
    change: [[/\.\.\.hosts\.map\(hostRow\)/, "...hosts.reverse().map(hostRow)"]],
  },
  {
    check: "ten_thousand_hosts_come_by_the_page", reason: /101–200/,
    change: [[/showHostsFrom\(hostView.offset \+ hostsShown\)/, "showHostsFrom(hostView.offset)"]],
  },
  {
    check: "without_any_cell_it_says_how_to_add_one", reason: /No cells on this host/,
    change: [[/cells\.size \? "No cell matches/, 'lastPoll ? "No cell matches']],
  },
  {
    check: "an_agent_quiet_again_is_no_countdown_at_zero", reason: /it says for how long/,
    change: [[/overdue: left !== null/, "overdue: left === undefined"]],
  },
  {
    check: "many_changes_do_not_put_the_figures_off", reason: /cell-2 is silenced/,
    change: [[/(performance.now\(\) \+ delay) < dueAt/, "$1 > 0"]],
  },
  { check: "a_stream_that_drops_comes_back", reason: /slower than the events/, change: [[/addEventListener\("dropped"/, 'addEventListener("none"']] },
  {
    check: "asks_less_and_less_often", reason: /it asked after/,
    change: [[/1000 \* 2 \*\* Math\.min\(failures - 1, 6\)/, "1000"]],
  },
  { check: "needs_no_mouse", reason: /switched off/, change: [[/ && byId\("shortcuts"\)\.checked/, ""]] },
  {
    check: "tab_reaches_everything_in_order", reason: /focus cannot be seen/,
    change: [[/:focus-visible \{ outline: 2px solid/, ":focus-visible { outline: 0 none"]],
  },
  {
    check: "follows_the_scheme_and_the_toggle", reason: /something moves/,
    change: [[/prefers-reduced-motion: no-preference/, "min-width: 1px"]],
  },
  { check: "is_accessible_in_light", reason: /color-contrast/, change: [[/--quiet: light-dark\(#56616c/, "--quiet: light-dark(#b6c1cc"]] },
];

export function broken(page, change) {
  let lines = page.split("\n");
  for (const [from, to] of change) {
    const changed = lines.map((line) => line.replace(from, to));
    if (changed.join("\n") === lines.join("\n")) throw new Error(`nothing in the page is ${from}`);
    lines = changed;
  }
  return lines.join("\n");
}
