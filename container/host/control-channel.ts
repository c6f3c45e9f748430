import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import {
  parseControlMessage,
  type Activity,
  type ControlMessage,
  type Hello,
  type SessionStatus,
} from '../contract/control.ts';
import type { BreakerStatus } from '../contract/breaker.ts';
import type { Logger } from '../contract/logger.ts';
import type { TradingCalendar } from '../contract/trading-calendar.ts';
import { BRIDGE_VERSION, CONTRACT_VERSION } from '../contract/version.ts';
import type { Config } from './config.ts';
import type { RemoteState } from '../state/remote-state.ts';
import type { UpstreamCheckpoint } from '../state/state-api.ts';

/** State calls and activity are a few kilobytes; a page of the ledger is the largest. */
const MAX_MESSAGE_BYTES = 8 * 1024 * 1024;

/** What the Durable Object asks for. */
export interface ControlEvents {
  emit(event: 'handover', checkpoint: UpstreamCheckpoint): unknown;
  emit(event: 'warm'): unknown;
  emit(event: 'drain', reason: string): unknown;
  emit(event: 'ended', ended: readonly string[]): unknown;
}

export interface ControlChannelOptions {
  readonly instanceId: string;
  /** Whose session it would hold; on a VPS with the key of its Worker. */
  readonly config: Pick<Config, 'broker' | 'login' | 'doorKey'>;
  readonly state: RemoteState;
  readonly log: Logger;
  readonly session: () => SessionStatus;
  readonly breaker: () => BreakerStatus;
  readonly listeningAfterMs: () => number;
  readonly events: ControlEvents;
}

/**
 * On a VPS the session is given up after so long without a channel: its Worker has gone, or holds the session elsewhere and
 * cannot tell. (A container is ended by the platform.) Longer than the cron's five minutes, twice, so
 * that a Durable Object that rests between two of them finds the session as it left it.
 */
const ALONE_MS = 900_000;

/**
 * The container's end of the control channel (`contract/control.ts`). The Durable Object opens it, and opens it again
 * when it closes; each time the container says hello, and may call the state once the hand-over has come.
 */
export class ControlChannel {
  readonly #options: ControlChannelOptions;
  readonly #server = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES, perMessageDeflate: false });
  #socket: WebSocket | undefined;
  #alone: NodeJS.Timeout | undefined;
  #activity: Pick<Activity, 'streams' | 'unsettled'> = { streams: 0, unsettled: 0 };

  constructor(options: ControlChannelOptions) {
    this.#options = options;
  }

  /** The start secret has been checked. */
  accept(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#server.handleUpgrade(request, socket, head, (channel) => this.#opened(channel));
  }

  /** What keeps the container awake besides requests. */
  noteActivity(activity: Partial<Pick<Activity, 'streams' | 'unsettled'>>): void {
    this.#activity = { ...this.#activity, ...activity };
    this.sendActivity();
  }

  sendActivity(): void {
    this.#send({
      type: 'activity',
      ...this.#activity,
      session: this.#options.session(),
      breaker: this.#options.breaker(),
    });
  }

  /** When the broker trades the symbols in use. */
  sendCalendar(calendar: TradingCalendar): void {
    this.#send({ type: 'calendar', calendar });
  }

  close(): void {
    clearTimeout(this.#alone);
    this.#socket?.close(1001);
    this.#server.close();
  }

  #opened(channel: WebSocket): void {
    clearTimeout(this.#alone);
    this.#socket?.terminate();
    this.#socket = channel;
    channel.on('message', (data: Buffer) => this.#received(channel, data));
    channel.on('error', (error) => this.#options.log.warn('control_channel_error', { error }));
    channel.on('close', () => {
      if (this.#socket !== channel) return;
      this.#socket = undefined;
      this.#options.state.detach();
      this.#waitForNext();
    });
    const hello: Hello = {
      type: 'hello',
      contractVersion: CONTRACT_VERSION,
      bridgeVersion: BRIDGE_VERSION,
      instanceId: this.#options.instanceId,
      broker: this.#options.config.broker,
      login: this.#options.config.login,
      epoch: this.#options.session().epoch,
      listeningAfterMs: Math.round(this.#options.listeningAfterMs()),
    };
    this.#send(hello);
  }

  #waitForNext(): void {
    const { config, session, events } = this.#options;
    if (config.doorKey === undefined || session().epoch === null) return;
    const giveUp = (): unknown => events.emit('drain', 'Its Worker has not spoken to it for long.');
    this.#alone = setTimeout(giveUp, ALONE_MS).unref();
  }

  #received(channel: WebSocket, data: Buffer): void {
    const { state, log, events } = this.#options;
    const message = parseControlMessage(data.toString());
    if (!message) return log.warn('control_channel_error', { reason: 'not a control message' });
    switch (message.type) {
      case 'handover': {
        if (!message.accepted) return void events.emit('drain', 'Another instance holds the session.');
        state.attach((call) => channel.send(JSON.stringify(call)));
        log.info('hand_over', { version: message.bridgeVersion });
        events.emit('handover', JSON.parse(message.checkpoint) as UpstreamCheckpoint);
        return this.sendActivity();
      }
      case 'result':
      case 'failure':
        return state.receive(message);
      case 'ping':
        return this.#send({ type: 'pong' });
      case 'warm':
        return void events.emit('warm');
      case 'drain':
        return void events.emit('drain', message.reason);
      case 'ended':
        return void events.emit('ended', message.ended);
      case 'hello':
      case 'call':
      case 'activity':
      case 'calendar':
      case 'pong':
        return log.warn('control_channel_error', { kind: message.type });
    }
  }

  #send(message: ControlMessage): void {
    if (this.#socket?.readyState === 1) this.#socket.send(JSON.stringify(message));
  }
}
