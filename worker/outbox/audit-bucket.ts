import type { AuditStore } from '../../container/outbox/audit/store.ts';

/** The audit's objects in an R2 bucket (binding `AUDIT`). */
export class AuditBucket implements AuditStore {
  readonly #bucket: R2Bucket;

  constructor(bucket: R2Bucket) {
    this.#bucket = bucket;
  }

  async create(key: string, text: string): Promise<'created' | 'exists'> {
    // R2 writes nothing, and answers null, where there is an object already (`If-None-Match: *`).
    const written = await this.#bucket.put(key, text, {
      onlyIf: new Headers({ 'if-none-match': '*' }),
      httpMetadata: { contentType: 'application/x-ndjson' },
    });
    return written ? 'created' : 'exists';
  }

  async read(key: string): Promise<string | null> {
    const object = await this.#bucket.get(key);
    return object && object.text();
  }

  async list(prefix: string, after: string): Promise<readonly string[]> {
    const { objects } = await this.#bucket.list({ prefix, ...(after === '' ? {} : { startAfter: after }) });
    return objects.map(({ key }) => key);
  }
}
