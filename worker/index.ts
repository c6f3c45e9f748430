import { doorConfig } from './config.ts';
import { archiveBrokers } from './archive-brokers.ts';
import { warmBrokers } from './warm-brokers.ts';
import { answer } from './door/router.ts';

// The library asks for it by name when a Durable Object is made over a running container.
export { ContainerProxy } from '@cloudflare/containers';
export { BridgeContainer } from './holder/bridge-container.ts';
export { Outbox } from './outbox/outbox.ts';
export { StreamHub } from './hub/stream-hub.ts';

export default {
  fetch: (request, env) => answer(request, env),
  scheduled: async ({ cron, scheduledTime }, env) => {
    const config = doorConfig(env);
    // What is asked for the archive is asked of a session that is ready.
    try {
      await warmBrokers(env, config, { line: cron, atMs: scheduledTime });
    } finally {
      await archiveBrokers(env, config);
    }
  },
} satisfies ExportedHandler<Env>;
