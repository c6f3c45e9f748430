import { beforeEach, expect, it } from 'vitest';
import { SqliteFile } from '../../../container/host/sqlite-file.ts';
import { BridgeState } from '../../../container/state/bridge-state.ts';

const HOUR_MS = 3_600_000;
let clock = { nowMs: 0 };
let state: BridgeState;
let revoked: string[];
beforeEach(() => {
  clock = { nowMs: 1_700_000_000_000 };
  revoked = [];
  state = new BridgeState(SqliteFile.open('memory:'), {
    now: () => clock.nowMs,
    onEnded: (ended) => revoked.push(ended),
  });
  state.keys.bootstrap([{ id: 'web', hash: `sha256:${'e'.repeat(64)}`, scopes: ['trade'] }]);
});

const open = (tokenHash: string, login = 1001) =>
  state.sessions.open({
    tokenHash,
    login,
    scopes: ['read', 'trade'],
    openedBy: 'web',
    passwordChangedAt: '5',
  });

it('finds a session by the hash of its token until it is idle too long', async () => {
  const session = await open('h1');
  expect(session).toMatchObject({ login: 1001, scopes: ['read', 'trade'], expiresAtMs: clock.nowMs + HOUR_MS });
  clock.nowMs += HOUR_MS - 1;
  expect(await state.sessions.find('h1')).toMatchObject({ id: session.id, expiresAtMs: clock.nowMs + HOUR_MS });
  clock.nowMs += HOUR_MS;
  expect(await state.sessions.find('h1')).toBeNull();
  expect(revoked).toEqual([`session:${session.id}`]);
  expect(await state.sessions.find('other')).toBeNull();
});

it('ends a session after its absolute time, however busy', async () => {
  await open('h1');
  for (let minutes = 0; minutes < 12 * 60 - 10; minutes += 10) {
    clock.nowMs += 600_000;
    expect(await state.sessions.find('h1')).not.toBeNull();
  }
  clock.nowMs += 600_000;
  expect(await state.sessions.find('h1')).toBeNull();
});

it('limits sessions per login and revokes them', async () => {
  const sessions = [];
  for (let n = 0; n < 10; n++) sessions.push(await open(`h${n}`));
  await expect(open('h10')).rejects.toMatchObject({ code: 'session_limit' });
  await open('other', 1002);
  const first = sessions[0]?.id ?? '';
  expect(await state.sessions.revoke(first, 'by an administrator')).toBe(true);
  expect(await state.sessions.revoke(first, 'again')).toBe(false);
  expect(revoked).toEqual([`session:${first}`]);
  const entries = await state.journal.list(10);
  expect(entries.filter(({ event }) => event === 'session_ended').map(({ reason }) => reason)).toEqual([
    'A session of 1001 ended: by an administrator.',
  ]);
  expect(await state.sessions.find('h0')).toBeNull();
  expect(await state.sessions.list({ login: 1001 })).toHaveLength(9);
});

it('throttles guessing, with tries in flight counted', async () => {
  const tries = await Promise.all(Array.from({ length: 50 }, () => state.sessions.attempt(1001, 'web')));
  expect(tries.filter((attempt) => attempt.retryAfterMs === 0)).toHaveLength(5);
  let guesses = 0;
  const endMs = clock.nowMs + 24 * HOUR_MS - 1;
  while (clock.nowMs < endMs) {
    const { retryAfterMs } = await state.sessions.attempt(1001, 'web');
    // Whoever guesses does not lock the owner out for long.
    expect(retryAfterMs).toBeLessThanOrEqual(30_000);
    if (retryAfterMs === 0) guesses++;
    clock.nowMs += Math.max(1, retryAfterMs);
  }
  expect(guesses).toBeLessThan(3000);
  expect((await state.sessions.attempt(1002, 'web')).retryAfterMs).toBe(0);
});

it('forgets tries that could not be checked, and what was guessed before a right main password', async () => {
  for (let n = 0; n < 20; n++) {
    expect(await state.sessions.attempt(1001, 'web')).toEqual({ retryAfterMs: 0 });
    await state.sessions.attemptForgiven(1001, 'web', false);
  }
  for (let n = 0; n < 5; n++) await state.sessions.attempt(1001, 'web');
  await state.sessions.attemptForgiven(1001, 'web', true);
  expect(await state.sessions.attempt(1001, 'web')).toEqual({ retryAfterMs: 0 });
});

it('keeps counting wrong main passwords between right ones of the investor', async () => {
  let guesses = 0;
  for (let n = 0; n < 150; n++) {
    if ((await state.sessions.attempt(1001, 'web')).retryAfterMs === 0) guesses++;
    if ((await state.sessions.attempt(1001, 'web')).retryAfterMs === 0)
      await state.sessions.attemptForgiven(1001, 'web', false);
  }
  expect(guesses).toBeLessThanOrEqual(5);
});

it('throttles one key over many logins, and all keys together', async () => {
  let ofOneKey = 0;
  for (let login = 1; login <= 200; login++)
    if ((await state.sessions.attempt(login, 'web')).retryAfterMs === 0) ofOneKey++;
  expect(ofOneKey).toBe(60);
  let ofAll = 0;
  for (let n = 0; n < 400; n++)
    if ((await state.sessions.attempt(10_000 + n, `key-${n % 20}`)).retryAfterMs === 0) ofAll++;
  expect(ofAll).toBe(240);
  clock.nowMs += 60_000;
  expect((await state.sessions.attempt(5, 'web')).retryAfterMs).toBe(0);
});

it('ends the sessions of a key that is changed, revoked or expires', async () => {
  await open('h1');
  expect(await state.sessions.find('h1')).toMatchObject({ limits: null });
  await state.keys.change('web', { limits: { reduceOnly: true } });
  expect(await state.sessions.find('h1')).toBeNull();
  await open('h2');
  expect(await state.sessions.find('h2')).toMatchObject({ limits: { reduceOnly: true } });
  await state.keys.revoke('web');
  expect(await state.sessions.find('h2')).toBeNull();
  expect(revoked).toContain('key:web');
});

it('lists sessions that are due for a check of the account', async () => {
  const session = await open('h1');
  expect(await state.sessions.dueForCheck(clock.nowMs)).toEqual([]);
  clock.nowMs += 300_000;
  expect(await state.sessions.dueForCheck(clock.nowMs)).toMatchObject([{ id: session.id, passwordChangedAt: '5' }]);
  await state.sessions.checked(session.id);
  expect(await state.sessions.dueForCheck(clock.nowMs)).toEqual([]);
});
