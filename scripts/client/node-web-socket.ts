import { WebSocket as NodeWebSocket } from 'ws';
import type { WebSocketConstructor } from '../../container/client/streams.ts';

/** In place of `container/client/web-socket.ts`: Node has a `WebSocket` of its own from version 22 on. */
export const runtimeWebSocket = (): WebSocketConstructor => globalThis.WebSocket ?? NodeWebSocket;
