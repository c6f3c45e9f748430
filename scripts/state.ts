/**
 * The state of a bridge on a VPS, its SQLite file of `CHECKPOINT`:
 *
 *   npm run state -- backup  --state FILE --to COPY      while the bridge runs, or not
 *   npm run state -- restore --from COPY --state FILE    while it does not; it begins with trading halted then
 *
 * An old copy does not know what was sent since: a key that was used would be new to it. So a restored state is halted
 * until an administrator has compared the broker's books with his own and resumed trading.
 */
import { chownSync, existsSync, renameSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { SqliteFile } from '../container/host/sqlite-file.ts';
import { BridgeState } from '../container/state/bridge-state.ts';

const USAGE = `usage: npm run state -- backup --state FILE --to COPY
       npm run state -- restore --from COPY --state FILE`;

class StateFault extends Error {}

function backup(state: string, to: string): void {
  requireFile(state);
  if (existsSync(to)) throw new StateFault(`${to} is there already; nothing is written over`);
  const database = new DatabaseSync(state, { readOnly: true });
  try {
    database.exec('PRAGMA busy_timeout = 5000');
    // One moment of it, whatever is written meanwhile (sqlite.org/lang_vacuum.html).
    database.prepare('VACUUM INTO ?').run(to);
  } finally {
    database.close();
  }
  console.log(`${state} was copied to ${to}`);
}

function restore(from: string, state: string, nowMs: number): void {
  requireFile(from);
  if (existsSync(state)) {
    requireUnused(state);
    const aside = `${state}.before-restore-${nowMs}`;
    for (const suffix of ['', '-wal', '-shm'])
      if (existsSync(state + suffix)) renameSync(state + suffix, aside + suffix);
    console.log(`what was there is kept as ${aside}`);
  }
  const copy = new DatabaseSync(from, { readOnly: true });
  try {
    copy.prepare('VACUUM INTO ?').run(state);
  } finally {
    copy.close();
  }
  const faults: string[] = [];
  const file = SqliteFile.open(`file:${state}`, (message) => faults.push(message));
  try {
    if (faults.length > 0) throw new StateFault(faults.join('; '));
    new BridgeState(file).distrust(`The state was restored from the backup ${from}.`);
  } finally {
    file.close();
  }
  // Whoever restores may be root, and the bridge is not: the file is that of the folder's owner.
  if (process.getuid?.() === 0) {
    const { uid, gid } = statSync(path.dirname(state));
    for (const suffix of ['', '-wal', '-shm']) if (existsSync(state + suffix)) chownSync(state + suffix, uid, gid);
  }
  console.log(`${state} was restored from ${from}; trading is halted until POST /admin/trading/resume`);
}

function requireFile(file: string): void {
  if (!existsSync(file)) throw new StateFault(`${file} is not there`);
}

/** A bridge that runs keeps its file open: its shared memory shows (sqlite.org/wal.html). */
function requireUnused(state: string): void {
  const database = new DatabaseSync(state);
  try {
    // Leaving WAL needs the file alone.
    database.exec('PRAGMA busy_timeout = 0');
    database.exec('PRAGMA journal_mode = DELETE');
  } catch {
    throw new StateFault(`${state} is in use: stop the bridge first`);
  } finally {
    database.close();
  }
}

function main(): void {
  // A copy holds what the state holds: it is its owner's alone, too.
  process.umask(0o077);
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { state: { type: 'string' }, to: { type: 'string' }, from: { type: 'string' } },
  });
  const { state, to, from } = values;
  if (positionals[0] === 'backup' && state !== undefined && to !== undefined) return backup(state, to);
  if (positionals[0] === 'restore' && state !== undefined && from !== undefined)
    return restore(from, state, Date.now());
  throw new StateFault(USAGE);
}

try {
  main();
} catch (error) {
  console.error(`state: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
