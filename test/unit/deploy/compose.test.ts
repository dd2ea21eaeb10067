import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { parseEnvironment } from "../../../src/contracts/environment.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), "utf8");

/** The part of the Compose specification that this file uses; `strictObject` makes a misspelt key an error. */
const condition = z.enum(["service_started", "service_healthy", "service_completed_successfully"]);
const text = z.string();
const serviceSchema = z.strictObject({
  image: text,
  build: z.literal(".").optional(),
  entrypoint: z.array(text).optional(),
  command: z.array(text).optional(),
  environment: z.record(text, z.string()).default({}),
  secrets: z.array(text).default([]),
  volumes: z.array(text).default([]),
  networks: z.array(text).default([]),
  ports: z.array(text).default([]),
  tmpfs: z.array(text).optional(),
  depends_on: z.record(text, z.strictObject({ condition })).default({}),
  healthcheck: z
    .strictObject({
      test: z.array(text).min(2),
      interval: text,
      timeout: text,
      retries: z.number(),
      start_period: text,
    })
    .optional(),
  restart: z.string().regex(/^(unless-stopped|on-failure:\d+)$/),
  stop_grace_period: text.optional(),
  logging: z.strictObject({ driver: text, options: z.record(text, text) }),
  init: z.boolean().optional(),
  read_only: z.boolean().optional(),
  cap_drop: z.array(text).optional(),
  security_opt: z.array(text).optional(),
});
const composeSchema = z
  .object({
    name: text,
    services: z.record(text, serviceSchema),
    volumes: z.record(text, z.null()),
    networks: z.record(text, z.strictObject({ internal: z.boolean() }).nullable()),
    secrets: z.record(text, z.strictObject({ file: text })),
  })
  .catchall(z.unknown());

const source = read("docker-compose.yml");
const compose = composeSchema.parse(parse(source, { merge: true }));
const services = Object.entries(compose.services);
const service = (name: string): z.infer<typeof serviceSchema> => {
  const found = compose.services[name];
  if (found === undefined) {
    throw new Error(`no service ${name}`);
  }
  return found;
};
const oneShot = services.filter(([, { restart }]) => restart !== "unless-stopped").map(([name]) => name);
const example = Object.fromEntries(
  read(".env.example")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
);
/** `${NAME:-default}` as used, `$$` aside. */
const substitutions = [...source.matchAll(/(?<!\$)\$\{?(\w+)(?::-([^}]*))?\}?/g)].map(
  ([, name = "", fallback]) => ({ name, fallback }),
);

// The names that the environment is promised to have, Temporal's own three among them.
const environmentNames = `
  TEMPORAL_ADDRESS TEMPORAL_NAMESPACE TEMPORAL_API_KEY
  STORAGE_URL SCRATCH_DIR DUCKDB_MEMORY_LIMIT DUCKDB_THREADS
  SEGOPS_API_URL SEGOPS_API_KEY SEGOPS_API_KEYS_FILE ALLOWED_BRAZE_ORIGINS
  SEALING_KEYS_FILE SEALING_PUBLIC_KEYS_FILE GATEWAY_API_KEYS_FILE SEGOPS_WEBHOOK_SECRETS_FILE
  HTTP_HOST HTTP_PORT TRUST_PROXY RATE_LIMIT_PER_MINUTE TEMPORAL_UI_URL METRICS_ADDRESS LOG_LEVEL
  JWT_JWKS_URL JWT_SECRET_FILE JWT_ISSUER JWT_AUDIENCE JWT_TENANT_CLAIM JWT_ROLE_CLAIM
  DELIVER_WORKERS QUIET_WINDOW_SECONDS VERIFY_SAMPLE_USERS RECONCILE_INTERVAL_SECONDS PART_SECONDS CLEAN_UP_AFTER_DAYS
  CONTINUE_AS_NEW_AFTER_EVENTS
`
  .trim()
  .split(/\s+/);

test("an unknown key of a service is an error, so that a misspelt one cannot pass", () => {
  const misspelt = source.replace("stop_grace_period: 60s", "stop_grace_periode: 60s");
  expect(misspelt).not.toBe(source);
  expect(composeSchema.safeParse(parse(misspelt, { merge: true })).error?.message).toContain(
    "stop_grace_periode",
  );
});

// The plugin reads a file without an engine; not every machine has it.
const plugin = spawnSync("docker", ["compose", "version"]).status === 0;
test.runIf(plugin)("docker compose itself accepts the file with the example's settings", () => {
  const args = [
    "compose",
    "--file",
    join(root, "docker-compose.yml"),
    "--env-file",
    join(root, ".env.example"),
  ];
  expect(spawnSync("docker", [...args, "config", "--quiet"], { encoding: "utf8" }).stderr).toBe("");
});

describe("images", () => {
  test.each(services)("%s is pinned to a full version", (_, { image }) => {
    expect(image).toMatch(/^[\w./-]+:\d+\.\d+(\.\d+)?(-[\w.]+)?$/);
  });

  test("the tools that set up the schema are of the server's version", () => {
    const version = service("temporal").image.split(":")[1];
    expect(service("temporal-schema").image).toBe(`temporalio/admin-tools:${version}`);
    expect(service("temporal-namespace").image).toBe(`temporalio/admin-tools:${version}`);
  });

  test("the Dockerfile builds on one pinned glibc image and runs the worker as an ordinary user", () => {
    const dockerfile = read("Dockerfile");
    const bases = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, base]) => base);
    expect(new Set(bases)).toHaveLength(1);
    expect(bases[0]).toMatch(/^node:22\.\d+\.\d+-bookworm-slim$/);
    expect(dockerfile.lastIndexOf("USER node")).toBeGreaterThan(dockerfile.lastIndexOf("FROM "));
    expect(dockerfile).toMatch(/^ENTRYPOINT \["node", "dist\/src\/cli\.js"\]\nCMD \["worker"\]$/m);
    const { version, bin } = z
      .object({ version: text, bin: z.record(text, text) })
      .parse(JSON.parse(read("package.json")));
    expect(bin["segops-braze"]).toBe("dist/src/cli.js");
    expect(service("worker").image).toBe(`segops-braze:${version}`);
  });

  test("every path that the Dockerfile copies from the checkout exists and passes .dockerignore", () => {
    const copied = [...read("Dockerfile").matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, paths = ""]) =>
      paths.split(" "),
    );
    const allowed = read(".dockerignore")
      .split("\n")
      .filter((line) => line.startsWith("!"))
      .map((line) => line.slice(1));
    expect(copied.sort()).toEqual(allowed.sort());
    expect(copied.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });
});

describe("order and health", () => {
  test.each(services)(
    "%s depends only on services that exist, by a condition that they can meet",
    (_, { depends_on }) => {
      for (const [name, { condition }] of Object.entries(depends_on)) {
        const wanted = oneShot.includes(name) ? "service_completed_successfully" : "service_healthy";
        expect([name, condition]).toEqual([name, wanted]);
        expect(service(name).healthcheck === undefined).toBe(oneShot.includes(name));
      }
    },
  );

  test.each(services)(
    "%s either runs on and has a health check, or ends and has none",
    (name, { healthcheck }) => {
      expect(healthcheck === undefined).toBe(oneShot.includes(name));
    },
  );

  test("schema, namespace and search attributes come before the worker", () => {
    const before = (name: string): string[] =>
      Object.keys(service(name).depends_on).flatMap((needed) => [...before(needed), needed]);
    expect(new Set(before("worker"))).toEqual(
      new Set(["postgresql", "temporal-schema", "temporal", "temporal-namespace", "setup"]),
    );
  });

  test("the worker has longer to end than the 20 s it may take", () => {
    expect(service("worker").stop_grace_period).toBe("30s");
  });
});

describe("settings", () => {
  test("every variable is documented in .env.example and has a default of the same value", () => {
    expect(substitutions.length).toBeGreaterThan(10);
    for (const { name, fallback } of substitutions) {
      expect(example).toHaveProperty(name, fallback);
    }
  });

  test(".env.example holds nothing that the file does not use", () => {
    const used = substitutions.map(({ name }) => name);
    expect(Object.keys(example).filter((name) => !used.includes(name))).toEqual([]);
  });

  test.each(["setup", "worker", "gateway"])("%s is given only names that the contract knows", (name) => {
    const given = Object.keys(service(name).environment);
    expect(given.length).toBeGreaterThan(10);
    expect(given.filter((variable) => !environmentNames.includes(variable))).toEqual([]);
  });

  test("every name of the contract is in .env.example", () => {
    const page = read(".env.example");
    expect(environmentNames.filter((name) => !new RegExp(`\\b${name}\\b`).test(page))).toEqual([]);
  });

  test.each(["worker", "gateway"])("the %s accepts its environment with the example's values", (name) => {
    const given = Object.entries(service(name).environment).map(([name, value]): [string, string] => [
      name,
      value.replaceAll(/\$\{(\w+):-[^}]*\}/g, (_, variable: string) => example[variable] ?? "unknown"),
    ]);
    expect(parseEnvironment(Object.fromEntries(given))).toMatchObject({ STORAGE_URL: "file:/data" });
  });

  test("the gateway is given no secret of the workers'", () => {
    const { environment, secrets } = service("gateway");
    expect(environment).not.toHaveProperty("SEALING_KEYS_FILE");
    expect(secrets).not.toContain("sealing_keys");
    expect(secrets).not.toContain("segops_api_keys");
  });

  test("the number of history shards is the production one, since it can never be changed", () => {
    expect(service("temporal").environment.NUM_HISTORY_SHARDS).toBe("512");
  });
});

describe("secrets", () => {
  test("no password, key or token stands in clear: such variables name files", () => {
    for (const [name, { environment }] of services) {
      for (const [variable, value] of Object.entries(environment)) {
        const isSecret = /PASSWORD|PWD|SECRET|TOKEN|API_KEY|KEYS/.test(variable);
        expect(!isSecret || value.startsWith("/run/secrets/"), `${name}: ${variable}`).toBe(true);
      }
    }
  });

  test.each(services)(
    "%s is given every secret that it reads, and each is a file outside the repository",
    (_, given) => {
      const readAt = [...JSON.stringify(given).matchAll(/\/run\/secrets\/(\w+)/g)].map(([, name]) => name);
      expect(new Set(readAt)).toEqual(new Set(given.secrets));
      expect(given.secrets.filter((name) => compose.secrets[name] === undefined)).toEqual([]);
    },
  );

  test("git would not take a file that lies where the secrets do", () => {
    const paths = Object.values(compose.secrets).map(({ file }) => /:-\.\/([^}]+)\}/.exec(file)?.[1] ?? file);
    const ignored = execFileSync("git", ["check-ignore", ...paths], { cwd: root, encoding: "utf8" });
    expect(ignored.trim().split("\n").sort()).toEqual(paths.sort());
  });
});

describe("what it mounts and opens", () => {
  test.each(services)("%s opens ports on this machine's loopback alone", (_, { ports }) => {
    expect(ports.filter((port) => !/^127\.0\.0\.1:\$\{\w+:-\d+\}:\d+$/.test(port))).toEqual([]);
  });

  test.each(services)(
    "%s mounts declared volumes or folders that exist, and joins declared networks",
    (_, given) => {
      for (const volume of given.volumes) {
        const [from = ""] = volume.split(":");
        const exists = from.startsWith("./")
          ? statSync(join(root, from)).isDirectory()
          : from in compose.volumes;
        expect([volume, exists]).toEqual([volume, true]);
      }
      expect(given.networks.filter((network) => !(network in compose.networks))).toEqual([]);
    },
  );

  test("the scripts and settings that the containers are pointed to exist and parse", () => {
    const named = [...source.matchAll(/\/deploy\/([\w.-]+)/g)].map(([, file = ""]) => file);
    expect(new Set(named)).toEqual(
      new Set(["temporal", "secrets", "setup-schema.sh", "create-namespace.sh", "dynamic-config.yaml"]),
    );
    for (const script of ["setup-schema.sh", "create-namespace.sh"]) {
      execFileSync("sh", ["-n", join(root, "deploy/temporal", script)]);
    }
    const dynamic = z.record(text, z.array(z.strictObject({ value: z.unknown() })).min(1));
    expect(Object.keys(dynamic.parse(parse(read("deploy/temporal/dynamic-config.yaml"))))).not.toHaveLength(
      0,
    );
  });

  test("PostgreSQL is reached by Temporal and its schema tool alone", () => {
    const joined = services.filter(([, { networks }]) => networks.includes("database")).map(([name]) => name);
    expect(joined.sort()).toEqual(["postgresql", "temporal", "temporal-schema"]);
    expect(service("postgresql").networks).toEqual(["database"]);
    expect(compose.networks.database).toEqual({ internal: true });
  });
});
