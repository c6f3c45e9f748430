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
