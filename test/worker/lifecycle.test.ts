import { runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import type { JournalEntry } from '../../container/state/state-api.ts';
import { FakeBridge, type FakeBridgeOptions } from './fake-bridge.ts';
import { FakeContainer } from './fake-container.ts';
import type { BridgeContainer } from './worker.ts';

/** A bridge of its own for each test, over a fake container whose programs are kept for inspection. */
function newBridge(options: FakeBridgeOptions = {}) {
  const id = env.BRIDGE.newUniqueId();
  const stub = env.BRIDGE.get(id) as DurableObjectStub<BridgeContainer>;
  const container = FakeContainer.of(id.toString());
  const programs: FakeBridge[] = [];
  container.program = (start) => {
    const program = new FakeBridge(start, options);
    programs.push(program);
    return program;
  };
  /** What touches sockets or promises of the object must happen inside it. */
  const inside = <T>(body: (bridge: BridgeContainer) => T | Promise<T>): Promise<T> =>
    runInDurableObject(stub, (bridge) => body(bridge));
  const journal = async (): Promise<JournalEntry[]> => {
    const told = await stub.answer(
      'adminJournal',
      { params: {}, query: { limit: 100 }, body: undefined, decimals: 'string' },
      { id: 't', scopes: ['admin'] },
    );
    return told.ok ? (JSON.parse(told.value) as { items: JournalEntry[] }).items.reverse() : [];
  };
  return {
    id,
    stub,
    inside,
    container,
    programs,
    journal,
    events: async () => (await journal()).map(({ event }) => event),
  };
}

const read = (path: string, headers: Record<string, string> = {}): Request =>
  new Request(`http://bridge${path}`, {
    headers: {
      'x-bridge-caller': '{"id":"t","scopes":["read"]}',
      'x-bridge-replay': 'safe',
      'x-bridge-deadline': String(Date.now() + 10_000),
      ...headers,
    },
  });

describe('start', () => {
  it('is one for a thousand cold requests, with one sign-in and one journal entry', async () => {
    const { stub, container, programs, journal } = newBridge();
    const answers = await Promise.all(Array.from({ length: 1000 }, (_, i) => stub.fetch(read(`/v1/cold/${i}`))));
    const paths = await Promise.all(answers.map(async (answer) => (await answer.json<{ path: string }>()).path));
    expect(paths).toEqual(Array.from({ length: 1000 }, (_, i) => `/v1/cold/${i}`));
    expect(container.starts).toHaveLength(1);
    await expect.poll(() => programs[0]?.epoch).toBe(1);
    expect(programs.map(({ signIns }) => signIns)).toEqual([1]);
    const entries = await journal();
    expect(entries.map(({ event, reason }) => [event, reason])).toEqual([
      ['start', 'request'],
      ['ready', 'signed in to broker:443'],
    ]);
    expect(entries[0]?.phasesMs).toEqual({
      instance: expect.any(Number) as number,
      process: 5,
      firstAnswer: expect.any(Number) as number,
    });
  });

  it('hands the container what it needs, a fresh secret and no API key', async () => {
    const { stub, inside, container } = newBridge();
    await (await stub.fetch(read('/v1/x'))).text();
    const environment = container.starts[0]?.env ?? {};
    expect(environment).toMatchObject({ MT5_SERVER: 'broker.invalid:443', MT5_LOGIN: '1000', POOL_MAX: '4' });
    expect(environment['BRIDGE_START_SECRET']).toMatch(/^[0-9a-f]{64}$/);
    expect(environment).not.toHaveProperty('BRIDGE_API_KEYS');
    await inside(() => container.exit(0));
    await (await stub.fetch(read('/v1/x'))).text();
    expect(container.starts[1]?.env['BRIDGE_START_SECRET']).not.toBe(environment['BRIDGE_START_SECRET']);
  });

  it('that the platform refuses answers 503 with a reason, waits longer each time, and succeeds later', async () => {
    const { stub, inside, container } = newBridge();
    container.failNextStart = new Error('Container exited with unexpected exit code: 3');
    const refused = await stub.fetch(read('/v1/x'));
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(await refused.json()).toMatchObject({
      code: 'container_unavailable',
      outcome: 'not_sent',
      detail: expect.stringContaining('exit code 3') as string,
    });
    const again = await stub.fetch(read('/v1/x'));
    expect(again.status).toBe(503);
    await again.text();
    expect(container.starts).toHaveLength(1);
    await inside((bridge) => {
      bridge.nowMs = Date.now() + 60_000;
    });
    expect((await stub.fetch(read('/v1/x'))).status).toBe(200);
  });

  it('that is slow releases its callers at their deadline and goes on: the next one is answered', async () => {
    const { stub, inside, container } = newBridge();
    container.isListening = false;
    const released = await stub.fetch(read('/v1/x', { 'x-bridge-deadline': String(Date.now() + 300) }));
    expect(released.status).toBe(504);
    expect(await released.json()).toMatchObject({ code: 'deadline_exceeded', outcome: 'not_sent', retry: 'after' });
    const waiting = stub.fetch(read('/v1/x'));
    await inside(() => (container.isListening = true));
    expect((await waiting).status).toBe(200);
    expect(container.starts).toHaveLength(1);
  });

  it('for which Cloudflare has no place yet is tried again within the request', async () => {
    const { stub, container } = newBridge();
    container.failNextStart = new Error(
      'there is no container instance that can be provided to this durable object, try again later',
    );
    expect((await stub.fetch(read('/v1/x'))).status).toBe(200);
    expect(container.starts).toHaveLength(2);
  });

  it('that Cloudflare limits is told so', async () => {
    const { stub, container } = newBridge();
    container.failNextStart = new Error('you are requesting too many containers per second');
    const answer = await stub.fetch(read('/v1/x'));
    expect(answer.status).toBe(503);
    expect((await answer.json<{ detail: string }>()).detail).toContain('limits how often containers may be started');
  });

  it.each([
    [0, 'The container is older'],
    [99, 'The Worker is older'],
  ])('of an image with contract %i answers 503: %s', async (contractVersion, older) => {
    const { stub } = newBridge({ contractVersion });
    const answer = await stub.fetch(read('/v1/x'));
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({
      code: 'version_mismatch',
      detail: expect.stringContaining(older) as string,
    });
  });
});

describe('end', () => {
  it('by crash: the next request finds a new container, epoch + 1', async () => {
    const { stub, inside, container, programs, journal } = newBridge();
    await (await stub.fetch(read('/v1/x'))).text();
    await expect.poll(() => programs[0]?.epoch).toBe(1);
    await inside(() => container.exit(42));
    await (await stub.fetch(read('/v1/x'))).text();
    await expect.poll(() => programs[1]?.epoch).toBe(2);
    expect((await journal()).map(({ event, reason }) => [event, reason])).toEqual([
      ['start', 'request'],
      ['ready', 'signed in to broker:443'],
      ['crash', 'The program ended with exit code 42.'],
      ['start', 'request'],
      ['ready', 'signed in to broker:443'],
    ]);
  });

  it('by crash under a read: it is answered by the next container, once', async () => {
    let served = 0;
    const { stub, container } = newBridge({
      answer: (_request, bridge) => {
        served += 1;
        if (served === 1) bridge.exit(137);
        return Response.json({ served });
      },
    });
    const answer = await stub.fetch(read('/v1/x'));
    expect(await answer.json()).toEqual({ served: 2 });
    expect(container.starts).toHaveLength(2);
  });

  it('by crash under a write without a ledger row: not sent, and not sent again', async () => {
    let served = 0;
    const { stub, container } = newBridge({
      answer: (_request, bridge) => {
        served += 1;
        bridge.exit(137);
        return new Response('never');
      },
    });
    const answer = await stub.fetch(
      new Request('http://bridge/v1/orders', {
        method: 'POST',
        body: '{}',
        headers: {
          'x-bridge-caller': '{"id":"t","scopes":["trade"]}',
          'x-bridge-deadline': String(Date.now() + 10_000),
          'idempotency-key': 'one',
        },
      }),
    );
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ code: 'container_unavailable', outcome: 'not_sent' });
    expect([served, container.starts.length]).toEqual([1, 1]);
  });

  it('by crash under a write that was begun: 202 with the way to its fate', async () => {
    const { stub } = newBridge({
      answer: async (_request, bridge) => {
        await bridge.call('operations.begin', {
          caller: 't',
          key: 'two',
          kind: 'order',
          tag: 'MEB-tag',
          login: 1001,
          fingerprint: 'f',
          request: '{}',
          instanceId: bridge.instanceId,
          deadlineAtMs: Date.now() + 10_000,
          trading: true,
          budget: 'trade',
        });
        bridge.exit(137);
        return new Response('never');
      },
    });
    await stub.warm('admin');
    const answer = await stub.fetch(
      new Request('http://bridge/v1/orders', {
        method: 'POST',
        body: '{}',
        headers: {
          'x-bridge-caller': '{"id":"t","scopes":["trade"]}',
          'x-bridge-deadline': String(Date.now() + 10_000),
          'idempotency-key': 'two',
        },
      }),
    );
    expect(answer.status).toBe(202);
    expect(answer.headers.get('location')).toBe('/v1/operations/two');
    expect(await answer.json()).toMatchObject({ operation: { key: 'two', state: 'unknown' } });
  });

  it('by rollout is a stop with its own reason', async () => {
    const { stub, inside, container, journal } = newBridge();
    await (await stub.fetch(read('/v1/x'))).text();
    await inside(() => container.fail('Runtime signalled the container to exit due to a new version rollout: 0'));
    await expect.poll(async () => (await journal()).at(-1)?.event).toBe('rollout');
    expect((await stub.fetch(read('/v1/x'))).status).toBe(200);
  });

  it('during a drain: what the container refuses waits for the next one', async () => {
    let draining = false;
    const { stub, container } = newBridge({
      answer: (_request, bridge) => {
        if (!draining || bridge.signIns === 0) return Response.json({ ok: true });
        return new Response('{"code":"draining"}', {
          status: 503,
          headers: { 'content-type': 'application/problem+json' },
        });
      },
      onTerminate: (bridge) => setTimeout(() => bridge.exit(0), 100),
    });
    await (await stub.fetch(read('/v1/x'))).text();
    draining = true;
    await stub.sleep();
    const answering = stub.fetch(read('/v1/x'));
    await expect.poll(() => container.starts.length).toBe(2);
    draining = false;
    expect((await answering).status).toBe(200);
  });
});

describe('sleep', () => {
  it('comes when nothing is open or unsettled, and is told as such', async () => {
    const { stub, inside, container, programs, journal } = newBridge();
    await (await stub.fetch(read('/v1/x'))).text();
    await expect.poll(() => programs[0]?.epoch).toBe(1);
    await inside(() => programs[0]?.activity('ready', { streams: 1 }));
    await expect.poll(async () => (await stub.status()).container.streams).toBe(1);
    await inside((bridge) => bridge.onActivityExpired());
    expect(container.signals).toEqual([]);
    await inside(() => programs[0]?.activity('ready', { unsettled: 1 }));
    await expect.poll(async () => (await stub.status()).container.unsettled).toBe(1);
    await inside((bridge) => bridge.onActivityExpired());
    expect(container.signals).toEqual([]);
    await inside(() => programs[0]?.activity('ready'));
    await expect.poll(async () => (await stub.status()).container.unsettled).toBe(0);
    await inside((bridge) => bridge.onActivityExpired());
    expect(container.signals).toEqual([15]);
    await expect.poll(async () => (await journal()).at(-1)?.event).toBe('sleep');
    expect(await stub.status()).toMatchObject({
      ready: true,
      session: { state: 'asleep' },
      container: { state: 'stopped' },
    });
    expect(programs[0]?.received.map(({ type }) => type)).toContain('drain');
  });

  it('is forced on a process that ignores SIGTERM', async () => {
    const { stub, inside, container } = newBridge({ onTerminate: () => undefined });
    await (await stub.fetch(read('/v1/x'))).text();
    await inside((bridge) => bridge.onActivityExpired());
    expect(container.running).toBe(true);
    await inside((bridge) => {
      bridge.nowMs = Date.now() + 31_000;
      return bridge.onActivityExpired();
    });
    expect(container.running).toBe(false);
  });

  it('leaves no alarm behind', async () => {
    const { stub, inside, container } = newBridge();
    await (await stub.fetch(read('/v1/x'))).text();
    await inside(() => container.exit(0));
    await expect.poll(async () => (await stub.status()).container.state).toBe('stopped');
    await runDurableObjectAlarm(stub);
    expect(await runDurableObjectAlarm(stub)).toBe(false);
  });
});

describe('warming', () => {
  it('twenty times at once: one start, one sign-in; the next read causes neither', async () => {
    const { stub, container, programs, events } = newBridge();
    const told = await Promise.all(Array.from({ length: 20 }, () => stub.warm('cron')));
    expect(told.every((one) => one.ok && one.value.session.state === 'ready')).toBe(true);
    await (await stub.fetch(read('/v1/x'))).text();
    expect([container.starts.length, programs[0]?.signIns]).toEqual([1, 1]);
    expect(await events()).toEqual(['start', 'ready']);
  });

  it('ends when the broker refuses, with the reason where probes find it', async () => {
    const { stub } = newBridge({ signIn: 'refused' });
    expect(await stub.warm('cron')).toMatchObject({ ok: true, value: { ready: false, session: { state: 'refused' } } });
  });
});

describe('probe', () => {
  it('of a sleeping bridge starts nothing', async () => {
    const { stub, container } = newBridge();
    expect(await stub.status()).toMatchObject({ ready: true, session: { state: 'asleep', epoch: 0 } });
    expect(container.starts).toHaveLength(0);
  });
});

describe('control channel', () => {
  it('that breaks is opened again: same process, no new start, no new sign-in', async () => {
    const { stub, inside, programs, events } = newBridge();
    await (await stub.fetch(read('/v1/x'))).text();
    await expect.poll(() => programs[0]?.epoch).toBe(1);
    await inside(() => programs[0]?.dropChannel());
    await expect.poll(() => programs[0]?.hellos).toBe(2);
    expect((await stub.fetch(read('/v1/x'))).status).toBe(200);
    expect(programs[0]?.signIns).toBe(1);
    expect(await events()).toEqual(['start', 'ready']);
  });
});

describe('an hour of a crash loop', () => {
  it('costs at most 5 sign-ins in the first minute and 30 in all', async () => {
    const { stub, inside, container, programs } = newBridge({ signIn: 'dies' });
    const beganAtMs = Date.now();
    const signIns = (): number => programs.reduce((sum, program) => sum + program.signIns, 0);
    let inFirstMinute = 0;
    for (let second = 0; second < 3600; second += second < 60 ? 5 : 20) {
      await inside((bridge) => {
        bridge.nowMs = beganAtMs + second * 1000;
      });
      await (await stub.fetch(read('/v1/x'))).text();
      if (container.running) await inside(() => container.exit(1));
      if (second <= 60) inFirstMinute = signIns();
    }
    expect(inFirstMinute).toBeLessThanOrEqual(5);
    expect(signIns()).toBeLessThanOrEqual(30);
    expect(signIns()).toBeGreaterThan(5);
  });
});
