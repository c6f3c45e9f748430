import type { Fields } from '../../webapi/fields.ts';

/** Texts that must stand in an account's record; those that are absent match everything. */
export interface AccountSearch {
  readonly name?: string | undefined;
  readonly email?: string | undefined;
  readonly phone?: string | undefined;
  readonly externalAccount?: string | undefined;
  readonly comment?: string | undefined;
}

const folded = (text: string): string => text.normalize('NFKC').toLowerCase().trim();
/** However a number is written: `+44 20-79` and `004420 79` share their digits from the first that is not 0. */
const digits = (text: string): string => text.replaceAll(/\D/g, '').replace(/^0+/, '');

const SOUGHT = {
  name: { fields: ['Name', 'FirstName', 'MiddleName', 'LastName'], by: folded },
  email: { fields: ['Email'], by: folded },
  phone: { fields: ['Phone'], by: digits },
  externalAccount: { fields: ['Account'], by: folded },
  comment: { fields: ['Comment'], by: folded },
} as const;

/** Whether a record holds every text that is sought; `undefined` = nothing is. */
export function searchOf(search: AccountSearch): ((record: Fields) => boolean) | undefined {
  const tests = Object.entries(SOUGHT).flatMap(([name, { fields, by }]) => {
    const text = search[name as keyof AccountSearch];
    if (text === undefined) return [];
    const wanted = by(text);
    return [(record: Fields) => wanted !== '' && fields.some((field) => by(record.text(field) ?? '').includes(wanted))];
  });
  return tests.length === 0 ? undefined : (record) => tests.every((test) => test(record));
}
