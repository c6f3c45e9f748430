import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { SqliteFile } from '../../../container/host/sqlite-file.ts';
import type { BeginDecision } from '../../../container/state/state-api.ts';
import { BridgeState } from '../../../container/state/bridge-state.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'state-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const location = (): string => `file:${path.join(folder, 'bridge.sqlite')}`;

async function signIn(state: BridgeState, instanceId: string): Promise<number> {
  const decision = await state.signIn.permit(instanceId);
  if (!decision.granted) throw new Error(decision.reason);
  const report = { permitId: decision.permitId, address: 'broker:443', serverBuild: null };
  return (await state.signIn.succeeded(instanceId, report)).epoch;
}

it('keeps what was written over a restart', async () => {
  const first = SqliteFile.open(location());
  await signIn(new BridgeState(first), 'a');
  first.close();
  const warnings: string[] = [];
  const second = SqliteFile.open(location());
  const state = new BridgeState(second, { warn: (message) => warnings.push(message) });
  expect(await state.signIn.read()).toMatchObject({ epoch: 1, instanceId: 'a', address: 'broker:443' });
  expect(warnings).toEqual([]);
  second.close();
});

it('sets a file aside that is no database, and says so', async () => {
  writeFileSync(path.join(folder, 'bridge.sqlite'), 'this is not a database, it is a sentence about one'.repeat(200));
  const warnings: string[] = [];
  const file = SqliteFile.open(location(), (message) => warnings.push(message));
  expect(await signIn(new BridgeState(file), 'a')).toBe(1);
  expect(warnings).toHaveLength(1);
  expect(readdirSync(folder).some((name) => name.includes('.corrupt-'))).toBe(true);
  file.close();
});

it('sets state of a newer version aside, keeps it, and starts empty', async () => {
  const sql = SqliteFile.open('memory:');
  await signIn(new BridgeState(sql), 'a');
  sql.run('UPDATE bridge_schema SET version = 99');
  const warnings: string[] = [];
  const state = new BridgeState(sql, { warn: (message) => warnings.push(message), now: () => 5 });
  expect(await state.signIn.read()).toMatchObject({ epoch: 0 });
  expect(warnings.join()).toContain('version 99');
  expect(sql.run('SELECT value FROM aside_5_upstream WHERE name = ?', 'epoch')).toEqual([{ value: '1' }]);
  expect((await state.journal.list(1))[0]).toMatchObject({ event: 'error' });
});

it.each(['DROP TABLE operations', `UPDATE bridge_schema SET version = 'x'`, 'DELETE FROM bridge_schema'])(
  'starts empty after: %s',
  async (damage) => {
    const sql = SqliteFile.open('memory:');
    await signIn(new BridgeState(sql), 'a');
    sql.run(damage);
    const warnings: string[] = [];
    const state = new BridgeState(sql, { warn: (message) => warnings.push(message) });
    expect(await signIn(state, 'b')).toBe(1);
    expect(warnings).toHaveLength(1);
  },
);

it('processes that begin on one fresh file at once share it: nothing is set aside, nothing is halted', async () => {
  const script = path.join(folder, 'begin.ts');
  const source = (file: string): string =>
    JSON.stringify(path.resolve(import.meta.dirname, '../../../container', file));
  writeFileSync(
    script,
    `import { SqliteFile } from ${source('host/sqlite-file.ts')};
     import { BridgeState } from ${source('state/bridge-state.ts')};
     const file = SqliteFile.open(${JSON.stringify(location())}, console.error);
     console.log(new BridgeState(file, { warn: console.error }).haltReason);`,
  );
  const runs = Array.from({ length: 6 }, () => promisify(execFile)(process.execPath, [script]));
  expect((await Promise.all(runs)).map(({ stdout, stderr }) => stdout + stderr)).toEqual(runs.map(() => 'null\n'));
  const file = SqliteFile.open(location());
  expect(file.run(`SELECT name FROM sqlite_master WHERE name GLOB 'aside_*'`)).toEqual([]);
  file.close();
});

it('waits for a process that holds a fresh file at the moment of opening, instead of failing', async () => {
  const hold = `const { DatabaseSync } = require('node:sqlite');
    const database = new DatabaseSync(${JSON.stringify(location().replace('file:', ''))});
    database.exec('BEGIN EXCLUSIVE; CREATE TABLE held (x)');
    console.log('held');
    setTimeout(() => database.exec('COMMIT'), 400);`;
  const holder = spawn(process.execPath, ['-e', hold], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(holder, 'exit');
  await once(holder.stdout, 'data');
  const file = SqliteFile.open(location());
  expect(file.run('PRAGMA journal_mode')).toEqual([{ journal_mode: 'wal' }]);
  file.close();
  expect(await ended).toEqual([0, null]);
});

it('a full disk is the memory that fails, not the request: told as such, and all is well once there is room', async () => {
  const sql = SqliteFile.open(location());
  const state = new BridgeState(sql);
  const [pages] = sql.run('PRAGMA page_count');
  sql.run(`PRAGMA max_page_count = ${Number(pages?.['page_count']) + 1}`);
  const begin = (key: string): Promise<BeginDecision> =>
    state.operations.begin({
      caller: 'desk',
      key,
      kind: 'order',
      tag: 'MEB-tag',
      login: 1001,
      fingerprint: 'f',
      request: 'x'.repeat(3000),
      instanceId: 'a',
      deadlineAtMs: Date.now() + 60_000,
      trading: true,
      budget: 'desk',
    });
  const fill = async (): Promise<void> => {
    for (let i = 0; i < 100; i++) await begin(`order-${i}`);
  };
  await expect(fill()).rejects.toMatchObject({ code: 'state_unavailable', outcome: 'not_sent' });
  sql.run('PRAGMA max_page_count = 100000');
  expect((await begin('later')).kind).toBe('started');
  sql.close();
});

it('loses one field, not the checkpoint, when one cannot be read', async () => {
  const sql = SqliteFile.open('memory:');
  await signIn(new BridgeState(sql), 'a');
  sql.run(`UPDATE upstream SET value = '{{{' WHERE name = 'address'`);
  sql.run(`UPDATE upstream SET value = '"soon"' WHERE name = 'backoffUntilMs'`);
  sql.run(`INSERT INTO upstream VALUES ('fromTheFuture', '1')`);
  const warnings: string[] = [];
  const state = new BridgeState(sql, { warn: (message) => warnings.push(message) });
  expect(await state.signIn.read()).toMatchObject({ epoch: 1, instanceId: 'a', address: null, backoffUntilMs: 0 });
  expect(warnings).toHaveLength(3);
});

it('journals phases to a tenth of a millisecond', async () => {
  const { journal } = new BridgeState(SqliteFile.open('memory:'));
  const entry = { event: 'start', reason: 'request', instanceId: 'a', epoch: 1 } as const;
  journal.write({ ...entry, phasesMs: { tls: 6.874076000000002 } });
  journal.addPhases('a', { signIn: 0.04 });
  expect((await journal.list(1))[0]?.phasesMs).toEqual({ tls: 6.9, signIn: 0 });
});
