/**
 * Counters, gauges and histograms in the words of Prometheus, for every runtime of the bridge. Not the client library of
 * Prometheus, since these figures go where it does not: they are taken up after a restart, histograms included; what the
 * door, the hub and the container counted is added up in the Durable Object; and workerd renders all of it.
 */

export interface MetricDefinition {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
  /** Of a histogram: upper bounds, in ascending order, without infinity. */
  readonly buckets?: readonly number[];
  /** About one process: not taken up by the next. Gauges never are. */
  readonly perProcess?: boolean;
}
export type MetricTable = Readonly<Record<string, MetricDefinition>>;

/** Values of the labels in the order of the definition, and the value. */
export type Sample = readonly [labels: readonly string[], value: number];

/**
 * What was counted, as plain JSON: by metric, then by the values of its labels. Of a histogram: how many fell into each
 * bucket and above all, then their sum.
 */
export type MetricsSnapshot = Readonly<Record<string, Readonly<Record<string, number | readonly number[]>>>>;

type Values = Map<string, number | number[]>;

/** More label values than this are counted together as `other`: whatever callers do, an answer stays short. */
const MOST_SERIES = 500;
const OTHER = 'other';
/** Between the values of labels, in which it cannot stand: they are patterns, names and codes. */
const BETWEEN = '\u0000';

export class Metrics<Name extends string = string> {
  readonly #table: Readonly<Record<Name, MetricDefinition>>;
  readonly #values = new Map<string, Values>();
  readonly #collectors: [Name, () => Iterable<Sample>][] = [];

  constructor(table: Readonly<Record<Name, MetricDefinition>>) {
    this.#table = table;
  }

  /** Adds to a counter. */
  add(name: Name, labels: readonly string[] = [], by = 1): void {
    const [values, key] = this.#series(name, labels);
    values.set(key, ((values.get(key) as number | undefined) ?? 0) + by);
  }

  /** Adds one value to a histogram, in the unit of its name. */
  observe(name: Name, labels: readonly string[], value: number): void {
    const { buckets = [] } = this.#table[name];
    const [values, key] = this.#series(name, labels);
    let counts = values.get(key) as number[] | undefined;
    if (!counts) values.set(key, (counts = Array.from({ length: buckets.length + 2 }, () => 0)));
    let at = 0;
    while (at < buckets.length && value > (buckets[at] ?? 0)) at++;
    counts[at] = (counts[at] ?? 0) + 1;
    counts[buckets.length + 1] = (counts[buckets.length + 1] ?? 0) + value;
  }

  /** Values that are read when somebody looks: gauges, and counters that something else counts. */
  collect(name: Name, read: () => Iterable<Sample>): void {
    this.#collectors.push([name, read]);
  }

  /** Everything as it is now. */
  snapshot(): MetricsSnapshot {
    const all = new Metrics(this.#table);
    all.#take(this.#values, () => true);
    for (const [name, read] of this.#collectors) for (const [labels, value] of read()) all.add(name, labels, value);
    return all.#plain();
  }

  /** What was counted since the last call. */
  takeDeltas(): MetricsSnapshot | undefined {
    if (this.#values.size === 0) return undefined;
    const deltas = this.#plain();
    this.#values.clear();
    return deltas;
  }

  /** Adds what another process counted, gauges included. What this version does not know is left out. */
  absorb(snapshot: MetricsSnapshot): void {
    this.#take(entriesOf(snapshot), () => true);
  }

  /** Goes on from where the process before this one ended. */
  resume(snapshot: MetricsSnapshot): void {
    this.#take(entriesOf(snapshot), ({ type, perProcess }) => type !== 'gauge' && perProcess !== true);
  }

  /** The values of a metric now; of a histogram, how many. */
  samples(name: Name): Sample[] {
    const series = Object.entries(this.snapshot()[name] ?? {});
    return series.map(([key, value]) => [labelsOf(key), typeof value === 'number' ? value : countOf(value)]);
  }

  /** Prometheus' text format, version 0.0.4. */
  text(): string {
    const snapshot = this.snapshot();
    return (Object.entries(this.#table) as [Name, MetricDefinition][])
      .filter(([name]) => snapshot[name])
      .map(([name, definition]) => familyText(name, definition, snapshot[name] ?? {}))
      .join('');
  }

  #series(name: Name, labels: readonly string[]): [Values, string] {
    let values = this.#values.get(name);
    if (!values) this.#values.set(name, (values = new Map()));
    const key = labels.join(BETWEEN);
    if (values.has(key) || values.size < MOST_SERIES) return [values, key];
    return [values, labels.map(() => OTHER).join(BETWEEN)];
  }

  #take(
    from: Iterable<readonly [string, Iterable<readonly [string, number | readonly number[]]>]>,
    wanted: Wanted,
  ): void {
    for (const [name, series] of from) {
      const definition = (this.#table as MetricTable)[name];
      if (!definition || !wanted(definition)) continue;
      for (const [key, value] of series) {
        const labels = labelsOf(key);
        if (labels.length !== definition.labels.length) continue;
        if (typeof value === 'number' && definition.type !== 'histogram') this.add(name as Name, labels, value);
        if (typeof value === 'number' || value.length !== (definition.buckets?.length ?? 0) + 2) continue;
        const [values, own] = this.#series(name as Name, labels);
        const known = values.get(own) as number[] | undefined;
        values.set(own, known ? known.map((count, i) => count + (value[i] ?? 0)) : [...value]);
      }
    }
  }

  #plain(): MetricsSnapshot {
    return Object.fromEntries([...this.#values].map(([name, values]) => [name, Object.fromEntries(values)]));
  }
}

type Wanted = (definition: MetricDefinition) => boolean;

const entriesOf = (snapshot: MetricsSnapshot): [string, [string, number | readonly number[]][]][] =>
  Object.entries(snapshot).map(([name, series]) => [name, Object.entries(series)]);

/** Of a metric without labels the key is ''. */
const labelsOf = (key: string): string[] => (key === '' ? [] : key.split(BETWEEN));

const countOf = (histogram: readonly number[]): number => histogram.slice(0, -1).reduce((sum, count) => sum + count, 0);

function familyText(
  name: string,
  { type, help, labels, buckets = [] }: MetricDefinition,
  series: MetricsSnapshot[string],
): string {
  let text = `# HELP ${name} ${help.replaceAll('\\', String.raw`\\`).replaceAll('\n', String.raw`\n`)}\n# TYPE ${name} ${type}\n`;
  for (const [key, value] of Object.entries(series)) {
    const own = labelsOf(key).map((label, i) => `${labels[i]}="${escaped(label)}"`);
    if (typeof value === 'number') {
      text += `${name}${braced(own)} ${value}\n`;
      continue;
    }
    let sum = 0;
    for (const [i, bound] of [...buckets, '+Inf'].entries()) {
      sum += value[i] ?? 0;
      text += `${name}_bucket${braced([...own, `le="${bound}"`])} ${sum}\n`;
    }
    text += `${name}_sum${braced(own)} ${value[buckets.length + 1] ?? 0}\n${name}_count${braced(own)} ${sum}\n`;
  }
  return text;
}

const braced = (labels: readonly string[]): string => (labels.length === 0 ? '' : `{${labels.join(',')}}`);

const escaped = (label: string): string =>
  label
    .replaceAll('\\', String.raw`\\`)
    .replaceAll('"', String.raw`\"`)
    .replaceAll('\n', String.raw`\n`);
