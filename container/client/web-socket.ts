import type { WebSocketConstructor } from './streams.ts';

/**
 * The runtime's own `WebSocket`. In the package's build for Node, `scripts/client/node-web-socket.ts` stands in its place:
 * Node 20 has none.
 * @throws Error where there is none
 */
export function runtimeWebSocket(): WebSocketConstructor {
  if (typeof WebSocket === 'undefined')
    throw new Error('This runtime has no WebSocket: pass one as `webSocket`, such as that of the package ws.');
  return WebSocket;
}
