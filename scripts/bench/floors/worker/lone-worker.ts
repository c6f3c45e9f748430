/** Floor of the door: a Worker that writes a ready buffer, with no Durable Object behind it and no key to check. */
import { DurableObject } from 'cloudflare:workers';

let body: Uint8Array<ArrayBuffer> | undefined;

/** The classes have the names that wrangler.jsonc binds. */
export class BridgeContainer extends DurableObject {}
export class StreamHub extends DurableObject {}

export default {
  fetch: (_request, env) => {
    body ??= new Uint8Array(Number(env.BODY_BYTES)).fill(0x78);
    return new Response(body, { headers: { 'content-type': 'application/json' } });
  },
} satisfies ExportedHandler<{ readonly BODY_BYTES: string }>;
