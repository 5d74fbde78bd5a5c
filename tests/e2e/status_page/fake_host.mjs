// A host that exists only as answers: the control API with as many cells as asked for, and hands to disturb it with.
import http from "node:http";

const typePrefix = "dev.cellos.events.cell.observability.";
const policy = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:";
const windowSeconds = 10;

/// Text as a hostile guest would choose it: markup, a terminal's escapes, letters that turn the line around.
export const hostileText = '<img src=x onerror="document.title=\'owned\'"><script>document.title="owned"</script>\u202egnp\u0007';

function makeCell(index) {
  const id = `cell-${index}`;
  return {
    cell_id: id, run_id: `run-${index % 7}`, chain: `host-a/${id}/run-${index % 7}/1`,
    socket_path: `/run/fc/${id}/v.sock_9001`, state: index % 23 === 0 ? "listening" : "connected",
    totals: {
      // As the daemon may write them: numbers that might pass 2^53 are texts.
      received: "0", appended: "0", heartbeats: "0", quarantined: 0, forged_attribution: index % 40 === 1 ? 3 : 0,
      connections: 1, in_flight: 0, refused: index % 10 === 3 ? { malformed_frame: 4 + index, torn_frame: "2", framing_lost: 0 } : {},
    },
    host_saw: { vmm: index % 23 === 0 ? null : "alive", connected: index % 23 !== 0, cgroup_populated: null, cpu_moving: true, traffic_moving: null },
    last_frame: index % 23 === 0 ? null : new Date().toISOString(), silence_in_seconds: windowSeconds, connections_refused: 0,
  };
}

function makeHost(index) {
  const name = `edge-${String(index).padStart(5, "0")}`;
  const odd = { 2: { state: "silenced", last_seen_seconds: 93 }, 4: { forks: 1 }, 6: { silenced_cells: 3 }, 7: { state: "disconnected", lag: null, cells: null, silenced_cells: null } }[index] ?? {};
  return { host_id: name, state: "connected", last_seen_seconds: 1.5, lag: { events: index % 3, bytes: 800 * (index % 3), seconds: index % 3 ? 0.4 : 0 },
    cells: 12, silenced_cells: 0, forks: 0, received_bytes: 1, received_events: 1, batches_held_back: 0, kept_to: "1:0", ...odd };
}

export class FakeHost {
  /// Of a collector; nothing where this is none.
  fleet = null;
  hostsAsked = [];
  forwarder = null;
  cells = new Map();
  /// What GET /cells/{id} says beyond the list, by cell.
  looks = new Map();
  cellsOneByOne = [];
  reasons = [];
  /// Paths that are answered with this status.
  failing = new Map();
  events = 0;
  /// When each stream was asked for.
  streamsAsked = [];
  cellsAsked = 0;
  blocked = 0;
  #quiet = new Set();
  #streams = new Set();
  #sockets = new Set();
  #appends = [0, 0, 0, 0, 0];

  /// Serves the text `page` at its root.
  constructor(page, cellCount) {
    this.page = page;
    for (let index = 1; index <= cellCount; ++index) this.cells.set(`cell-${index}`, makeCell(index));
    this.server = http.createServer((request, response) => this.#answer(request, response));
    this.server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
  }

  async listen() {
    await new Promise((resolve) => this.server.listen(this.port ?? 0, "127.0.0.1", resolve));
    this.port = this.server.address().port;
    return `http://127.0.0.1:${this.port}/`;
  }

  /// As if the daemon had died: nothing listens, and what was open is cut.
  async die() {
    const closed = new Promise((resolve) => this.server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /// Lets `seconds` of honest life pass at once.
  advance(seconds) {
    let index = 0;
    for (const cell of this.cells.values()) {
      ++index;
      if (cell.state !== "connected" || this.#quiet.has(cell.cell_id)) continue;
      const wave = 1 + 0.6 * Math.sin(Date.now() / 4000 + index) + 0.3 * Math.random();
      const frames = Math.round(seconds * wave * (4 + (index * 7919) % 46));
      cell.totals.received = String(Number(cell.totals.received) + frames);
      cell.totals.appended = cell.totals.received;
      cell.last_frame = new Date().toISOString();
      cell.silence_in_seconds = windowSeconds - Math.random() * ((index * 31) % 10);
      this.#appends = this.#appends.map((count, bound) => count + [10, 90, 98, 100, 100][bound]);
    }
  }

  silence(id) {
    Object.assign(this.cells.get(id), { state: "silenced", silence_in_seconds: null });
    this.emit(id, "guest.v1.agent_silenced", { silenceWindowNs: "10000000000", silentForNs: "10004211000" });
  }

  /// As the daemon reports an agent whose silence was reported before in this run: still connected, past its window.
  quieten(id, seconds) {
    this.#quiet.add(id);
    Object.assign(this.cells.get(id), { silence_in_seconds: 0, last_frame: new Date(Date.now() - 1000 * seconds).toISOString() });
  }

  /// A cell whose agent will be reported as silent in less than two seconds, for ever.
  nearSilence(id) {
    this.#quiet.add(id);
    Object.assign(this.cells.get(id), { silence_in_seconds: 1.9 });
  }

  resume(id) {
    Object.assign(this.cells.get(id), { state: "connected", silence_in_seconds: windowSeconds });
    this.emit(id, "guest.v1.agent_resumed", {});
  }

  /// As the daemon shows what it read of a cell, and what that contradicts.
  see(id, readings, contradictions = { found: 0, last: [] }) {
    const all = readings.map((reading) => ({ age_seconds: 1.2, failing: null, cause: null, bytes: 100, inputs: {}, output: null, ...reading }));
    this.looks.set(id, { readings: all, contradictions });
  }

  declare(id, comm, source = "process.spawned") {
    this.emit(id, `guest.v1.${source.replace(".", "_")}`,
      { guestComm: comm, guestMonotonicNs: "1", guestPid: 100 + this.events, probeSource: source });
  }

  emit(id, type, data) {
    const cell = this.cells.get(id);
    const line = JSON.stringify({
      specversion: "1.0", id: `${cell.chain}/${++this.events}`, source: "/cellos/host/host-a", type: typePrefix + type,
      time: new Date().toISOString().replace("Z", "000000Z"), data: { cellId: id, runId: cell.run_id, ...data },
    });
    for (const { response, only } of this.#streams) if (!only || only === id) response.write(`data: ${line}\n\n`);
  }

  /// The server's word to a client that is too slow, and the end of its stream.
  dropStreams() {
    for (const { response } of this.#streams) response.end('event: dropped\ndata: {"reason":"slow_consumer","events_lost":12}\n\n');
  }

  /// From here on a collector of so many hosts.
  collect(count) {
    this.fleet = Array.from({ length: count }, (_, index) => makeHost(index + 1));
  }

  #hosts(query) {
    const states = ["silenced", "disconnected", "connected"];
    const count = (holds) => this.fleet.filter(holds).length;
    const matching = this.fleet.filter((host) => (!query.get("state") || host.state === query.get("state")) && host.host_id.includes(query.get("name") ?? ""))
      .sort((a, b) => states.indexOf(a.state) - states.indexOf(b.state) || b.forks - a.forks);
    const offset = Number(query.get("offset") ?? 0);
    const counts = { all: this.fleet.length, forked: count((host) => host.forks), silenced_cells: this.fleet.reduce((sum, host) => sum + (host.silenced_cells ?? 0), 0) };
    for (const state of states) counts[state] = count((host) => host.state === state);
    return { hosts: matching.slice(offset, offset + Number(query.get("limit"))), counts, matching: matching.length, offset };
  }

  get streams() {
    return this.#streams.size;
  }

  #metrics() {
    const forwarding = this.forwarder && Object.entries(this.forwarder.figures).map(([name, value]) => `cellos_telemetry_forwarder_${name}{forwarder="collectors"} ${value}`)
      .concat(`cellos_telemetry_forwarder_state{forwarder="collectors",state="${this.forwarder.state}"} 1`,
        `cellos_telemetry_forwarder_destination{forwarder="collectors",destination="${this.forwarder.destination}"} 1`);
    const bounds = ["0.0001", "0.0005", "0.002", "0.01", "+Inf"];
    return [
      ...(forwarding ?? []),
      'cellos_telemetry_build_info{version="1.4.0",host_id="host-a"} 1',
      `cellos_telemetry_evidence_bytes ${3221225472 + this.#appends[4] * 420}`,
      "cellos_telemetry_evidence_segments 49",
      `cellos_telemetry_frames_received_total ${[...this.cells.values()].reduce((sum, cell) => sum + Number(cell.totals?.received ?? 0), 0)}`,
      'cellos_telemetry_frames_refused_total{reason="torn_frame"} 7',
      `cellos_telemetry_cells{state="connected"} ${this.cells.size - 1}`,
      'cellos_telemetry_cells{state="silenced"} 1',
      `cellos_telemetry_evidence_blocked ${this.blocked}`,
      ...bounds.map((bound, at) => `cellos_telemetry_evidence_append_seconds_bucket{le="${bound}"} ${this.#appends[at]}`),
      `cellos_telemetry_evidence_append_seconds_sum 1`, `cellos_telemetry_evidence_append_seconds_count ${this.#appends[4]}`,
    ].join("\n") + "\n";
  }

  #answer(request, response) {
    const url = new URL(request.url, "http://host");
    const send = (status, type, body) => response.writeHead(status, { "content-type": type, "cache-control": "no-store" }).end(body);
    if (url.pathname === "/events") this.streamsAsked.push(Date.now());
    if (url.pathname === "/cells") ++this.cellsAsked;
    const failure = this.failing.get(url.pathname);
    if (failure) return send(failure, "application/json", '{"error":"not_found"}');
    const one = url.pathname.match(/^\/cells\/([^/]+)$/)?.[1];
    if (one) {
      this.cellsOneByOne.push(decodeURIComponent(one));
      const cell = this.cells.get(decodeURIComponent(one));
      return cell ? send(200, "application/json", JSON.stringify({ ...cell, readings: [], contradictions: { found: 0, last: [] }, ...this.looks.get(cell.cell_id) }))
        : send(404, "application/json", '{"error":"no cell"}');
    }
    switch (url.pathname) {
      case "/":
        response.setHeader("content-security-policy", policy);
        return send(200, "text/html; charset=utf-8", this.page);
      case "/hosts":
        this.hostsAsked.push(url.search);
        return this.fleet ? send(200, "application/json", JSON.stringify(this.#hosts(url.searchParams))) : send(404, "application/json", '{"error":"no collector"}');
      case "/cells":
        return send(200, "application/json", JSON.stringify({ cells: [...this.cells.values()] }));
      case "/metrics":
        return send(200, "text/plain; version=0.0.4", this.#metrics());
      case "/readyz":
        return send(this.reasons.length ? 503 : 200, "application/json", JSON.stringify({ ready: !this.reasons.length, reasons: this.reasons }));
      case "/events": {
        response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" }).flushHeaders();
        const stream = { response, only: url.searchParams.get("cell") };
        this.#streams.add(stream);
        return request.on("close", () => this.#streams.delete(stream));
      }
      default:
        return send(404, "application/json", '{"error":"not_found"}');
    }
  }
}
