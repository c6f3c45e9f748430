import { expect } from 'vitest';
import { WebSocket } from 'ws';
import type { Frame, FrameType } from '../../container/contract/frames.ts';

/** A WebSocket client that keeps every frame. */
export class StreamClient {
  readonly frames: Frame[] = [];
  readonly socket: WebSocket;
  closed: { code: number; reason: string } | undefined;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data: Buffer) => this.frames.push(JSON.parse(data.toString()) as Frame));
    socket.on('close', (code, reason) => (this.closed = { code, reason: reason.toString() }));
    socket.on('error', () => undefined);
  }

  /** Resolves once open. @throws Error where the upgrade is refused */
  static async open(
    url: string,
    options: { key?: string; headers?: Record<string, string>; protocols?: string[] } = {},
  ): Promise<StreamClient> {
    const socket = new WebSocket(url.replace(/^http/, 'ws'), options.protocols ?? [], {
      headers: { ...(options.key ? { authorization: `Bearer ${options.key}` } : {}), ...options.headers },
      perMessageDeflate: false,
    });
    const client = new StreamClient(socket);
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    return client;
  }

  send(operation: object | string): void {
    this.socket.send(typeof operation === 'string' ? operation : JSON.stringify(operation));
  }

  of(type: FrameType, topic?: string): Frame[] {
    return this.frames.filter((frame) => frame.type === type && (topic === undefined || frame.topic === topic));
  }

  async first(type: FrameType, topic?: string): Promise<Frame> {
    await expect.poll(() => this.of(type, topic).length).toBeGreaterThan(0);
    return this.of(type, topic)[0] as Frame;
  }

  /** Every frame of the topic follows the one before, or declares that it does not. */
  expectUnbroken(topic: string): void {
    let last: Frame | undefined;
    for (const frame of this.frames) {
      // Epoch 0: nothing is known yet.
      if (frame.topic !== topic || frame.epoch === 0) continue;
      if (last && last.epoch === frame.epoch) expect(frame.prev).toBe(last.seq);
      else if (last) expect(['gap', 'ack']).toContain(frame.type);
      last = frame;
    }
  }

  close(): void {
    this.socket.terminate();
  }
}
