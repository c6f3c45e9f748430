import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { DATA_TOPICS } from '../../container/contract/frames.ts';
import { AuditDirectory } from '../../container/host/audit-dir.ts';
import { AuditVerifier } from '../../container/outbox/audit/verify.ts';
import { startSimulator, type Simulator } from '../simulator/server.ts';
import { type BridgeUnderTest, startBridge } from '../support/bridge.ts';
import { componentValidator, documentValidator } from '../support/document-validator.ts';
import { walkDocument } from '../support/document-walk.ts';

/**
 * Real answers against the published document, by a validator of its own (Ajv): what the walk over every operation
 * (`typed-walk.test.ts`) does not ask for.
 */

let simulator: Simulator;
let bridge: BridgeUnderTest;
/** Of the audit. */
let folder = '';

beforeAll(async () => {
  simulator = await startSimulator();
  folder = mkdtempSync(path.join(tmpdir(), 'audit-'));
  bridge = await startBridge({ simulator, env: { AUDIT_DIR: folder } });
});
afterAll(async () => {
  await bridge.close();
  rmSync(folder, { recursive: true });
  await simulator.close();
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

it('shows who asked for what: in pages, as lines and as a table, and its objects hold together', async () => {
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
  const head = (await (await bridge.fetch('/v1/audit/head')).json()) as { seq: number; hash: string };
  expect(head).toMatchObject({ fault: null });
  const verifier = new AuditVerifier({ head: head.hash });
  const store = new AuditDirectory(folder);
  for (const key of await store.list('main/', '')) await verifier.add(key, (await store.read(key)) ?? '');
  expect(verifier.end()).toMatchObject({ faults: [], records: expect.any(Number) });
  const status = (await (await bridge.fetch('/v1/status')).json()) as { audit: unknown };
  expect(status.audit).toMatchObject({ fault: null });
});
