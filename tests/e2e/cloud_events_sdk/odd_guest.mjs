// A guest at the edges of the wire format: every probe source, numbers at their limits, names that are traps for whoever
// escapes them. Afterwards it proves that the log says exactly what it sent.
//
// usage: odd_guest.mjs send SOCKET | compare CELL LOG.jsonl...

import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { isDeepStrictEqual } from "node:util";

const contentVersion = 0x0100;
const sources = [
  "process.spawned",
  "process.exited",
  "capability.denied",
  "net.connect_attempted",
  "fs.inotify_fired",
  "telemetry.dropped",
];
const characters = (from, to) => String.fromCharCode(...Array.from({ length: to - from }, (_, i) => from + i));
const everyControl = characters(0x00, 0x20) + characters(0x7f, 0xa0);
const names = [
  "",
  everyControl,
  "line\u2028paragraph\u2029end\r\n",
  '"quoted" \\"twice\\" \\u0022 \\',
  '","data":{"cellId":"other"}}\n{"specversion":"1.0"',
  "\u001b[2J\u001b]0;title\u0007",
  "\ufeffbom\u202eoverride\u200bzero",
  "caf\u00e9 cafe\u0301 \u{1f427} \u{10ffff}\uffff\ufdd0",
  "</script>&'/",
  "__proto__",
  "x".repeat(3900),
  "\u0001".repeat(3900),
];
const numbers = [
  [0, 0n],
  [1, (1n << 53n) + 1n],
  [0xffffffff, (1n << 64n) - 1n],
];

const declarations = sources.flatMap((source) =>
  names.flatMap((comm) => numbers.map(([pid, ns]) => ({ source, comm, pid, ns }))));

function cborHead(major, value) {
  const short = Number(value);
  const initial = major << 5;
  if (value < 24n) return Buffer.of(initial | short);
  if (value < 1n << 8n) return Buffer.of(initial | 24, short);
  const [bytes, code] = value < 1n << 16n ? [2, 25] : value < 1n << 32n ? [4, 26] : [8, 27];
  const head = Buffer.alloc(9);
  head.writeBigUInt64BE(value, 1);
  head[8 - bytes] = initial | code;
  return head.subarray(8 - bytes);
}

const cborNumber = (value) => cborHead(0, BigInt(value));

function cborText(text) {
  const bytes = Buffer.from(text);
  return Buffer.concat([cborHead(3, BigInt(bytes.length)), bytes]);
}

function frame({ source, comm, pid, ns }) {
  const fields = [
    ["content_version", cborNumber(contentVersion)],
    ["probe_source", cborText(source)],
    ["guest_pid", cborNumber(pid)],
    ["guest_comm", cborText(comm)],
    ["guest_monotonic_ns", cborNumber(ns)],
  ];
  const map = cborHead(5, BigInt(fields.length));
  const body = Buffer.concat([map, ...fields.flatMap(([key, value]) => [cborText(key), value])]);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(body.length);
  return Buffer.concat([length, body]);
}

function send(socket) {
  connect(socket).end(Buffer.concat(declarations.map(frame)));
}

function compare(cell, logs) {
  const logged = logs
    .flatMap((log) => readFileSync(log, "utf8").split("\n"))
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line))
    .filter(({ subject, data }) => subject === `urn:cellos:cell:${cell}` && data.output.epistemicStatus === "declared")
    .map(({ data }) => ({
      source: data.probeSource,
      comm: data.guestComm,
      pid: data.guestPid,
      ns: BigInt(data.guestMonotonicNs),
    }));
  const differs = declarations.findIndex((sent, i) => !isDeepStrictEqual(sent, logged[i]));
  if (differs === -1 && logged.length === declarations.length) return;
  console.error(`sent ${declarations.length} declarations, logged ${logged.length}`);
  console.error("first difference: sent", declarations[differs], "logged", logged[differs]);
  process.exitCode = 1;
}

const [command, ...rest] = process.argv.slice(2);
if (command === "send" && rest.length === 1) {
  send(rest[0]);
} else if (command === "compare" && rest.length >= 2) {
  compare(rest[0], rest.slice(1));
} else {
  console.error("usage: odd_guest.mjs send SOCKET | compare CELL LOG.jsonl...");
  process.exitCode = 2;
}
