/** The container program that counts nothing: what is left of its processor time is what counting costs. */
import { startContainer } from '../../../container/compose.ts';
import { loadConfig } from '../../../container/host/config.ts';
import { stopAsked } from '../../../container/host/stop-signals.ts';

/** A function: the bundle is CommonJS, which cannot wait at its top. */
async function main(): Promise<void> {
  const container = await startContainer(loadConfig(process.env), { isCounted: false });
  await stopAsked;
  await container.close();
  process.exit();
}

void main();
