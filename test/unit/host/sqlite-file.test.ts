import fs from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { SqliteFile } from '../../../container/host/sqlite-file.ts';

let folder: string;
let file: SqliteFile;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sqlite-file-'));
  file = SqliteFile.open(`file:${folder}/state.sqlite`);
  file.run('CREATE TABLE notes (text TEXT)');
  await file.durable();
});

afterEach(async () => {
  vi.restoreAllMocks();
  file.close();
  await rm(folder, { recursive: true });
});

/** The disk takes its time: flushes end when the test says so. */
function heldDisk(): ((error: NodeJS.ErrnoException | null) => void)[] {
  const begun: ((error: NodeJS.ErrnoException | null) => void)[] = [];
  vi.spyOn(fs, 'fdatasync').mockImplementation((_, done) => void begun.push(done));
  return begun;
}

const write = (text: string): Promise<void> => {
  file.transaction(() => file.run('INSERT INTO notes VALUES (?)', text));
  return file.durable();
};

/** So many turns of the event loop that whatever can settle has. */
const turns = async (): Promise<void> => {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
};

test('a commit is durable when the log was flushed after it, and one flush serves all who wait', async () => {
  const begun = heldDisk();
  const durable: string[] = [];
  const note = (text: string): void => void write(text).then(() => durable.push(text));
  for (const text of ['a', 'b', 'c']) note(text);
  await turns();
  expect(begun).toHaveLength(1);
  // Written while the disk is busy: the flush under way may not have it.
  for (const text of ['d', 'e']) note(text);
  await turns();
  expect([begun.length, durable]).toEqual([1, []]);
  begun[0]?.(null);
  await turns();
  expect([begun.length, durable]).toEqual([2, ['a', 'b', 'c']]);
  begun[1]?.(null);
  await turns();
  expect(durable).toEqual(['a', 'b', 'c', 'd', 'e']);
});

test('who reads what another has written waits for it, and where nothing was written nobody waits', async () => {
  const begun = heldDisk();
  file.run('SELECT * FROM notes');
  await file.durable();
  expect(begun).toHaveLength(0);
  void write('a');
  await turns();
  let isTold = false;
  file.run('SELECT * FROM notes');
  void file.durable().then(() => (isTold = true));
  await turns();
  expect(isTold).toBe(false);
  begun[0]?.(null);
  await turns();
  expect(isTold).toBe(true);
});

test('a disk that fails is told to those who wait, and the next one tries again', async () => {
  const begun = heldDisk();
  const first = write('a');
  const failed = expect(first).rejects.toMatchObject({ code: 'state_unavailable' });
  await turns();
  begun[0]?.(Object.assign(new Error('EIO'), { code: 'EIO' }));
  await failed;
  const again = file.durable();
  await turns();
  begun[1]?.(null);
  await expect(again).resolves.toBeUndefined();
});
