import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { newBenchKey } from '../systems/bench-key.ts';
import type { SimulatorProcess } from '../systems/simulator-process.ts';
import type { RunningSystem } from '../systems/system.ts';
import { type ContainerProcess, POOL, startContainerProcess } from '../systems/vps.ts';

/** A second bridge at the same broker, whose events are stored by the audit and sent to a receiver. Its end throws where none came. */
export async function startTold(simulator: SimulatorProcess): Promise<RunningSystem> {
  const folder = await mkdtemp(path.join(tmpdir(), 'mt5-bench-audit-'));
  const heard = new Set<unknown>();
  const receiver = createServer((request, response) => {
    heard.add(request.headers['webhook-id']);
    request.resume();
    response.writeHead(204).end();
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const origin = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
  const env = { AUDIT_DIR: path.join(folder, 'audit'), WEBHOOK_ALLOWED_ORIGINS: origin };
  const key = newBenchKey();
  let bridge: ContainerProcess | undefined;
  const stop = async (): Promise<void> => {
    await bridge?.child.stop();
    receiver.closeAllConnections();
    receiver.close();
    await rm(folder, { recursive: true, force: true });
    if (heard.size === 0) throw new Error('no event came to the receiver');
  };
  try {
    const checkpoint = `file:${path.join(folder, 'state.sqlite')}`;
    bridge = await startContainerProcess(simulator, { keys: key.setting, poolMax: POOL, checkpoint, env });
    const { url, child } = bridge;
    const running = { url, headers: key.headers, simulator, pids: [child.pid], stop };
    const made = await fetch(`${running.url}/v1/webhooks`, {
      method: 'POST',
      headers: { ...running.headers, 'content-type': 'application/json' },
      body: JSON.stringify({ url: `${origin}/`, events: ['operation.*'] }),
    });
    if (made.status !== 201) throw new Error(`POST /v1/webhooks: ${made.status} ${await made.text()}`);
    await made.body?.cancel();
    return running;
  } catch (error) {
    await stop().catch(() => undefined);
    throw error;
  }
}
