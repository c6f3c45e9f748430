import { chmodSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { eraseLogin } from '../../container/outbox/archive/erase.ts';
import { ObjectDirectory } from '../../container/host/object-dir.ts';
import { ARCHIVE_KINDS } from '../../container/contract/routes/archive.ts';

/** Takes the lines of a login out of every day of an archive in a folder. @returns how many lines */
export async function eraseInArchive(folder: string, broker: string, login: number): Promise<number> {
  const store = new ObjectDirectory(folder, { setting: 'ARCHIVE_DIR', ending: '.json' });
  const replace = async (key: string, content: string | Uint8Array): Promise<void> => {
    const file = path.join(folder, key);
    writeFileSync(`${file}.part`, content, { mode: 0o400 });
    chmodSync(`${file}.part`, 0o400);
    renameSync(`${file}.part`, file);
  };
  let lines = 0;
  for (const kind of ARCHIVE_KINDS) lines += await eraseLogin({ store, broker, replace }, kind, login);
  return lines;
}
