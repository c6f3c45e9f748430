import { INTERNAL_PATH } from '../../container/contract/headers.ts';
import type { LinkSocket, StreamUpstreamOptions } from '../../container/stream/stream-upstream.ts';

/** The container as the source of a hub. */
export const containerLink = (bridge: () => Pick<Fetcher, 'fetch'>): Pick<StreamUpstreamOptions, 'dial' | 'of'> => ({
  dial: () => dial(bridge()),
  of: 'container',
});

/** The container is started if need be. */
async function dial(bridge: Pick<Fetcher, 'fetch'>): Promise<LinkSocket> {
  const init = { headers: { upgrade: 'websocket' } };
  const answer = await bridge.fetch(`http://bridge${INTERNAL_PATH.stream}`, init);
  const { webSocket } = answer;
  if (!webSocket) throw new Error(`The container answered ${answer.status} to the hub: ${await answer.text()}`);
  webSocket.accept();
  return webSocket;
}
