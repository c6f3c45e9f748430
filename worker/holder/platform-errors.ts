/**
 * The only file that knows what Cloudflare's runtime and `@cloudflare/containers` 0.3.7 say when something goes wrong.
 * They say it as text in an `Error`, sometimes wrapped; nothing else in worker/ looks at such text.
 *
 * - `no_instance` no place for a container now · `rate_limited` too many starts
 * - `not_listening` nothing accepted the connection, so nothing was handed over
 * - `disconnected` the connection broke, the request may have arrived
 * - `exited` the process ended by itself · `signalled` the platform ended it · `rollout` … for a new image
 * - `timeout` our own deadline
 */
export type PlatformErrorKind =
  | 'no_instance'
  | 'rate_limited'
  | 'not_listening'
  | 'disconnected'
  | 'exited'
  | 'signalled'
  | 'rollout'
  | 'timeout'
  | 'other';

export interface PlatformError {
  readonly kind: PlatformErrorKind;
  readonly exitCode: number | null;
}

/** Lower case; the first that fits wins. `rollout` before `signalled`: its text contains the other's beginning. */
const TEXTS: readonly (readonly [pattern: RegExp, kind: PlatformErrorKind])[] = [
  [/there is no container instance that can be provided/, 'no_instance'],
  [/maximum number of running container instances exceeded/, 'no_instance'],
  [/you are requesting too many containers per second/, 'rate_limited'],
  [/runtime signalled the container to exit due to a new version rollout:? *(?<code>-?\d+)?/, 'rollout'],
  [/runtime signalled the container to exit: *(?<code>-?\d+)/, 'signalled'],
  [/container exited with unexpected exit code: *(?<code>-?\d+)/, 'exited'],
  [/container exited before we could determine the container health, exit code: *(?<code>-?\d+)/, 'exited'],
  [/container crashed while checking for ports/, 'exited'],
  [/container is not listening/, 'not_listening'],
  [/container is not running|not running/, 'not_listening'],
  [
    /network connection lost|container suddenly disconnected|connection reset|broken pipe|peer disconnected/,
    'disconnected',
  ],
  [/durable object reset because its code was updated|internal error in durable object storage/, 'disconnected'],
  [/timed? ?out|deadline/, 'timeout'],
];

/** Deep enough for library over runtime over socket; a cycle of causes ends here too. */
const MAX_CAUSES = 5;

export function classifyPlatformError(error: unknown): PlatformError {
  let current = error;
  for (let depth = 0; depth < MAX_CAUSES && current !== undefined && current !== null; depth++) {
    const text = textOf(current).toLowerCase();
    for (const [pattern, kind] of TEXTS) {
      const code = pattern.exec(text);
      if (code) return { kind, exitCode: code.groups?.['code'] === undefined ? null : Number(code.groups['code']) };
    }
    current = current instanceof Error ? current.cause : undefined;
  }
  return { kind: 'other', exitCode: null };
}

const textOf = (error: unknown): string =>
  error instanceof Error ? `${error.name} ${error.message}` : typeof error === 'string' ? error : '';

/** Plain words for a caller, per kind. Never the platform's own text: it may name internals. */
export function describePlatformError({ kind, exitCode }: PlatformError): string {
  return kind === 'exited' && exitCode !== null
    ? `The container program ended with exit code ${exitCode}; its log names the reason.`
    : DESCRIPTIONS[kind];
}

const DESCRIPTIONS: Readonly<Record<PlatformErrorKind, string>> = {
  no_instance:
    'Cloudflare has no container instance free for this bridge now: after a first deploy that lasts minutes, and max_instances in wrangler.jsonc must leave room for this one.',
  rate_limited: 'Cloudflare limits how often containers may be started.',
  not_listening: 'The container runs but does not listen yet.',
  disconnected: 'The connection to the container broke.',
  exited: 'The container program ended; its log names the reason.',
  signalled: 'Cloudflare stopped the container.',
  rollout: 'A new version of the container is rolled out.',
  timeout: 'The container did not start in time.',
  other: 'The container could not be reached.',
};

/** What Durable Object storage says when it fails, other than for a statement that is wrong. */
const STORAGE_FAILURE =
  /sqlite_(?:full|busy|locked|ioerr|corrupt|notadb|cantopen|readonly|nomem)|database or disk is full|durable object storage|storage operation exceeded timeout/;

export const isStorageFailure = (error: unknown): boolean => STORAGE_FAILURE.test(textOf(error).toLowerCase());
