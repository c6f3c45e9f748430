import { INTERNAL_PATH } from '../../container/contract/headers.ts';
import type { DataTopic } from '../../container/contract/frames.ts';
import type { SourceEvent } from '../../container/contract/hub-link.ts';
import { FakeBridge } from './fake-bridge.ts';
import type { FakeStart } from './fake-container.ts';

/** The container's end of the hub's upstream: answers every want with a load, and publishes what the test says. */
export class FakePoller {
  readonly wanted: string[] = [];
  readonly bridge: FakeBridge;
  open = 0;
  #socket: WebSocket | undefined;
  #seq = 1;

  constructor(start: FakeStart) {
    this.bridge = new FakeBridge(start, { answer: (request) => this.#answer(request) });
  }

  emit(event: SourceEvent): void {
    this.send(JSON.stringify(event));
  }

  /** Whatever it is. */
  send(text: string): void {
    this.#socket?.send(text);
  }

  change(topic: DataTopic, key: string, value: object): void {
    const changes = [{ key, id: key, json: JSON.stringify(value) }];
    this.emit({ kind: 'change', topic, seq: ++this.#seq, changes });
  }

  /** The process dies. */
  crash(): void {
    this.#socket?.close(1011, 'killed');
    this.#socket = undefined;
    this.bridge.exit(137);
  }

  async #answer(request: Request): Promise<Response> {
    if (new URL(request.url).pathname !== INTERNAL_PATH.stream) return new Response('no', { status: 404 });
    // As the real one, which says nothing before it has signed in.
    while (this.bridge.epoch === null) await scheduler.wait(5);
    const { 0: client, 1: server } = new WebSocketPair();
    server.accept();
    this.#socket = server;
    this.open++;
    this.emit({ kind: 'reset', epoch: this.bridge.epoch, reason: 'test' });
    server.addEventListener('message', ({ data }) => {
      const { op, topic, selectors } = JSON.parse(String(data)) as {
        op: string;
        topic: DataTopic;
        selectors: string[];
      };
      this.wanted.push(`${op} ${topic} ${selectors.join()}`);
      if (op !== 'want') return;
      const slices = selectors.map((key) => ({ key, entities: [{ id: key, json: JSON.stringify({ symbol: key }) }] }));
      this.emit({ kind: 'load', topic, seq: ++this.#seq, slices });
    });
    server.addEventListener('close', () => {
      this.open--;
    });
    return new Response(null, { status: 101, webSocket: client });
  }
}
