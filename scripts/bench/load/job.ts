/** What the load process is asked to do, and what it reports. */
export interface LoadRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: string;
}

interface Target {
  /** http: or https:. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** PEM of the authority of an `https:` URL of ours. */
  readonly ca?: string;
  /** Dealt out to the connections, so that callers who ask at once ask for different things. */
  readonly requests: readonly LoadRequest[];
  /** Every request gets an Idempotency-Key of its own. */
  readonly newKeyEach?: boolean;
  /** Of an answer that counts; absent = any 2xx. */
  readonly expectedStatus?: number;
}

export type LoadJob = Target &
  (
    | {
        /** Open loop: sent when it is time, whether or not answers have come; latency counts from the intended time. */
        readonly kind: 'paced';
        readonly connections: number;
        readonly ratePerSecond: number;
        readonly warmUpMs: number;
        readonly durationMs: number;
      }
    | {
        /** Every connection always has one request under way: finds the throughput. Its latencies are service times. */
        readonly kind: 'saturated';
        readonly connections: number;
        readonly warmUpMs: number;
        readonly durationMs: number;
      }
    | {
        /** So many callers at one moment, each with a connection of its own and one request. */
        readonly kind: 'burst';
        readonly callers: number;
        readonly deadlineMs: number;
      }
  );

export interface LoadResult {
  /** Answered with the expected status, inside the measured time. */
  readonly answered: number;
  readonly durationMs: number;
  /** HDR histogram of the expected answers' latencies (see `LatencyHistogram`). */
  readonly histogram: string;
  /** Failures by what they were: `HTTP 503`, `ECONNRESET`, `deadline`. */
  readonly failures: Readonly<Record<string, number>>;
  /** What the load process itself used: near the duration = it, not the server, was the limit. */
  readonly generatorCpuMs: number;
  /** The first answer that was not expected, to understand the failures. */
  readonly firstFailure?: string;
  readonly answerBytes: number;
}
