import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SqliteFile } from '../../../container/host/sqlite-file.ts';
import { BridgeState } from '../../../container/state/bridge-state.ts';
import { FencedSql, markOf, takeOver } from '../../../container/state/ledger-fence.ts';

/** Two replicas on one volume: each has the file open, and one of them holds. */
let folder: string;
let location: string;
const open: SqliteFile[] = [];
const file = (): SqliteFile => {
  const opened = SqliteFile.open(location);
  open.push(opened);
  return opened;
};

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'fence-'));
  location = `file:${path.join(folder, 'state.sqlite')}`;
});
afterEach(() => {
  for (const opened of open.splice(0)) opened.close();
  rmSync(folder, { recursive: true });
});

test('from the moment at which another has taken over, nothing is written under the older token', async () => {
  const [first, second] = [file(), file()];
  const id = takeOver(first, 1);
  let fenced = 0;
  const old = new BridgeState(new FencedSql(first, 1, () => fenced++));
  await old.operations.halt({ kind: 'all', value: '' }, 'written by the first');
  expect(takeOver(second, 2)).toBe(id);
  const refusal = { code: 'draining', outcome: 'not_sent' };
  await expect(old.operations.halt({ kind: 'symbol', value: 'EURUSD' }, 'too late')).rejects.toMatchObject(refusal);
  expect(() => old.prove()).toThrow(/under token 2/);
  expect(fenced).toBe(2);
  // Reads go on: they are what was true when it held.
  expect(await old.operations.halts()).toMatchObject([{ reason: 'written by the first' }]);
  const now = new BridgeState(new FencedSql(second, 2, () => fenced++));
  await now.operations.resume({ kind: 'all', value: '' });
  expect(await now.operations.halts()).toEqual([]);
  expect(fenced).toBe(2);
});

test('an older token takes nothing over; the same one does so again', () => {
  const sql = file();
  expect(markOf(sql)).toEqual({ id: null, token: 0 });
  const id = takeOver(sql, 5);
  expect(() => takeOver(sql, 4)).toThrow(/under token 5/);
  expect(takeOver(sql, 5)).toBe(id);
  expect(markOf(sql)).toEqual({ id, token: 5 });
});

test('a look at a ledger makes nothing, sets nothing aside, and waits for no lock', () => {
  expect(SqliteFile.look(location)).toBeUndefined();
  const sql = file();
  takeOver(sql, 3);
  sql.transaction(() => {
    const look = SqliteFile.look(location);
    expect(look && markOf(look)).toMatchObject({ token: 3 });
    look?.close();
  });
});
