import { mkdirSync } from 'node:fs';
import { mkdir, open, readdir, readFile, rm, link } from 'node:fs/promises';
import path from 'node:path';
import { ConfigError } from './config.ts';
import type { ArchiveStore } from '../outbox/archive/store.ts';
import type { AuditStore } from '../outbox/audit/store.ts';

const codeOf = (error: unknown): unknown => (error as { code?: unknown } | undefined)?.code;

export interface ObjectDirectoryOptions {
  /** The setting that names the folder. */
  readonly setting: 'AUDIT_DIR' | 'ARCHIVE_DIR';
  /** Files of other endings are not listed. */
  readonly ending: '.ndjson' | '.json';
  /** Waited for before an object is made: what it tells is remembered then, whatever happens. */
  readonly durable?: () => Promise<void>;
}

/** Objects as files below a folder, readable by their owner alone. */
export class ObjectDirectory implements AuditStore, ArchiveStore {
  readonly #folder: string;
  readonly #ending: string;
  readonly #durable: ObjectDirectoryOptions['durable'];

  /** @throws ConfigError where the folder cannot be made */
  constructor(folder: string, { setting, ending, durable }: ObjectDirectoryOptions) {
    this.#folder = path.resolve(folder);
    this.#ending = ending;
    this.#durable = durable;
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new ConfigError([`${setting}: expected a folder that can be written to; ${reason}`]);
    }
  }

  /** Whole or not at all, and on the disk before it is said to be there. */
  async create(key: string, content: string | Uint8Array): Promise<'created' | 'exists'> {
    await this.#durable?.();
    const file = this.#file(key);
    const folder = path.dirname(file);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const part = `${file}.part`;
    const handle = await open(part, 'w', 0o400);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    try {
      // A link fails where the name is taken; a rename would replace it.
      await link(part, file);
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return 'exists';
      throw error;
    } finally {
      await rm(part, { force: true });
    }
    await syncFolder(folder);
    return 'created';
  }

  async read(key: string): Promise<string | null> {
    const bytes = await this.readBytes(key);
    return bytes && bytes.toString('utf8');
  }

  async readBytes(key: string): Promise<Buffer<ArrayBuffer> | null> {
    try {
      return await readFile(this.#file(key));
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return null;
      throw error;
    }
  }

  async list(prefix: string, after: string): Promise<readonly string[]> {
    const found: string[] = [];
    for await (const key of this.#walk(prefix.replace(/\/[^/]*$/, ''), after)) {
      found.push(key);
      if (found.length >= 1000) break;
    }
    return found;
  }

  /** In order; folders that hold only what comes before are not looked into. */
  async *#walk(folder: string, after: string): AsyncGenerator<string> {
    const entries = await readdir(this.#file(folder), { withFileTypes: true }).catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return [];
      throw error;
    });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const key = `${folder}/${entry.name}`;
      if (entry.isDirectory()) {
        if (`${key}/\uFFFF` > after) yield* this.#walk(key, after);
      } else if (key > after && key.endsWith(this.#ending)) yield key;
    }
  }

  #file(key: string): string {
    return path.join(this.#folder, key);
  }
}

/** A name that was just made survives the loss of power. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
