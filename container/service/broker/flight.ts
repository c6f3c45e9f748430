import { CallTimings, type CallListener, type CallSignal } from '../../session/upstream.ts';
import type { BrokerReply } from './broker.ts';

/** A read on its way, for all who wait for it. It is the signal of its call, which alone listens. */
export class Flight implements CallSignal {
  readonly deadlineAtMs: number;
  readonly promise: Promise<BrokerReply>;
  waiting = 0;
  aborted = false;
  readonly timings = new CallTimings();
  #listener: CallListener | undefined;

  /** Of the caller that began it. */
  readonly lane: string | undefined;

  constructor(deadlineAtMs: number, lane: string | undefined, send: (flight: Flight) => Promise<BrokerReply>) {
    this.deadlineAtMs = deadlineAtMs;
    this.lane = lane;
    this.promise = send(this);
  }

  addEventListener(_type: 'abort', listener: CallListener): void {
    this.#listener = listener;
  }

  removeEventListener(): void {
    this.#listener = undefined;
  }

  /** No caller waits any more. */
  abort(): void {
    this.aborted = true;
    this.#listener?.handleEvent();
  }
}
