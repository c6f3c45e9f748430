import type { HttpRequest } from './http-parser.ts';
import { parseForm } from './request-target.ts';

export type Body =
  | { readonly kind: 'read'; readonly value: unknown; readonly fields: Readonly<Record<string, unknown>> | undefined }
  | { readonly kind: 'unreadable' };

const NONE: Body = { kind: 'read', value: undefined, fields: undefined };

/** A body is JSON under either content type; else a form; else a text. `textOnly`: it is a text whatever it looks like. */
export function readBody(request: HttpRequest, textOnly: boolean, plusIsSpace: boolean): Body {
  if (request.body.length === 0) return NONE;
  const text = request.body.toString('utf8').replace(/^\uFEFF/, '');
  const trimmed = text.trim();
  if (trimmed === '') return NONE;
  if (textOnly) return { kind: 'read', value: text, fields: undefined };
  if (trimmed.startsWith('{') || trimmed.startsWith('[')) {
    try {
      const value = parseJson(trimmed);
      const fields = Array.isArray(value) ? undefined : (value as Record<string, unknown>);
      return { kind: 'read', value, fields };
    } catch {
      return { kind: 'unreadable' };
    }
  }
  if (/^[A-Za-z_]\w*=/.test(trimmed)) {
    const form = parseForm(trimmed, plusIsSpace);
    if (form !== undefined) return { kind: 'read', value: text, fields: Object.fromEntries(form) };
  }
  return { kind: 'read', value: text, fields: undefined };
}

/** Integers that a float would round become bigints: tickets and ids have 64 bits. */
function parseJson(text: string): unknown {
  if (!/\d{16}/.test(text)) return JSON.parse(text);
  return JSON.parse(text, (_name, value: unknown, context?: { source?: string }) =>
    typeof value === 'number' && !Number.isSafeInteger(value) && /^-?\d+$/.test(context?.source ?? '')
      ? BigInt(context?.source ?? 0)
      : value,
  );
}
