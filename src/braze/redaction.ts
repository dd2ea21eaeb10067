/** Texts of Braze in errors are cut here: enough for a sentence, too little for a body. */
const maxQuoteLength = 200;

/** So much of a key, or of an id, gives it away. */
const tellingLength = 8;

/** The text with each secret masked. */
export function redact(text: string, secrets: readonly string[]): string {
  return secrets.reduce((masked, secret) => (secret ? masked.replaceAll(secret, "***") : masked), text);
}

/**
 * Braze's own words as they may stand in an error: without the API key, on one line, at most 200 characters. Empty where
 * they name one of the users or hold a piece of the key, since nobody can tell what else such a text repeats.
 */
export function quoteBraze(
  text: string,
  confidential: { apiKey: string; userIds: readonly string[] },
): string {
  const masked = redact(text, [confidential.apiKey]);
  if (holdsPieceOf(masked, confidential.apiKey)) return "";
  const plain = lettersAndDigits(masked);
  if (confidential.userIds.some((id) => names(masked, plain, id))) return "";
  return masked.replaceAll(/\s+/g, " ").trim().slice(0, maxQuoteLength);
}

function holdsPieceOf(text: string, secret: string): boolean {
  for (let at = 0; at + tellingLength <= secret.length; at++) {
    if (text.includes(secret.slice(at, at + tellingLength))) return true;
  }
  return false;
}

/** An echoed id may be cut short, escaped or of another case, so its first letters and digits are looked for too. */
function names(text: string, plain: string, id: string): boolean {
  if (id && text.includes(id)) return true;
  const opening = lettersAndDigits(id).slice(0, 2 * tellingLength);
  return opening !== "" && plain.includes(opening);
}

function lettersAndDigits(text: string): string {
  return text.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, "");
}
