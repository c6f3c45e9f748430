import { env } from 'cloudflare:workers';
import { expect, it } from 'vitest';
import type { BeginDecision } from '../../container/state/state-api.ts';
import { placeBroker } from '../../worker/placement.ts';
import { FakeBridge } from './fake-bridge.ts';
import { FakeContainer } from './fake-container.ts';
import type { BridgeContainer } from './worker.ts';

const write = (key: string): Request =>
  new Request('http://bridge/v1/orders', {
    method: 'POST',
    body: '{}',
    headers: {
      'x-bridge-caller': '{"id":"t","scopes":["trade"]}',
      'x-bridge-deadline': String(Date.now() + 10_000),
      'idempotency-key': key,
    },
  });

it('a raised INSTANCE_VERSION begins halted, ends the container before, and tells what that one knew', async () => {
  const decisions: BeginDecision[] = [];
  const objectOf = (version: number): { stub: DurableObjectStub<BridgeContainer>; container: FakeContainer } => {
    const id = env.BRIDGE.idFromName(placeBroker('raised', version));
    const container = FakeContainer.of(id.toString());
    container.program = (start) =>
      new FakeBridge(start, {
        answer: async (request, bridge) => {
          decisions.push(
            await bridge.call<BeginDecision>('operations.begin', {
              caller: 't',
              key: request.headers.get('idempotency-key'),
              kind: 'order',
              tag: 'MEB-tag',
              login: 1001,
              fingerprint: 'f',
              request: '{}',
              instanceId: bridge.instanceId,
              deadlineAtMs: Date.now() + 10_000,
              trading: true,
              budget: 't',
            }),
          );
          return Response.json({ version });
        },
      });
    return { stub: env.BRIDGE.get(id) as DurableObjectStub<BridgeContainer>, container };
  };
  const first = objectOf(1);
  expect(await (await first.stub.fetch(write('known'))).json()).toEqual({ version: 1 });

  const second = objectOf(2);
  const told = await second.stub.fetch(write('known'));
  expect([told.status, told.headers.get('idempotency-replayed')]).toEqual([202, 'true']);
  expect(await told.json()).toMatchObject({ operation: { key: 'known', state: 'unknown' } });
  await expect.poll(() => first.container.running).toBe(false);
  expect(await second.stub.status()).toMatchObject({
    ready: true,
    reason: expect.stringContaining('INSTANCE_VERSION was raised') as string,
  });
  expect(await (await second.stub.fetch(write('new'))).json()).toEqual({ version: 2 });
  expect(decisions.map(({ kind }) => kind)).toEqual(['started', 'halted']);
});
