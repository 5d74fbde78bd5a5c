// The pages of a real collector and of a host that forwards to it: the host falls silent and comes back, and each page
// shows the other side.

import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import net from "node:net";
import path from "node:path";
import { once } from "node:events";

import { demand, StatusPage, trial, until } from "./browser.mjs";

async function freePort() {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/// A daemon with a directory of its own, and the address at which its control socket can be reached by a browser.
async function startNode(name, tables) {
  const home = path.join(trial().work, name);
  mkdirSync(home);
  const socket = path.join(home, "control.sock");
  writeFileSync(path.join(home, "d.toml"), `host_id = "${name}"
[evidence]
dir = "${path.join(home, "evidence")}"
fsync = "10ms"
[control]
socket = "${socket}"
[tls]
plain_loopback = true
${tables(home)}`);
  const daemon = spawn(path.join(trial().bin, "cellos-telemetryd"), ["--config", path.join(home, "d.toml")], { stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  daemon.stderr.on("data", (bytes) => { log += bytes; });
  await until(`${name} is ready`, () => {
    demand(daemon.exitCode === null, `${name} ended: ${log}`);
    return log.includes("daemon_ready");
  }, () => log);
  const relay = net.createServer((client) => {
    const control = net.connect(socket);
    for (const [one, other] of [[client, control], [control, client]]) {
      one.pipe(other);
      one.on("error", () => other.destroy());
      one.on("close", () => other.destroy());
    }
  }).listen(0, "127.0.0.1");
  await once(relay, "listening");
  const stop = () => { daemon.kill("SIGCONT"); daemon.kill("SIGTERM"); relay.close(); };
  return { daemon, address: `http://127.0.0.1:${relay.address().port}/`, stop };
}

/// With the programs in `trial().bin`, and all files in `trial().work`.
export async function fleetCheck() {
  const nodes = [];
  try {
    const port = await freePort();
    const collector = await startNode("collector-1", (home) => `[collector]
listen = "127.0.0.1:${port}"
dir = "${path.join(home, "hosts")}"
silence_window = "2s"
`);
    nodes.push(collector);
    const host = await startNode("host-b", () => `[forward]\ncollectors = ["127.0.0.1:${port}"]\n`);
    nodes.push(host);

    const page = await StatusPage.open(collector.address);
    await page.awaitText("#host-rows", /^host-b\s+connected\s+\d+ s ago\s+0 s\s+nothing\s+0 of 0\s+0$/);
    await page.awaitText("#tile-hosts", /1\s+none silenced/);
    const hostPage = await StatusPage.open(host.address);
    await hostPage.awaitText("#tile-forwarding", new RegExp(`up to date\\s+to 127\\.0\\.0\\.1:${port}`));
    await hostPage.close();

    host.daemon.kill("SIGSTOP");
    await page.awaitText("#host-rows", /^host-b\s+silenced/);
    await page.awaitText("#tile-hosts", /▲ 1 silenced/);
    host.daemon.kill("SIGCONT");
    await page.awaitText("#host-rows", /^host-b\s+connected/);
    await page.capture("status-page-collector");
    await page.close();
  } finally {
    for (const { stop } of nodes) stop();
  }
}
