/** Header names in lower case, as undici gives them. */
export type AnswerHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** Windows reset at the top of the hour at the latest, so a longer wait is a misread header. */
const longestWaitMs = 3_600_000;

/** Braze's pages disagree on the reset header's unit: a value above this can only be epoch seconds. */
const epochFrom = 1e9;

/** How long an answer asks to wait; undefined where it does not say. */
export function retryAfterMs(headers: AnswerHeaders, wallMs: number): number | undefined {
  return (
    secondsMs(header(headers, "x-ratelimit-retry-after")) ??
    retryAfterHeaderMs(header(headers, "retry-after"), wallMs) ??
    spentWindowMs(headers, wallMs)
  );
}

/**
 * How long until the window resets, where the answer says that nothing is left in it. With requests left, a 429 comes from
 * the burst limit, and waiting for the hour's reset would be far too long.
 */
export function spentWindowMs(headers: AnswerHeaders, wallMs: number): number | undefined {
  const reset = wholeNumber(header(headers, "x-ratelimit-reset"));
  if (reset === undefined || wholeNumber(header(headers, "x-ratelimit-remaining")) !== 0) return undefined;
  return bounded(reset > epochFrom ? reset * 1000 - wallMs : reset * 1000);
}

function retryAfterHeaderMs(value: string | undefined, wallMs: number): number | undefined {
  if (value === undefined) return undefined;
  const date = Date.parse(value);
  return secondsMs(value) ?? (Number.isNaN(date) ? undefined : bounded(date - wallMs));
}

function secondsMs(value: string | undefined): number | undefined {
  const seconds = wholeNumber(value);
  return seconds === undefined ? undefined : bounded(seconds * 1000);
}

function bounded(ms: number): number {
  return Math.min(longestWaitMs, Math.max(0, ms));
}

function wholeNumber(value: string | undefined): number | undefined {
  return value !== undefined && /^\s*\d+\s*$/.test(value) ? Number(value) : undefined;
}

function header(headers: AnswerHeaders, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}
