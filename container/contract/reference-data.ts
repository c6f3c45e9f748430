/** Reference data: what an administrator of the broker configures by hand, by how it is invalidated and counted. */
export const REFERENCE_CLASSES = ['server', 'groups', 'symbols'] as const;
export type ReferenceClass = (typeof REFERENCE_CLASSES)[number];

/** How long it is taken for true without asking the broker. */
export const REFERENCE_FRESH_MS = 60_000;

/** What a command of this family may have changed; `logins` are kept for seconds, and in the container only. */
const CHANGED_BY: Readonly<Record<string, readonly (ReferenceClass | 'logins')[]>> = {
  symbol: ['symbols'],
  spread: ['symbols'],
  group: ['groups', 'symbols'],
  user: ['logins'],
  common: ['server'],
  time: ['server'],
  server: ['server'],
  setting: ['server'],
};

/** @param path of a command of the Web API, without `/api/` */
export const changedBy = (path: string): readonly (ReferenceClass | 'logins')[] =>
  CHANGED_BY[path.split('/', 1)[0] ?? ''] ?? [];

/**
 * The oldest answer that a request takes, by its `Cache-Control` (RFC 9111 §5.2.1): 0 = `no-cache`, it is to come from
 * the broker; `null` = it says nothing. To a request with `If-None-Match` every `fetch` adds `no-cache` by itself, with
 * `Pragma` beside it (Fetch §4.6, HTTP-network-or-cache fetch): that says nothing.
 */
export function oldestAskedMs(header: (name: string) => string | null | undefined): number | null {
  const cacheControl = header('cache-control');
  if (!cacheControl || (header('pragma') === 'no-cache' && header('if-none-match'))) return null;
  const directives = cacheControl.toLowerCase().split(',');
  let oldestMs: number | null = null;
  for (const directive of directives) {
    const [name = '', value = ''] = directive.trim().split('=');
    if (name === 'no-cache' || name === 'no-store') return 0;
    const seconds = value.replaceAll('"', '');
    if (name === 'max-age' && /^\d{1,9}$/.test(seconds)) oldestMs = Number(seconds) * 1000;
  }
  return oldestMs;
}

/** `Cache-Control` and `Age` of an answer that stays true for so long: names and values in turn. */
export function freshnessHeaders(freshForMs: number): string[] {
  if (freshForMs <= 0) return ['cache-control', 'private, no-cache'];
  const ageMs = Math.max(0, REFERENCE_FRESH_MS - freshForMs);
  return ['cache-control', `private, max-age=${REFERENCE_FRESH_MS / 1000}`, 'age', String(Math.ceil(ageMs / 1000))];
}

/** Headers of an answer that a cache kept, with its age. */
export const keptHeaders = (
  { etag, readAtMs, freshForMs }: { readonly etag: string; readonly readAtMs: number; readonly freshForMs: number },
  nowMs: number,
): Record<string, string> => ({
  etag,
  'cache-control': `private, max-age=${freshForMs / 1000}`,
  age: String(Math.max(0, Math.floor((nowMs - readAtMs) / 1000))),
  vary: 'authorization, x-api-key',
});

/** `If-None-Match` compares weakly (RFC 9110 §13.1.2). */
export const etagMatches = (header: string | null | undefined, etag: string): boolean =>
  typeof header === 'string' &&
  header.split(',').some((candidate) => candidate.trim() === '*' || strong(candidate.trim()) === strong(etag));

const strong = (etag: string): string => etag.replace(/^W\//, '');
