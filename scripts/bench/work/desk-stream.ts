import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { RunningSystem } from '../systems/system.ts';

const SUBSCRIBE_TIMEOUT_MS = 60_000;

interface Row {
  readonly executedAtMs?: number;
}
interface RowsFrame {
  readonly type: string;
  readonly rows: readonly Row[];
}
interface Frame {
  readonly type: string;
  readonly topic?: string;
  readonly data?: unknown;
}

/** One topic of the accounts of all groups. */
export class DeskStream {
  /** Rejects when the stream ends or tells an error. */
  readonly broken: Promise<never>;
  readonly #socket: WebSocket;

  private constructor(socket: WebSocket, broken: Promise<never>) {
    this.#socket = socket;
    this.broken = broken;
  }

  /** @throws Error where the stream does not take groups */
  static async open(
    { url, headers }: RunningSystem,
    topic: string,
    onRows: (frame: RowsFrame) => void,
  ): Promise<DeskStream> {
    const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/v1/stream`, { headers, perMessageDeflate: false });
    await once(socket, 'open');
    const acknowledged = Promise.withResolvers<undefined>();
    const broken = Promise.withResolvers<never>();
    broken.promise.catch(() => undefined);
    const fail = (why: string): void => broken.reject(new Error(`stream of ${topic} by group: ${why}`));
    const timer = setTimeout(() => fail('no acknowledgement'), SUBSCRIBE_TIMEOUT_MS);
    socket.on('message', (data: Buffer) => {
      const frame = JSON.parse(data.toString()) as Frame;
      if (frame.type === 'error') fail(data.toString());
      if (frame.topic !== topic) return;
      if (frame.type === 'ack') acknowledged.resolve(undefined);
      if (frame.type === 'snapshot' || frame.type === 'delta')
        onRows({ type: frame.type, rows: Array.isArray(frame.data) ? (frame.data as Row[]) : [] });
    });
    socket.once('close', (code) => fail(`the connection was closed: ${code}`));
    socket.send(JSON.stringify({ op: 'subscribe', id: 1, topic, groups: ['*'] }));
    await Promise.race([acknowledged.promise, broken.promise]).finally(() => clearTimeout(timer));
    return new DeskStream(socket, broken.promise);
  }

  close(): void {
    this.#socket.terminate();
  }
}
