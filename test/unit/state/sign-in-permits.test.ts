import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { SqliteFile } from '../../../container/host/sqlite-file.ts';
import { BridgeState } from '../../../container/state/bridge-state.ts';
import type { SignInFailureKind } from '../../../container/state/state-api.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

function stateAt(clock: { nowMs: number }, random: () => number = () => 0.5): BridgeState {
  return new BridgeState(SqliteFile.open('memory:'), { now: () => clock.nowMs, random });
}

async function granted(state: BridgeState, instanceId: string): Promise<string> {
  const decision = await state.signIn.permit(instanceId);
  if (!decision.granted) throw new Error(`not granted: ${decision.reason}`);
  return decision.permitId;
}

const report = (permitId: string) => ({ permitId, address: 'broker:443', serverBuild: '4000' });

/** How each process of a crash loop ends. */
type End = SignInFailureKind | 'crash-after-success';

/** Signs in as early as it may for two hours, a new process each time; returns when. */
async function crashLoop(ends: () => End, random: () => number): Promise<number[]> {
  const clock = { nowMs: 1_000_000_000 };
  const state = stateAt(clock, random);
  const times: number[] = [];
  const endMs = clock.nowMs + 2 * HOUR_MS;
  for (let n = 0; clock.nowMs < endMs; n++) {
    const instanceId = `process-${n}`;
    const decision = await state.signIn.permit(instanceId);
    if (!decision.granted) {
      expect(decision.retryAtMs).toBeGreaterThan(clock.nowMs);
      clock.nowMs = decision.retryAtMs;
      continue;
    }
    times.push(clock.nowMs);
    clock.nowMs += 20;
    const end = ends();
    if (end === 'crash-after-success') await state.signIn.succeeded(instanceId, report(decision.permitId));
    else if (end !== 'died')
      await state.signIn.failed(instanceId, {
        permitId: decision.permitId,
        kind: end,
        retcode: null,
        reason: 'Invalid account',
      });
  }
  return times;
}

const mostWithin = (times: readonly number[], windowMs: number): number =>
  Math.max(...times.map((from) => times.filter((at) => at >= from && at < from + windowMs).length));

it('keeps a crash loop that cannot sign in within 5 sign-ins a minute and 30 an hour', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom<End>('refused', 'unreachable', 'died', 'impostor'), { minLength: 1, maxLength: 20 }),
      fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 1, maxLength: 20 }),
      async (ends, jitters) => {
        let e = 0;
        let j = 0;
        const times = await crashLoop(
          () => ends[e++ % ends.length] ?? 'died',
          () => jitters[j++ % jitters.length] ?? 0,
        );
        expect(mostWithin(times, MINUTE_MS)).toBeLessThanOrEqual(5);
        expect(mostWithin(times, HOUR_MS)).toBeLessThanOrEqual(30);
        expect(times.length).toBeGreaterThan(10);
      },
    ),
    { numRuns: 25 },
  );
});

it('lets a container that is killed again and again come back, within 20 sign-ins a minute and 120 an hour', async () => {
  const times = await crashLoop(
    () => 'crash-after-success',
    () => 0.5,
  );
  expect(mostWithin(times, MINUTE_MS)).toBe(20);
  expect(mostWithin(times, HOUR_MS)).toBeLessThanOrEqual(120);
});

it('backs off 5 s → 2 min when nothing is heard, → 5 min when credentials are refused', async () => {
  const gaps = async (end: End) => {
    const times = await crashLoop(
      () => end,
      () => 0.5,
    );
    return times.slice(1, 10).map((at, i) => Math.round((at - (times[i] ?? 0)) / 1000));
  };
  expect(await gaps('unreachable')).toEqual([5, 10, 20, 40, 80, 120, 120, 120, 120]);
  expect(await gaps('refused')).toEqual([5, 10, 20, 40, 80, 160, 300, 300, 300]);
});

it('tells the reason and the retcode while it backs off, over restarts', async () => {
  const clock = { nowMs: 1_000_000 };
  const state = stateAt(clock);
  const permitId = await granted(state, 'a');
  await state.signIn.failed('a', { permitId, kind: 'refused', retcode: 1001, reason: 'Invalid account' });
  expect(await state.signIn.permit('b')).toEqual({
    granted: false,
    retryAtMs: clock.nowMs + 5000,
    reason: 'Invalid account',
    retcode: 1001,
  });
  await state.signIn.reset();
  expect(await state.signIn.permit('b')).toMatchObject({ granted: true });
});

it('gives a healthy instance further permits at once, within its bound', async () => {
  const clock = { nowMs: 1_000_000 };
  const state = stateAt(clock);
  await state.signIn.succeeded('a', report(await granted(state, 'a')));
  for (let n = 0; n < 8; n++) {
    const further = await Promise.all([granted(state, 'a'), granted(state, 'a'), granted(state, 'a')]);
    for (const permitId of further) await state.signIn.succeeded('a', report(permitId));
    clock.nowMs += 10;
  }
  expect((await state.signIn.read()).epoch).toBe(1);
  let grantedCount = 25;
  while ((await state.signIn.permit('a')).granted) {
    grantedCount++;
    if (grantedCount > 1000) break;
  }
  expect(grantedCount).toBeLessThanOrEqual(60);
});

it('counts connections of a pool that fail together as one failure', async () => {
  const clock = { nowMs: 1_000_000 };
  const state = stateAt(clock);
  await state.signIn.succeeded('a', report(await granted(state, 'a')));
  const permits = [await granted(state, 'a'), await granted(state, 'a'), await granted(state, 'a')];
  for (const permitId of permits)
    await state.signIn.failed('a', { permitId, kind: 'unreachable', retcode: null, reason: 'ECONNREFUSED' });
  expect(await state.signIn.read()).toMatchObject({ failures: 1, backoffUntilMs: clock.nowMs + 5000 });
});

it('raises the epoch once per instance and fences the one before', async () => {
  const state = stateAt({ nowMs: 1_000_000 });
  expect(await state.signIn.succeeded('a', report(await granted(state, 'a')))).toEqual({ epoch: 1 });
  expect(await state.signIn.succeeded('a', report(await granted(state, 'a')))).toEqual({ epoch: 1 });
  expect(await state.signIn.succeeded('b', report(await granted(state, 'b')))).toEqual({ epoch: 2 });
  await expect(state.signIn.permit('a')).rejects.toMatchObject({ code: 'draining' });
  await expect(state.signIn.clock('a', { zoneMinutes: 120, daylight: 'us' })).rejects.toMatchObject({
    code: 'draining',
  });
  await expect(
    state.operations.begin({
      caller: 'k',
      key: '1',
      kind: 'order',
      tag: 't',
      login: 1,
      budget: 'k',
      fingerprint: 'f',
      request: '{}',
      instanceId: 'a',
      deadlineAtMs: Number.MAX_SAFE_INTEGER,
      trading: true,
    }),
  ).rejects.toMatchObject({ code: 'draining' });
  expect((await state.signIn.read()).clock).toBeNull();
});

it('does not count instances that ended in order as a crash loop', async () => {
  const clock = { nowMs: 1_000_000 };
  const state = stateAt(clock);
  for (let n = 0; n < 20; n++) {
    await state.signIn.succeeded(`i${n}`, report(await granted(state, `i${n}`)));
    await state.signIn.released(`i${n}`);
    clock.nowMs += 1000;
  }
  expect((await state.signIn.read()).epoch).toBe(20);
});
