/**
 * The scalars of a request. In the query names are `lower_case` and compared without case (old clients write LOGIN);
 * in a JSON body they are spelled exactly as documented, `PassMain` for `pass_main`; a body written as a form, or with
 * the query's spelling, is understood too. The body wins.
 */
export class Parameters {
  readonly #query: ReadonlyMap<string, string>;
  readonly #body: Readonly<Record<string, unknown>> | undefined;

  constructor(query: ReadonlyMap<string, string>, body?: Readonly<Record<string, unknown>>) {
    this.#query = query;
    this.#body = body;
  }

  /** The value as text: numbers of a body as decimals, arrays of scalars joined by commas. */
  text(name: string, bodyName = pascalCase(name)): string | undefined {
    if (this.#body !== undefined) {
      const value = scalarText(Object.hasOwn(this.#body, bodyName) ? this.#body[bodyName] : own(this.#body, name));
      if (value !== undefined) return value;
    }
    return this.#query.get(name);
  }

  /** The value as a safe integer ≥ 0; undefined where absent; NaN where it is something else. */
  integer(name: string, bodyName?: string): number | undefined {
    const text = this.text(name, bodyName);
    if (text === undefined) return undefined;
    const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    return Number.isSafeInteger(value) ? value : Number.NaN;
  }
}

const own = (record: Readonly<Record<string, unknown>>, name: string): unknown =>
  Object.hasOwn(record, name) ? record[name] : undefined;

const pascal = new Map<string, string>();

/** `pass_main` → `PassMain`. */
function pascalCase(name: string): string {
  let known = pascal.get(name);
  if (known === undefined) {
    known = name.replaceAll(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
    pascal.set(name, known);
  }
  return known;
}

/** A scalar, or a list of scalars: no deeper, whatever a body nests. */
function scalarText(value: unknown, inList = false): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  if (typeof value === 'boolean') return value ? '1' : '0';
  if (!Array.isArray(value) || inList) return undefined;
  const parts = value.map((part) => scalarText(part, true));
  return parts.includes(undefined) ? undefined : parts.join(',');
}
