import type { WebhookSender } from '../../container/outbox/webhooks/deliveries.ts';

/**
 * Sends webhooks by `fetch`, which on Cloudflare reaches the internet and nothing private of the account. Redirects are not
 * followed: they would lead past the check of the target.
 */
export const fetchSender: WebhookSender = {
  send: async ({ url, headers, body, timeoutMs }) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const answer = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal });
    await answer.body?.cancel();
    return { status: answer.status };
  },
};
