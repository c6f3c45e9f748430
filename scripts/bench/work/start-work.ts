import { build } from 'esbuild';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { connect } from 'node:tls';
import { passwordHash, proof } from '../../../test/simulator/sign-in.ts';
import { bundleEnvironment } from '../../local/bridge-program.ts';
import { Child } from '../measure/child.ts';
import { usageOf } from '../measure/process-tree.ts';
import type { Sample } from '../report/model.ts';
import { newBenchKey } from '../systems/bench-key.ts';
import { SimulatorProcess } from '../systems/simulator-process.ts';
import { CONTAINER_BUNDLE, startContainerProcess } from '../systems/vps.ts';
import { latenciesSample } from './http-work.ts';

const STARTS = 5;
const STARTS_QUICK = 3;

export interface StartMeasurement {
  readonly system: string;
  readonly work: 'listening' | 'first answer' | 'sign-in';
  readonly sample: Sample;
}

/** How long a process takes to listen and to its first authenticated answer, beside the floors of both. */
export async function measureStarts(
  repetition: number,
  authLatencyMs: number,
  quick: boolean,
): Promise<StartMeasurement[]> {
  const directory = await mkdtemp(path.join(tmpdir(), 'mt5-bench-start-'));
  const simulator = await SimulatorProcess.start();
  try {
    await simulator.setLatency(authLatencyMs, authLatencyMs);
    const bundle = path.join(directory, 'imports.cjs');
    await build({
      entryPoints: [path.resolve(import.meta.dirname, '../floors/imports.ts')],
      outfile: bundle,
      bundle: true,
      minify: true,
      platform: 'node',
      format: 'cjs',
      target: 'node24',
      logLevel: 'silent',
    });
    const floor: number[] = [];
    const listening: number[] = [];
    const firstAnswer: number[] = [];
    let cpuMs = 0;
    const signIn: number[] = [];
    for (let start = 0; start < (quick ? STARTS_QUICK : STARTS); start++) {
      const child = new Child(bundle, { placement: 'measured', env: bundleEnvironment(CONTAINER_BUNDLE) });
      await child.line(/^listening/, 20_000);
      floor.push(performance.now() - child.startedAtMs);
      await child.stop();
      const one = await startOnce(simulator, path.join(directory, `${start}.sqlite`));
      listening.push(one.listeningMs);
      firstAnswer.push(one.firstAnswerMs);
      cpuMs += one.cpuMs;
      signIn.push(await signInDirectly(simulator));
    }
    return [
      { system: 'start-floor', work: 'listening', sample: latenciesSample(repetition, floor) },
      { system: 'vps', work: 'listening', sample: latenciesSample(repetition, listening) },
      { system: 'vps', work: 'first answer', sample: { ...latenciesSample(repetition, firstAnswer), cpuMs } },
      { system: 'sign-in-floor', work: 'sign-in', sample: latenciesSample(repetition, signIn) },
    ];
  } finally {
    await simulator.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

async function startOnce(
  simulator: SimulatorProcess,
  checkpoint: string,
): Promise<{ listeningMs: number; firstAnswerMs: number; cpuMs: number }> {
  const key = newBenchKey();
  const { child, url, listeningAfterMs } = await startContainerProcess(simulator, {
    keys: key.setting,
    poolMax: 1,
    checkpoint: `file:${checkpoint}`,
  });
  try {
    const answer = await fetch(`${url}/api/user/account/get?login=1001`, { headers: key.headers });
    await answer.arrayBuffer();
    if (!answer.ok) throw new Error(`first answer: ${answer.status}`);
    const firstAnswerMs = performance.now() - child.startedAtMs;
    return { listeningMs: listeningAfterMs, firstAnswerMs, cpuMs: usageOf(child.pid).container?.cpuMs ?? 0 };
  } finally {
    await child.stop();
  }
}

/** TLS and the two requests of a sign-in, by themselves: what no bridge can be quicker than. */
async function signInDirectly(simulator: SimulatorProcess): Promise<number> {
  const url = new URL(`https://${simulator.server}`);
  const beganAtMs = performance.now();
  const socket = connect({ host: url.hostname, port: Number(url.port), rejectUnauthorized: false });
  socket.setEncoding('latin1');
  const ask = (target: string): Promise<string> =>
    new Promise((resolve, reject) => {
      let text = '';
      const onData = (chunk: string): void => {
        text += chunk;
        const [head = '', body = ''] = text.split('\r\n\r\n', 2);
        const length = Number(/content-length: *(\d+)/i.exec(head)?.[1] ?? Number.NaN);
        if (!(body.length >= length)) return;
        socket.off('data', onData);
        resolve(body);
      };
      socket.on('data', onData).once('error', reject);
      socket.write(`GET ${target} HTTP/1.1\r\nHost: ${url.host}\r\nConnection: keep-alive\r\n\r\n`);
    });
  const started = await ask('/api/auth/start?version=484&agent=floor&login=1000&type=manager');
  const { srv_rand: challenge } = JSON.parse(started) as { srv_rand: string };
  const answer = proof(passwordHash('Password1'), Buffer.from(challenge, 'hex')).toString('hex');
  await ask(`/api/auth/answer?srv_rand_answer=${answer}&cli_rand=${challenge}`);
  const tookMs = performance.now() - beganAtMs;
  socket.destroy();
  return tookMs;
}
