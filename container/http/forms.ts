import type { AnswerForm } from '../contract/admission.ts';
import { tableText } from '../contract/tables.ts';
import { CSV_TYPE, HTML_TYPE, NEXT_CURSOR_HEADER } from '../contract/headers.ts';
import type { AnyRoute } from '../contract/route.ts';
import type { Statement } from '../contract/schemas/account.ts';
import type { HttpAnswer } from './answer.ts';
import { statementPage } from './statement-page.ts';

const COMMON = ['cache-control', 'no-store', 'vary', 'accept'];

/** An answer as a table or a page; `undefined` where the route has none. */
export function inForm(form: Exclude<AnswerForm, 'json'>, route: AnyRoute, body: unknown): HttpAnswer | undefined {
  if (form === 'page') return { status: 200, headers: [...COMMON, ...PAGE], body: statementPage(body as Statement) };
  if (!route.table) return undefined;
  const { items, nextCursor } = body as { readonly items: readonly object[]; readonly nextCursor?: string | null };
  const headers = [...COMMON, 'content-type', `${CSV_TYPE}; charset=utf-8; header=present`];
  headers.push('content-disposition', `attachment; filename="${route.id}.csv"`);
  if (nextCursor) headers.push(NEXT_CURSOR_HEADER, nextCursor);
  return { status: 200, headers, body: tableText(route.table, items) };
}

/** It loads nothing and runs nothing. */
const PAGE = [
  'content-type',
  `${HTML_TYPE}; charset=utf-8`,
  'content-security-policy',
  "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'x-content-type-options',
  'nosniff',
];
