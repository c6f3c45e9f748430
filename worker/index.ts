import { doorConfig } from './config.ts';
import { untold } from './door/door-answers.ts';
import { bridgeOf } from './stubs.ts';
import { answer } from './door/router.ts';

// The library asks for it by name when a Durable Object is made over a running container.
export { ContainerProxy } from '@cloudflare/containers';
export { BridgeContainer } from './holder/bridge-container.ts';
export { StreamHub } from './hub/stream-hub.ts';

export default {
  fetch: (request, env) => answer(request, env),
  scheduled: async (_controller, env) => {
    untold(await bridgeOf(env, doorConfig(env)).warm('cron'));
  },
} satisfies ExportedHandler<Env>;
