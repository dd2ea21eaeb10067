// docs/api.md from the description that the gateway publishes, so that neither can say what the other does not.
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, Connection } from "@temporalio/client";
import { pino } from "pino";
import { buildServer } from "../src/api/build-server.ts";
import { noSecrets } from "../src/api/webhook/secrets.ts";
import { createConnectors } from "../src/client.ts";
import { openStorage } from "../src/storage/open-storage.ts";

interface Schema {
  $ref?: string;
  type?: string | string[];
  description?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  anyOf?: Schema[];
  enum?: unknown[];
  const?: unknown;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  readOnly?: boolean;
}
type Content = Record<string, { schema: Schema }>;
interface Operation {
  summary: string;
  description?: string;
  tags: string[];
  parameters?: { name: string; in: string; required?: boolean; description?: string; schema: Schema }[];
  requestBody?: { content: Content };
  responses: Record<string, { description: string; content?: Content }>;
}
interface Description {
  info: { description: string };
  tags: { name: string; description?: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}

/** What a gateway of these sources publishes at /api/openapi.json. Nothing is connected to. */
export async function describeApi(): Promise<Description> {
  const client = new Client({ connection: Connection.lazy() });
  const server = await buildServer({
    client,
    connectors: createConnectors({ client }),
    storage: await openStorage(`file:${join(tmpdir(), "segops-braze-api-page")}`),
    doorkeeper: {},
    webhookSecrets: noSecrets,
    explain: () => Promise.reject(new Error("only described")),
    rejectedReasons: async () => ({ results: [] }),
    allowedOrigins: [],
    ratePerMinute: 1000,
    version: "",
    log: pino({ level: "silent" }),
  });
  try {
    await server.ready();
    return server.swagger() as unknown as Description;
  } finally {
    await server.close();
    await client.connection.close();
  }
}

export function apiPage({ info, tags, paths, components }: Description): string {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  );
  const sections = tags.flatMap(({ name, description }) => [
    `## ${name[0]?.toUpperCase()}${name.slice(1)}`,
    ...(description ? [description] : []),
    ...operations.filter(({ operation }) => operation.tags.includes(name)).map(operationSection),
  ]);
  const shapes = Object.entries(components.schemas).map(([name, schema]) =>
    [`### ${name}`, ...(schema.description ? [schema.description] : []), fieldTable(schema)].join("\n\n"),
  );
  return [
    "# The API",
    "<!-- Written by `npm run describe` from the gateway's own description; a test holds the two together. -->",
    info.description,
    "The same for programs: `/api/openapi.json`; to try out: `/api/docs`.",
    ...sections,
    "## Shapes",
    ...shapes,
    "",
  ]
    .filter((part, index, all) => part !== "" || index === all.length - 1)
    .join("\n\n")
    .replace(/\n+$/, "\n");
}

function operationSection({
  path,
  method,
  operation,
}: {
  path: string;
  method: string;
  operation: Operation;
}): string {
  const { summary, description, parameters = [], requestBody, responses } = operation;
  const given = parameters.filter((parameter) => parameter.in !== "path");
  const body = requestBody && Object.values(requestBody.content)[0]?.schema;
  return [
    `### \`${method} ${path}\``,
    `${summary}.${description ? ` ${description}` : ""}`,
    ...(given.length > 0
      ? [
          table(
            ["parameter", "", ""],
            given.map(({ name, schema, description: words }) => [`\`${name}\``, typeOf(schema), words ?? ""]),
          ),
        ]
      : []),
    ...(body ? [fieldTable(body)] : []),
    table(
      ["answer", "", ""],
      Object.entries(responses).map(([status, { description: words, content }]) => [
        status,
        content ? typeOf(Object.values(content)[0]?.schema ?? {}) : "",
        words,
      ]),
    ),
  ]
    .filter(Boolean)
    .join("\n\n");
}

/** The fields of an object, those of objects in it by their path. */
function fieldTable(schema: Schema): string {
  const rows = rowsOf(schema, "");
  return rows.length > 0 ? table(["field", "", ""], rows) : "";
}

function rowsOf(schema: Schema, above: string): string[][] {
  const { properties = {}, required = [] } = objectIn(schema);
  return Object.entries(properties)
    .filter(([, field]) => !field.readOnly)
    .flatMap(([name, field]) => {
      const words = [required.includes(name) ? "" : "Optional.", field.description ?? ""];
      return [
        [`\`${above}${name}\``, typeOf(field), words.filter(Boolean).join(" ")],
        ...rowsOf(field, `${above}${name}.`),
      ];
    });
}

/** The object that a schema is, may be, or is a list of. */
function objectIn(schema: Schema): Schema {
  if (schema.properties) return schema;
  const inner = schema.items ?? schema.anyOf?.find(({ properties, items }) => properties ?? items);
  return inner ? objectIn(inner) : {};
}

function typeOf(schema: Schema): string {
  if (schema.$ref) {
    const name = schema.$ref.replace(/^.*\//, "");
    return `[${name}](#${name.toLowerCase()})`;
  }
  if (schema.anyOf) return [...new Set(schema.anyOf.map(typeOf))].join(" or ");
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.enum) return schema.enum.map((value) => `\`${JSON.stringify(value)}\``).join(", ");
  if (schema.items) return `list of ${typeOf(schema.items)}`;
  const range = rangeOf(schema);
  return [[schema.type ?? "anything"].flat().join(" or "), range].filter(Boolean).join(" ");
}

function rangeOf({ minimum, maximum, exclusiveMinimum }: Schema): string {
  const from = minimum ?? (exclusiveMinimum === undefined ? undefined : exclusiveMinimum + 1);
  const to = maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum;
  if (from === undefined && to === undefined) return "";
  return to === undefined ? `from ${from}` : `${from} to ${to}`;
}

function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), `|${head.map(() => "---|").join("")}`, ...rows.map(line)].join("\n");
}
