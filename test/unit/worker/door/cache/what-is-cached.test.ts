import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { COMMANDS } from '../../../../../container/contract/commands.ts';
import { customCommandsSchema } from '../../../../../container/contract/custom-commands.ts';
import { oldestAskedMs } from '../../../../../container/contract/reference-data.ts';
import { ROUTES } from '../../../../../container/contract/routes.ts';
import { changesOf } from '../../../../../worker/door/cache/changes.ts';
import { decideMemory, RECHECK_AFTER_MS, TRUST_MS } from '../../../../../worker/door/cache/decide.ts';

describe('which routes are kept at the door', () => {
  it('symbols, groups, the server: nothing else', () => {
    const kept = ROUTES.filter(({ cacheable }) => cacheable !== undefined).map(({ path, cacheable }) => [
      path,
      cacheable,
    ]);
    expect(Object.fromEntries(kept)).toEqual({
      '/v1/server': 'server',
      '/v1/groups': 'groups',
      '/v1/groups/{group}': 'groups',
      '/v1/symbols': 'symbols',
      '/v1/symbols/{symbol}': 'symbols',
    });
  });

  it('are reads that need a key, and whose answer depends on the caller by nothing but whether it is bound to logins', () => {
    for (const route of ROUTES.filter(({ cacheable }) => cacheable !== undefined))
      expect(route).toMatchObject({ method: 'GET', scope: 'read', write: false, status: 200 });
    for (const { cacheable, logins, scopes, cost, body, everyBroker } of ROUTES)
      if (cacheable) expect([logins, scopes, cost, body, everyBroker]).toEqual(Array(5).fill(undefined));
  });

  it('no read changes any of it', () => {
    expect(ROUTES.filter(({ method, changes }) => method === 'GET' && changes)).toEqual([]);
  });
});

describe('what a raw command changes', () => {
  it.each([
    ['group/add', ['groups', 'symbols']],
    ['group/delete_batch', ['groups', 'symbols']],
    ['symbol/shift', ['symbols']],
    ['spread/add', ['symbols']],
    ['setting/set', ['server']],
    ['group/get', []],
    ['symbol/list', []],
    ['user/update', []],
    ['trade/balance', []],
  ])('%s: %j', (path, changed) => {
    const command = COMMANDS.get(path);
    expect(command && changesOf(command)).toEqual(changed);
  });

  it('of a plug-in is not known: everything, where it writes', () => {
    const custom = customCommandsSchema.parse(
      JSON.stringify([
        { path: 'SWAPS', scope: 'manage', write: true },
        { path: 'SHOW', scope: 'read' },
      ]),
    );
    expect([...custom.values()].map(changesOf)).toEqual([['server', 'groups', 'symbols'], []]);
  });
});

it.each([
  [null, null],
  ['', null],
  ['no-transform', null],
  ['no-cache', 0],
  ['No-Store', 0],
  ['max-age=0', 0],
  ['max-age=30, no-transform', 30_000],
  ['max-age="30"', 30_000],
  ['max-age=30, no-cache', 0],
  ['max-age=x', null],
])('Cache-Control: %s takes nothing older than %s ms', (header, oldestMs) => {
  expect(oldestAskedMs((name) => (name === 'cache-control' ? header : null))).toBe(oldestMs);
});

it('the no-cache that every fetch adds to a conditional request says nothing', () => {
  const added = new Headers({ 'if-none-match': '"1"', 'cache-control': 'no-cache', pragma: 'no-cache' });
  expect(oldestAskedMs((name) => added.get(name))).toBeNull();
  added.delete('if-none-match');
  expect(oldestAskedMs((name) => added.get(name))).toBe(0);
});

describe('an isolate’s memory', () => {
  const facts = {
    nowMs: 100_000,
    readAtMs: 99_000,
    freshForMs: 60_000,
    toldAtMs: 99_000,
    isUnasked: true,
    oldestMs: null,
  };
  const old = { ...facts, readAtMs: 0 };

  it.each([
    ['fresh', facts, 'answer'],
    ['fresh, told long ago: the generation says that it is the one', { ...facts, toldAtMs: 0 }, 'answer'],
    ['no-cache', { ...facts, oldestMs: 0 }, 'ask'],
    ['max-age below its age', { ...facts, oldestMs: 500 }, 'ask'],
    ['old, told just now', old, 'answer'],
    ['old, told a while ago', { ...old, toldAtMs: 100_000 - RECHECK_AFTER_MS }, 'answer, ask'],
    [
      'old, told a while ago, and somebody asks',
      { ...old, toldAtMs: 100_000 - RECHECK_AFTER_MS, isUnasked: false },
      'answer',
    ],
    ['old, told long ago', { ...old, toldAtMs: 100_000 - TRUST_MS }, 'ask'],
  ])('%s', (_name, of, decision) => {
    expect(decideMemory(of)).toBe(decision);
  });

  it('never gives what is older than the caller takes, nor what is old and was not told within five seconds', () => {
    const ms = fc.integer({ min: 0, max: 200_000 });
    fc.assert(
      fc.property(ms, ms, ms, fc.boolean(), fc.option(ms), (ageMs, freshForMs, toldForMs, isUnasked, oldestMs) => {
        const nowMs = 1_000_000;
        const times = { nowMs, readAtMs: nowMs - ageMs, toldAtMs: nowMs - toldForMs };
        const asks = decideMemory({ ...times, freshForMs, isUnasked, oldestMs }) === 'ask';
        const isTooOld = oldestMs !== null && ageMs >= oldestMs;
        return asks === (isTooOld || (ageMs >= freshForMs && toldForMs >= TRUST_MS));
      }),
    );
  });
});
