import real, { BridgeContainer as RealHolder, StreamHub as RealHub } from '../../worker/index.ts';
import { placeBroker } from '../../worker/placement.ts';

/** How far the clock of this isolate, which all its objects live in, is ahead of the machine's. */
let leapMs = 0;
const realNow = Date.now;
Date.now = () => realNow() + leapMs;

/** Alarms are the platform's own and fire by its clock: what is set by the clock of the isolate is put back to it. */
function keepingAlarms(ctx: DurableObjectState<object>): DurableObjectState<object> {
  const { storage } = ctx;
  const setAlarm = storage.setAlarm.bind(storage);
  Object.defineProperty(storage, 'setAlarm', {
    value: (at: number | Date) => setAlarm(Number(at) - leapMs),
    configurable: true,
  });
  return ctx;
}

/** After a leap an alarm comes so much sooner. */
async function leapt(ctx: DurableObjectState<object>, byMs: number): Promise<void> {
  const atMs = await ctx.storage.getAlarm();
  if (atMs !== null) await ctx.storage.setAlarm(atMs + leapMs - byMs);
}

export class BridgeContainer extends RealHolder {
  constructor(ctx: DurableObjectState<object>, env: Env) {
    super(keepingAlarms(ctx), env);
  }

  leaptForTest(byMs: number): Promise<void> {
    return leapt(this.ctx, byMs);
  }
}

export class StreamHub extends RealHub {
  constructor(ctx: DurableObjectState<object>, env: Env) {
    super(keepingAlarms(ctx), env);
  }

  leaptForTest(byMs: number): Promise<void> {
    return leapt(this.ctx, byMs);
  }
}

export { ContainerProxy, Outbox } from '../../worker/index.ts';

interface LeapingEnv extends Omit<Env, 'BRIDGE' | 'STREAM_HUB'> {
  readonly BRIDGE: DurableObjectNamespace<BridgeContainer>;
  readonly STREAM_HUB: DurableObjectNamespace<StreamHub>;
}

/** The real Worker, and a way to let an hour pass in a moment: `/leap-for-test?to=` how far ahead the clock is, in ms. */
export default {
  ...real,
  fetch: async (request: Request<unknown, IncomingRequestCfProperties>, env: LeapingEnv): Promise<Response> => {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname !== '/leap-for-test') return real.fetch(request, env);
    const byMs = Number(searchParams.get('to')) - leapMs;
    leapMs += byMs;
    const name = placeBroker(env.BROKER, Number(env.INSTANCE_VERSION));
    await Promise.all([
      env.BRIDGE.getByName(name).leaptForTest(byMs),
      env.STREAM_HUB.getByName(name).leaptForTest(byMs),
    ]);
    return new Response(new Date(Date.now()).toISOString());
  },
};
