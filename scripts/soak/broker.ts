import path from 'node:path';
import { ChildProgram } from '../local/child-program.ts';

/** The simulator as a process of its own, so that it can be stopped where it is. */
export class Broker {
  readonly server: string;
  readonly certificateSha256: string;
  readonly password: string;
  readonly #program: ChildProgram;
  readonly #control: string;

  private constructor(program: ChildProgram, control: string, env: Readonly<Record<string, string>>) {
    this.#program = program;
    this.#control = control;
    this.server = env['MT5_SERVER'] ?? '';
    this.password = env['MT5_PASSWORD'] ?? '';
    this.certificateSha256 = (env['MT5_TLS'] ?? '').replace(/^pin:/, '');
  }

  static async start(seed: number, onLine: (line: string) => void, host = '127.0.0.1'): Promise<Broker> {
    const main = path.resolve(import.meta.dirname, '../../test/simulator/main.ts');
    const control = Promise.withResolvers<string>();
    const signIn = Promise.withResolvers<Record<string, string>>();
    const flags = ['--port', '0', '--control-port', '0', '--seed', String(seed), '--latency-ms', '5', '--host', host];
    const program = new ChildProgram('simulator', [process.execPath, main, ...flags], (line) => {
      onLine(line);
      const url = /^control\s+(http:\/\/[\d.:]+)/.exec(line)?.[1];
      if (url !== undefined) control.resolve(url);
      const variables = [...line.matchAll(/(MT5_[A-Z]+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value]);
      if (variables.length > 0) signIn.resolve(Object.fromEntries(variables) as Record<string, string>);
    });
    const [url, env] = await program.until(Promise.all([control.promise, signIn.promise]));
    return new Broker(program, url, env);
  }

  get pid(): number {
    return this.#program.pid;
  }

  async fault(fault: object): Promise<void> {
    await this.#post('/fault', fault);
  }

  async shiftClock(offsetMs: number): Promise<void> {
    await this.#post('/clock', { utcMs: Date.now() + offsetMs });
  }

  async stats(): Promise<{ readonly handshakes: number; readonly handshakeFailures: number }> {
    return (await (await fetch(`${this.#control}/stats`)).json()) as { handshakes: number; handshakeFailures: number };
  }

  async books(): Promise<BrokerBooks> {
    return (await (await fetch(`${this.#control}/books`)).json()) as BrokerBooks;
  }

  /** Whatever is armed and still waits for its request. */
  async calm(): Promise<void> {
    await this.#post('/reset', { only: ['faults'] });
  }

  close(): Promise<void> {
    return this.#program.close(1_000);
  }

  async #post(at: string, body: object): Promise<void> {
    const answer = await fetch(this.#control + at, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`simulator ${at}: ${answer.status} ${await answer.text()}`);
    await answer.body?.cancel();
  }
}

export interface BookDeal {
  readonly deal: number;
  readonly login: number;
  readonly order: number;
  readonly comment: string;
}

export interface BrokerBooks {
  readonly users: readonly {
    readonly login: number;
    readonly deals: readonly BookDeal[];
    readonly orders: readonly { readonly order: number; readonly comment: string }[];
  }[];
}
