import type { StateCall, StateFailure, StateResult } from '../../../container/contract/control.ts';
import type { OriginName } from '../../../container/contract/schemas/status.ts';
import type { BridgeState } from '../../../container/state/bridge-state.ts';
import { StateServer } from '../../../container/state/state-server.ts';
import { type Broker, type DoorConfig, doorConfig } from '../../config.ts';
import { Instance, type InstanceParts } from '../instance.ts';
import type { Announce } from '../road-breaker.ts';
import { roadBreaker } from '../road-breaker.ts';
import type { Origin } from './origin.ts';
import { Origins, type OriginsParts, type Side } from './origins.ts';
import { originSettings, primaryName, VPC_ORIGIN, vpsUrl, type VpsSettings } from './settings.ts';
import { Vps } from './vps.ts';

type OfInstance = Omit<InstanceParts, 'checkpoint' | 'serve' | 'onProcess'>;
type OfOrigins = Pick<OriginsParts, 'kv' | 'returning'>;

export interface BuildOriginsParts extends OfInstance, OfOrigins {
  readonly env: Env;
  /** What both origins remember in. */
  readonly state: BridgeState;
  /** A process of the origin is there, or (`null`) it is gone. */
  readonly onProcess: (instanceId: string | null, origin: Origin) => Promise<void>;
  readonly announce: Announce;
  readonly broker: () => Broker;
  /** To a program on a VPS. */
  readonly vpsFetch: (url: string, init: RequestInit) => Promise<Response>;
}

/** The container, and the origins as the variables say; the container need not be one of them. */
export function buildOrigins(parts: BuildOriginsParts): { origins: Origins; instance: Instance } {
  const { env, state, broker } = parts;
  const settings = originSettings({ ...env });
  const config = (): DoorConfig => doorConfig(env);
  const server = new StateServer(state, parts.onFault);
  /** What an origin has of the Durable Object, and what it gets of it only in its turn. */
  const shared = (origin: () => Origin) => ({
    ...parts,
    checkpoint: async (): Promise<string> => {
      await origins.beforeHandover(origin());
      return JSON.stringify(await state.signIn.read());
    },
    serve: async (call: StateCall): Promise<StateResult | StateFailure> => {
      state.cost.count({ messages: 1 });
      return origins.refusal(origin(), call) ?? server.serve(call);
    },
    onProcess: (instanceId: string | null) => parts.onProcess(instanceId, origin()),
  });
  const instance: Instance = new Instance(shared(() => instance));
  const hasContainer = settings.primary === 'container' || settings.fallback === 'container';
  const buildVps = (of: VpsSettings): Vps => {
    const vps: Vps = new Vps({
      ...shared(() => vps),
      key: of.key,
      fetch: (target, init) => parts.vpsFetch(vpsUrl(of, broker(), config().brokers.length > 1, target), init),
      broker: () => broker().id,
      // Where the container is the other origin, the Worker knows the manager account.
      login: () => (hasContainer ? config().variablesOf(broker())['MT5_LOGIN'] : undefined),
    });
    return vps;
  };
  const side = (of: 'container' | VpsSettings, name: OriginName): Side => {
    const origin = of === 'container' ? instance : buildVps(of);
    const breaker = roadBreaker({ ...parts, journal: state.journal, name, instanceId: () => origin.instanceId });
    return { name, origin, breaker };
  };
  const origins: Origins = new Origins({
    ...parts,
    journal: state.journal,
    primary: side(settings.primary, primaryName(settings)),
    fallback: settings.fallback && side(settings.fallback, 'fallback'),
    afterMs: settings.afterMs,
    writes: settings.writes,
  });
  return { origins, instance };
}

/** Over the internet, or over the Workers VPC binding `VPS` where the Worker has one. */
export function fetchVps(env: Env, url: string, init: RequestInit): Promise<Response> {
  const { VPS } = env as Env & { readonly VPS?: Fetcher };
  return url.startsWith(`${VPC_ORIGIN}/`) && VPS ? VPS.fetch(url, init) : fetch(url, init);
}
