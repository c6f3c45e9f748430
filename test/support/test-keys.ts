/** API keys that every layer's tests use; their hashes go to the bridge. Runtime-neutral. */
export const TEST_KEYS = {
  admin: 'mt5k_test_admin',
  trade: 'mt5k_test_trade',
  read: 'mt5k_test_read',
  /** Only logins 1001 and 1005–1010. */
  masked: 'mt5k_test_masked',
  /** EURUSD only. */
  limited: 'mt5k_test_limited',
} as const;

/** The value of `BRIDGE_API_KEYS`, by a hash function that gives 64 hex digits. */
export function testKeysVariable(sha256Hex: (text: string) => string): string {
  const hash = (key: string): string => `sha256:${sha256Hex(key)}`;
  return JSON.stringify([
    { id: 'admin', hash: hash(TEST_KEYS.admin), scopes: ['admin'] },
    { id: 'trade', hash: hash(TEST_KEYS.trade), scopes: ['trade'] },
    { id: 'read', hash: hash(TEST_KEYS.read), scopes: ['read'] },
    { id: 'limited', hash: hash(TEST_KEYS.limited), scopes: ['admin'], limits: { symbols: ['EURUSD'] } },
    { id: 'masked', hash: hash(TEST_KEYS.masked), scopes: ['trade'], logins: '1001,1005-1010' },
  ]);
}
