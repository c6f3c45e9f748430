import * as workers from 'cloudflare:workers';

interface Span {
  setAttribute(name: string, value: string | number | boolean): unknown;
}
interface Tracing {
  enterSpan<T>(name: string, body: (span: Span) => T): T;
}

/** Where the runtime has none, work goes on without spans. */
const { tracing } = workers as { tracing?: Tracing };

type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** A span of Workers traces around a part of a request (`observability.traces` in wrangler.jsonc). */
export function inSpan<T>(name: string, attributes: Attributes, body: () => T): T {
  if (!tracing) return body();
  return tracing.enterSpan(name, (span) => {
    for (const [key, value] of Object.entries(attributes)) if (value !== undefined) span.setAttribute(key, value);
    return body();
  });
}
