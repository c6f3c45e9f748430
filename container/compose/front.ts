import type { RequestListener } from 'node:http';
import { HolderRequests } from '../cluster/ask-holder.ts';
import { Callers } from '../cluster/callers.ts';
import { Follower } from '../cluster/follower.ts';
import { Forward } from '../cluster/forward.ts';
import { HolderStreams } from '../cluster/holder-streams.ts';
import { HolderWatch } from '../cluster/holder-watch.ts';
import type { Held } from '../cluster/lease.ts';
import { ReferenceAnswers } from '../cluster/reference-answers.ts';
import { Trust } from '../cluster/trust.ts';
import { CONSOLE_DIRECTORY, type ContainerOptions } from '../compose.ts';
import type { ClusterMessage, ClusterStatus } from '../contract/cluster.ts';
import type { Logger } from '../contract/logger.ts';
import { METRICS, type MetricName } from '../contract/metrics/catalog.ts';
import { Metrics } from '../contract/metrics/registry.ts';
import { BRIDGE_VERSION, CONTRACT_VERSION } from '../contract/version.ts';
import type { Config } from '../host/config.ts';
import { framed } from '../http/app.ts';
import { type OnUpgrade, ownTargets } from '../http/broker-target.ts';
import { CallerLimit } from '../http/caller-limit.ts';
import { clientAddress } from '../http/client-address.ts';
import { consolePage } from '../http/console.ts';
import { Requests } from '../http/requests.ts';
import { createUpgrades } from '../http/upgrades.ts';
import { ProgramMetrics } from '../service/process/program-metrics.ts';
import { collectCluster, collectStreams } from './figures.ts';
import { createStreamServers, type StreamServers } from './streaming.ts';

export interface FrontOptions {
  readonly config: Config;
  readonly options: ContainerOptions;
  readonly log: Logger;
  readonly status: () => ClusterStatus;
}

/** What a replica is while another one holds. Its clients' streams stay with it when it holds itself. */
export class Front {
  readonly trust: Trust;
  readonly requests = new Requests();
  readonly request: RequestListener;
  readonly upgrade: OnUpgrade;
  readonly #holders = new HolderWatch();
  readonly #ask = new HolderRequests();
  readonly #metrics: ProgramMetrics;
  readonly #references: ReferenceAnswers;
  readonly #callers: Callers;
  readonly #source: HolderStreams;
  readonly #streaming: StreamServers;

  constructor({ config, options, log, status }: FrontOptions) {
    const { now = Date.now, streamLimits: limits } = options;
    this.trust = new Trust(config.password, config.login, config.broker);
    this.#metrics = new ProgramMetrics(now);
    this.#references = new ReferenceAnswers(now);
    const road = { holders: this.#holders, requests: this.#ask, trust: this.trust, now };
    this.#callers = new Callers(road);
    this.#source = new HolderStreams({
      ...road,
      onLost: () => this.#streaming.service.core.markAllStale(),
      onFault: (error) => log.warn('cluster', { error }),
    });
    const { authenticate, stillValid } = this.#callers;
    const addressOf = clientAddress(config.trustedProxies);
    const who = { authenticate, addressOf, now, log };
    this.#streaming = createStreamServers(this.#source, {
      ...who,
      stillValid,
      maxConnections: config.maxConnections,
      onStreams: () => undefined,
      // The outbox is the holder's, and a gap here is one of the link to it, which it need not be told.
      onGaps: undefined,
      ...(limits ? { limits } : {}),
    });
    this.#collect(status);
    const { registry } = this.#metrics;
    const shared = {
      ...who,
      draining: () => this.requests.isDraining,
      behindDoor: false,
      limit: new CallerLimit(config.rate, now),
      epoch: () => null,
      onAnswer: this.#metrics.answered,
    };
    const follower = new Follower({
      ...shared,
      holders: this.#holders,
      references: this.#references,
      forward: new Forward({
        ...road,
        addressOf,
        onForwarded: (result) => registry.add('mt5_cluster_forwards_total', [result]),
      }),
      fromReplica: this.trust.fromReplica,
      customCommands: config.customCommands,
      status,
      metrics: () => textOf(this.#metrics),
      onReference: (result) => registry.add('mt5_cluster_reference_total', [result]),
    });
    const { paths: extra, upgrades: handlers } = this.#streaming;
    const app = framed({ ...shared, extra, console: consolePage(CONSOLE_DIRECTORY) }, follower.listener);
    const own = ownTargets(config.broker);
    this.request = own.requests(this.requests.around(app));
    this.upgrade = own.upgrades(createUpgrades({ ...shared, handlers }));
  }

  /** Another replica holds, this one does, or none. */
  follow(held: Held | undefined): void {
    this.#holders.changed(held);
    if (!held) return;
    // The end of a write that was under way at the one before was told to nobody.
    this.forget();
    this.#source.replaced();
  }

  /** What the holder tells. */
  hear(message: ClusterMessage): void {
    if ('beat' in message) this.#references.heard();
    else if ('changed' in message) this.#references.forget(message.changed);
    else if ('ended' in message) {
      this.#callers.forget();
      this.#streaming.service.end(message.ended);
    }
  }

  /** Something may have been told and not heard. */
  forget(): void {
    this.#references.forget();
    this.#callers.forget();
  }

  /** Clients are told to come back; requests are refused. */
  drain(): void {
    this.requests.isDraining = true;
    this.#streaming.close();
  }

  close(): void {
    this.#ask.close();
    this.#metrics.close();
  }

  #collect(status: () => ClusterStatus): void {
    const { registry } = this.#metrics;
    registry.collect('mt5_build_info', () => [[[BRIDGE_VERSION, String(CONTRACT_VERSION)], 1]]);
    registry.collect('mt5_http_requests_in_flight', () => [[[], this.requests.count]]);
    collectStreams(this.#metrics, this.#streaming.service);
    collectCluster(this.#metrics, status);
  }
}

function textOf({ registry }: ProgramMetrics): string {
  const all = new Metrics<MetricName>(METRICS);
  all.absorb(registry.snapshot());
  return all.text();
}
