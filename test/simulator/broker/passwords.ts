/** Rules of passwords. */
type PasswordPolicy = 'four-classes' | 'two-of-three';

const LONGEST = 16;
const LOWER = /\p{Ll}/u;
const UPPER = /\p{Lu}/u;
const DIGIT = /\p{Nd}/u;
const SPECIAL = /[^\p{L}\p{N}\s]/u;

export function validPassword(password: string, policy: PasswordPolicy, minimum: number): boolean {
  if (password.length < minimum || password.length > LONGEST) return false;
  const classes = [LOWER, UPPER, DIGIT].filter((kind) => kind.test(password)).length;
  return policy === 'two-of-three' ? classes >= 2 : classes === 3 && SPECIAL.test(password);
}
