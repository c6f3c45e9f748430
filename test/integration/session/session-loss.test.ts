import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { SessionError } from '../../../container/session/upstream.ts';
import { startBridge, type BridgeUnderTest } from '../../support/bridge.ts';
import { startSimulator, type FaultRequest, type Simulator } from '../../simulator/server.ts';

let simulator: Simulator;
let bridge: BridgeUnderTest;

beforeAll(async () => {
  simulator = await startSimulator();
  bridge = await startBridge({ simulator, signIn: { allPerMinute: 1000 }, env: { POOL_MAX: '1' } });
});
afterAll(async () => {
  await bridge.close();
  await simulator.close();
});
beforeEach(async () => {
  simulator.clearFaults();
  await bridge.container.upstream.warm();
});

const handshakes = (): number => simulator.stats().handshakes;
const read = (): Promise<Response> => bridge.fetch('/api/user/get?login=1001');
const code = async (answer: Response): Promise<unknown> => ((await answer.json()) as { code?: unknown }).code;

for (const kind of ['drop-before-execution', 'drop-after-execution', 'reset', 'truncate'])
  test(`a read whose connection breaks (${kind}) is sent again once, on one new session`, async () => {
    const before = handshakes();
    simulator.fault({ kind });
    const answer = await read();
    expect(answer.status).toBe(200);
    expect(handshakes()).toBe(before + 1);
  });

test('a read is sent again once only', async () => {
  const before = simulator.stats().byCommand['user/get'] ?? 0;
  simulator.fault({ kind: 'reset', count: 'always' });
  const answer = await read();
  expect(answer.status).toBe(503);
  expect(await code(answer)).toBe('session_lost');
  expect((simulator.stats().byCommand['user/get'] ?? 0) - before).toBeLessThanOrEqual(2);
});

for (const kind of ['drop-before-execution', 'drop-after-execution', 'reset', 'truncate'])
  test(`a mutation whose connection breaks (${kind}) is never sent again`, async () => {
    const command = { path: 'user/account/get', body: '{"login":"1001"}' };
    const before = simulator.stats().byCommand['user/account/get'] ?? 0;
    simulator.fault({ kind, command: 'user/account/get' });
    let dispatched = 0;
    const outcome = await bridge.container.upstream
      .mutate(command, { deadlineAtMs: Date.now() + 5_000, onDispatch: () => dispatched++ })
      .catch((error: unknown) => error);
    expect(outcome).toBeInstanceOf(SessionError);
    expect(outcome).toMatchObject({ dispatched: true });
    expect(dispatched).toBe(1);
    await read();
    expect((simulator.stats().byCommand['user/account/get'] ?? 0) - before).toBeLessThanOrEqual(1);
  });

test('a bare 403 about a right keeps the session', async () => {
  const before = handshakes();
  simulator.fault({ kind: 'forbidden-once' });
  const answer = await read();
  expect(answer.status).toBe(403);
  expect(await code(answer)).toBe('broker_forbidden');
  expect((await read()).status).toBe(200);
  expect(handshakes()).toBe(before);
});

test('a bare 403 of a lost session signs in once and sends a read again', async () => {
  const before = handshakes();
  simulator.fault({ kind: 'forbidden-once' });
  simulator.fault({ kind: 'forbidden-once', command: 'test/access' });
  expect((await read()).status).toBe(200);
  expect(handshakes()).toBe(before + 1);
});

interface Odd {
  readonly fault: FaultRequest;
  readonly code: string;
  /** Whether the connection can go on afterwards. */
  readonly keeps: boolean;
}
const ODD_ANSWERS: readonly Odd[] = [
  { fault: { kind: 'html' }, code: 'broker_malformed', keeps: true },
  { fault: { kind: 'redirect' }, code: 'broker_malformed', keeps: true },
  { fault: { kind: 'status', code: 503 }, code: 'broker_unavailable', keeps: true },
  { fault: { kind: 'wrong-length' }, code: 'broker_malformed', keeps: false },
  { fault: { kind: 'huge' }, code: 'broker_malformed', keeps: false },
];
for (const { fault, code: expected, keeps } of ODD_ANSWERS)
  test(`an answer that is not the protocol (${fault.kind}) is ${expected}; the session ${keeps ? 'stays' : 'ends'}`, async () => {
    const before = handshakes();
    simulator.fault(fault);
    const answer = await read();
    expect(await code(answer)).toBe(expected);
    expect((await read()).status).toBe(200);
    expect(handshakes()).toBe(before + (keeps ? 0 : 1));
  });

test('an answer that drips is waited for', async () => {
  const before = handshakes();
  simulator.fault({ kind: 'slow-drip', ms: 2 });
  expect((await read()).status).toBe(200);
  expect(handshakes()).toBe(before);
});
