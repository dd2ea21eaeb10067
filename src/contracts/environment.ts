import { z } from "zod";

/** The environment of the processes, as CONTRACT-named variables. Parsing is pure; reading files is the caller's. */

const wholeNumber = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d+$/, { error: `must be a whole number from ${min} to ${max}` })
    .transform(Number)
    .refine((value) => value >= min && value <= max, {
      error: `must be a whole number from ${min} to ${max}`,
    });

const address = z.string().regex(/^[^:\s]+:\d{1,5}$/, { error: "must be host:port, such as 127.0.0.1:9464" });

const commaList = z.string().transform((text) =>
  text
    .split(",")
    .map((part) => part.trim())
    .filter(Boolean),
);

const originList = commaList
  .refine((origins) => origins.every((origin) => URL.canParse(origin) && new URL(origin).origin === origin), {
    error:
      "must be a comma-separated list of origins, such as http://127.0.0.1:9797, each without a path or a trailing slash",
  })
  .default([]);

const proxy = z.union([
  z.enum(["loopback", "linklocal", "uniquelocal"]),
  z.ipv4(),
  z.ipv6(),
  z.cidrv4(),
  z.cidrv6(),
]);

/** Proxies by address: never "all", which would let every caller say how it addressed us. */
const proxyList = commaList
  .refine((proxies) => proxies.every((each) => proxy.safeParse(each).success), {
    error:
      "must be a comma-separated list of addresses and networks, such as 10.0.0.7, 10.1.0.0/16 or loopback",
  })
  .default([]);

const environmentSchema = z.object({
  STORAGE_URL: z
    .string()
    .regex(/^file:.+/, { error: "must be file:<folder>; this release stores in folders only" })
    .default("file:./data"),
  SCRATCH_DIR: z.string().optional(),
  DUCKDB_MEMORY_LIMIT: z
    .string()
    .regex(/^\d+(\.\d+)?\s*(KB|MB|GB|KiB|MiB|GiB)$/, { error: "must be a size, such as 2GB" })
    .default("2GB"),
  DUCKDB_THREADS: wholeNumber(1, 1024).optional(),
  SEGOPS_API_URL: z
    .url({
      protocol: /^https?$/,
      error: "must be an http or https address, such as https://api.segops.ai/api",
    })
    .refine((url) => !url.endsWith("/"), { error: "must not end with a slash" })
    .default("https://api.segops.ai/api"),
  SEGOPS_API_KEY: z.string().min(1).optional(),
  SEGOPS_API_KEYS_FILE: z.string().optional(),
  ALLOWED_BRAZE_ORIGINS: originList,
  SEALING_KEYS_FILE: z.string().optional(),
  SEALING_PUBLIC_KEYS_FILE: z.string().optional(),
  /** The gateway's: who may call it. */
  GATEWAY_API_KEYS_FILE: z.string().optional(),
  SEGOPS_WEBHOOK_SECRETS_FILE: z.string().optional(),
  HTTP_HOST: z.string().default("127.0.0.1"),
  HTTP_PORT: wholeNumber(0, 65_535).default(8088),
  /** Whose X-Forwarded-Proto and X-Forwarded-Host count. */
  TRUST_PROXY: proxyList,
  RATE_LIMIT_PER_MINUTE: wholeNumber(1, 1_000_000).default(1000),
  JWT_JWKS_URL: z
    .url({ protocol: /^https?$/, error: "must be the http or https address of a JWK set" })
    .optional(),
  JWT_SECRET_FILE: z.string().optional(),
  JWT_ISSUER: z.string().optional(),
  JWT_AUDIENCE: z.string().optional(),
  JWT_TENANT_CLAIM: z.string().default("tenant_slug"),
  JWT_ROLE_CLAIM: z.string().default("role"),
  /** Where people open the Temporal UI: the page links to it. */
  TEMPORAL_UI_URL: z
    .url({ protocol: /^https?$/, error: "must be an http or https address, such as http://127.0.0.1:8080" })
    .refine((url) => !url.endsWith("/"), { error: "must not end with a slash" })
    .optional(),
  METRICS_ADDRESS: address.default("127.0.0.1:9464"),
  LOG_LEVEL: z
    .enum(["trace", "debug", "info", "warn", "error", "fatal"], {
      error: "must be one of trace, debug, info, warn, error, fatal",
    })
    .default("info"),
  DELIVER_WORKERS: wholeNumber(1, 1000).default(1),
  QUIET_WINDOW_SECONDS: wholeNumber(0, 86_400).default(420),
  VERIFY_SAMPLE_USERS: wholeNumber(0, 500).default(500),
  RECONCILE_INTERVAL_SECONDS: wholeNumber(1, 86_400).default(3600),
  CONTINUE_AS_NEW_AFTER_RUNS: wholeNumber(1, 1000).default(100),
  CONTINUE_AS_NEW_AFTER_EVENTS: wholeNumber(100, 10_000).default(500),
  PART_SECONDS: wholeNumber(1, 600).default(60),
  CLEAN_UP_AFTER_DAYS: wholeNumber(30, 36_500).default(30),
});
export type Environment = z.infer<typeof environmentSchema>;

/**
 * Reads the variables; an empty one counts as not set. Throws one `EnvironmentError` that lists every problem at once, each
 * with its variable's name and never with a value that might be secret.
 */
export function parseEnvironment(variables: Record<string, string | undefined>): Environment {
  const given = Object.fromEntries(
    Object.entries(variables).filter(([, value]) => value !== undefined && value !== ""),
  );
  const parsed = environmentSchema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new EnvironmentError(parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`));
}

export class EnvironmentError extends Error {
  readonly problems: string[];

  constructor(problems: string[]) {
    super(
      `The environment has ${problems.length === 1 ? "a problem" : `${problems.length} problems`}:\n${problems.map((problem) => `  ${problem}`).join("\n")}`,
    );
    this.name = "EnvironmentError";
    this.problems = problems;
  }
}
