/** The load of bench.ts, in a process of its own. */
import tls from 'node:tls';
import type { Load, LoadResult } from './bench.ts';
import { passwordHash, proof } from './sign-in.ts';

interface Reply {
  readonly status: number;
  readonly body: string;
  readonly bytes: number;
}

/** One connection; requests one after the other. */
class Caller {
  readonly #socket: tls.TLSSocket;
  #received = '';
  #waiting: ((reply: Reply) => void) | undefined;

  constructor(socket: tls.TLSSocket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => this.#data(text));
  }

  ask(path: string, then: (reply: Reply) => void): void {
    this.#waiting = then;
    this.#socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n`, 'latin1');
  }

  end(): void {
    this.#socket.destroy();
  }

  #data(text: string): void {
    this.#received = this.#received === '' ? text : this.#received + text;
    const head = this.#received.indexOf('\r\n\r\n');
    if (head === -1) return;
    const at = this.#received.indexOf('Content-Length: ') + 16;
    const length = Number(this.#received.slice(at, this.#received.indexOf('\r\n', at)));
    const whole = head + 4 + length;
    if (this.#received.length < whole) return;
    const reply = { status: Number(this.#received.slice(9, 12)), body: this.#received.slice(head + 4), bytes: whole };
    this.#received = '';
    this.#waiting?.(reply);
  }
}

const connect = (load: Load): Promise<Caller> =>
  new Promise((resolve, reject) => {
    const socket = tls.connect({ host: '127.0.0.1', port: load.port, ca: load.certificatePem });
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      const caller = new Caller(socket);
      caller.ask('/api/auth/start?version=484&agent=bench&login=1000&type=manager', ({ body }) => {
        const { srv_rand } = JSON.parse(body) as { srv_rand: string };
        const answer = proof(passwordHash('Password1'), Buffer.from(srv_rand, 'hex')).toString('hex');
        caller.ask(`/api/auth/answer?srv_rand_answer=${answer}&cli_rand=${srv_rand}`, () => resolve(caller));
      });
    });
  });

async function run(load: Load): Promise<LoadResult> {
  const callers = await Promise.all(Array.from({ length: load.connections }, () => connect(load)));
  const latencies: number[] = [];
  let bytes = 0;
  let failures = 0;
  const started = performance.now();
  const end = started + load.durationMs;
  await Promise.all(
    callers.map(
      (caller) =>
        new Promise<void>((resolve) => {
          const next = (): void => {
            const asked = performance.now();
            if (asked >= end) {
              resolve();
              return;
            }
            caller.ask(load.path, (reply) => {
              latencies.push(performance.now() - asked);
              bytes += reply.bytes;
              if (reply.status !== 200 || !reply.body.startsWith('{"retcode":"0 Done"')) failures += 1;
              next();
            });
          };
          next();
        }),
    ),
  );
  const elapsedMs = performance.now() - started;
  for (const caller of callers) caller.end();
  latencies.sort((one, other) => one - other);
  const quantile = (share: number): number => latencies[Math.floor(latencies.length * share)] ?? 0;
  return { answers: latencies.length, elapsedMs, bytes, failures, p50Ms: quantile(0.5), p99Ms: quantile(0.99) };
}

process.once('message', (load) => {
  void run(load as Load).then((result) => process.send?.(result));
});
