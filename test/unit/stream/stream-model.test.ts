import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { DataTopic, Frame } from '../../../container/contract/frames.ts';
import type { Connection } from '../../../container/stream/connection.ts';
import { StreamCore } from '../../../container/stream/stream-core.ts';
import { authenticated, FakePeer, FakeSource } from '../../support/stream.ts';

const KEYS = ['1', '2', '3', '4'];
type ModelTopic = Extract<DataTopic, 'ticks' | 'positions' | 'deals'>;

interface Row {
  key: string;
  id: string;
  at: number;
  event?: string;
}

interface View {
  epoch: number;
  seq: number;
  selectors: Set<string>;
  /** What the client believes: id → JSON. */
  state: Map<string, string>;
  /** Deals received since the base of each login. */
  deals: { key: string; at: number }[];
  base: Map<string, number>;
  gapped: boolean;
}

/** A client that believes only what the contract says, and checks every frame against it. */
class ModelClient {
  peer = new FakePeer();
  connection: Connection;
  readonly views = new Map<ModelTopic, View>();
  readonly seenDeals = new Set<string>();
  readonly failures: unknown[] = [];
  readonly #core: StreamCore;

  constructor(core: StreamCore) {
    this.#core = core;
    this.connection = this.#connect();
  }

  #connect(): Connection {
    this.peer = new FakePeer();
    // Kept, not thrown: the core would take it for a failure of its own.
    this.peer.onFrame = (frame) => {
      try {
        this.#check(frame);
      } catch (error) {
        this.failures.push(error);
      }
    };
    return this.#core.connect(this.peer, authenticated);
  }

  subscribe(topic: ModelTopic, keys: string[]): void {
    if (this.peer.closedWith !== undefined) return;
    const view = this.views.get(topic) ?? newView();
    this.views.set(topic, view);
    for (const key of keys) view.selectors.add(key);
    this.#operate({ op: 'subscribe', topic, ...selection(topic, keys) });
  }

  unsubscribe(topic: ModelTopic, keys: string[]): void {
    if (this.peer.closedWith !== undefined || !this.views.has(topic)) return;
    const view = this.views.get(topic);
    for (const key of keys) {
      view?.selectors.delete(key);
      view?.base.delete(key);
      for (const id of view?.state.keys() ?? []) if (id.startsWith(`${key} `)) view?.state.delete(id);
    }
    if (view) view.deals = view.deals.filter((deal) => !keys.includes(deal.key));
    if (view?.selectors.size === 0) this.views.delete(topic);
    this.#operate({ op: 'unsubscribe', topic, ...selection(topic, keys) });
  }

  comeBack(): void {
    this.connection.closed();
    this.connection = this.#connect();
    for (const [topic, view] of this.views) {
      // Resumed is what a snapshot was seen of; the rest is subscribed to.
      const { epoch, seq } = view;
      const known = [...view.selectors].filter((key) => view.base.has(key));
      const unknown = [...view.selectors].filter((key) => !view.base.has(key));
      if (known.length > 0) this.#operate({ op: 'resume', topic, epoch, seq, ...selection(topic, known) });
      if (unknown.length > 0) this.#operate({ op: 'subscribe', topic, ...selection(topic, unknown) });
    }
  }

  #operate(operation: object): void {
    this.connection.receive(JSON.stringify(operation));
  }

  #check(frame: Frame): void {
    // The only error that a right client meets: it read too slowly, and is closed.
    if (frame.type === 'error') return expect(frame.data).toMatchObject({ code: 'overloaded' });
    const view = this.views.get(frame.topic as ModelTopic);
    if (!view) return;
    if (view.epoch !== frame.epoch) {
      // A new epoch starts at 0, and must come with a gap before anything else is believed.
      if (view.epoch !== 0) expect(['gap', 'ack', 'snapshot']).toContain(frame.type);
      view.epoch = frame.epoch;
      view.seq = frame.prev;
    }
    // A new subscription starts at 0.
    if (frame.type === 'ack' && frame.seq === 0) view.seq = 0;
    expect(frame.prev, 'prev is the last seq sent to this subscription').toBe(view.seq);
    expect(frame.seq).toBeGreaterThanOrEqual(frame.prev);
    view.seq = frame.seq;
    const rows = (frame.data ?? []) as Row[];
    if (frame.type === 'gap') view.gapped = true;
    else if (frame.type === 'snapshot') this.#snapshot(view, frame, rows);
    else if (frame.type === 'delta') this.#delta(view, frame, rows);
    else expect(frame.seq).toBe(frame.prev);
  }

  #snapshot(view: View, frame: Frame, rows: readonly Row[]): void {
    if (view.gapped) {
      view.state.clear();
      view.deals = [];
      view.base.clear();
    }
    view.gapped = false;
    for (const key of view.selectors) if (!view.base.has(key)) view.base.set(key, frame.seq);
    for (const row of rows) view.state.set(`${row.key} ${row.id}`, JSON.stringify(row));
  }

  #delta(view: View, frame: Frame, rows: readonly Row[]): void {
    expect(view.gapped, 'no delta between gap and snapshot').toBe(false);
    expect(frame.seq).toBeGreaterThan(frame.prev);
    for (const row of rows) {
      if (frame.topic === 'deals') {
        expect(this.seenDeals.has(row.id), 'no deal twice').toBe(false);
        this.seenDeals.add(row.id);
        view.deals.push({ key: row.key, at: row.at });
      } else if (row.event === 'closed') view.state.delete(`${row.key} ${row.id}`);
      else view.state.set(`${row.key} ${row.id}`, JSON.stringify(row));
    }
  }
}

const newView = (): View => ({
  epoch: 0,
  seq: 0,
  selectors: new Set(),
  state: new Map(),
  deals: [],
  base: new Map(),
  gapped: false,
});

const selection = (topic: ModelTopic, keys: string[]): object =>
  topic === 'ticks' ? { symbols: keys } : { logins: keys.map(Number) };

const topic = fc.constantFrom<ModelTopic>('ticks', 'positions', 'deals');
const keys = fc.uniqueArray(fc.constantFrom(...KEYS), { minLength: 1, maxLength: 4 });
const client = fc.nat({ max: 2 });
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('change' as const), topic, keys, gone: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('subscribe' as const), topic, keys, client }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('unsubscribe' as const), topic, keys, client }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('stall' as const), client }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('read' as const), client }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('comeBack' as const), client }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('answer' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('flush' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1_000, 6_000, 40_000) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reset' as const), newEpoch: fc.boolean() }) },
);

test('every discontinuity is declared, and in the end every client knows the truth', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 10, maxLength: 80 }), fc.constantFrom(600, 100_000), (steps, ringBytes) => {
      let now = 1_000_000;
      let epoch = 1;
      let count = 0;
      const source = new FakeSource();
      const core = new StreamCore({
        source,
        authenticate: () => Promise.resolve(undefined),
        now: () => now,
        defer: () => {},
        ringBytes,
      });
      source.emit = (event) => core.apply(event);
      source.reset(epoch, true);
      const clients = [new ModelClient(core), new ModelClient(core), new ModelClient(core)];
      const deals: { key: string; at: number; seq: number; epoch: number }[] = [];
      const pick = (i: number): ModelClient => clients[i] as ModelClient;
      const read = (one: ModelClient): void => {
        one.peer.bufferedBytes = 0;
        core.drained(one.connection);
      };

      for (const s of steps) {
        if (s.do === 'change') {
          const changes = s.keys.map((key) => {
            const at = ++count;
            const id = s.topic === 'ticks' ? 'tick' : s.topic === 'deals' ? `d${at}` : `p${at % 3}`;
            return { key, id, value: { at }, at, gone: s.topic === 'positions' && s.gone };
          });
          const seq = source.change(s.topic, changes);
          if (s.topic === 'deals' && seq > 0) for (const { key, at } of changes) deals.push({ key, at, seq, epoch });
        } else if (s.do === 'subscribe') pick(s.client).subscribe(s.topic, s.keys);
        else if (s.do === 'unsubscribe') pick(s.client).unsubscribe(s.topic, s.keys);
        else if (s.do === 'stall') pick(s.client).peer.bufferedBytes = 1e9;
        else if (s.do === 'read') read(pick(s.client));
        else if (s.do === 'comeBack') pick(s.client).comeBack();
        else if (s.do === 'answer') source.answer();
        else if (s.do === 'flush') core.flush();
        else if (s.do === 'wait') {
          now += s.ms;
          core.tick();
          source.answer();
        } else {
          if (s.newEpoch) epoch++;
          source.reset(epoch, s.newEpoch);
        }
      }

      // Everybody reads again; who was too slow comes back.
      core.flush();
      for (const one of clients) read(one);
      for (const one of clients) if (one.peer.closedWith !== undefined) one.comeBack();
      source.answer();
      core.flush();
      for (const one of clients) {
        if (one.failures.length > 0) throw one.failures[0];
        expect(one.peer.closedWith).toBe(undefined);
        for (const [name, view] of one.views) {
          for (const key of view.selectors) {
            if (name === 'deals') {
              const base = view.base.get(key) ?? Infinity;
              const happened = deals.filter((deal) => deal.key === key && deal.seq > base && deal.epoch === epoch);
              // A live client may be told of a deal before the snapshot that starts the login for it.
              const first = happened[0]?.at ?? Infinity;
              const told = view.deals.filter((deal) => deal.key === key && deal.at >= first).map(({ at }) => at);
              expect(told).toEqual(happened.map(({ at }) => at));
              continue;
            }
            const truth = [...(source.truth.get(`${name} ${key}`)?.values() ?? [])].sort();
            const known = [...view.state].filter(([id]) => id.startsWith(`${key} `)).map(([, json]) => json);
            expect(known.sort()).toEqual(truth);
          }
        }
      }
    }),
    { numRuns: 400 },
  );
});
