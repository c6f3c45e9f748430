import { userRightBit, type SettableRight } from '../../contract/schemas/enums.ts';
import { Fields, type WireObject } from '../../webapi/fields.ts';

/** MT5's names of the fields that `PATCH` and `POST` take. */
const PROFILE_FIELD = {
  name: 'Name',
  firstName: 'FirstName',
  lastName: 'LastName',
  middleName: 'MiddleName',
  company: 'Company',
  country: 'Country',
  city: 'City',
  state: 'State',
  zipCode: 'ZipCode',
  address: 'Address',
  phone: 'Phone',
  email: 'Email',
  externalAccount: 'Account',
  documentId: 'ID',
  status: 'Status',
  comment: 'Comment',
  leadSource: 'LeadSource',
  leadCampaign: 'LeadCampaign',
  leverage: 'Leverage',
  limitOrders: 'LimitOrders',
  limitPositions: 'LimitPositions',
  agent: 'Agent',
  language: 'Language',
  color: 'Color',
} as const;

/** What the server keeps itself: not part of an update, and no sign that somebody else changed the record. */
export const SERVER_OWNED =
  /^(Registration|LastAccess|LastPassChange|LastIP|Balance|Credit|InterestRate|Commission.*|(Balance|Equity)Prev.*|MQID|ApiData|CertSerialNumber|TradeAccounts)$/i;

export function profileFields(body: Readonly<Record<string, string | number | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(PROFILE_FIELD).flatMap(([name, field]) =>
      body[name] === undefined ? [] : [[field, String(body[name])]],
    ),
  );
}

/** `Rights` of a record with some given and some taken; the others stay. */
export function rightsField(user: WireObject, changes: Partial<Record<SettableRight, boolean | undefined>>): string {
  let rights = new Fields(user).integer('Rights') ?? 0;
  for (const [name, wanted] of Object.entries(changes)) {
    const bit = userRightBit(name as SettableRight);
    if (wanted !== undefined) rights = wanted ? rights | bit : rights & ~bit;
  }
  return String(rights);
}
