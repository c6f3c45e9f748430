import { z } from 'zod';
import { parseLoginMask } from '../keys.ts';
import { defineRoute, noParams, noQuery } from '../route.ts';
import { groupMaskIn, instantMsOut, instantOut, limitIn, listOf, loginOut } from '../schemas/values.ts';
import { eventPatternIn } from './audit.ts';

/**
 * Who is told what happens: signed as the Standard Webhooks specification says, at least once, in order for each login.
 * Behind the Worker the outbox's Durable Object sends, so that a sleeping container's last words arrive.
 */

const tag = 'Webhooks';
const common = { tag, scope: 'manage', wide: true, write: false, query: noQuery } as const;

const idParams = z.strictObject({
  id: z
    .string()
    .regex(/^wh_[0-9a-f]{16}$/, 'expected the id of a webhook')
    .meta({ description: 'Id of a webhook.' }),
});
const example = { params: { id: 'wh_0123456789abcdef' } };

const webhook = z
  .object({
    id: z.string(),
    url: z.string(),
    events: z.array(z.string()),
    logins: z.string().nullable().meta({ description: 'Login mask like `1001,1005-1010`; `null` = of all.' }),
    groups: z.array(z.string()).nullable().meta({ description: 'Masks of groups; `null` = of all.' }),
    createdAt: instantOut,
    createdAtMs: instantMsOut,
    disabledAt: instantOut.nullable(),
    disabledAtMs: instantMsOut.nullable(),
    disabledReason: z.string().nullable(),
    pending: z.int().meta({ description: 'Events that wait for it.' }),
    oldestPendingAtMs: instantMsOut.nullable(),
  })
  .meta({ id: 'Webhook' });

const attempt = z
  .object({
    eventId: z.string().meta({ description: '`webhook-id`: the same for each attempt.' }),
    type: z.string(),
    login: loginOut.nullable(),
    at: instantOut,
    atMs: instantMsOut,
    attempt: z.int(),
    status: z.int().nullable().meta({ description: 'What it answered; `null` = no answer came.' }),
    error: z.string().nullable(),
    durationMs: z.int(),
  })
  .meta({ id: 'WebhookAttempt' });

const loginsBody = z
  .string()
  .max(4000, 'expected at most 4000 characters')
  .refine((text) => {
    try {
      return parseLoginMask(text).length > 0;
    } catch {
      return false;
    }
  }, 'expected numbers and ranges like "1001,1005-1010"')
  .meta({ description: 'Only events of these logins: `1001,1005-1010`.' });

export const createWebhook = defineRoute({
  ...common,
  id: 'createWebhook',
  method: 'POST',
  path: '/v1/webhooks',
  summary: 'Be told what happens',
  description:
    'Each event is a POST of its JSON with `webhook-id`, `webhook-timestamp` and `webhook-signature` (Standard Webhooks; its ' +
    'libraries verify them with the secret, which is shown once). Answer 2xx within 15 s; an event may come twice, with the ' +
    'same id. Events of one login come in order; what fails is sent again for a day, then the webhook is disabled.',
  params: noParams,
  body: z.strictObject({
    url: z.string().max(2000, 'expected at most 2000 characters').meta({
      description: 'https, port 443, a public name; no redirects are followed.',
    }),
    events: z
      .array(eventPatternIn)
      .min(1, 'expected at least one type')
      .max(50, 'expected at most 50 types')
      .meta({ description: 'Types (`operation.done`) and families (`operation.*`); `*` = all.' }),
    logins: loginsBody.optional(),
    groups: z
      .array(groupMaskIn)
      .min(1, 'expected at least one mask')
      .max(50, 'expected at most 50 masks')
      .optional()
      .meta({ description: 'Only events that name a group, of these.' }),
  }),
  answer: z
    .object({ secret: z.string().meta({ description: 'Shown once.' }), webhook })
    .meta({ id: 'WebhookWithSecret' }),
  status: 201,
  example: { body: { url: 'https://hooks.example.com/mt5', events: ['operation.*', 'account.*'] } },
});

export const listWebhooks = defineRoute({
  ...common,
  id: 'listWebhooks',
  method: 'GET',
  path: '/v1/webhooks',
  summary: 'Who is told, and what waits for them',
  params: noParams,
  answer: listOf(webhook),
  status: 200,
  example: {},
});

export const deleteWebhook = defineRoute({
  ...common,
  id: 'deleteWebhook',
  method: 'DELETE',
  path: '/v1/webhooks/{id}',
  summary: 'Tell it no more, and forget it',
  params: idParams,
  answer: z.object({ deleted: z.boolean() }),
  status: 200,
  example,
});

export const testWebhook = defineRoute({
  ...common,
  id: 'testWebhook',
  method: 'POST',
  path: '/v1/webhooks/{id}/test',
  summary: 'Send it `admin.webhook_test` now, once',
  params: idParams,
  answer: attempt,
  status: 200,
  example,
});

export const disableWebhook = defineRoute({
  ...common,
  id: 'disableWebhook',
  method: 'POST',
  path: '/v1/webhooks/{id}/disable',
  summary: 'Send it nothing more; what waits is given up',
  params: idParams,
  answer: webhook,
  status: 200,
  example,
});

export const enableWebhook = defineRoute({
  ...common,
  id: 'enableWebhook',
  method: 'POST',
  path: '/v1/webhooks/{id}/enable',
  summary: 'Send to it again, from now on',
  description: '`replay` tells what it missed.',
  params: idParams,
  answer: webhook,
  status: 200,
  example,
});

export const listWebhookDeliveries = defineRoute({
  ...common,
  id: 'listWebhookDeliveries',
  method: 'GET',
  path: '/v1/webhooks/{id}/deliveries',
  summary: 'The last attempts, the newest first',
  params: idParams,
  query: z.strictObject({ limit: limitIn(50, 200) }),
  answer: listOf(attempt),
  status: 200,
  example: { ...example, query: { limit: '10' } },
});

export const replayWebhook = defineRoute({
  ...common,
  id: 'replayWebhook',
  method: 'POST',
  path: '/v1/webhooks/{id}/replay',
  summary: 'Tell it everything again, from an event on',
  description: 'Events are kept for seven days, at most 100,000 of them.',
  params: idParams,
  body: z.strictObject({
    from: z
      .string()
      .regex(/^evt_[0-9a-f]{32}$/, 'expected the id of an event')
      .meta({ description: 'Id of the first event.' }),
  }),
  answer: z.object({ events: z.int() }),
  status: 200,
  example: { ...example, body: { from: 'evt_0123456789abcdef0123456789abcdef' } },
});

export const webhookRoutes = [
  createWebhook,
  listWebhooks,
  deleteWebhook,
  testWebhook,
  disableWebhook,
  enableWebhook,
  listWebhookDeliveries,
  replayWebhook,
] as const;
