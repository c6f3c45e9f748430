import { isSigned } from '../../container/contract/door-signature.ts';
import { HEADER } from '../../container/contract/headers.ts';
import { FakeBridge, type FakeBridgeOptions } from './fake-bridge.ts';

/** The same program on a VPS: it takes what its key has signed, and begins anew when it has given the session up. */
export class FakeVps {
  /** The instances that it was, the one that runs last. */
  readonly programs: FakeBridge[] = [];
  /** What was sent there. */
  readonly urls: string[] = [];
  isDown = false;
  readonly #key: string;
  readonly #options: FakeBridgeOptions;

  constructor(key: string, options: FakeBridgeOptions = {}) {
    this.#key = key;
    this.#options = options;
    this.#begin();
  }

  async fetch(url: string, init: RequestInit): Promise<Response> {
    this.urls.push(url);
    if (this.isDown) throw new Error('Network connection lost.');
    const request = new Request(url, init);
    const { pathname, search } = new URL(url);
    const signed = {
      method: request.method,
      target: (pathname + search).replace(/^\/brokers\/[a-z0-9-]+/, ''),
      header: (name: string) => request.headers.get(name),
    };
    if (pathname === '/healthz') return new Response('ok');
    if (!(await isSigned(this.#key, signed, Date.now()))) return new Response('no', { status: 401 });
    request.headers.set(HEADER.startSecret, 'inside');
    const answer = await (this.programs.at(-1) as FakeBridge).fetch(request);
    if (answer.status !== 101) answer.headers.set(HEADER.bridgeVersion, 'test');
    return answer;
  }

  #begin(): void {
    const start = { env: { BRIDGE_START_SECRET: 'inside' }, exit: () => undefined };
    const onDrain = (bridge: FakeBridge): void => {
      this.#begin();
      bridge.dropChannel();
    };
    this.programs.push(new FakeBridge(start, { ...this.#options, onDrain }));
  }
}
