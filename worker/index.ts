import { doorConfig } from './config.ts';
import { untold } from './door-answers.ts';
import { placeBroker } from './placement.ts';
import { answer } from './router.ts';

// The library asks for it by name when a Durable Object is made over a running container.
export { ContainerProxy } from '@cloudflare/containers';
export { BridgeContainer } from './bridge-container.ts';
export { StreamHub } from './stream-hub.ts';

export default {
  fetch: (request, env) => answer(request, env),
  scheduled: async (_controller, env) => {
    const { broker, instanceVersion } = doorConfig(env);
    untold(await env.BRIDGE.getByName(placeBroker(broker, instanceVersion)).warm('cron'));
  },
} satisfies ExportedHandler<Env>;
