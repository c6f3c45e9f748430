import type { BridgeEvent } from '../../container/contract/events.ts';
import { BridgeError } from '../../container/contract/errors.ts';
import { NODE_DIGESTS } from '../../container/host/node-digests.ts';
import { SqliteFile } from '../../container/host/sqlite-file.ts';
import type { AuditStore } from '../../container/outbox/audit/store.ts';
import { type AuditVerdict, AuditVerifier } from '../../container/outbox/audit/verify.ts';
import { Outbox } from '../../container/outbox/outbox.ts';
import { BridgeState } from '../../container/state/bridge-state.ts';
import type { Sql, SqlRow, SqlValue } from '../../container/state/sql.ts';

/**
 * Operations whose events go through the outbox while programs are killed between any two steps, the store fails before and
 * after it wrote, and the receiver refuses, breaks off, or takes and does not say so. All by a seed, on a clock of its own.
 */
export interface OutboxLife {
  readonly operations: number;
  readonly seed: number;
  /** Told of every thousandth operation. */
  readonly onProgress?: (done: number) => void;
}

export interface OutboxVerdict {
  /** What should hold and does not; empty = all is well. */
  readonly faults: readonly string[];
  readonly kills: number;
  readonly storeFaults: number;
  readonly receiverFaults: number;
  /** Events that came a second time, with the same id. */
  readonly repeated: number;
  readonly records: number;
}

const LOGINS = 20;
const BY_ITSELF_MS = 200;
const DAY_MS = 86_400_000;

class Killed extends BridgeError {
  constructor() {
    super('state_unavailable', 'killed');
  }
}

/** A memory as one program sees it; it outlives the program, which is killed at a random step. */
class Memory implements Sql {
  readonly #file: SqliteFile;
  readonly #isKilled: () => boolean;

  constructor(file: SqliteFile, isKilled: () => boolean) {
    this.#file = file;
    this.#isKilled = isKilled;
  }

  run(statement: string, ...parameters: SqlValue[]): SqlRow[] {
    if (this.#isKilled()) throw new Killed();
    return this.#file.run(statement, ...parameters);
  }

  transaction<T>(body: () => T): T {
    const result = this.#file.transaction(body);
    if (this.#isKilled()) throw new Killed();
    return result;
  }
}

export class OutboxWorld {
  readonly objects = new Map<string, string>();
  readonly received: BridgeEvent[] = [];
  readonly #random: () => number;
  readonly #told = SqliteFile.open('memory:');
  readonly #kept = SqliteFile.open('memory:');
  nowMs = Date.parse('2026-11-28T00:00:00Z');
  kills = 0;
  storeFaults = 0;
  receiverFaults = 0;
  isCalm = false;
  /** Programs are numbered; one that was killed does nothing more, whatever it still waited for. */
  #program = 0;

  constructor(seed: number) {
    let state = seed;
    this.#random = () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
  }

  /** Again and again with new programs, until it is done. */
  async do<T>(body: (state: BridgeState, outbox: Outbox) => T | Promise<T>): Promise<T> {
    for (;;) {
      const program = ++this.#program;
      const isKilled = (): boolean => {
        if (program === this.#program && this.#happens(0.002)) {
          this.#program += 1;
          this.kills += 1;
        }
        return program !== this.#program;
      };
      try {
        const result = await body(this.#state(isKilled), this.#outbox(isKilled));
        if (program === this.#program) return result;
      } catch (error) {
        if (program === this.#program) throw error;
      }
    }
  }

  /** Hands over, stores and sends what is due. */
  async turn(): Promise<number | null> {
    return this.do(async (state, outbox) => {
      for (;;) {
        const batch = state.outbox.waiting(50, 1e9);
        if (batch.events.length === 0) break;
        state.outbox.taken(outbox.take(batch).taken);
      }
      return outbox.work();
    });
  }

  #happens(share: number): boolean {
    return !this.isCalm && this.#random() < share;
  }

  #state(isKilled: () => boolean): BridgeState {
    return new BridgeState(new Memory(this.#told, isKilled), { now: () => this.nowMs, outbox: { whenFull: 'refuse' } });
  }

  #outbox(isKilled: () => boolean): Outbox {
    const store: AuditStore = {
      create: async (key, text) => {
        if (isKilled()) throw new Killed();
        if (this.#fails(0.1)) throw new Error('R2 is away');
        const isNew = !this.objects.has(key);
        if (isNew) this.objects.set(key, text);
        if (this.#fails(0.1)) throw new Error('R2 did not answer');
        return isNew ? 'created' : 'exists';
      },
      read: async (key) => this.objects.get(key) ?? null,
      list: async (prefix, after) =>
        [...this.objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort(),
    };
    const outbox = new Outbox({
      sql: new Memory(this.#kept, isKilled),
      broker: 'main',
      now: () => this.nowMs,
      random: this.#random,
      warn: () => {},
      audit: { store, policy: { objectEvents: 25 } },
      webhooks: {
        allowedOrigins: [],
        sender: { send: async ({ body }) => ({ status: this.#receive(body, isKilled) }) },
      },
    });
    if (outbox.webhooks.list().length === 0)
      outbox.webhooks.create({ url: 'https://hooks.broker.com/', events: ['*'] }, { caller: 'admin' }, []);
    return outbox;
  }

  #fails(share: number): boolean {
    const fails = this.#happens(share);
    if (fails) this.storeFaults += 1;
    return fails;
  }

  #receive(body: string, isKilled: () => boolean): number {
    if (isKilled()) throw new Killed();
    const luck = this.isCalm ? 1 : this.#random();
    if (luck < 0.2) this.receiverFaults += 1;
    if (luck < 0.1) return 503;
    if (luck < 0.15) throw new Error('reset');
    this.received.push(JSON.parse(body) as BridgeEvent);
    if (luck < 0.2) throw new Error('the answer was lost');
    return 200;
  }
}

export async function outboxLife({ operations, seed, onProgress }: OutboxLife): Promise<OutboxVerdict> {
  const world = new OutboxWorld(seed);
  for (let n = 1; n <= operations; n++) {
    const key = String(n);
    await world.do((state) =>
      state.operations.begin({
        caller: 'desk',
        key,
        kind: 'order.place',
        tag: `t${n}`,
        login: 1001 + (n % LOGINS),
        fingerprint: 'f',
        request: '{}',
        instanceId: 'a',
        deadlineAtMs: world.nowMs + DAY_MS,
        trading: true,
        budget: 'desk',
      }),
    );
    const to = n % 7 === 0 ? 'refused' : 'done';
    const answer = { status: to === 'done' ? 201 : 422, body: '{}' };
    await world.do((state) => state.operations.move('desk', key, { to, answer }));
    world.nowMs += BY_ITSELF_MS;
    if (n % 10 === 0) await world.turn();
    if (n % 1000 === 0) onProgress?.(n);
  }
  world.isCalm = true;
  for (let dueAtMs = await world.turn(); dueAtMs !== null; dueAtMs = await world.turn())
    world.nowMs = Math.max(world.nowMs, dueAtMs);
  return judged(world, operations);
}

/** Everything told stands in the chain once and in order, and came to the receiver in the order of each login. */
async function judged(world: OutboxWorld, operations: number): Promise<OutboxVerdict> {
  const objects = [...world.objects].sort(([a], [b]) => (a < b ? -1 : 1));
  const { faults, records, head } = await verified(objects);
  const said = faults.map(({ key, line, fault }) => `${key}:${line} ${fault}`);
  said.push(...(await unnoticed(objects, head.hash)));
  const audited = objects.flatMap(([, text]) =>
    text
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { event: BridgeEvent }).event),
  );
  const told = audited.filter(({ type }) => type !== 'audit.day');
  const ids = new Set(told.map(({ id }) => id));
  if (ids.size !== told.length) said.push(`${told.length - ids.size} events stand in the audit twice`);
  const arrived = new Set(world.received.map(({ id }) => id));
  // What was told of the receiver before it was there is not for it.
  const missing = told.filter(({ id, type }) => !arrived.has(id) && !type.startsWith('admin.'));
  if (missing.length > 0) said.push(`${missing.length} events never came to the receiver: ${missing[0]?.type}`);
  for (const state of ['sending', 'done|refused']) {
    const keys = new Set(
      told.filter(({ type }) => state.split('|').includes(type.split('.')[1] ?? '')).map(({ data }) => data['key']),
    );
    if (keys.size !== operations) said.push(`${keys.size} of ${operations} operations are told as ${state}`);
  }
  const logins = new Set(told.map(({ login }) => login));
  for (const login of logins) {
    const of = (events: readonly BridgeEvent[]): string =>
      [...new Set(events.filter((event) => event.login === login && arrived.has(event.id)).map(({ id }) => id))].join();
    if (of(told) !== of(world.received)) said.push(`events of ${String(login)} came out of order`);
  }
  const { kills, storeFaults, receiverFaults, received } = world;
  return { faults: said, kills, storeFaults, receiverFaults, repeated: received.length - arrived.size, records };
}

type Objects = readonly (readonly [key: string, text: string])[];

async function verified(objects: Objects, head?: string): Promise<AuditVerdict> {
  const verifier = new AuditVerifier({ head }, NODE_DIGESTS);
  for (const [key, text] of objects) await verifier.add(key, text);
  return verifier.end();
}

/** One byte of one object is altered, and in another try the tail is cut off: what is not found, or not named. */
async function unnoticed(objects: Objects, head: string): Promise<readonly string[]> {
  const said: string[] = [];
  const at = Math.floor(objects.length / 2);
  const [key = '', text = ''] = objects[at] ?? [];
  const byte = Math.floor(text.length / 3);
  const other = text[byte] === '0' ? '1' : '0';
  const altered = objects.with(at, [key, text.slice(0, byte) + other + text.slice(byte + 1)]);
  const line = text.slice(0, byte).split('\n').length;
  const [fault] = (await verified(altered, head)).faults;
  if (fault?.key !== key || fault.line !== line)
    said.push(`byte ${byte} of ${key} was altered, and ${fault?.key} named`);
  const cut = await verified(objects.slice(0, -1), head);
  if (!cut.faults.some(({ fault: what }) => what.includes('was cut off'))) said.push('the tail was cut off unnoticed');
  return said;
}
