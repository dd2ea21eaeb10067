import { z } from "zod";

/** Also lets instances through that Braze opens later, but never a mere suffix of its domain. */
const brazeHostPattern = /^rest\.(?:[a-z]{2,3}-[0-9]{2}\.braze\.com|fra-[0-9]{2}\.braze\.eu)$/;

/** The same rule as one pattern, for those who read schemas. */
export function restEndpointPattern(allowedOrigins: readonly string[]): string {
  const others = allowedOrigins.map((origin) => `|${origin.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")}`);
  return `^(?:https://rest\\.(?:[a-z]{2,3}-[0-9]{2}\\.braze\\.com|fra-[0-9]{2}\\.braze\\.eu)${others.join("")})$`;
}

/**
 * A Braze REST endpoint: https, a Braze host, nothing after it. `allowedOrigins` are whole origins that an operator lets in
 * beside those (a stand-in, a proxy). Left out, any https or loopback origin passes: for reading back what was checked before.
 */
export function restEndpointSchema(allowedOrigins?: readonly string[]) {
  return z
    .string({ error: "is required: your Braze REST endpoint, such as https://rest.iad-01.braze.com" })
    .check((context) => {
      const problem = endpointProblem(context.value, allowedOrigins);
      if (problem) context.issues.push({ code: "custom", message: problem, input: context.value });
    });
}

function endpointProblem(value: string, allowedOrigins: readonly string[] | undefined): string | undefined {
  if (allowedOrigins?.includes(value)) return undefined;
  if (!URL.canParse(value)) return "must be a whole address, such as https://rest.iad-01.braze.com";
  const url = new URL(value);
  if (value.endsWith("/")) return "must not end with a slash";
  if (url.username || url.password) return "must not carry a user name or a password";
  if (url.origin !== value) return "must be only https:// and a host: no path, no query, no port 443";
  if (allowedOrigins === undefined) return undefined;
  if (url.protocol !== "https:") return "must start with https://";
  if (brazeHostPattern.test(url.host)) return undefined;
  return `is not a Braze REST host: use one such as https://rest.iad-01.braze.com, or have an operator add it to ALLOWED_BRAZE_ORIGINS`;
}
