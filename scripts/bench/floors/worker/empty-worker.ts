/**
 * Floor of the edge: the same `Container` class with nothing around it. One Worker, one Durable Object, one hop each. It looks
 * for the program's port as often as ours does: with the library's own 300 ms a cold start would be slower for no reason.
 */
import { Container } from '@cloudflare/containers';
import { DurableObject } from 'cloudflare:workers';

interface FloorEnv {
  readonly BRIDGE: DurableObjectNamespace<BridgeContainer>;
}

/** That of worker/holder/bridge-container.ts. */
const PORT_POLL_MS = 50;

/** The classes have the names that wrangler.jsonc binds. */
export class BridgeContainer extends Container<FloorEnv> {
  override defaultPort = 8080;
  override sleepAfter = '1h';

  #starting: Promise<void> | undefined;

  override async fetch(request: Request): Promise<Response> {
    // Who comes while it starts would look for the port at the library's pace.
    if (this.#starting || !this.ctx.container?.running)
      await (this.#starting ??= this.startAndWaitForPorts({
        cancellationOptions: { waitInterval: PORT_POLL_MS },
      }).finally(() => (this.#starting = undefined)));
    return super.fetch(request);
  }
}
export class StreamHub extends DurableObject {}

export default {
  fetch: (request, env) => env.BRIDGE.getByName('floor').fetch(request),
} satisfies ExportedHandler<FloorEnv>;
