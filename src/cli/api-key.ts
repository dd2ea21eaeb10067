import { randomBytes } from "node:crypto";
import { Option, type Command } from "commander";
import { entryOf, hashOfKey, idOf, type KeysFile } from "../api/auth/api-keys.ts";
import { roles, type Role } from "../contracts/role.ts";
import { EnvironmentError, type Environment } from "../contracts/environment.ts";
import { tenantArgument } from "./arguments.ts";
import { defineCommand } from "./command.ts";
import { CommandError } from "./failure.ts";
import { readKeysFile, writeKeysFile } from "./keys-file.ts";
import { table } from "./table.ts";

interface FileOption {
  file?: string;
}

/** As many bits as a SHA-256 has: nobody guesses one, and its plain hash gives nothing away. */
const keyBytes = 32;

export function addApiKey(program: Command): void {
  const parent = program.command("api-key").description("the keys with which the gateway is called");
  addCreate(parent);
  addList(parent);
  addRevoke(parent);
}

function addCreate(parent: Command): void {
  const command = fileOption(parent.command("create"))
    .description("make a key and show it once; only its hash is kept")
    .requiredOption("--tenant <slug>", "whose connectors it may see", tenantArgument)
    .addOption(
      new Option("--role <role>", "a viewer reads, the others also write").choices(roles).default("member"),
    );
  defineCommand(
    command,
    async ({ environment, output }, options: FileOption & { tenant: string; role: Role }) => {
      const file = fileOf(options, environment);
      const { tenant, role } = options;
      const key = `sk_${randomBytes(keyBytes).toString("base64url")}`;
      const id = randomBytes(6).toString("hex");
      const keys = await readKeysFile(file);
      const entry = { hash: hashOfKey(key), role, id, created_at: new Date().toISOString() };
      await writeKeysFile(file, { ...keys, [tenant]: [...(keys[tenant] ?? []), entry] });
      output.result({ tenant, id, role, key, file }, () =>
        [
          `Key ${id} of ${tenant} (${role}), shown once:`,
          `  ${key}`,
          `Its hash is in ${file}; a running gateway takes it within a second.`,
        ].join("\n"),
      );
    },
  );
}

function addList(parent: Command): void {
  const command = fileOption(parent.command("list")).description("list the keys by id; none is shown");
  defineCommand(command, async ({ environment, output }, options: FileOption) => {
    const keys = rowsOf(await readKeysFile(fileOf(options, environment)));
    output.result({ keys }, () =>
      keys.length === 0
        ? "No keys."
        : table(
            ["TENANT", "ID", "ROLE", "CREATED"],
            keys.map(({ tenant, id, role, created_at }) => [tenant, id, role, created_at]),
          ),
    );
  });
}

function addRevoke(parent: Command): void {
  const command = fileOption(parent.command("revoke"))
    .description("take a key back; a running gateway refuses it within a second")
    .requiredOption("--id <id>", "which, as list shows it");
  defineCommand(command, async ({ environment, output }, options: FileOption & { id: string }) => {
    const file = fileOf(options, environment);
    const keys = await readKeysFile(file);
    const left = Object.fromEntries(
      Object.entries(keys).map(([tenant, entries]) => [
        tenant,
        entries.filter((entry) => idOf(entry) !== options.id),
      ]),
    );
    if (rowsOf(left).length === rowsOf(keys).length) {
      throw new CommandError("key_unknown", `no key has the id ${options.id}. Look with api-key list.`);
    }
    await writeKeysFile(file, left);
    output.result({ revoked: options.id }, () => `Revoked ${options.id}.`);
  });
}

function fileOption(command: Command): Command {
  return command.option("--file <file>", "the file of keys; default: GATEWAY_API_KEYS_FILE");
}

function fileOf({ file }: FileOption, environment: Environment): string {
  const named = file ?? environment.GATEWAY_API_KEYS_FILE;
  if (named) return named;
  throw new EnvironmentError(["GATEWAY_API_KEYS_FILE: is needed where --file is not given"]);
}

function rowsOf(keys: KeysFile) {
  return Object.entries(keys).flatMap(([tenant, entries]) =>
    entries.map((entry) => {
      const { role, created_at = null } = entryOf(entry);
      return { tenant, id: idOf(entry), role, created_at };
    }),
  );
}
