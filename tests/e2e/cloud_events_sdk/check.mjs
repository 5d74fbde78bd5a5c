// Reads evidence logs as a stranger would, with the public CloudEvents SDK and the published schemas.
//
// Of every line: it is the next of its chain; the schema of its type holds; what it says twice agrees; it is compact
// JSON, its data last and spelled as RFC 8785 says; the SDK takes it, strictly, and reads what the line says. Of every
// chain: run.v1.started is first, nothing follows run.v1.ended, and the run's totals balance.
//
// stdout: a summary in JSON. stderr: the first failures as FILE:LINE: REASON. Exits with 1 if there are any.

import { isUtf8 } from "node:buffer";
import { createReadStream } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { parseArgs } from "node:util";

import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { CloudEvent, HTTP } from "cloudevents";

const usage = `usage: check.mjs --schemas DIR [--ended] [--expect TYPE]... LOG.jsonl...

  --schemas DIR  the *.schema.json files
  --ended        every run must have ended
  --expect TYPE  must occur; without the prefix that all types have
`;

const newline = 0x0a;
const longestLine = 1 << 20;
const failuresToReport = 5;
const sequenceDigits = 20;
const typePrefix = "dev.cellos.events.cell.observability.";
const runStarted = `${typePrefix}run.v1.started`;
const runEnded = `${typePrefix}run.v1.ended`;

/// The host's own chain has no cell and no run.
const isOfHost = (event) => event.type.startsWith(`${typePrefix}host.v1.`);

class Refusal extends Error {}

function demand(holds, reason) {
  if (!holds) throw new Refusal(typeof reason === "function" ? reason() : reason);
}

/// JSON as RFC 8785 spells it: no space, keys in the order of their UTF-16 units, each character escaped one way.
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value !== null && typeof value === "object") {
    const members = Object.keys(value).sort().map((key) => `${canonicalText(key)}:${canonical(value[key])}`);
    return `{${members.join(",")}}`;
  }
  return typeof value === "string" ? canonicalText(value) : JSON.stringify(value);
}

function canonicalText(text) {
  // With the u flag this matches surrogates without their other half only.
  demand(!/[\ud800-\udfff]/u.test(text), "a text has half a surrogate pair");
  return JSON.stringify(text);
}

/// Each type's validator, by the type. Which type a schema is for stands in the schema, and its id is its file's name.
async function loadSchemas(dir) {
  // Types may stand behind a $ref.
  const ajv = new Ajv2020({ strict: true, strictTypes: false });
  addFormats(ajv);
  const idOfType = new Map();
  for (const file of (await readdir(dir)).filter((name) => name.endsWith(".schema.json"))) {
    const schema = JSON.parse(await readFile(path.join(dir, file), "utf8"));
    const id = `urn:cellos:schema:${path.basename(file, ".schema.json")}`;
    if (schema.$id !== id) throw new Error(`${file}: $id is not ${id}`);
    ajv.addSchema(schema);
    const type = schema.properties?.type?.const;
    if (type !== undefined) idOfType.set(type, id);
  }
  if (idOfType.size === 0) throw new Error(`no schemas in ${dir}`);
  return new Map([...idOfType].map(([type, id]) => [type, ajv.getSchema(id)]));
}

/// What was learned of the chains so far: memory per chain, not per line.
class Chains {
  #byName = new Map();

  get size() {
    return this.#byName.size;
  }

  /// The event is the next of its chain. After a failure the chain goes on from where the event says it is.
  follow(event, place) {
    const { chain, sequence } = event;
    demand(typeof chain === "string" && typeof sequence === "string", "chain or sequence is missing or no text");
    let known = this.#byName.get(chain);
    if (!known) {
      known = { next: 1, ended: false, declarations: 0n };
      this.#byName.set(chain, known);
    }
    const expected = known.next;
    const said = Number(sequence);
    known.next = (Number.isSafeInteger(said) ? said : expected) + 1;
    known.last = place;

    const expectedText = String(expected).padStart(sequenceDigits, "0");
    demand(!known.ended, "an event after its chain's run.v1.ended");
    demand(sequence === expectedText, () => `sequence is ${sequence}, expected ${expectedText}`);
    known.ofRun = !isOfHost(event);
    demand(!known.ofRun || (event.type === runStarted) === (expected === 1), () =>
      `${event.type} is number ${expected} of its chain`);
    demand(event.id === `${chain}/${sequence}`, () => `id is ${event.id}, not chain/sequence`);
    known.ended = event.type === runEnded;
    return known;
  }

  *unended() {
    for (const [name, { ofRun, ended, last }] of this.#byName) if (ofRun && !ended) yield { name, last };
  }
}

/// What a line says in two places is the same in both.
function demandAgreement(event) {
  const { data } = event;
  const [host, cell, run] = event.chain.split("/");
  demand(event.source === `/cellos/host/${host}`, "source is not the chain's host");
  if (isOfHost(event)) {
    demand(event.subject === `urn:cellos:host:${host}`, "subject is not the chain's host");
    demand(data.hostId === host, "data.hostId is not the chain's host");
    return;
  }
  demand(event.subject === `urn:cellos:cell:${cell}`, "subject is not the chain's cell");
  demand(data.cellId === cell, "data.cellId is not the chain's cell");
  demand(data.runId === run, "data.runId is not the chain's run");
  demand((data.hostId ?? host) === host, "data.hostId is not the chain's host");
  demand((data.hostReceivedAt ?? event.time) === event.time, "data.hostReceivedAt is not time");
}

function demandBalance(totals, declarations) {
  const refused = Object.values(totals.refused).reduce((sum, count) => sum + BigInt(count), 0n);
  const settled = BigInt(totals.appended) + BigInt(totals.heartbeats) + refused + BigInt(totals.quarantined);
  demand(BigInt(totals.received) === settled + BigInt(totals.inFlight), "the run's totals do not balance");
  demand(BigInt(totals.appended) === declarations, () =>
    `totals.appended is ${totals.appended}, the chain has ${declarations} declarations`);
}

/// The line is its event written once, compactly, with canonical data last.
function demandSpelling(line, event) {
  const data = canonical(event.data);
  demand(line.endsWith(`,"data":${data}}`), "data is not last, compact and in RFC 8785 order");
  const members = Object.entries(event).map(([name, value]) =>
    `${canonicalText(name)}:${name === "data" ? data : canonical(value)}`);
  demand(line === `{${members.join(",")}}`, "the line is not compact, or says something twice");
  return data;
}

const structuredMode = { "content-type": "application/cloudevents+json" };

/// The SDK receives the line as it would over HTTP, and it and its strict constructor find nothing wrong with it.
function demandSdkAgrees(line, event, data) {
  const received = HTTP.toEvent({ headers: structuredMode, body: line });
  demand(received.validate() === true, "the SDK's validate() says no");
  for (const [name, value] of Object.entries(event)) {
    if (name === "data") {
      demand(canonical(received.data) === data, "the SDK reads other data");
    } else if (name === "time") {
      // The SDK keeps milliseconds.
      demand(received.time === new Date(value).toISOString(), "the SDK reads another time");
    } else {
      demand(received[name] === value, () => `the SDK reads another ${name}`);
    }
  }
  new CloudEvent(event, true);
}

function demandSchema(validate, event) {
  demand(validate, () => `no schema for type ${event.type}`);
  demand(validate(event), () =>
    validate.errors
      .map(({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`.trim())
      .join("; "));
}

class Checker {
  chains = new Chains();
  lines = 0;
  last = { file: "", line: 0 };
  failures = 0;
  types = new Map();

  constructor(schemas) {
    this.schemas = schemas;
  }

  /// `place` is said as FILE:LINE.
  attempt(place, check) {
    try {
      check();
    } catch (error) {
      if (++this.failures <= failuresToReport) {
        const reason = error instanceof Refusal ? error.message : `${error.name}: ${error.message}`;
        process.stderr.write(`${place.file}:${place.line}: ${reason}\n`);
      }
    }
  }

  checkLine(bytes, place) {
    ++this.lines;
    this.last = place;
    this.attempt(place, () => {
      demand(isUtf8(bytes), "not UTF-8");
      const line = bytes.toString();
      const event = JSON.parse(line);
      demand(event !== null && typeof event === "object" && !Array.isArray(event), "not a JSON object");
      const chain = this.chains.follow(event, place);
      demandSchema(this.schemas.get(event.type), event);
      this.types.set(event.type, (this.types.get(event.type) ?? 0) + 1);
      demandAgreement(event);
      if (event.data.output.epistemicStatus === "declared") ++chain.declarations;
      if (event.type === runEnded) demandBalance(event.data.totals, chain.declarations);
      const data = demandSpelling(line, event);
      demandSdkAgrees(line, event, data);
    });
  }

  async checkFile(file) {
    let line = 0;
    this.last = { file, line };
    let rest = Buffer.alloc(0);
    for await (const chunk of createReadStream(file, { highWaterMark: 1 << 18 })) {
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      let from = 0;
      for (let to = bytes.indexOf(newline); to !== -1; to = bytes.indexOf(newline, from)) {
        this.checkLine(bytes.subarray(from, to), { file, line: ++line });
        from = to + 1;
      }
      rest = bytes.subarray(from);
      if (rest.length > longestLine) break;
    }
    this.attempt({ file, line: line + 1 }, () => demand(rest.length === 0, "the line does not end, or is too long"));
  }

  demandEnds() {
    for (const { name, last } of this.chains.unended()) {
      this.attempt(last, () => demand(false, `the log ends, and the run of ${name} has not`));
    }
  }

  demandType(type) {
    this.attempt(this.last, () => demand(this.types.has(typePrefix + type), `never a ${type}`));
  }
}

function commandLine() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        schemas: { type: "string" },
        ended: { type: "boolean" },
        expect: { type: "string", multiple: true, default: [] },
      },
    });
    if (values.schemas !== undefined && positionals.length > 0) return { ...values, logs: positionals };
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
  }
  process.stderr.write(usage);
  process.exit(2);
}

const options = commandLine();
const checker = new Checker(await loadSchemas(options.schemas));
for (const log of options.logs) await checker.checkFile(log);
if (options.ended) checker.demandEnds();
for (const type of options.expect) checker.demandType(type);
checker.attempt(checker.last, () => demand(checker.lines > 0, "no line to check"));

const { lines, chains, failures, types } = checker;
if (failures > failuresToReport) process.stderr.write(`and ${failures - failuresToReport} more\n`);
const summary = {
  files: options.logs.length,
  lines,
  chains: chains.size,
  unended: [...chains.unended()].length,
  failures,
  types: Object.fromEntries([...types].sort()),
};
process.stdout.write(`${JSON.stringify(summary, null, 2)}\n`);
process.exitCode = failures === 0 ? 0 : 1;
