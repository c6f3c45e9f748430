/** Floor of the edge: the same `Container` class with nothing around it. One Worker, one Durable Object, one hop each. */
import { Container } from '@cloudflare/containers';
import { DurableObject } from 'cloudflare:workers';

interface FloorEnv {
  readonly BRIDGE: DurableObjectNamespace<BridgeContainer>;
}

/** The classes have the names that wrangler.jsonc binds. */
export class BridgeContainer extends Container<FloorEnv> {
  override defaultPort = 8080;
  override sleepAfter = '1h';
}
export class StreamHub extends DurableObject {}

export default {
  fetch: (request, env) => env.BRIDGE.getByName('floor').fetch(request),
} satisfies ExportedHandler<FloorEnv>;
