/**
 * The broker behind the simulator: what the wire asks of it. The wire calls nothing else; commands may know the rest.
 */
export interface BrokerOptions {
  readonly seed: number;
  readonly ticksPerSecond: number;
}

export type FeedFault = { readonly kind: 'freeze-feed' | 'gap' | 'out-of-order'; readonly ms: number };

export class Broker {
  readonly options: BrokerOptions;
  /** Executed changes of the books that a manager asked for. */
  mutations = 0;
  readonly clock = {
    /** Server time, milliseconds. */
    nowMs: (): number => Date.now(),
    get: (): object => ({}),
    /** Sets clock and speed; what is wrong with the change, or undefined. */
    set: (_change: unknown): string | undefined => 'the broker has no clock yet',
  };
  readonly feed = {
    get: (): object => ({}),
    /** `{ticksPerSecond}` */
    set: (_change: unknown): string | undefined => 'the broker has no feed yet',
    fault: (_fault: FeedFault): void => {},
    /** Feed faults end. */
    heal: (): void => {},
  };

  constructor(options: BrokerOptions) {
    this.options = options;
  }

  /** Clock and feed run. */
  start(): void {}
  /** Timers are cleared; may be called twice. */
  close(): void {}
  /** The books, the clock and the feed as after the start. */
  reset(): void {}
  /** Everything, for comparing. */
  books(): object {
    return {};
  }
  /** Dealer requests that this connection asked for are forgotten. */
  connectionLost(_connectionId: number): void {}
}
