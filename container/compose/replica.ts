import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { hostname } from 'node:os';
import { answerNotTheHolder } from '../cluster/follower.ts';
import type { Holding } from '../cluster/holding.ts';
import { type Held, Lease, LOOK_MS } from '../cluster/lease.ts';
import { LedgerFile } from '../cluster/ledger-file.ts';
import { Redis } from '../cluster/redis.ts';
import { type Bridge, type ContainerOptions, createBridgeServer, endServer, listen, makeBridge } from '../compose.ts';
import type { ClusterStatus } from '../contract/cluster.ts';
import { HEADER } from '../contract/headers.ts';
import type { Logger } from '../contract/logger.ts';
import { BRIDGE_VERSION } from '../contract/version.ts';
import { type ClusterConfig, type Config, configSecrets } from '../host/config.ts';
import { createLog } from '../host/log.ts';
import { FencedSql } from '../state/ledger-fence.ts';
import { Front } from './front.ts';

/** As compose.ts waits for what is in flight. */
const REQUEST_GRACE_MS = 5_000;

export interface RunningReplica {
  readonly port: number;
  readonly log: Logger;
  readonly status: () => ClusterStatus;
  /** As a bridge does; where it held, another begins at once. Idempotent, bounded. */
  close(): Promise<void>;
}

/**
 * One of several replicas of a bridge. It answers from the first moment on, as a follower; once it has the lease it makes
 * a bridge of its own, which answers from then on. A holder that loses the lease ends with its process, and follows when
 * it is started again.
 * @throws ConfigError
 */
export async function startReplica(
  config: Config,
  cluster: ClusterConfig,
  options: ContainerOptions,
): Promise<RunningReplica> {
  const log = createLog({
    level: config.logLevel,
    secrets: configSecrets(config),
    ...(options.writeLog ? { write: options.writeLog } : {}),
  });
  const front = new Front({ config, options, log, status: () => membership.status() });
  const term: Term = { token: undefined, bridge: undefined, making: undefined };
  const whenMade = (then: (bridge: Bridge | undefined) => void): void => {
    if (term.making && !term.bridge) void term.making.then(() => then(term.bridge));
    else then(term.bridge);
  };
  const server = createBridgeServer(
    (request, response) => {
      if (isForEarlier(request, term, front)) answerNotTheHolder(response);
      else whenMade((bridge) => (bridge ?? front).request(request, response));
    },
    (request, socket, head) => whenMade((bridge) => (bridge ?? front).upgrade(request, socket, head)),
  );
  const host = options.host ?? config.host;
  const port = await listen(server, { port: config.port, host });
  const self = { id: randomUUID(), url: cluster.advertise ?? ownUrl(host, port) };
  log.info('listening', { port, version: BRIDGE_VERSION, instanceId: self.id });
  const membership: Membership = join({ config, cluster, options, log, front, self, term });
  const close = async (): Promise<void> => {
    membership.leaving();
    front.drain();
    await Promise.all([
      front.requests.idle(REQUEST_GRACE_MS),
      Promise.resolve(term.making).then(() => term.bridge?.close()),
    ]);
    await membership.leave();
    front.close();
    endServer(server);
    log.info('stopped');
  };
  let closing: Promise<void> | undefined;
  return { port, log, status: membership.status, close: () => (closing ??= close()) };
}

/** What a replica has while it holds. */
interface Term {
  /** Of its lease. */
  token: number | undefined;
  bridge: Bridge | undefined;
  /** Resolves when there is one, or there will be none. */
  making: Promise<void> | undefined;
}

/**
 * Another replica asks the holder of an earlier term, which had this address: it is told that nothing was begun. Begun here,
 * it would be given up there as soon as this term is known, and its end told to nobody.
 */
function isForEarlier(request: IncomingMessage, { token }: Term, { trust }: Front): boolean {
  const asked = request.headers[HEADER.holderToken];
  return asked !== undefined && token !== undefined && asked !== String(token) && trust.fromReplica(request);
}

const ownUrl = (host: string, port: number): string => {
  const name = host === '0.0.0.0' || host === '::' ? hostname() : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
};

interface Membership {
  readonly status: () => ClusterStatus;
  /** It does not become the holder any more. */
  leaving(): void;
  leave(): Promise<void>;
}

interface Joining {
  readonly config: Config;
  readonly cluster: ClusterConfig;
  readonly options: ContainerOptions;
  readonly log: Logger;
  readonly front: Front;
  readonly self: { readonly id: string; readonly url: string };
  readonly term: Term;
}

/** Takes part in the election, and hears and tells what the replicas tell each other. */
function join({ config, cluster, options, log, front, self, term }: Joining): Membership {
  let isLost = false;
  const lost = (reason: string): void => {
    if (isLost) return;
    isLost = true;
    log.error('fenced', { reason });
    options.onDrainAsked?.(reason);
  };
  const warn = (error: unknown): void => log.warn('cluster', { error });
  const redis: Redis = new Redis({
    url: cluster.redisUrl,
    broker: config.broker,
    proofOf: front.trust.proofOf,
    onMessage: (message) => {
      front.hear(message);
      if ('released' in message) void lease.look();
    },
    onGap: () => front.forget(),
    onReady: () => void lease.look(),
    // A look that fails says it.
    onFault: () => undefined,
  });
  const holdingUnder = (held: Held, distrust: string | null): Holding => ({
    fence: (sql) => new FencedSql(sql, held.token, () => lost('Another replica has begun on the ledger.')),
    distrust,
    fromReplica: front.trust.fromReplica,
    addressOf: (own) => front.trust.addressOf(own),
    status: () => lease.status,
    changed: (changed) => void redis.publish({ changed: [...changed] }).catch(warn),
    ended: (ended) => void redis.publish({ ended: [...ended] }).catch(warn),
  });
  const begin = async (held: Held, distrust: string | null): Promise<void> => {
    try {
      const bridge = await makeBridge(config, { ...options, holding: holdingUnder(held, distrust) });
      lease.begun();
      term.bridge = bridge;
      bridge.begin();
    } catch (error) {
      log.error('crash', { error });
      options.onDrainAsked?.('This replica was elected and could not begin.');
    }
  };
  const lease: Lease = new Lease({
    store: redis,
    self,
    // What ends with the process is no ledger that another could go on with, nor this one after a restart.
    ledger: config.checkpoint === 'memory:' ? undefined : new LedgerFile(config.checkpoint),
    onElected: (held, distrust) => {
      log.info('elected', { ...held, reason: distrust });
      term.token = held.token;
      term.making = begin(held, distrust);
    },
    onLost: lost,
    onHolder: (held) => front.follow(held),
    now: () => performance.now(),
    log,
  });
  redis.start();
  const timer = setInterval(() => void lease.look(), LOOK_MS);
  return {
    status: () => lease.status,
    leaving: () => {
      if (!lease.isOurs) clearInterval(timer);
    },
    leave: async () => {
      clearInterval(timer);
      await lease.release();
      redis.close();
    },
  };
}
