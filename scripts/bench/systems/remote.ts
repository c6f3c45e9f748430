import type { RunningSystem, System, WorkName } from './system.ts';

/** A server that runs elsewhere: only what can be seen from outside is measured. */
export const remote = (options: {
  readonly name: string;
  readonly kind: 'vps' | 'edge' | 'peer';
  readonly url: string;
  readonly key: string | undefined;
  readonly works: readonly WorkName[];
  readonly cachedPath?: string;
}): System => ({
  name: options.name,
  title: new URL(options.url).origin,
  kind: options.kind,
  placement: 'anywhere',
  works: options.works,
  ...(options.cachedPath === undefined ? {} : { cachedPath: options.cachedPath }),
  start: async (): Promise<RunningSystem> => ({
    url: new URL(options.url).origin,
    headers: options.key === undefined ? {} : { 'X-API-Key': options.key },
    simulator: undefined,
    pids: [],
    stop: () => Promise.resolve(),
  }),
});
