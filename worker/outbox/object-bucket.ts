import type { ArchiveStore } from '../../container/outbox/archive/store.ts';
import type { AuditStore } from '../../container/outbox/audit/store.ts';

/** Objects in an R2 bucket (binding `AUDIT`, `ARCHIVE`). */
export class ObjectBucket implements AuditStore, ArchiveStore {
  readonly #bucket: R2Bucket;

  constructor(bucket: R2Bucket) {
    this.#bucket = bucket;
  }

  async create(key: string, content: string | Uint8Array): Promise<'created' | 'exists'> {
    // R2 writes nothing, and answers null, where there is an object already (`If-None-Match: *`).
    const written = await this.#bucket.put(key, content, {
      onlyIf: new Headers({ 'if-none-match': '*' }),
      httpMetadata: { contentType: contentTypeOf(key) },
    });
    return written ? 'created' : 'exists';
  }

  async read(key: string): Promise<string | null> {
    const object = await this.#bucket.get(key);
    return object && object.text();
  }

  async readBytes(key: string): Promise<Uint8Array<ArrayBuffer> | null> {
    const object = await this.#bucket.get(key);
    return object && new Uint8Array(await object.arrayBuffer());
  }

  async list(prefix: string, after: string): Promise<readonly string[]> {
    const { objects } = await this.#bucket.list({ prefix, ...(after === '' ? {} : { startAfter: after }) });
    return objects.map(({ key }) => key);
  }
}

function contentTypeOf(key: string): string {
  if (key.endsWith('.gz')) return 'application/gzip';
  return key.endsWith('.json') ? 'application/json' : 'application/x-ndjson';
}
