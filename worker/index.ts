import { Container } from '@cloudflare/containers';

export class BridgeContainer extends Container<Env> {
  override defaultPort = 8080;
}

export default {
  fetch: (request, env) => env.BRIDGE.getByName('bridge').fetch(request),
} satisfies ExportedHandler<Env>;
