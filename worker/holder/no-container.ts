import { BridgeError } from '../../container/contract/errors.ts';

/**
 * A Worker before a VPS (`ORIGIN=vps`) need not declare `containers`. The library's class refuses to be made without one: it
 * is given one that never runs.
 */
export function withContainer<T extends DurableObjectState<object>>(ctx: T): T & { readonly container: Container } {
  if (ctx.container === undefined) Object.defineProperty(ctx, 'container', { value: NO_CONTAINER });
  return ctx as T & { readonly container: Container };
}

const none = (): never => {
  throw new BridgeError(
    'container_unavailable',
    'This Worker has no container: declare "containers" in wrangler.jsonc, or set ORIGIN=vps.',
  );
};

/** What is asked of a container that does not run. */
const NO_CONTAINER: Pick<Container, 'running' | 'start' | 'monitor' | 'destroy' | 'signal' | 'getTcpPort'> = {
  running: false,
  start: none,
  monitor: async () => none(),
  destroy: async () => undefined,
  signal: () => undefined,
  getTcpPort: none,
};
