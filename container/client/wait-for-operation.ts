import type { BridgeClient, Schemas } from './index.ts';

export interface WaitOptions {
  /** Gives up then; default 60 s. */
  readonly timeoutMs?: number;
  /** Gives up when it aborts. */
  readonly signal?: AbortSignal;
}

const DEFAULT_TIMEOUT_MS = 60_000;
/** Between two looks at the operation: at first, and at most. The ledger answers without asking the broker. */
const FIRST_LOOK_MS = 100;
const LONGEST_LOOK_MS = 2_000;
/** States that the bridge still works on. */
const OPEN: ReadonlySet<Schemas['Operation']['state']> = new Set(['sending', 'pending', 'unknown']);

/** Reads the operation until its fate is known. @throws as `BridgeClient.waitForOperation` */
export async function waitForOperation(
  client: BridgeClient,
  key: string,
  { timeoutMs = DEFAULT_TIMEOUT_MS, signal }: WaitOptions = {},
): Promise<Schemas['Operation']> {
  const deadline = AbortSignal.timeout(timeoutMs);
  const ended = signal ? AbortSignal.any([signal, deadline]) : deadline;
  for (let waitMs = FIRST_LOOK_MS; ; waitMs = Math.min(2 * waitMs, LONGEST_LOOK_MS)) {
    const { data } = await client.GET('/v1/operations/{key}', { params: { path: { key } }, signal: ended });
    if (!OPEN.has(data.state)) return data;
    await pause(waitMs, ended);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', abort);
      resolve();
    }, ms);
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
  });
}
