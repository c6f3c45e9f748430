import { ObjectDirectory } from '../../container/host/object-dir.ts';

/** Objects of an audit in the order of their names: name and text. */
export type AuditObjects = AsyncIterable<readonly [key: string, text: string]>;

export async function* folderObjects(folder: string, prefix: string): AuditObjects {
  const store = new ObjectDirectory(folder, { setting: 'AUDIT_DIR', ending: '.ndjson' });
  for (let after = ''; ;) {
    const keys = await store.list(prefix, after);
    for (const key of keys) yield [key, (await store.read(key)) ?? ''];
    const last = keys.at(-1);
    if (last === undefined) return;
    after = last;
  }
}
