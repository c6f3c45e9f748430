import { BridgeError } from '../../container/contract/errors.ts';
import { BRIDGE_CALLER } from '../../container/contract/events.ts';
import { HEADER, LINES_TYPE } from '../../container/contract/headers.ts';
import type { Caller } from '../../container/contract/keys.ts';
import { readLines } from '../../container/contract/read-lines.ts';
import type { ArchiveKind } from '../../container/contract/routes/archive.ts';
import { CONTRACT_VERSION } from '../../container/contract/version.ts';
import type { ArchiveSource } from '../../container/outbox/archive/archive.ts';
import { type Broker, doorConfig } from '../config.ts';
import { bridgeOf } from '../stubs.ts';

const PATHS: Readonly<Record<ArchiveKind, string>> = { deals: '/v1/deals', 'daily-reports': '/v1/daily-reports' };
const CALLER: Caller = { id: BRIDGE_CALLER, scopes: ['read'] };
/** Until the first lines come: a sign-in and a question about everybody. */
const TIMEOUT_MS = 120_000;

/** Asks the container for whole lists, as lines: one without its last line was cut, and is not taken for all. */
export const archiveSource = (env: Env, broker: string): ArchiveSource =>
  async function* archived(kind, { fromMs, toMs }) {
    const config = doorConfig(env);
    const own: Broker = config.brokers.find(({ id }) => id === broker) ?? { id: broker, region: undefined };
    const query = new URLSearchParams({
      group: '*',
      from: new Date(fromMs).toISOString(),
      to: new Date(toMs).toISOString(),
    });
    const answer = await bridgeOf(env, config, own).fetch(`https://bridge${PATHS[kind]}?${query.toString()}`, {
      headers: {
        accept: LINES_TYPE,
        [HEADER.requestId]: crypto.randomUUID(),
        [HEADER.caller]: JSON.stringify(CALLER),
        [HEADER.contractVersion]: String(CONTRACT_VERSION),
        [HEADER.deadline]: String(Date.now() + TIMEOUT_MS),
        [HEADER.replay]: 'safe',
      },
    });
    if (!answer.ok || !answer.body)
      throw new BridgeError(
        'broker_unavailable',
        `${PATHS[kind]}: ${answer.status} ${(await answer.text()).slice(0, 300)}`,
      );
    const failure = (problem: unknown): Error =>
      new BridgeError('broker_malformed', JSON.stringify(problem).slice(0, 300));
    for await (const row of readLines<object>(answer.body, failure)) yield [row];
  };
