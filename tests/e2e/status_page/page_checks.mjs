// The status page before a host that is made up: what it shows, what it survives, how it is used without a mouse.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

import { demand, startTimeout, StatusPage, trial, until } from "./browser.mjs";
import { FakeHost, hostileText } from "./fake_host.mjs";

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/// Runs `check` with a host of so many cells and the page open on it, at once if it is to show none.
async function withPage({ cells = 30, pageOptions, prepare = () => {}, showsCells = true }, check) {
  const host = new FakeHost(trial().page, cells);
  prepare(host);
  const address = await host.listen();
  const life = setInterval(() => host.advance(0.5), 500);
  let page;
  try {
    page = await StatusPage.open(address, pageOptions);
    if (showsCells) {
      await until("the page shows cells", () => page.tab.locator(".cell-row:not([hidden])").count(), undefined, startTimeout);
      await until("the page follows the events", () => host.streams > 0, undefined, startTimeout);
    }
    await check(page, host);
    await page.close();
  } finally {
    clearInterval(life);
    await page?.context.close();
    await host.die();
  }
}

const active = (page) => page.tab.evaluate(() => {
  const id = document.getElementById("grid").getAttribute("aria-activedescendant");
  return document.getElementById(id)?.querySelector(".name").textContent;
});
/// What is wider than its place: nobody can read it to the end.
const cutOff = (page, selector) => page.tab.evaluate((wanted) => [...document.querySelectorAll(wanted)]
  .filter((one) => one.offsetParent && one.scrollWidth > one.clientWidth).map((one) => `${one.className} "${one.textContent}"`), selector);
const focused = (page) => page.tab.evaluate(() => document.activeElement.id);

async function demandAccessible(page, what) {
  // Not a script element: the page's policy is right to refuse one.
  await page.tab.evaluate(axe);
  const { violations } = await page.tab.evaluate(() => globalThis.axe.run({ resultTypes: ["violations"] }));
  demand(violations.length === 0, `${what}: ` + violations.map(({ id, nodes }) =>
    `${id} at ${nodes.slice(0, 3).map(({ target, failureSummary }) => `${target} (${failureSummary})`).join(", ")}`).join("; "));
}

async function nothingIsCutOff(width, height) {
  await withPage({ pageOptions: { width, height } }, async (page, host) => {
    host.quieten("cell-2", 4000);
    host.silence("cell-5");
    host.nearSilence("cell-6");
    host.declare("cell-1", hostileText);
    await until("it says how soon", async () => /^in [01]\.\d s$/.test((await page.row("cell-6"))?.silence ?? ""));
    await until("it says for how long", async () => /^quiet 1 h/.test((await page.row("cell-2"))?.silence ?? ""));
    await page.awaitText("#log-note", /\d.*, 49 segments/);
    await page.awaitText("#append-note", /last minute/);
    await page.awaitText("#events", /img src/);
    const cut = await cutOff(page, ".cell-row:not([hidden]) :is(.state, .rate, .silence, .number), .columns > *, .tile .big, .tile .note, .events, .top *, .bar, #grid");
    demand(cut.length === 0, `at ${width} pixels are cut off: ${cut.join(", ")}`);
    const heights = await page.tab.evaluate(() => [...document.querySelectorAll(".tile .big")].map((one) => one.offsetHeight));
    demand(new Set(heights).size === 1, `at ${width} pixels a figure breaks into lines: ${heights.join(", ")}`);
    const sideways = await page.tab.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    demand(sideways <= 0, `at ${width} pixels the page is ${sideways} pixels too wide`);
    await page.capture(`status-page-${width}`);
    await page.choose("cell-3");
    await page.awaitText("#detail", /refused: malformed/);
    const cutDetail = await cutOff(page, ".detail, .detail *");
    demand(cutDetail.length === 0, `at ${width} pixels of the detail are cut off: ${cutDetail.join(", ")}`);
    const inSight = await page.tab.evaluate(() => {
      const { top, bottom } = document.getElementById("detail").getBoundingClientRect();
      return top >= 0 && bottom <= innerHeight + 1;
    });
    demand(inSight, `at ${width} pixels a cell is chosen and its detail is out of sight`);
    await page.capture(`status-page-${width}-detail`);
  });
}

async function nothingOfANodeIsCutOff(width, height) {
  const prepare = (host) => {
    host.collect(300);
    host.forwarder = { state: "delivering", destination: "collector-1.of-a-long.example:7440", figures: { lag_seconds: 93600, lag_bytes: 5e9, lag_events: 12345678 } };
  };
  await withPage({ prepare, pageOptions: { width, height } }, async (page) => {
    await page.awaitText("#host-range", /^1–100 of 300$/);
    await page.awaitText("#tile-forwarding", /1 d behind/);
    const cut = await cutOff(page, ".fleet .bar, .tile .big, .tile .note, #fleet");
    demand(cut.length === 0, `at ${width} pixels are cut off: ${cut.join(", ")}`);
    const heights = await page.tab.evaluate(() => [...document.querySelectorAll(".tile .big")].map((one) => one.offsetHeight));
    demand(new Set(heights).size === 1, `at ${width} pixels a figure breaks into lines: ${heights.join(", ")}`);
    const sideways = await page.tab.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    demand(sideways <= 0, `at ${width} pixels the page is ${sideways} pixels too wide`);
    await page.capture(`status-page-node-${width}`);
  });
}

async function isAccessible(scheme) {
  await withPage({ pageOptions: { scheme } }, async (page, host) => {
    host.silence("cell-5");
    host.reasons = ["cell cell-9: bind_failed: in use"];
    host.emit("cell-3", "guest.v1.telemetry_dropped", { frames: "12", reason: "frames_refused", refused: { torn_frame: "2" } });
    await page.awaitState("cell-5", "silenced");
    await page.awaitText("#ready", /^Not ready$/);
    await page.awaitText("#events", /telemetry dropped 12 frames, frames refused: torn 2/);
    await demandAccessible(page, scheme);
    await page.choose("cell-3");
    await page.awaitText("#detail", /refused: malformed/);
    await demandAccessible(page, `${scheme}, a cell chosen`);
  });
}

/// Each by its name. Those that wait longest come first.
export const pageChecks = {
  async asks_less_and_less_often() {
    await withPage({}, async (page, host) => {
      host.failing.set("/events", 404);
      const before = host.streamsAsked.length;
      host.dropStreams();
      await until("it asks four times", () => host.streamsAsked.length >= before + 4);
      const [first, second, third, fourth] = host.streamsAsked.slice(before);
      // Twice doubled, at random up to a quarter shorter: three times as long at the least.
      demand(fourth - third > 2 * (second - first), `it asked after ${second - first} ms and ${fourth - third} ms`);
      host.failing.clear();
      await page.tab.click("#retry");
      await page.awaitText("#stream", /^Live events$/);
    });
  },

  async five_thousand_cells_stay_light() {
    await withPage({ cells: 5000 }, async (page) => {
      await page.awaitText("#cell-count", /^5.000$/);
      await page.tab.evaluate(() => {
        globalThis.longest = 0;
        new PerformanceObserver((list) => { for (const task of list.getEntries()) globalThis.longest = Math.max(globalThis.longest, task.duration); })
          .observe({ type: "longtask" });
      });
      const elements = await page.tab.locator(".cell-row").count();
      demand(elements < 100, `${elements} rows are in the document`);
      await page.tab.locator("#columns button", { hasText: "Cell" }).click();
      await page.tab.focus("#grid");
      await page.tab.keyboard.press("End");
      demand(await active(page) === "cell-5000", `End leads to ${await active(page)}`);
      await page.tab.evaluate(() => { document.getElementById("grid").scrollTop = 2499 * 30; });
      await until("the middle is shown", () => page.row("cell-2500"));
      await page.tab.fill("#filter", "cell-499 state:conn");
      await page.awaitText("#shown", /^1[01] of 5.000 cells$/);
      await page.tab.fill("#filter", "");
      await until("five readings of the rate", () => page.tab.evaluate(() =>
        document.querySelector("#rate-spark .edge").getAttribute("d").split("L").length >= 5), undefined, 2 * startTimeout);
      const longest = await page.tab.evaluate(() => globalThis.longest);
      process.stdout.write(`5000 cells: ${elements} rows in the document, ${longest ? `longest task ${Math.round(longest)} ms` : "no task over 50 ms"}\n`);
      demand(longest < 1500, `a task of ${longest} ms holds the page up`);
      await page.capture("status-page-5000");
    });
  },

  async shows_the_host_and_its_cells() {
    await withPage({}, async (page) => {
      await page.awaitText("#host", /^host-a$/);
      await page.awaitText("#version", /^1\.4\.0$/);
      await page.awaitText("#ready", /^Ready$/);
      await page.awaitText("#stream", /^Live events$/);
      await page.awaitText("#rate", /^[1-9]/);
      await page.awaitText("#log-size", /^3\.\d GiB$/);
      await page.awaitText("#append", /^≤ 10 ms$/);
      await page.awaitText("#refused-note", /malformed \d+ · torn \d+ · forged 3/);
      const refused = await page.row("cell-3");
      demand(/9 malformed 7 · torn 2$/.test(refused.text), `cell-3 shows ${refused.text}`);
      await until("a countdown", async () => /^in \d/.test((await page.row("cell-1")).silence));
      await until("a sparkline", () => page.tab.locator(".cell-row .edge[d*=L]").count());
    });
  },

  async a_cell_goes_silent_and_comes_back_live() {
    await withPage({}, async (page, host) => {
      await page.awaitState("cell-2", "connected");
      host.silence("cell-2");
      await page.awaitState("cell-2", "silenced");
      demand(/^for \d+ s$/.test((await page.row("cell-2")).silence), "how long it has been silent is not shown");
      await page.awaitText("#announcements", /Cell cell-2 fell silent/);
      await page.awaitText("#events", /cell-2 ▲ agent silenced nothing for 10\.0 s, window 10\.0 s/);
      await until("the title shows", async () => (await page.tab.title()).startsWith("(1 silent) host-a"));
      host.resume("cell-2");
      await page.awaitState("cell-2", "connected");
      await page.awaitText("#announcements", /Cell cell-2 resumed/);
      host.cells.delete("cell-4");
      await page.awaitText("#announcements", /Cell cell-4 retired/);
    });
  },

  async an_agent_quiet_again_is_no_countdown_at_zero() {
    await withPage({}, async (page, host) => {
      host.quieten("cell-2", 75);
      await until("it says for how long", async () => /^quiet 1 m \d+ s$/.test((await page.row("cell-2")).silence),
        async () => JSON.stringify(await page.row("cell-2")));
    });
  },

  async many_changes_do_not_put_the_figures_off() {
    await withPage({}, async (page, host) => {
      await page.awaitState("cell-2", "connected");
      const storm = setInterval(() => host.emit("cell-1", "guest.v1.agent_resumed", {}), 10);
      try {
        await page.awaitText("#events", /cell-1 agent resumed/);
        Object.assign(host.cells.get("cell-2"), { state: "silenced", silence_in_seconds: null });
        const asked = host.cellsAsked, began = Date.now();
        await page.awaitState("cell-2", "silenced");
        await until("three seconds pass", () => Date.now() - began > 3000);
        const often = (host.cellsAsked - asked) * 1000 / (Date.now() - began);
        demand(often < 6, `the cells are asked for ${often.toFixed(1)} times a second`);
      } finally {
        clearInterval(storm);
      }
    });
  },

  async what_a_guest_writes_stays_text() {
    await withPage({}, async (page, host) => {
      host.declare("cell-1", hostileText);
      await page.awaitText("#events", /<img src=x onerror=.*\\u\{202e\}gnp\\u\{7\}/);
      const made = await page.tab.locator("main img, main script, main iframe").count();
      demand(made === 0, "a guest's markup became elements");
      demand(!/owned/.test(await page.tab.title()), "a guest's script ran");
    });
  },

  async a_vmm_that_ended_is_seen_in_the_list() {
    await withPage({}, async (page, host) => {
      await until("a VMM lives", async () => (await page.row("cell-1"))?.vmm === "alive");
      demand((await page.row("cell-23")).vmm === "–", "a VMM that nobody saw is shown");
      host.cells.get("cell-7").host_saw.vmm = "signalled";
      await until("it ended", async () => (await page.row("cell-7"))?.vmm === "signalled");
      await page.tab.locator("#columns button", { hasText: "VMM" }).click();
      const first = () => page.tab.evaluate(() => document.querySelector("#row-0 .name").textContent);
      await until("it comes first", async () => (await first()) === "cell-7", first);
      await page.tab.fill("#filter", "vmm:sig");
      await page.awaitText("#shown", /^1 of 30 cells$/);
      await page.capture("status-page-vmm");
    });
  },

  async a_cell_shows_what_the_host_read_and_what_that_contradicts() {
    await withPage({}, async (page, host) => {
      host.see("cell-3", [
        { probe: "host.process", inputs: { pid: 4242 }, output: { alive: true, cpuUserUs: "1500000", cpuSystemUs: "500000", residentBytes: "134217728", threads: 5 } },
        { probe: "host.cgroup", output: { v2: { "pids.current": "7", "memory.current": "1048576", "memory.events": { oom_kill: "1" }, "cpu.stat": { usage_usec: "2500000" } } } },
        { probe: "host.tap_link", age_seconds: 75, inputs: { interface: "tap0" }, output: { operstate: "up", carrier: true, rxPackets: "12345", rxBytes: "2048", txPackets: "9", txBytes: "100" } },
        { probe: "host.nftables", failing: "permission_denied", cause: "a dump of counters: Operation not permitted", age_seconds: null, bytes: 0 },
        { probe: "host.exec", bytes: 40000 },
      ], { found: 40, last: [{ kind: "undeclared_network", confidence: "firm", from: "2026-11-28T12:00:01.5Z", to: "2026-11-28T12:00:31Z", counted: 60, declared: 2,
        background: 1, threshold: 3, first_reading: 17, last_reading: 29 }] });
      await page.choose("cell-3");
      await page.awaitText("#detail", /host\.process alive, pid 4242, CPU 2\.0 s, RSS 128 MiB, 5 threads\s+1 s ago/);
      await page.awaitText("#detail", /host\.cgroup processes 7, memory 1\.0 MiB, CPU 2\.5 s, OOM kills 1/);
      await page.awaitText("#detail", /host\.tap_link tap0 up, carrier, from the cell 12.345 packets, 2\.0 KiB, to it 9, 100 B\s+1 m 15 s ago/);
      await page.awaitText("#detail", /host\.nftables nothing yet\s+fails: permission_denied, a dump of counters/);
      await page.awaitText("#detail", /host\.exec 39\.1 KiB: in the log/);
      await page.awaitText("#detail", /Contradictions, the last 1 of 40\s+undeclared network firm: counted 60, declared 2, background 1, threshold 3\s+12:00:01 to 12:00:31 UTC, lines 17 to 29/);
      await demandAccessible(page, "readings");
      await page.capture("status-page-readings");
      const asked = host.cellsOneByOne.length;
      host.see("cell-3", [{ probe: "host.process", output: { alive: false, ended: "signalled", signal: 9 } }]);
      host.emit("cell-3", "host.probe.v1.undeclared_activity", { kind: "undeclared_exit", confidence: "firm", counted: "1", declared: "0", background: "0" });
      await page.awaitText("#detail", /host\.process signalled 9/);
      await page.awaitText("#events", /contradiction: undeclared exit firm, counted 1, declared 0/);
      demand(host.cellsOneByOne.length > asked && host.cellsOneByOne.every((id) => id === "cell-3"), "another cell is asked for");
      await page.choose("cell-4");
      await until("what was read of another cell goes", async () => !(await page.text("#detail")).includes("host.process"));
    });
  },

  async readings_are_no_flood_and_contradictions_stay_in_sight() {
    await withPage({}, async (page, host) => {
      host.emit("cell-2", "guest.v1.declaration_unwitnessed", { kind: "declaration_unwitnessed", confidence: "soft", counted: "0", declared: "4", background: "0" });
      for (let sent = 0; sent < 500; ++sent)
        host.emit(`cell-${1 + sent % 30}`, "host.probe.v1.process", { reading: { probeSource: "host.process", inputs: { pid: sent }, output: { alive: true } } });
      await page.awaitText("#events", /host\.process alive, pid 499/);
      await page.awaitText("#events", /cell-2 contradiction: declaration unwitnessed soft, counted 0, declared 4/);
      await page.tab.selectOption("#event-kind", "contradictions");
      await until("only that is shown", async () => (await page.tab.locator("#events li").count()) === 1);
    });
  },

  async what_comes_with_a_reading_stays_text() {
    await withPage({}, async (page, host) => {
      const said = hostileText;
      host.cells.get("cell-1").host_saw.vmm = said;
      host.see("cell-1", [{ probe: "host.exec", output: { [said]: said } }, { probe: said, failing: said, cause: said },
        { probe: "host.process", inputs: { pid: said }, output: { alive: true, threads: said } }, { probe: "host.nftables", output: { rows: said } },
        { probe: "host.tap_link", output: { operstate: said } }, { probe: "host.cgroup", output: { v2: null } }],
      { found: said, last: [{ kind: said, confidence: said, from: said, to: said }] });
      await page.choose("cell-1");
      await page.awaitText("#detail", /host\.exec .*<img src=x onerror=.*\\u\{202e\}gnp\\u0007/);
      await page.awaitText("#detail", /Contradictions/);
      const made = await page.tab.locator("main img, main script, main iframe").count();
      demand(made === 0, "markup of a reading became elements");
      demand(!/owned/.test(await page.tab.title()), "a script of a reading ran");
    });
  },

  async a_flood_leaves_what_matters_in_sight() {
    await withPage({}, async (page, host) => {
      host.silence("cell-2");
      for (let sent = 0; sent < 3000; ++sent) host.declare(`cell-${1 + sent % 30}`, `comm-${sent}`);
      await page.awaitText("#events", /comm-2999/);
      await page.awaitText("#events", /Declarations before this are in the log\.\s.*cell-2 ▲ agent silenced/s);
      demand(await page.tab.locator("#events li").count() < 70, "the list grows");
      await page.tab.selectOption("#event-kind", "silence");
      await until("only silence is shown", async () => (await page.tab.locator("#events li").count()) === 1);
      await page.tab.selectOption("#event-kind", "all");
      await page.tab.keyboard.press("Escape");
      await page.tab.click("#pause");
      host.declare("cell-1", "while-paused");
      await page.awaitText("#pause", /^Go on, [1-9]\d* new$/);
      demand(!(await page.text("#events")).includes("while-paused"), "a paused list moves");
      await page.tab.click("#pause");
      await page.awaitText("#events", /while-paused/);
    });
  },

  async a_collector_shows_its_hosts_and_who_needs_somebody() {
    await withPage({ prepare: (host) => host.collect(9) }, async (page, host) => {
      await page.awaitText("#tile-hosts", /Hosts\s*9\s*▲ 1 silenced · ▲ 1 forked · ▲ 3 cells silenced/);
      const rows = await page.tab.locator("#host-rows tr").allInnerTexts();
      demand(/^edge-00002\s+silenced\s+1 m 33 s ago/.test(rows[0]), `first comes ${rows[0]}`);
      const row = (name) => rows.find((one) => one.startsWith(name));
      demand(/disconnected\s+1 s ago\s+–\s+–\s+–\s+0$/.test(row("edge-00007")), `edge-00007 shows ${row("edge-00007")}`);
      demand(/3 of 12\s+0$/.test(row("edge-00006")), `edge-00006 shows ${row("edge-00006")}`);
      demand(/0 of 12\s+1$/.test(row("edge-00004")), `edge-00004 shows ${row("edge-00004")}`);
      demand(/0 s\s+1 event, 800 B/.test(row("edge-00001")), `edge-00001 shows ${row("edge-00001")}`);
      await page.tab.locator("#host-states button", { hasText: "silenced" }).click();
      await page.awaitText("#host-range", /^1–1 of 1$/);
      await page.tab.locator("#host-states button", { hasText: "all" }).click();
      await page.tab.fill("#host-filter", "0008");
      await until("one host is shown", async () => (await page.tab.locator("#host-rows tr").count()) === 1);
      demand((await page.row("cell-1")) !== undefined, "the filter of hosts filters cells");
      host.fleet[7].state = "silenced";
      await page.awaitText("#host-rows", /edge-00008\s+silenced/);
      await demandAccessible(page, "a collector");
      await page.capture("status-page-fleet");
    });
  },

  async ten_thousand_hosts_come_by_the_page() {
    await withPage({ prepare: (host) => host.collect(10000), showsCells: false, cells: 0 }, async (page, host) => {
      await page.awaitText("#host-range", /^1–100 of 10.000$/);
      demand((await page.tab.locator("#host-rows tr").count()) === 100, "more rows than a page has are in the document");
      demand(await page.tab.locator("#hosts-before").isDisabled(), "there is something before the first page");
      await page.tab.click("#hosts-after");
      await page.awaitText("#host-range", /^101–200 of 10.000$/);
      await page.tab.click("#hosts-before");
      await page.awaitText("#host-range", /^1–100 of/);
      demand(host.hostsAsked.every((query) => /limit=100(&|$)/.test(query)), "more than a page is asked for");
    });
  },

  async a_host_shows_whether_its_log_is_forwarded() {
    await withPage({}, async (page, host) => {
      demand((await page.tab.locator("#tile-forwarding").count()) === 0, "a host that forwards nothing shows a forwarder");
      demand(await page.tab.locator("#fleet").isHidden(), "a host that is no collector shows hosts");
      host.forwarder = { state: "delivering", destination: "collector-1:7440", figures: { lag_seconds: 0, lag_bytes: 0, lag_events: 0 } };
      await page.awaitText("#tile-forwarding", /up to date\s*to collector-1:7440/);
      host.forwarder = { state: "unreached", destination: "", figures: { lag_seconds: 400.5, lag_bytes: 4096, lag_events: 5 } };
      await page.awaitText("#tile-forwarding", /6 m 40 s behind\s*reaches nobody · 5 events · 4\.0 KiB/);
      await demandAccessible(page, "a forwarder");
    });
  },

  async without_any_cell_it_says_how_to_add_one() {
    await withPage({ cells: 0, showsCells: false }, async (page) => {
      await page.awaitText("#cell-note", /^none admitted$/);
      await page.awaitText("#empty", /No cells on this host.*\[\[cell\]\]/s);
      await page.awaitText("#no-events", /^Nothing yet/);
      await page.awaitText("#rate", /^0$/);
      demand(await page.tab.locator("#grid").isHidden(), "a table without rows is shown");
      await demandAccessible(page, "no cells");
      await page.capture("status-page-empty");
    });
  },

  async members_may_be_missing() {
    const bare = (host) => host.cells.set("bare", { cell_id: "bare" });
    await withPage({ prepare: bare }, async (page) => {
      await page.awaitState("bare", "unknown");
      await page.choose("bare");
      await page.awaitText("#detail", /bare[^]*Connections[^]*Spec/);
    });
  },

  async a_stream_that_drops_comes_back() {
    await withPage({}, async (page, host) => {
      await page.awaitText("#stream", /^Live events$/);
      const asked = host.streamsAsked.length;
      host.failing.set("/events", 503);
      host.dropStreams();
      await page.awaitText("#events", /slower than the events/);
      await page.awaitText("#stream", /^Live events lost; again in \d+ s$/);
      host.failing.clear();
      await until("it asks again", () => host.streamsAsked.length > asked);
      await page.awaitText("#stream", /^Live events$/);
      host.declare("cell-1", "after");
      await page.awaitText("#events", /after/);
    });
  },

  async a_daemon_that_dies_is_reported_and_found_again() {
    await withPage({}, async (page, host) => {
      await until("some figures", async () => (await page.row("cell-1"))?.text.includes("in "));
      await host.die();
      await page.awaitText("#banner-stale", /These figures are old.*does not answer, since \d\d:\d\d:\d\d UTC/s);
      await page.awaitText("#ready", /unknown/);
      await page.awaitText("#events", /broke off/);
      await page.capture("status-page-lost");
      await host.listen();
      await until("the banner goes", async () => (await page.tab.locator("#banner-stale").count()) === 0);
      await page.awaitText("#stream", /^Live events$/);
      host.failing.set("/cells", 404);
      await page.awaitText("#banner-stale", /GET \/cells was answered 404/);
    });
  },

  async without_cells_it_shows_the_host() {
    const prepare = (host) => ["/cells", "/events"].forEach((path) => host.failing.set(path, 404));
    await withPage({ prepare, showsCells: false }, async (page, host) => {
      await page.awaitText("#host-only", /control socket/);
      await demandAccessible(page, "the host only");
      await page.awaitText("#stream", /^No live events at this address$/);
      await page.awaitText("#host", /^host-a$/);
      await page.awaitText("#cell-count", /^30$/);
      await page.awaitText("#cell-note", /1 silenced/);
      await page.awaitText("#refused-note", /^torn 7$/);
      await page.awaitText("#rate", /^[1-9]/);
      host.failing.clear();
      await page.tab.reload();
      await page.awaitText("#stream", /^Live events$/);
      demand(await page.tab.locator("#host-only").isHidden(), "it still says that there are no cells");
    });
  },

  async says_why_it_is_not_ready() {
    await withPage({}, async (page, host) => {
      host.reasons = ["cell cell-9: bind_failed: in use"];
      host.blocked = 1;
      await page.awaitText("#ready", /^Not ready$/);
      await page.awaitText("#banner-unready", /cell cell-9: bind_failed: in use/);
      await page.awaitText("#banner-blocked", /Evidence log full/);
      host.reasons = [];
      await page.awaitText("#ready", /^Ready$/);
      await until("the banner goes", async () => (await page.tab.locator("#banner-unready").count()) === 0);
    });
  },

  async needs_no_mouse() {
    await withPage({}, async (page) => {
      const { keyboard } = page.tab;
      await keyboard.press("/");
      demand(await focused(page) === "filter", "/ does not reach the filter");
      await keyboard.type("cell-2");
      await page.awaitText("#shown", /^\d+ of 30 cells$/);
      await keyboard.press("Escape");
      await page.awaitText("#shown", /^$/);
      await keyboard.press("Escape");
      demand(await focused(page) === "grid", "Escape does not lead from the filter to the cells");
      await page.tab.locator("#columns button", { hasText: "Cell" }).click();
      for (const [key, cell] of [["j", "cell-1"], ["j", "cell-2"], ["j", "cell-3"], ["k", "cell-2"], ["End", "cell-30"], ["Home", "cell-1"]]) {
        await keyboard.press(key);
        demand(await active(page) === cell, `after ${key} the row is ${await active(page)}, not ${cell}`);
      }
      await keyboard.press("Enter");
      await page.awaitText("#detail h2", /^cell-1$/);
      await until("the address keeps it", () => page.tab.url().endsWith("#cell=cell-1"));
      await keyboard.press("Escape");
      await until("the detail closes", () => page.tab.locator("#detail").isHidden());
      await page.tab.uncheck("#shortcuts");
      await page.tab.focus("#pause");
      await keyboard.press("j");
      demand(await active(page) === "cell-1", "a shortcut that is switched off moves the row");
    });
  },

  async tab_reaches_everything_in_order() {
    await withPage({}, async (page, host) => {
      host.declare("cell-1", "sh");
      await page.awaitText("#events", /sh pid/);
      const seen = [];
      for (let presses = 0; presses < 24; ++presses) {
        await page.tab.keyboard.press("Tab");
        seen.push(await page.tab.evaluate(() => {
          const at = document.activeElement;
          if (at === document.body) return "";
          return `${at.id || at.textContent}${getComputedStyle(at).outlineStyle === "none" ? " (no focus to see)" : ""}`;
        }));
      }
      demand(!seen.some((one) => one.includes("no focus to see")), `focus cannot be seen: ${seen.join(", ")}`);
      const order = ["theme", "filter", "grid", "event-kind", "pause", "events", "shortcuts"].map((id) => seen.indexOf(id));
      demand(order.every((place, at) => place >= 0 && (at === 0 || place > order[at - 1])), `the order is ${seen.join(", ")}`);
    });
  },

  async follows_the_scheme_and_the_toggle() {
    const ground = (page) => page.tab.evaluate(() => getComputedStyle(document.body).backgroundColor);
    await withPage({ pageOptions: { scheme: "dark", reducedMotion: "reduce" } }, async (page, host) => {
      const dark = await ground(page);
      demand(dark === "rgb(16, 19, 23)", `a dark scheme gives ${dark}`);
      await page.tab.click("#theme");
      await page.tab.click("#theme");
      demand(await ground(page) === "rgb(243, 244, 245)", "the toggle does not lead to light");
      await page.tab.reload();
      await page.awaitText("#theme", /^Theme: light$/);
      host.silence("cell-1");
      await page.awaitState("cell-1", "silenced");
      const moving = await page.tab.evaluate(() => document.getAnimations().length);
      demand(moving === 0, "something moves though less motion is asked for");
    });
  },

  is_accessible_in_light: () => isAccessible("light"),
  is_accessible_in_dark: () => isAccessible("dark"),
};

for (const [width, height] of [[1440, 900], [1280, 800], [1024, 768], [800, 1000], [390, 844]]) {
  pageChecks[`nothing_is_cut_off_at_${width}`] = () => nothingIsCutOff(width, height);
  pageChecks[`nothing_of_a_node_is_cut_off_at_${width}`] = () => nothingOfANodeIsCutOff(width, height);
}
