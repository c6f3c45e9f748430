import * as hdr from 'hdr-histogram-js';

/** Longest latency that is told apart: a minute, in microseconds. */
const MAX_US = 60_000_000;

const newHistogram = (): hdr.Histogram =>
  hdr.build({ lowestDiscernibleValue: 1, highestTrackableValue: MAX_US, numberOfSignificantValueDigits: 3 });

/** Latencies in an HDR histogram: microseconds, three significant digits. Encodes as HDR V2 (compressed, base64). */
export class LatencyHistogram {
  readonly #histogram: hdr.Histogram;

  constructor(histogram: hdr.Histogram = newHistogram()) {
    this.#histogram = histogram;
  }

  static decode(text: string): LatencyHistogram {
    return new LatencyHistogram(hdr.decodeFromCompressedBase64(text, 32));
  }

  static of(latenciesMs: readonly number[]): LatencyHistogram {
    const histogram = new LatencyHistogram();
    for (const latencyMs of latenciesMs) histogram.recordMs(latencyMs);
    return histogram;
  }

  recordMs(latencyMs: number): void {
    this.#histogram.recordValue(Math.min(MAX_US, Math.max(1, Math.round(latencyMs * 1000))));
  }

  add(other: LatencyHistogram): void {
    this.#histogram.add(other.#histogram);
  }

  get count(): number {
    return this.#histogram.totalCount;
  }

  get meanMs(): number {
    return this.#histogram.mean / 1000;
  }

  /** `percentile` from 0 to 100; 100 is the longest. */
  atMs(percentile: number): number {
    return this.#histogram.getValueAtPercentile(percentile) / 1000;
  }

  encode(): string {
    return hdr.encodeIntoCompressedBase64(this.#histogram);
  }
}
