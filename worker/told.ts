import { asBridgeError, BridgeError, type ErrorCode, type ErrorContext } from '../container/contract/errors.ts';

/** An answer, or an error as plain data: class and code of an exception do not survive RPC. */
export type Told<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly code: ErrorCode; readonly context: ErrorContext };

export async function told<T>(body: () => Promise<T>): Promise<Told<T>> {
  try {
    return { ok: true, value: await body() };
  } catch (error) {
    const { code, context } = asBridgeError(error);
    const { cause: _, ...plain } = context;
    return { ok: false, code, context: plain };
  }
}

/** What an RPC call told, as a value or the error it stands for. */
export function untold<T>(told: Told<T>): T {
  if (told.ok) return told.value;
  throw new BridgeError(told.code, told.context);
}

/** `RouteInput` as RPC carries it. */
export interface PlainInput {
  readonly params: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly query: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body: Readonly<Record<string, string | number | boolean | undefined>> | undefined;
  readonly decimals: 'string' | 'number';
}
