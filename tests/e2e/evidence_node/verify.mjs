// Verifies chained, signed lines. usage: verify.mjs KEYS.json LOG.jsonl...
// Exit 0: every line follows the one before it in its chain, every signature holds, and one is over each chain's end.

import { readFileSync } from "node:fs";
import { material, noEventBefore, parseLine, payloadType, preAuthenticationEncoding, verifierOf } from "./evidence.mjs";

const [keyFile, ...logs] = process.argv.slice(2);
const keys = new Map(Object.entries(JSON.parse(readFileSync(keyFile, "utf8"))).map(([id, key]) => [id, verifierOf(key)]));
const chains = new Map();
let events = 0;
let signatures = 0;

function check(condition, words) {
  if (!condition) throw new Error(words);
}

function checkSignatures(event, expected) {
  const { payload, payloadType: type, signatures: all } = JSON.parse(Buffer.from(event.dssematerial, "base64"));
  check(type === payloadType, "another payloadType");
  check(Buffer.from(payload, "base64").equals(expected), "its content is not what was signed");
  check(all.length > 0, "no signature");
  for (const { keyid, sig } of all) {
    check(keys.has(keyid), `unknown key ${keyid}`);
    check(keys.get(keyid)(preAuthenticationEncoding(expected), Buffer.from(sig, "base64")), `bad signature by ${keyid}`);
    signatures += 1;
  }
  return all.map(({ keyid }) => keyid);
}

function take(line) {
  const { event, dataBytes } = parseLine(line);
  const chain = chains.get(event.chain) ?? { sequence: 0n, last: noEventBefore, unsigned: 0, key: undefined };
  check(event.signedextattrs === "chain,sequence,prevdigest", "not all of its place is signed");
  check(event.id === `${event.chain}/${event.sequence}`, "its id is not its place");
  check(BigInt(event.sequence) === chain.sequence + 1n, `sequence ${event.sequence} after ${chain.sequence}`);
  check(event.prevdigest === chain.last.toString("base64"), "prevdigest is not the digest of the event before");
  chain.sequence += 1n;
  chain.last = material(event, dataBytes);
  chain.unsigned += 1;
  if (event.dssematerial !== undefined) {
    const keyIds = checkSignatures(event, chain.last);
    check(chain.key === undefined || chain.key === keyIds[0], "the key changed without the former one's signature");
    chain.key = keyIds.at(-1);
    chain.unsigned = 0;
  }
  chains.set(event.chain, chain);
  events += 1;
}

for (const log of logs) {
  const text = readFileSync(log, "utf8");
  check(text.endsWith("\n"), `${log} ends within a line`);
  text.slice(0, -1).split("\n").forEach((line, index) => {
    try {
      take(line);
    } catch (error) {
      console.error(`${log}:${index + 1}: ${error.message}`);
      process.exit(1);
    }
  });
}
for (const [name, chain] of chains) {
  if (chain.unsigned === 0) continue;
  console.error(`${name}: no signature over its last ${chain.unsigned} events`);
  process.exit(1);
}
console.log(`${events} events of ${chains.size} chains, ${signatures} signatures`);
