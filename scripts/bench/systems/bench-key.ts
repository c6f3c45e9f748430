import { createHash, randomBytes } from 'node:crypto';

/** A key of this run, with every scope. */
export interface BenchKey {
  readonly headers: Readonly<Record<string, string>>;
  /** The value of `BRIDGE_API_KEYS`. */
  readonly setting: string;
}

export function newBenchKey(): BenchKey {
  const key = `mt5k_${randomBytes(24).toString('base64url')}`;
  const hash = `sha256:${createHash('sha256').update(key).digest('hex')}`;
  return {
    headers: { 'X-API-Key': key },
    setting: JSON.stringify([{ id: 'bench', hash, scopes: ['admin'] }]),
  };
}
