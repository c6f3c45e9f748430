import { WebSocket } from 'ws';
import { HEADER, INTERNAL_PATH } from '../contract/headers.ts';
import type { SourceEvent } from '../contract/hub-link.ts';
import type { AttachableSource } from '../service/feeds/stream-service.ts';
import { type LinkSocket, StreamUpstream } from '../stream/stream-upstream.ts';
import type { StreamSource } from '../stream/source.ts';
import type { HolderWatch } from './holder-watch.ts';
import type { Trust } from './trust.ts';

const DIAL_MS = 3_000;

export interface HolderStreamsOptions {
  readonly holders: HolderWatch;
  readonly trust: Trust;
  readonly now: () => number;
  /** Nothing is followed until a holder is there: what was told last may be old. */
  readonly onLost: () => void;
  readonly onFault: (error: unknown) => void;
}

/**
 * What the holder's poller brings, for the clients of this replica, over one WebSocket, as a hub has it behind the Worker.
 * Not over Redis: a frame that is lost there is lost silently, and each would travel twice.
 */
export class HolderStreams implements AttachableSource {
  readonly #options: HolderStreamsOptions;
  #upstream: StreamUpstream | undefined;

  constructor(options: HolderStreamsOptions) {
    this.#options = options;
  }

  attach(emit: (event: SourceEvent) => void): StreamSource & { detach(): void } {
    const { onLost, onFault } = this.#options;
    const dial = (): Promise<LinkSocket> => this.#dial();
    const upstream = new StreamUpstream({ dial, of: 'holder', emit, onLost, onFault, random: Math.random });
    this.#upstream = upstream;
    return {
      want: (topic, selectors) => upstream.want(topic, selectors),
      drop: (topic, selectors) => upstream.drop(topic, selectors),
      missed: (topic, keys, request) => upstream.missed(topic, keys, request),
      detach: () => upstream.pause(),
    };
  }

  /** Another replica holds: the old one may hang with its end of the link open. */
  replaced(): void {
    this.#upstream?.lose('Another replica holds the session.');
    this.#upstream?.dialNow();
  }

  async #dial(): Promise<LinkSocket> {
    const { holders, trust, now } = this.#options;
    const holder = await holders.get(now(), now);
    const url = `${holder.url.replace(/^http/, 'ws')}${INTERNAL_PATH.stream}`;
    const socket = new WebSocket(url, {
      headers: { [HEADER.startSecret]: trust.secret },
      handshakeTimeout: DIAL_MS,
      perMessageDeflate: false,
    });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    socket.once('open', resolve);
    socket.once('error', reject);
    await promise;
    // Until its listeners are there it may break.
    socket.on('error', () => undefined);
    return socket;
  }
}
