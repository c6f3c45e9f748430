/**
 * `npm run smoke -- https://bridge.example --key mt5k_…`: what works on a bridge that was just deployed, in plain words. Reads
 * only; wakes the container. The exit code is 1 where something does not.
 */
import { parseArgs } from 'node:util';

const WAIT_MS = 40_000;
const STREAM_WAIT_MS = 30_000;

interface Problem {
  readonly detail?: string;
  readonly code?: string;
  readonly requestId?: string;
}

class Smoke {
  failures = 0;
  readonly #url: string;
  readonly #key: string;

  constructor(url: string, key: string) {
    this.#url = url.replace(/\/+$/, '');
    this.#key = key;
  }

  async run(): Promise<void> {
    const isUp = await this.#check('The Worker (or the bridge alone) answers', async () => {
      const health = await this.#get('/healthz', false);
      return `version ${String(health['version'])}`;
    });
    // Everything else would only say the same.
    if (!isUp) return;
    const isKnown = await this.#check('The key opens it', async () => {
      const { id, scopes } = await this.#get('/v1/keys/self');
      return `${String(id)}, scopes ${(scopes as string[]).join(', ')}`;
    });
    if (!isKnown) return;
    const isSignedIn = await this.#check('The bridge is signed in to the broker and reads', async () => {
      const startedAtMs = Date.now();
      const server = await this.#get('/v1/server');
      return `${JSON.stringify(server['name'] ?? server['company'] ?? 'no name')} in ${Date.now() - startedAtMs} ms, a cold start included`;
    });
    if (isSignedIn) {
      await this.#check('A second read is quick', async () => {
        const startedAtMs = Date.now();
        await this.#get('/v1/symbols?limit=1');
        return `${Date.now() - startedAtMs} ms`;
      });
      await this.#check('A stream opens and tells how the session stands', () => this.#stream());
    }
    await this.#check('The whole road is ready', async () => {
      const ready = await this.#get('/readyz', false);
      return typeof ready['reason'] === 'string' ? ready['reason'] : 'nothing is known against it';
    });
  }

  async #check(what: string, look: () => Promise<string>): Promise<boolean> {
    try {
      console.log(`ok      ${what}: ${await look()}`);
      return true;
    } catch (error) {
      this.failures += 1;
      console.log(`FAILED  ${what}: ${error instanceof Error ? error.message : String(error)}`);
      return false;
    }
  }

  async #get(path: string, withKey = true): Promise<Readonly<Record<string, unknown>>> {
    const headers = withKey ? { authorization: `Bearer ${this.#key}` } : {};
    const response = await fetch(this.#url + path, { headers, signal: AbortSignal.timeout(WAIT_MS) }).catch(
      (error: unknown) => {
        const { cause } = error as { cause?: { code?: string; message?: string } };
        throw new Error(`nothing answers at ${this.#url} (${cause?.code ?? cause?.message ?? String(error)})`);
      },
    );
    const text = await response.text();
    if (!response.headers.get('content-type')?.includes('json'))
      throw new Error(`${path} answered ${response.status} without JSON: is this a bridge?`);
    const body = JSON.parse(text) as Record<string, unknown>;
    if (response.ok) return body;
    const { code, detail, requestId } = body as Problem;
    const reason = detail ?? (typeof body['reason'] === 'string' ? body['reason'] : text.slice(0, 200));
    throw new Error(`${response.status} ${code ?? ''}: ${reason}${requestId ? ` (request ${requestId})` : ''}`);
  }

  #stream(): Promise<string> {
    const told = Promise.withResolvers<string>();
    const socket = new WebSocket(`${this.#url.replace(/^http/, 'ws')}/v1/stream`);
    const timer = setTimeout(
      () => told.reject(new Error(`no snapshot within ${STREAM_WAIT_MS / 1000} s`)),
      STREAM_WAIT_MS,
    );
    socket.addEventListener('open', () => {
      socket.send(JSON.stringify({ op: 'auth', key: this.#key }));
      socket.send(JSON.stringify({ op: 'subscribe', topic: 'system' }));
    });
    socket.addEventListener('message', ({ data }) => {
      const frame = JSON.parse(String(data)) as { type: string; data?: unknown };
      if (frame.type === 'error') told.reject(new Error((frame.data as Problem).detail));
      if (frame.type === 'snapshot') told.resolve(`session ${(frame.data as [{ session: string }])[0].session}`);
    });
    socket.addEventListener('error', () => told.reject(new Error('the WebSocket could not be opened')));
    socket.addEventListener('close', ({ code, reason }) => told.reject(new Error(`closed ${code} ${reason}`)));
    return told.promise.finally(() => {
      clearTimeout(timer);
      socket.close();
    });
  }
}

const { values, positionals } = parseArgs({ allowPositionals: true, options: { key: { type: 'string' } } });
const [url] = positionals;
if (url === undefined || !URL.canParse(url) || values.key === undefined) {
  console.error('usage: npm run smoke -- https://bridge.example --key mt5k_…');
  process.exitCode = 1;
} else {
  const smoke = new Smoke(url, values.key);
  await smoke.run();
  console.log(
    smoke.failures === 0 ? 'Everything that was looked at works.' : `${smoke.failures} of these do not work.`,
  );
  process.exitCode = smoke.failures === 0 ? 0 : 1;
}
