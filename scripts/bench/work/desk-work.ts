import type { LoadResult } from '../load/job.ts';
import { around } from '../measure/around.ts';
import type { Child } from '../measure/child.ts';
import { TURNS } from '../measure/turns.ts';
import type { Sample } from '../report/model.ts';
import type { RunningSystem } from '../systems/system.ts';
import { requestsOf as crowdRequests, CROWD_WORK } from './crowd-work.ts';
import { DeskStream } from './desk-stream.ts';
import { latenciesSample, sampleOf, SLACK_MS } from './http-work.ts';

/** A broker's whole book, as a risk desk looks at it. A tenth of the accounts hold ten positions each. */
export const DESK_CLIENTS = 50_000;
export const DESK_LATENCY_MS = 5;
/** Orders of each kind: of fewer, a 99th percentile would be a handful. At the rate they keep one dealer connection half busy. */
const ORDERS = 5_000;
const ORDERS_QUICK = 400;
const ORDERS_PER_SECOND = 40;
const ORDER_CALLERS = 32;
const WARM_UP_MS = 3_000;
const LOOKS = 3;
/** Some of the accounts that hold positions have closed one or two. */
const DESK_POSITIONS = 45_000;
const HOLD_TIMEOUT_MS = 60_000;
/** Several polls of all of them. */
const HELD_MS = 20_000;

/** Names of the rows: `report/crowd-targets.ts` looks them up. */
export const DESK_WORK = {
  without: 'orders without a desk',
  told: 'orders with audit and webhook',
  accounts: 'all accounts with money, NDJSON',
  exposure: 'exposure of all accounts',
  held: 'positions of all groups held by a stream',
  beside: 'orders beside a desk',
  lag: 'deal to a stream of all groups',
} as const;

export interface Desk {
  readonly running: RunningSystem;
  readonly load: Child;
  readonly quick: boolean;
  readonly repetition: number;
}

/** One turn of market orders at a steady rate, from the intended time of each. */
export async function measureOrders({ running, load, quick, repetition }: Desk): Promise<Sample> {
  const durationMs = ((quick ? ORDERS_QUICK : ORDERS) / TURNS / ORDERS_PER_SECOND) * 1_000;
  const job = {
    kind: 'paced' as const,
    url: running.url,
    headers: running.headers,
    requests: crowdRequests({ work: CROWD_WORK.order, callers: 1_024 }),
    newKeyEach: true,
    connections: ORDER_CALLERS,
    ratePerSecond: ORDERS_PER_SECOND,
    warmUpMs: WARM_UP_MS,
    durationMs,
  };
  const { result, server } = await around(running, () => load.ask<LoadResult>(job, WARM_UP_MS + durationMs + SLACK_MS));
  return {
    repetition,
    ...sampleOf(result),
    ...server,
    extra: { measuredShare: durationMs / (durationMs + WARM_UP_MS) },
  };
}

/** @throws Error where the route is not there, or does not bring all accounts */
async function readAccounts({ url, headers }: RunningSystem, signal?: AbortSignal): Promise<void> {
  const answer = await fetch(`${url}/v1/accounts?group=*`, {
    headers: { ...headers, accept: 'application/x-ndjson' },
    signal: signal ?? null,
  });
  const isLines = answer.headers.get('content-type')?.startsWith('application/x-ndjson') === true;
  if (!answer.ok || !isLines || !answer.body) {
    const said = answer.ok ? '' : (await answer.text()).slice(0, 300);
    if (answer.ok) await answer.body?.cancel();
    throw new Error(
      `GET /v1/accounts?group=* as NDJSON: ${answer.status} ${answer.headers.get('content-type')} ${said}`,
    );
  }
  let lines = 0;
  for await (const chunk of answer.body)
    for (let at = chunk.indexOf(0x0a); at >= 0; at = chunk.indexOf(0x0a, at + 1)) lines += 1;
  if (lines < DESK_CLIENTS) throw new Error(`GET /v1/accounts?group=*: ${lines} of ${DESK_CLIENTS} accounts`);
}

/** @throws Error where the route is not there */
async function readExposure({ url, headers }: RunningSystem, signal?: AbortSignal): Promise<void> {
  const answer = await fetch(`${url}/v1/exposure?group=*`, { headers, signal: signal ?? null });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`GET /v1/exposure?group=*: ${answer.status} ${text.slice(0, 200)}`);
}

async function looks(desk: Desk, look: (running: RunningSystem) => Promise<void>): Promise<Sample> {
  const { result, server } = await around(desk.running, async () => {
    const tookMs: number[] = [];
    for (let turn = 0; turn < LOOKS; turn++) {
      const beganAtMs = performance.now();
      await look(desk.running);
      tookMs.push(performance.now() - beganAtMs);
    }
    return tookMs;
  });
  return { ...latenciesSample(desk.repetition, result), ...server };
}

export const measureAccounts = (desk: Desk): Promise<Sample> => looks(desk, readAccounts);
export const measureExposure = (desk: Desk): Promise<Sample> => looks(desk, readExposure);

/**
 * How long until a stream of the positions of all groups holds them all, and what the container takes for it while they are
 * followed.
 */
export async function measureHeld({ running, repetition }: Desk): Promise<Sample> {
  const { result, server } = await around(running, async () => {
    const beganAtMs = performance.now();
    let missing = DESK_POSITIONS;
    const all = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => all.reject(new Error(`a stream lacks ${missing} positions`)), HOLD_TIMEOUT_MS);
    const stream = await DeskStream.open(running, 'positions', ({ rows }) => {
      missing -= rows.length;
      if (missing <= 0) all.resolve(undefined);
    });
    try {
      await Promise.race([all.promise, stream.broken]);
      const tookMs = performance.now() - beganAtMs;
      await new Promise((resolve) => setTimeout(resolve, HELD_MS));
      return [tookMs];
    } finally {
      clearTimeout(timer);
      stream.close();
    }
  });
  return { ...latenciesSample(repetition, result), ...server };
}

/**
 * Orders while a desk reads all accounts and the exposure without pause and follows the deals of all groups.
 *
 * @returns the orders, and the deals that came of them
 */
export async function measureBeside(desk: Desk): Promise<{ readonly orders: Sample; readonly lag: Sample }> {
  const lagsMs: number[] = [];
  // The first delta tells of the minute before.
  const fromMs = Date.now();
  const stream = await DeskStream.open(desk.running, 'deals', ({ type, rows }) => {
    if (type !== 'delta') return;
    const nowMs = Date.now();
    for (const { executedAtMs = 0 } of rows) if (executedAtMs >= fromMs) lagsMs.push(Math.max(0, nowMs - executedAtMs));
  });
  const over = new AbortController();
  const reading = (async (): Promise<void> => {
    while (!over.signal.aborted) {
      await readAccounts(desk.running, over.signal);
      await readExposure(desk.running, over.signal);
    }
  })();
  try {
    const orders = await Promise.race([measureOrders(desk), reading.then(() => Promise.reject(new Error('no desk')))]);
    if (lagsMs.length === 0) throw new Error('no deal came in the stream');
    return { orders, lag: latenciesSample(desk.repetition, lagsMs) };
  } finally {
    over.abort();
    stream.close();
    await reading.catch(() => undefined);
  }
}
