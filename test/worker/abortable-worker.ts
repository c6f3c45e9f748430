import real, { BridgeContainer as Real } from '../../worker/index.ts';
import { placeBroker } from '../../worker/placement.ts';

/** The real class, and a way to end its Durable Object as the platform does for new code or a moved host. */
export class BridgeContainer extends Real {
  abortForTest(): void {
    this.ctx.abort('aborted by the test');
  }
}

export { ContainerProxy, Outbox, StreamHub } from '../../worker/index.ts';

interface AbortableEnv extends Omit<Env, 'BRIDGE'> {
  readonly BRIDGE: DurableObjectNamespace<BridgeContainer>;
}

export default {
  ...real,
  fetch: async (request: Request<unknown, IncomingRequestCfProperties>, env: AbortableEnv): Promise<Response> => {
    if (new URL(request.url).pathname !== '/abort-for-test') return real.fetch(request, env);
    const holder = env.BRIDGE.getByName(placeBroker(env.BROKER, Number(env.INSTANCE_VERSION)));
    await holder.abortForTest().catch(() => undefined);
    return new Response('aborted');
  },
};
