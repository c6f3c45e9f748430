import {
  isWireObject,
  parseExactJson,
  payload,
  payloadObjects,
  type WireObject,
  type WireValue,
} from '../../container/webapi/fields.ts';
import type { Told } from './server.ts';

/** What an answer says about itself; nothing of what it says about clients leaves here. */

export const bodyOf = ({ text }: Told): WireObject | undefined => {
  try {
    const body = parseExactJson(text.replace(/^\uFEFF/, ''));
    return isWireObject(body) ? body : undefined;
  } catch {
    return undefined;
  }
};

export const answerOf = (told: Told): WireValue | undefined => {
  const body = bodyOf(told);
  return body && payload(body);
};

export const rowsOf = (told: Told): readonly WireObject[] => payloadObjects(bodyOf(told) ?? {});

export const listOf = (told: Told): readonly string[] => {
  const answer = answerOf(told);
  return Array.isArray(answer) ? answer.filter((item): item is string => typeof item === 'string') : [];
};

/** Names of the first object, as written. */
export const namesOf = (told: Told): readonly string[] => Object.keys(rowsOf(told)[0] ?? {});

export type Verdict = 'has' | 'lacks' | 'forbidden' | 'unclear';

/** Whether a command is there, by how it refused what it may have been asked wrongly. */
export function verdictOf({ status, retcode }: Told): Verdict {
  if (retcode === undefined) {
    if (status === 400 || status === 404) return 'lacks';
    return status === 403 || status === 401 ? 'forbidden' : 'unclear';
  }
  if (retcode === 8) return 'forbidden';
  if (retcode === 12_000 || retcode === 12_002) return 'lacks';
  return [0, 1, 3, 13, 14].includes(retcode) || retcode >= 1000 ? 'has' : 'unclear';
}
