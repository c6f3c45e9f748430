import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { DATA_TOPICS } from '../../container/contract/frames.ts';
import { startSimulator, type Simulator } from '../simulator/server.ts';
import { type BridgeUnderTest, startBridge } from '../support/bridge.ts';
import { componentValidator, documentValidator } from '../support/document-validator.ts';
import { walkDocument } from '../support/document-walk.ts';
import { serveAsBucket } from '../support/s3-server.ts';

/**
 * Real answers against the published document, by a validator of its own (Ajv): what the walk over every operation
 * (`typed-walk.test.ts`) does not ask for.
 */

let simulator: Simulator;
let bridge: BridgeUnderTest;
/** Of the audit and of the archive. */
let folder = '';

beforeAll(async () => {
  simulator = await startSimulator();
  folder = mkdtempSync(path.join(tmpdir(), 'audit-'));
  const env = {
    AUDIT_DIR: path.join(folder, 'audit'),
    ARCHIVE_DIR: path.join(folder, 'archive'),
    MARGIN_WATCH: 'real\\*',
  };
  bridge = await startBridge({ simulator, env });
});
afterAll(async () => {
  await bridge.close();
  rmSync(folder, { recursive: true });
  await simulator.close();
});

/** `npm run audit:verify`, `npm run audit:erase` on that folder, or on a bucket. */
const audit = (what: string, ...args: string[]): Promise<string> =>
  auditAt(path.join(folder, 'audit'), {}, what, ...args);

const auditAt = (place: string, env: Record<string, string>, what: string, ...args: string[]): Promise<string> =>
  new Promise((resolve) => {
    const program = path.resolve(import.meta.dirname, '../../scripts/audit/main.ts');
    const options = { env: { ...process.env, ...env } };
    execFile(process.execPath, [program, what, place, ...args], options, (_, stdout, stderr) =>
      resolve(stdout + stderr),
    );
  });

it('tells answers in numbers: a decimal is one or null, never text', async () => {
  let reads = 0;
  for await (const step of walkDocument(bridge, ({ method }) => method === 'GET', { decimals: 'number' })) {
    expect(step.faults, `${step.route.id} ${step.target} ${step.status}`).toEqual([]);
    if (step.status === 200) reads++;
  }
  expect(reads).toBeGreaterThan(40);
});

it('tells what dry runs answer', async () => {
  const statuses = new Map<string, number>();
  const hasDryRun = ({ query }: { query: { shape?: object } }): boolean => 'dryRun' in (query.shape ?? {});
  for await (const { route, target, status, faults } of walkDocument(bridge, hasDryRun, { dryRun: 'true' })) {
    expect(faults, `${route.id} ${target} ${status}`).toEqual([]);
    statuses.set(route.id, status);
  }
  expect(statuses.get('placeOrder')).toBe(200);
  expect(statuses.get('changeBalance')).toBe(200);
});

it('tells what passes through, and the probes', async () => {
  const faultsOf = await documentValidator(bridge.url, 'string');
  const asked = [
    ['/api/user/get?login=1001', '/api/{family}/{command}', 200],
    ['/api/user/account/get?login=1001', '/api/{family}/{object}/{command}', 200],
    ['/api/no/such', '/api/{family}/{command}', 404],
    ['/healthz', '/healthz', 200],
    ['/readyz', '/readyz', 200],
    ['/v1/stream', '/v1/stream', 426],
    ['/v1/stream/sse?topics=nothing', '/v1/stream/sse', 422],
  ] as const;
  for (const [target, path, status] of asked) {
    const answer = await bridge.fetch(target);
    expect(answer.status, target).toBe(status);
    const contentType = answer.headers.get('content-type') ?? '';
    expect(faultsOf({ path, method: 'GET', status, contentType }, await answer.json()), target).toEqual([]);
  }
});

it('tells every frame of a stream', async () => {
  const faultsOf = await componentValidator(bridge.url, 'Frame');
  const isOperation = await componentValidator(bridge.url, 'ClientOperation');
  const socket = new WebSocket(`${bridge.url.replace('http', 'ws')}/v1/stream`);
  const seen = new Set<string>();
  const frames: unknown[] = [];
  const say = (operation: object): void => {
    expect(isOperation(operation)).toEqual([]);
    socket.send(JSON.stringify(operation));
  };
  const wanted = [...DATA_TOPICS.map((topic) => `snapshot ${topic}`), 'delta ticks', 'heartbeat system', 'error ticks'];
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('error', () => reject(new Error('the stream did not open')));
    socket.addEventListener('open', () => {
      say({ op: 'auth', key: bridge.adminKey });
      for (const topic of DATA_TOPICS)
        say({
          op: 'subscribe',
          id: topic,
          topic,
          ...(topic === 'ticks' ? { symbols: ['EURUSD'] } : { logins: [1001] }),
          ...(topic === 'equity' ? { marginLevelBelow: 1_000_000 } : {}),
        });
      say({ op: 'ping' });
      // No symbol at all: refused.
      socket.send('{"op":"subscribe","topic":"ticks"}');
    });
    socket.addEventListener('message', ({ data }) => {
      const frame = JSON.parse(String(data)) as { type: string; topic: string };
      frames.push(frame);
      seen.add(`${frame.type} ${frame.topic}`);
      if (wanted.every((one) => seen.has(one))) resolve();
    });
  });
  socket.close();
  for (const frame of frames) expect(faultsOf(frame), JSON.stringify(frame).slice(0, 500)).toEqual([]);
});

it('shows who asked for what: in pages, as lines and as a table; it is verified, and a person’s data is erased from it', async () => {
  const asked = await bridge.fetch('/v1/accounts/1001/balance', {
    method: 'POST',
    headers: { 'idempotency-key': 'audited', 'content-type': 'application/json', 'x-request-id': 'the-request' },
    body: JSON.stringify({ kind: 'balance', amount: '5.00' }),
  });
  expect(asked.status).toBe(201);
  expect(await (await bridge.fetch('/v1/operations/audited')).json()).toMatchObject({
    caller: 'admin',
    requestId: 'the-request',
  });
  const target = '/v1/audit?type=operation.done&login=1001&caller=admin';
  // What was told a moment ago is handed over in a moment.
  await vi.waitFor(async () => {
    const { items } = (await (await bridge.fetch(target)).json()) as { items: { event: { requestId?: string } }[] };
    expect(items.at(-1)?.event).toMatchObject({
      address: '127.0.0.1',
      requestId: 'the-request',
      data: { key: 'audited', kind: 'balance', status: 201 },
    });
  }, 10_000);
  const lines = (await (await bridge.fetch(target, { headers: { accept: 'application/x-ndjson' } })).text()).split(
    '\n',
  );
  expect(JSON.parse(lines.at(-2) ?? '')).toMatchObject({ end: true, items: lines.length - 2 });
  const table = await bridge.fetch('/v1/audit', { headers: { accept: 'text/csv' } });
  expect(table.headers.get('content-type')).toBe('text/csv');
  expect((await table.text()).split('\r\n')[0]).toBe(
    'seq,time,type,broker,caller,address,requestId,login,id,data,hash',
  );
  const { hash, fault } = (await (await bridge.fetch('/v1/audit/head')).json()) as { hash: string; fault: null };
  expect(fault).toBeNull();
  const s3 = await serveAsBucket(path.join(folder, 'audit'), 'mt5-audit');
  const inBucket = { R2_ENDPOINT: s3.url, AWS_ACCESS_KEY_ID: 'the-id', AWS_SECRET_ACCESS_KEY: 'the-secret' };
  expect(await auditAt('r2://mt5-audit', inBucket, 'verify', '--head', hash)).toMatch(
    /^\d+ records in \d+ objects[^]*\nnothing is wrong\n$/,
  );
  s3.close();
  expect(await audit('erase', '--login', '1001')).toMatch(/^[1-9]\d* records of login 1001 were erased: /);
  expect(await audit('verify', '--head', hash)).toMatch(/\nerased: [^]*\nnothing is wrong\n$/);
  expect(await audit('verify', '--head', 'f'.repeat(64))).toMatch(/\n[1-9]\d* faults\n$/);
  expect(await (await bridge.fetch('/metrics')).text()).toMatch(/^mt5_outbox_pending\{for="audit"\} \d+$/m);
  const status = (await (await bridge.fetch('/v1/status')).json()) as { audit: unknown };
  expect(status.audit).toMatchObject({ fault: null });
});

const json = async <T>(target: string, init?: RequestInit): Promise<T> =>
  (await (await bridge.fetch(target, init)).json()) as T;
interface Page<Item> {
  readonly items: Item[];
}

it('the last closed day is kept whole: listed, read back in pages and as lines, as the broker told it', async () => {
  interface Day {
    readonly day: string;
    readonly items: number;
  }
  let total = 0;
  let kept = { kind: '', day: '', items: 0, login: 0, own: 0 };
  for (const kind of ['deals', 'daily-reports']) {
    const { day, items } = await vi.waitFor(async () => {
      const { items } = await json<Page<Day>>(`/v1/archive/${kind}`);
      expect(items).toHaveLength(1);
      return items[0] as Day;
    }, 10_000);
    const to = new Date(Date.parse(day) + 86_400_000).toISOString();
    const told = await bridge.fetch(`/v1/${kind}?group=*&from=${day}T00:00:00Z&to=${to}`, {
      headers: { accept: 'application/x-ndjson' },
    });
    const lines = (text: string): Record<string, unknown>[] =>
      text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    const [end, ...rows] = lines(await told.text()).reverse();
    expect(end).toMatchObject({ end: true, items });
    total += items;
    const all = await bridge.fetch(`/v1/archive/${kind}/${day}`, { headers: { accept: 'application/x-ndjson' } });
    const [keptEnd, ...keptRows] = lines(await all.text()).reverse();
    expect(keptEnd).toMatchObject({ end: true, items });
    const asText = (row: Record<string, unknown>): string => {
      const { name: _, email: __, ...rest } = row;
      return JSON.stringify(rest);
    };
    expect(keptRows.map(asText).sort()).toEqual(rows.map(asText).sort());
    expect(keptRows.some((row) => 'email' in row)).toBe(false);
    const login = Number(keptRows[0]?.['login'] ?? 1001);
    const page = await json<Page<{ login: number }>>(`/v1/archive/${kind}/${day}?login=${login}&limit=1000`);
    const own = keptRows.filter((row) => row['login'] === login).length;
    expect(page.items).toHaveLength(own);
    kept = { kind, day, items, login, own };
  }
  expect(total).toBeGreaterThan(0);
  // `npm run archive:erase`: the lines of one go, the others stay.
  const { kind, day, items, login, own } = kept;
  const erase = ['scripts/audit/main.ts', 'erase-archive', path.join(folder, 'archive'), '--login', String(login)];
  const { stdout } = await promisify(execFile)(process.execPath, erase);
  expect(Number(/^(\d+) lines of login/.exec(stdout)?.[1])).toBeGreaterThanOrEqual(own);
  expect((await json<Page<object>>(`/v1/archive/${kind}/${day}?login=${login}`)).items).toEqual([]);
  expect((await json<Page<Day>>(`/v1/archive/${kind}`)).items).toMatchObject([{ day, items: items - own }]);
  expect((await bridge.fetch('/v1/archive/deals/2001-01-01')).status).toBe(404);
});

it('a margin call, and what a stop-out closed, are told as the server declares them', async () => {
  interface Account {
    readonly login: number;
    readonly group: string;
    readonly stopOutMode: string;
    readonly marginCall: string;
    readonly marginStopOut: string;
    readonly money: { readonly equity: string; readonly margin: string } | null;
  }
  const { items } = await json<Page<Account>>('/v1/accounts?group=real%5C*&limit=1000');
  const account = items.find(({ stopOutMode, money }) => stopOutMode === 'percent' && Number(money?.margin) > 0);
  if (!account) throw new Error('no account with positions');
  const { login, group, marginCall, marginStopOut } = account;
  const withdrawTo = async (level: number): Promise<void> => {
    const { equity, margin } = await json<{ equity: string; margin: string }>(`/v1/accounts/${login}/money`);
    const amount = (Number(margin) * level) / 100 - Number(equity);
    const target = `/api/trade/balance?login=${login}&type=2&balance=${amount.toFixed(2)}&comment=level&check_margin=0`;
    const taken = await bridge.fetch(target, { method: 'POST', headers: { 'idempotency-key': `to-${level}` } });
    expect(await taken.text()).toContain('"0 Done"');
  };
  const told = async (type: string, data: object): Promise<void> => {
    await vi.waitFor(async () => {
      const { items } = await json<Page<{ event: unknown }>>(`/v1/audit?type=${type}&login=${login}`);
      expect(items.map(({ event }) => event)).toEqual([
        expect.objectContaining({ caller: 'bridge', login, data: expect.objectContaining({ ...data, group }) }),
      ]);
    }, 15_000);
  };
  await withdrawTo((Number(marginCall) + Number(marginStopOut)) / 2);
  await told('margin.call', { sinceMs: expect.any(Number), marginLevel: expect.stringMatching(/^\d+\.\d+$/) });
  await withdrawTo(Number(marginStopOut) - 1);
  await vi.waitFor(async () => {
    const { items } = await json<Page<{ event: unknown }>>(`/v1/audit?type=margin.closed&login=${login}`);
    expect(items[0]?.event).toMatchObject({ data: { group, comment: expect.stringContaining('so ') } });
  }, 15_000);
});
