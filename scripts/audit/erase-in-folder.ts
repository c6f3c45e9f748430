import { chmodSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { eraseEvents } from '../../container/outbox/audit/erase.ts';
import { type AuditedEvent, parseObject } from '../../container/outbox/audit/record.ts';
import { folderObjects } from './folder-objects.ts';

/** Names the operation that an event tells of; undefined = it tells of none. */
function operationOf({ caller, data }: AuditedEvent): string | undefined {
  const { key } = (data ?? {}) as { key?: unknown };
  return typeof key === 'string' ? `${String(caller)}\n${key}` : undefined;
}

/**
 * Erases what is about a login, object by object: its events, and those of operations that ended with it (an account that was
 * opened had no login while it was asked for). Returns the numbers of the records.
 */
export async function eraseInFolder(folder: string, prefix: string, login: number): Promise<readonly number[]> {
  const operations = new Set<string | undefined>();
  for await (const [, text] of folderObjects(folder, prefix))
    for (const record of parseObject(text))
      if (record?.event?.['login'] === login) operations.add(operationOf(record.event));
  operations.delete(undefined);
  const erased: number[] = [];
  for await (const [key, text] of folderObjects(folder, prefix)) {
    const isOfLogin = (event: AuditedEvent): boolean =>
      event['login'] === login || (event['login'] === undefined && operations.has(operationOf(event)));
    const result = eraseEvents(text, isOfLogin);
    if (result.erased.length === 0) continue;
    const file = path.join(folder, key);
    writeFileSync(`${file}.part`, result.text, { mode: 0o400 });
    chmodSync(`${file}.part`, 0o400);
    renameSync(`${file}.part`, file);
    erased.push(...result.erased);
  }
  return erased;
}
