import { Container } from '@cloudflare/containers';

interface PlainEnv {
  readonly BRIDGE: DurableObjectNamespace<BridgeContainer>;
  readonly SLEEP_AFTER: string;
}

/** The library's class with nothing of ours: the floor of every lifecycle and cold-start figure. */
export class BridgeContainer extends Container<PlainEnv> {
  override defaultPort = 8080;
  override sleepAfter = this.env.SLEEP_AFTER;
  override envVars = { GREETING: 'hello' };
}

export default {
  fetch: (request, env) => env.BRIDGE.getByName('plain').fetch(request),
  scheduled: async (_controller, env) => {
    await env.BRIDGE.getByName('plain').startAndWaitForPorts();
  },
} satisfies ExportedHandler<PlainEnv>;
