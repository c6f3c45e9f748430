import real, { BridgeContainer as Real, StreamHub as RealHub } from '../../worker/index.ts';
import type { HeartbeatTimings } from '../../worker/holder/heartbeat.ts';
import { RETURN_TIMINGS, type ReturnTimings } from '../../worker/holder/origin/return-to-primary.ts';
import type { HubTimings } from '../../worker/hub/stream-hub.ts';
import { FakeContainer } from './fake-container.ts';

/** The real class over a container that lives in the test. */
export class BridgeContainer extends Real {
  readonly fake: FakeContainer;
  /** Set by tests that live an hour in a moment. */
  nowMs: number | undefined;

  constructor(ctx: DurableObjectState<object>, env: Env) {
    const fake = FakeContainer.of(ctx.id.toString());
    Object.defineProperty(ctx, 'container', { value: fake, configurable: true });
    super(ctx, { ...env, ...fake.variables });
    this.fake = fake;
  }

  protected override heartbeatTimings(): HeartbeatTimings {
    return FakeContainer.of(this.ctx.id.toString()).heartbeat;
  }

  protected override vpsFetch(url: string, init: RequestInit): Promise<Response> {
    return this.fake.vps?.fetch(url, init) ?? Promise.reject(new Error('Network connection lost.'));
  }

  protected override returnTimings(): ReturnTimings {
    return { ...RETURN_TIMINGS, everyMs: 50 };
  }

  protected override now(): number {
    return this.nowMs ?? Date.now();
  }
}

export { ContainerProxy, Outbox } from '../../worker/index.ts';

/** The real class, less patient. */
export class StreamHub extends RealHub {
  protected override timings(): HubTimings {
    return { limits: { lingerMs: 500, maxLagMs: 1_000 }, closedGraceMs: 0 };
  }
}

export default real;
