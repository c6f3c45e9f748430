/** The control port: plain HTTP and JSON. Every refusal is `{"error":"<field>: what was expected"}`. */
import http from 'node:http';
import type { FeedFault } from './broker/broker.ts';
import { FEED_FAULTS, type Fault, parseFault } from './faults.ts';
import type { Latency, Shared } from './session.ts';
import type { ConnectionStats } from './stats.ts';
import { defaultSwitches, setSwitches, SWITCHES } from './switches.ts';

export interface StatsAnswer {
  /** Open connections. */
  readonly connections: number;
  readonly handshakes: number;
  /** Null until a command other than auth/* has arrived. */
  readonly handshakesAtFirstCommand: number | null;
  readonly handshakeFailures: number;
  readonly requests: number;
  readonly mutations: number;
  readonly byCommand: Readonly<Record<string, number>>;
  readonly perConnection: readonly ConnectionStats[];
}

export interface ControlOptions {
  readonly shared: Shared;
  readonly initialLatency: Readonly<Latency>;
  readonly certificatePem: () => string;
  readonly switchesChanged: () => void;
  readonly dropConnections: () => void;
  readonly dropHalfOpen: () => void;
  /** What execute-late still holds back never happens. */
  readonly forgetLate: () => void;
}

const RESETTABLE = ['counters', 'faults', 'switches', 'latency', 'books'] as const;
export type ResetPart = (typeof RESETTABLE)[number];
/** A body of the control port is a few fields. */
const BODY_BYTES = 1024 * 1024;

type Result = { readonly status: number; readonly body: object } | { readonly status: number; readonly text: string };
const ok = (body: object): Result => ({ status: 200, body });
const outcome = (problem: string | undefined, body: object): Result =>
  problem === undefined ? ok(body) : { status: 400, body: { error: problem } };

export class Control {
  readonly server: http.Server;
  readonly #options: ControlOptions;
  #mutationsBefore = 0;
  #maintenanceUntilMs = 0;
  #silentUntilMs = 0;

  constructor(options: ControlOptions) {
    this.#options = options;
    this.server = http.createServer((request, response) => {
      void this.#answer(request, response);
    });
  }

  /** What a new connection meets. */
  get welcome(): 'open' | 'maintenance' | 'silent' {
    const nowMs = this.#options.shared.nowMs();
    if (nowMs < this.#maintenanceUntilMs) return 'maintenance';
    return nowMs < this.#silentUntilMs ? 'silent' : 'open';
  }

  stats(): StatsAnswer {
    const { stats, broker } = this.#options.shared;
    return {
      connections: stats.openConnections,
      handshakes: stats.handshakes,
      handshakesAtFirstCommand: stats.handshakesAtFirstCommand,
      handshakeFailures: stats.handshakeFailures,
      requests: stats.requests,
      mutations: broker.mutations - this.#mutationsBefore,
      byCommand: { ...stats.byCommand },
      perConnection: stats.perConnection.map((connection) => ({
        ...connection,
        byCommand: { ...connection.byCommand },
      })),
    };
  }

  fault(input: unknown): string | undefined {
    const fault = parseFault(input);
    if (typeof fault === 'string') return fault;
    const { shared, dropConnections } = this.#options;
    if (fault.kind === 'maintenance') {
      this.#maintenanceUntilMs = shared.nowMs() + fault.ms;
      dropConnections();
    } else if (fault.kind === 'silent-connect') this.#silentUntilMs = shared.nowMs() + fault.ms;
    else if (isFeedFault(fault)) shared.broker.feed.fault({ kind: fault.kind, ms: fault.ms });
    else shared.faults.arm(fault);
    return undefined;
  }

  clearFaults(): void {
    this.#maintenanceUntilMs = 0;
    this.#silentUntilMs = 0;
    this.#options.shared.faults.clear();
    this.#options.dropHalfOpen();
    this.#options.shared.broker.feed.heal();
  }

  switch(changes: unknown): string | undefined {
    const problem = setSwitches(this.#options.shared.switches, changes);
    if (problem === undefined) this.#options.switchesChanged();
    return problem;
  }

  latency(change: unknown): string | undefined {
    const { latency } = this.#options.shared;
    const expected = 'expected an object {latencyMs?, authLatencyMs?}';
    if (typeof change !== 'object' || change === null || Array.isArray(change)) return expected;
    for (const [name, value] of Object.entries(change)) {
      if (name !== 'latencyMs' && name !== 'authLatencyMs') return `${name}: ${expected}`;
      if (typeof value !== 'number' || !(value >= 0 && value <= 600_000))
        return `${name}: expected milliseconds from 0 to 600000`;
    }
    Object.assign(latency, change);
    return undefined;
  }

  /** `{only?: [...]}`; nothing = everything. Connections and their sessions stay. */
  reset(input: unknown): string | undefined {
    const parts = resetParts(input);
    if (typeof parts === 'string') return parts;
    const { shared, initialLatency, switchesChanged } = this.#options;
    if (parts.includes('faults')) this.clearFaults();
    if (parts.includes('switches')) {
      Object.assign(shared.switches, defaultSwitches());
      switchesChanged();
    }
    if (parts.includes('latency')) Object.assign(shared.latency, initialLatency);
    const counted = this.stats().mutations;
    if (parts.includes('books')) {
      this.#options.forgetLate();
      shared.broker.reset();
    }
    if (parts.includes('counters')) shared.stats.reset();
    this.#mutationsBefore = shared.broker.mutations - (parts.includes('counters') ? 0 : counted);
    return undefined;
  }

  async #answer(request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
    const result = await this.#serve(request);
    const json = 'body' in result;
    response.writeHead(result.status, { 'content-type': json ? 'application/json' : 'text/plain' });
    response.end(json ? `${JSON.stringify(result.body)}\n` : result.text);
  }

  async #serve(request: http.IncomingMessage): Promise<Result> {
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
    const methods = this.#paths(path);
    if (methods === undefined) {
      return { status: 404, body: { error: `no such path; expected one of ${PATHS.join(', ')}` } };
    }
    const handler = methods[request.method ?? 'GET'];
    if (handler === undefined) return { status: 405, body: { error: `expected ${Object.keys(methods).join(' or ')}` } };
    let input: unknown;
    try {
      input = await readJson(request);
    } catch (error) {
      return { status: 400, body: { error: `body: ${error instanceof Error ? error.message : 'unreadable'}` } };
    }
    return handler(input);
  }

  #paths(path: string): Readonly<Record<string, (input: unknown) => Result>> | undefined {
    const { shared } = this.#options;
    const { broker } = shared;
    const faults = (): object => ({
      faults: shared.faults.list(),
      maintenanceMs: Math.max(0, Math.round(this.#maintenanceUntilMs - shared.nowMs())),
      silentConnectMs: Math.max(0, Math.round(this.#silentUntilMs - shared.nowMs())),
    });
    const clear = (): Result => {
      this.clearFaults();
      return ok(faults());
    };
    switch (path) {
      case '/stats':
        return { GET: () => ok(this.stats()) };
      case '/fault':
        return { GET: () => ok(faults()), POST: (input) => outcome(this.fault(input), faults()), DELETE: clear };
      case '/switch':
        return {
          GET: () => ok(describeSwitches(shared.switches)),
          POST: (input) => outcome(this.switch(input), { ...shared.switches }),
        };
      case '/reset':
        return { POST: (input) => outcome(this.reset(input), { reset: true }) };
      case '/latency':
        return { GET: () => ok(shared.latency), POST: (input) => outcome(this.latency(input), shared.latency) };
      case '/clock':
        return {
          GET: () => ok(broker.clock.get()),
          POST: (input) => outcome(broker.clock.set(input), broker.clock.get()),
        };
      case '/feed':
        return {
          GET: () => ok(broker.feed.get()),
          POST: (input) => outcome(broker.feed.set(input), broker.feed.get()),
        };
      case '/dealer':
        return {
          GET: () => ok(broker.dealer.get()),
          POST: (input) => outcome(broker.dealer.set(input), broker.dealer.get()),
        };
      case '/books':
        return { GET: () => ok(broker.books()) };
      case '/certificate':
        return { GET: () => ({ status: 200, text: this.#options.certificatePem() }) };
      default:
        return undefined;
    }
  }
}

const PATHS = [
  '/stats',
  '/fault',
  '/switch',
  '/reset',
  '/latency',
  '/clock',
  '/feed',
  '/dealer',
  '/books',
  '/certificate',
];

const isFeedFault = (fault: Fault): fault is Fault & { readonly kind: FeedFault['kind'] } =>
  (FEED_FAULTS as readonly string[]).includes(fault.kind);

function resetParts(input: unknown): readonly string[] | string {
  if (input === undefined) return RESETTABLE;
  const expected = `only: expected a list of ${RESETTABLE.join(', ')}`;
  if (typeof input !== 'object' || input === null || Array.isArray(input)) return 'expected an object {only?}';
  const unknown = Object.keys(input).find((name) => name !== 'only');
  if (unknown !== undefined) return `${unknown}: no such field; ${expected}`;
  if (!('only' in input)) return RESETTABLE;
  const { only } = input;
  if (!Array.isArray(only)) return expected;
  const parts: readonly unknown[] = only;
  return parts.every((part): part is string => (RESETTABLE as readonly unknown[]).includes(part)) ? parts : expected;
}

const describeSwitches = (switches: object): object =>
  Object.fromEntries(
    Object.entries(SWITCHES).map(([name, entry]) => [
      name,
      { value: (switches as Record<string, unknown>)[name], ...entry },
    ]),
  );

async function readJson(request: http.IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) continue;
    bytes += chunk.length;
    if (bytes > BODY_BYTES) throw new RangeError(`expected at most ${BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString('utf8').trim();
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new SyntaxError('expected JSON');
  }
}
