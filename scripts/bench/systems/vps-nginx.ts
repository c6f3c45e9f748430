import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { writeNginxFiles } from '../../../test/e2e/support/proxy.ts';
import { makeCertificate } from '../../../test/simulator/certificate.ts';
import { composeEnvironment } from '../../local/compose-environment.ts';
import { Child } from '../measure/child.ts';
import { newBenchKey } from './bench-key.ts';
import { freePort } from '../../../test/support/free-port.ts';
import { SimulatorProcess } from './simulator-process.ts';
import type { RunningSystem, System } from './system.ts';
import { startContainerProcess } from './vps.ts';

const START_TIMEOUT_MS = 20_000;

/** `scripts/deploy/compose.yaml` with its profile `nginx`, as far as it goes without Docker. */
export const vpsNginx = (version: string): System => ({
  name: 'vps-nginx',
  title: `what compose.yaml runs, behind nginx ${version} with the deployed file: TLS to the client, least_conn, audit on; processes stand in for containers, without their limits of memory and CPU`,
  kind: 'vps',
  placement: 'measured',
  works: ['cached', 'typed', 'order'],
  isBeside: true,
  start: async (): Promise<RunningSystem> => {
    const folder = await mkdtemp(path.join(tmpdir(), 'mt5-bench-compose-'));
    const simulator = await SimulatorProcess.start();
    const key = newBenchKey();
    const bridge = await startContainerProcess(simulator, {
      checkpoint: `file:${folder}/state.sqlite`,
      env: await bridgeSettings(folder, simulator, key.setting),
    });
    const { child: nginx, url, ca } = await startNginx(folder, new URL(bridge.url).port);
    return {
      url,
      ca,
      headers: key.headers,
      simulator,
      pids: [bridge.child.pid, nginx.pid],
      stop: async () => {
        await nginx.stop();
        await bridge.child.stop();
        await simulator.stop();
        await rm(folder, { recursive: true, force: true });
      },
    };
  },
});

/** Those of compose.yaml, with its secrets and its volume in `folder`, and nginx on this machine. */
async function bridgeSettings(
  folder: string,
  { env }: SimulatorProcess,
  keys: string,
): Promise<Record<string, string>> {
  const { MT5_PASSWORD: password = '', ...values } = env;
  await writeFile(path.join(folder, 'mt5_password'), password);
  await writeFile(path.join(folder, 'bridge_api_keys'), keys);
  const settings = Object.entries(composeEnvironment('bridge', values)).map(([name, value]) => [
    name,
    value.replace(/^\/(?:run\/secrets|data)\//, `${folder}/`),
  ]);
  return {
    ...(Object.fromEntries(settings) as Record<string, string>),
    MT5_PASSWORD: '',
    TRUSTED_PROXIES: '127.0.0.1',
  };
}

async function startNginx(folder: string, bridgePort: string): Promise<{ child: Child; url: string; ca: string }> {
  const [{ key, cert }, httpPort, port] = await Promise.all([makeCertificate(), freePort(), freePort()]);
  await writeFile(path.join(folder, 'fullchain.pem'), cert);
  await writeFile(path.join(folder, 'privkey.pem'), key);
  const config = writeNginxFiles(folder, {
    BRIDGE_SERVERS: `server 127.0.0.1:${bridgePort};`,
    HTTP_PORT: `127.0.0.1:${httpPort}`,
    HTTPS_PORT: `127.0.0.1:${port}`,
  });
  const child = new Child('scripts/bench/floors/run-nginx.ts', { placement: 'measured', args: [config] });
  await child.line(/^started/, START_TIMEOUT_MS);
  return { child, url: `https://localhost:${port}`, ca: cert };
}
