// The status page of a real daemon: a simulated guest connects, falls silent, and is heard again while the page looks on.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import net from "node:net";
import path from "node:path";

import { demand, StatusPage, trial, until } from "./browser.mjs";

const policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:";
const inWork = (name) => path.join(trial().work, name);
const running = new Set();
/// Only there to be looked at: what each guest does, by its cell.
const crowd = {
  "api-1": ["--rate", "35"], "api-2": ["--rate", "33"], "api-3": ["--rate", "61"], "batch-07": ["--scenario", "reconnecting", "--rate", "18"],
  "batch-08": ["--scenario", "lossy", "--rate", "12"], "ci-1171": ["--rate", "4"], "ci-1172": ["--rate", "7"], "ci-1173": ["--rate", "2.5"],
  "ci-1174": ["--scenario", "heartbeat-only", "--rate", "1"], "db-main": ["--rate", "110"], "db-replica": ["--rate", "84"],
  "edge-1": ["--scenario", "truncated", "--rate", "9"], "edge-2": ["--rate", "15"], "mail": ["--rate", "22"],
  "sandbox-a": ["--scenario", "forged", "--rate", "6"], "sandbox-b": ["--scenario", "wrong-major", "--rate", "8"], "search": ["--rate", "47"],
};
const pictured = { width: 1280, height: 800 };
const cellNames = () => ["steady", "wavering", "hostile", "absent", ...(trial().screenshots ? Object.keys(crowd) : [])];

const cellOf = (id) => ({
  run_id: "run-1", vsock_uds_base: inWork(id),
  spec_signature_hash: "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
  keepalive_window: { wavering: "4s", hostile: "2s", absent: "2s" }[id] ?? "10s",
});

function start(program, args, stderr = "ignore") {
  const child = spawn(path.join(trial().bin, program), args, { stdio: ["ignore", "ignore", stderr] });
  running.add(child);
  child.on("exit", () => running.delete(child));
  return child;
}

async function freePort() {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/// What `ssh -L PORT:SOCKET` does: a browser has no other way to a Unix socket.
async function relayToControlSocket() {
  const socket = inWork("control.sock");
  const server = net.createServer((client) => {
    const daemon = net.connect(socket);
    for (const [one, other] of [[client, daemon], [daemon, client]]) {
      one.pipe(other);
      one.on("error", () => other.destroy());
      one.on("close", () => other.destroy());
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return { address: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() };
}

function configuration(port) {
  // The one whose silence is awaited is admitted when somebody looks on.
  const cells = cellNames().filter((id) => id !== "wavering").map((id) =>
    `[[cell]]\nid = "${id}"\n` + Object.entries(cellOf(id)).map(([key, value]) => `${key} = "${value}"\n`).join(""));
  return `host_id = "host-a"
[evidence]
dir = "${inWork("evidence")}"
[control]
socket = "${inWork("control.sock")}"
http_listen = "127.0.0.1:${port}"
${cells.join("")}`;
}

async function startDaemon() {
  const port = await freePort();
  const file = inWork("telemetryd.toml");
  writeFileSync(file, configuration(port));
  const daemon = start("cellos-telemetryd", ["--config", file], "pipe");
  let log = "";
  daemon.stderr.on("data", (bytes) => { log += bytes; });
  await until("the daemon is ready", () => {
    demand(daemon.exitCode === null, `the daemon ended: ${log}`);
    return log.includes("daemon_ready");
  }, () => log);
  return { daemon, address: `http://127.0.0.1:${port}/` };
}

const guest = (cell, ...args) =>
  start("cellos-guest-sim", ["--quiet", "--socket", inWork(`${cell}_9001`), ...args]);

async function admit(address, id) {
  const { status } = await fetch(new URL(`cells/${id}`, address), {
    method: "PUT", headers: { "content-type": "application/json" }, body: JSON.stringify(cellOf(id)),
  });
  demand(status === 201, `PUT /cells/${id} was answered ${status}`);
}

async function openPage(address, pageOptions) {
  const response = await fetch(address);
  demand(response.headers.get("content-security-policy")?.startsWith(policy), "the page comes without its policy");
  return StatusPage.open(address, pageOptions);
}

/// Until the sparklines have something to show.
async function gather(page) {
  if (!trial().screenshots) return;
  for (const [cell, args] of Object.entries(crowd)) guest(cell, "--frames", "0", ...args);
  for (let seen = 0; seen < 45; seen += 5) {
    await until(`${seen} readings`, () => page.tab.evaluate((wanted) =>
      (document.querySelector("#rate-spark .edge").getAttribute("d") ?? "").split("L").length >= wanted, seen));
  }
}

async function followsARunLive(address) {
  const page = await openPage(address, pictured);
  const dark = await openPage(address, { ...pictured, scheme: "dark" });
  await page.awaitState("steady", "listening");
  await admit(address, "wavering");
  await page.awaitState("wavering", "listening");
  await page.awaitText("#ready", /^Ready$/);
  await page.awaitText("#host", /^host-a$/);
  await page.awaitText("#stream", /^Live events$/);

  guest("steady", "--frames", "0", "--rate", "40");
  // Silence is reported once a run: an agent that keeps the run waiting for it has had its.
  guest("wavering", "--scenario", "silent-after-N", "--silent-after", trial().screenshots ? "1100" : "40", "--frames", "1000000",
    "--rate", "20", "--hold", trial().screenshots ? "10s" : "7s", "--resume");
  await page.awaitState("wavering", "connected");
  await gather(dark);
  const hostile = guest("hostile", "--scenario", "mixed", "--frames", "200", "--rate", "50", "--seed", "7");
  await page.awaitText("#events", /(process|net|fs|capability)\.\w+ /);
  await page.capture("status-page-connected");
  await page.awaitState("wavering", "silenced");
  await page.awaitText("#announcements", /wavering/);
  await page.awaitText("#events", /wavering ▲ agent silenced/);
  if (hostile.exitCode === null) await once(hostile, "exit");
  await until("every refused frame is shown by kind", async () => /\d+ .*malformed \d+/.test((await page.row("hostile"))?.text ?? ""),
    async () => JSON.stringify(await page.row("hostile")));
  await page.capture("status-page-silenced");
  await dark.choose("hostile");
  await dark.awaitText("#detail", /forged\s+[1-9]/);
  await dark.capture("status-page-cell");
  await page.awaitState("wavering", "connected");
  await page.awaitText("#events", /wavering agent resumed/);
  await page.capture("status-page-resumed");
  await page.awaitText("#rate", /^[1-9]/);
  await page.awaitText("#log-size", /[KM]iB$/);
  await page.awaitText("#append", /[µm]?s$/);
  await until("the VMM is seen", async () => (await page.row("steady"))?.vmm === "alive", async () => JSON.stringify(await page.row("steady")));
  await page.choose("steady");
  await page.awaitText("#detail", /host\.process alive, pid \d+, CPU .*, RSS \d.*, \d+ threads/);
  await page.close();
  await dark.close();
}

/// At http_listen: the cells as well if the daemon serves them there, and else the host's figures and where the rest is.
async function servesThePublicAddress(address) {
  const { status } = await fetch(new URL("cells", address));
  demand(status === 200 || status === 404, `GET /cells at http_listen was answered ${status}`);
  const page = await openPage(address);
  await page.awaitText("#ready", /^Ready$/);
  await page.awaitText("#host", /^host-a$/);
  await page.awaitText("#cell-count", new RegExp(`^${cellNames().length}$`));
  await page.awaitText("#refused", /^[1-9]/);
  if (status === 200) await page.awaitState("steady", "connected");
  else await page.awaitText("#host-only", /control socket/);
  await page.awaitText("#rate", /^[1-9]/);
  await page.awaitText("#log-note", /^\+.*, 1 segment$/);
  await page.capture("status-page-public");
  await page.close();
}

async function reportsTheEnd(address, daemon) {
  const page = await openPage(address);
  await page.awaitState("steady", "connected");
  daemon.kill("SIGTERM");
  await once(daemon, "exit");
  demand(daemon.exitCode === 0, `the daemon ended with ${daemon.exitCode}`);
  await page.awaitText("#banner-stale", /These figures are old/);
  await page.close();
}

/// With the programs in `trial().bin`, and all files in `trial().work`.
export async function daemonCheck() {
  let relay;
  try {
    const { daemon, address } = await startDaemon();
    relay = await relayToControlSocket();
    await followsARunLive(relay.address);
    await servesThePublicAddress(address);
    await reportsTheEnd(relay.address, daemon);
  } finally {
    for (const child of running) child.kill("SIGTERM");
    relay?.close();
  }
}
