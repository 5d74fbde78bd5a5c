// Writes a log that `cellos-telemetryctl verify` accepts: one host, two runs, checkpoints.
// usage: sign.mjs ALG KEY_ID KEY_FILE PUBLIC_POINT_OR_DASH >LOG.jsonl

import { readFileSync } from "node:fs";
import { envelope, material, noEventBefore, preAuthenticationEncoding, signerOf, typePrefix } from "./evidence.mjs";

const [alg, keyid, keyFile, publicPoint] = process.argv.slice(2);
const signWithKey = signerOf(alg, readFileSync(keyFile, "utf8").trim(), publicPoint);
const lines = [];

class Chain {
  constructor(host, cell, run) {
    this.name = cell === undefined ? `${host}/1767225600000` : `${host}/${cell}/${run}/1767225600001`;
    this.source = `/cellos/host/${host}`;
    this.subject = cell === undefined ? `urn:cellos:host:${host}` : `urn:cellos:cell:${cell}`;
    this.sequence = 0;
    this.last = noEventBefore;
  }

  write(type, data, signed) {
    this.sequence += 1;
    const sequence = String(this.sequence).padStart(20, "0");
    const event = {
      specversion: "1.0",
      id: `${this.name}/${sequence}`,
      source: this.source,
      type: typePrefix + type,
      subject: this.subject,
      time: new Date(1767225600000 + this.sequence).toISOString(),
      datacontenttype: "application/json",
      chain: this.name,
      sequence,
      prevdigest: this.last.toString("base64"),
      signedextattrs: "chain,sequence,prevdigest",
    };
    this.last = material(event, Buffer.from(JSON.stringify(data)));
    if (signed) event.dssematerial = envelope(this.last, [{ keyid, sig: signWithKey(preAuthenticationEncoding(this.last)) }]);
    event.data = data;
    lines.push(JSON.stringify(event));
  }
}

const hostId = "host-n";
const host = new Chain(hostId);
host.write("host.v1.started", { hostId }, true);
for (const cellId of ["cell-1", "cell-2"]) {
  const runId = "run-n";
  const run = new Chain(hostId, cellId, runId);
  host.write("host.v1.run_opened", { chain: run.name, hostId }, true);
  run.write("run.v1.started", { cellId, runId }, true);
  for (let i = 0; i < 25; i += 1) {
    run.write("guest.v1.process_spawned", { cellId, guestComm: `caf\u00e9 "${i}"\u0001`, guestPid: i, runId }, false);
    if (i % 10 === 9) run.write("run.v1.checkpoint", { cellId, runId }, true);
  }
  run.write("run.v1.ended", { cellId, reason: "retired", runId, totals: { appended: "25" } }, true);
  const lastDigest = run.last.toString("base64");
  host.write("host.v1.run_closed", { chain: run.name, hostId, lastDigest, lastSequence: String(run.sequence) }, true);
}
host.write("host.v1.stopped", { hostId }, true);
process.stdout.write(lines.map((line) => `${line}\n`).join(""));
