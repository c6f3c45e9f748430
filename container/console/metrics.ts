/** What `GET /metrics` tells (Prometheus text format 0.0.4), and what is reckoned from it. Pure. */

/** Samples as they are written: `mt5_ws_clients{at="hub"}` → 3. */
export interface Metrics {
  readonly samples: Readonly<Record<string, number>>;
}

export interface Sample {
  /** As in `samples`. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const LINE = /^([a-zA-Z_:][\w:]*(?:\{.*\})?) (\S+)/;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;

export function parseMetrics(text: string): Metrics {
  const lines = text.split('\n').map((line) => LINE.exec(line));
  return {
    samples: Object.fromEntries(lines.flatMap((line) => (line ? [[line[1] ?? '', Number(line[2])] as const] : []))),
  };
}

/** Every sample of a metric. */
export function samplesOf({ samples }: Metrics, metric: string): readonly Sample[] {
  return Object.entries(samples)
    .filter(([name]) => name === metric || name.startsWith(`${metric}{`))
    .map(([name, value]) => ({ name, value, labels: labelsOf(name) }));
}

const labelsOf = (name: string): Readonly<Record<string, string>> =>
  Object.fromEntries([...name.matchAll(LABEL)].map(([, label = '', value = '']) => [label, value]));

/** Upper bounds, in seconds, with how many were at or below each; ascending, the last is `+Inf`: all. */
export type Buckets = readonly (readonly [bound: number, count: number])[];

/** A histogram, its other labels summed up. @param only samples whose labels have these values */
export function bucketsOf(metrics: Metrics, histogram: string, only: Readonly<Record<string, string>> = {}): Buckets {
  const counts = new Map<number, number>();
  for (const { labels, value } of samplesOf(metrics, `${histogram}_bucket`)) {
    if (Object.entries(only).some(([name, wanted]) => labels[name] !== wanted)) continue;
    const bound = labels['le'] === '+Inf' ? Infinity : Number(labels['le']);
    counts.set(bound, (counts.get(bound) ?? 0) + value);
  }
  return [...counts].sort(([a], [b]) => a - b);
}

export const countOf = (buckets: Buckets): number => buckets.at(-1)?.[1] ?? 0;

/** What came between two looks. A counter that began anew counts from nothing. */
export const since = (buckets: Buckets, before: Buckets): Buckets =>
  countOf(before) > countOf(buckets) ? buckets : buckets.map(([bound, n], i) => [bound, n - (before[i]?.[1] ?? 0)]);

/**
 * The value, in ms, below which a share of the observations lies: interpolated within its bucket, as Prometheus's
 * `histogram_quantile` does; above the last bound, that bound. `null` of nothing.
 */
export function quantileMs(buckets: Buckets, share: number): number | null {
  const total = countOf(buckets);
  if (total === 0) return null;
  const wanted = share * total;
  const i = buckets.findIndex(([, n]) => n >= wanted);
  const [bound, n] = buckets[i] ?? [Infinity, total];
  const [lower, below] = buckets[i - 1] ?? [0, 0];
  if (bound === Infinity) return lower * 1000;
  return (lower + ((bound - lower) * (wanted - below)) / Math.max(1, n - below)) * 1000;
}

/** Sums of a counter by one of its labels, the largest first. */
export function sumsBy(samples: readonly Sample[], label: string): readonly (readonly [value: string, sum: number])[] {
  const sums = new Map<string, number>();
  for (const { labels, value } of samples) {
    const key = labels[label] ?? '';
    sums.set(key, (sums.get(key) ?? 0) + value);
  }
  return [...sums].sort(([, a], [, b]) => b - a);
}

/** A share of hits; `null` before the first look. */
export function hitRate(metrics: Metrics, kind: string): number | null {
  const sums = new Map(
    sumsBy(
      samplesOf(metrics, 'mt5_cache_requests_total').filter(({ labels }) => labels['kind'] === kind),
      'result',
    ),
  );
  const all = [...sums.values()].reduce((sum, n) => sum + n, 0);
  return all === 0 ? null : (sums.get('hit') ?? 0) / all;
}
