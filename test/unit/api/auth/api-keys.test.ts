import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { ApiKeys, hashOfKey } from "../../../../src/api/auth/api-keys.ts";
import { WatchedFile } from "../../../../src/api/auth/watched-file.ts";
import { runCli } from "../../cli/run-cli.ts";

const key = "sk_live_0123456789";
let file: string;
let lines: [string, object][];
beforeEach(async () => {
  file = join(await mkdtemp(join(tmpdir(), "segops-braze-keys-")), "keys.json");
  lines = [];
});

const log = {
  error: (line: object) => void lines.push(["error", line]),
  info: (line: object) => void lines.push(["info", line]),
};
const open = () =>
  WatchedFile.open({
    variable: "GATEWAY_API_KEYS_FILE",
    path: file,
    parse: (json) => ApiKeys.parse(json),
    log,
  });

test("a key in clear, its hash, and its hash with a role each name their tenant", () => {
  const keys = ApiKeys.parse({
    acme: [key],
    other: [
      hashOfKey("sk_other_0123456789"),
      { hash: hashOfKey("sk_viewer_0123456789"), role: "viewer", id: "v" },
    ],
  });
  expect(keys.holder(key)).toMatchObject({ tenant: "acme", role: "admin" });
  expect(keys.holder("sk_other_0123456789")).toMatchObject({ tenant: "other", role: "admin" });
  expect(keys.holder("sk_viewer_0123456789")).toEqual({ tenant: "other", role: "viewer", id: "v" });
  expect(keys.holder(`${key}0`)).toBeUndefined();
  expect(keys.holder(hashOfKey(key))).toBeUndefined();
});

test("a change of the file counts within a second; a broken one keeps what it held, and is logged without its content", async () => {
  await writeFile(file, JSON.stringify({ acme: [key] }));
  const watched = await open();
  expect((await watched.current()).holder(key)).toBeDefined();
  await writeFile(file, '{"acme": ["pk_canary_of_another_kind"]}');
  await expect.poll(async () => (await watched.current(), lines.length), { timeout: 5000 }).toBe(1);
  expect((await watched.current()).holder(key)).toBeDefined();
  expect(lines[0]?.[0]).toBe("error");
  expect(JSON.stringify(lines)).not.toContain("canary");
  await writeFile(file, '{"acme": []}');
  await expect.poll(async () => (await watched.current()).holder(key), { timeout: 5000 }).toBeUndefined();
});

test("a file that is missing or holds something else stops the start, by its variable's name", async () => {
  await expect(open()).rejects.toThrow(/GATEWAY_API_KEYS_FILE: the file cannot be read \(ENOENT\)/);
  await writeFile(file, '["sk_canary_0123456789"]');
  await expect(open()).rejects.toThrow(/GATEWAY_API_KEYS_FILE: the file must hold/);
});

test("api-key create shows a key once and keeps its hash; revoke takes it back", async () => {
  const args = ["--file", file, "--json"];
  const created = await runCli(["api-key", "create", "--tenant", "acme", "--role", "viewer", ...args]);
  expect(created.code).toBe(0);
  const made = JSON.parse(created.stdout) as { key: string; id: string };
  expect(made.key).toMatch(/^sk_[\w-]{43}$/);
  expect((await (await open()).current()).holder(made.key)).toEqual({
    tenant: "acme",
    role: "viewer",
    id: made.id,
  });
  expect(await readFile(file, "utf8")).not.toContain(made.key);
  expect((await runCli(["api-key", "revoke", "--id", made.id, ...args])).code).toBe(0);
  expect((await (await open()).current()).holder(made.key)).toBeUndefined();
}, 120_000);

test("api-key list names each key by id, role and age, the ones made by hand too, and shows no key", async () => {
  expect(await runCli(["api-key", "list", "--file", file])).toMatchObject({ code: 0, stdout: "No keys.\n" });
  const made = await runCli([
    "api-key",
    "create",
    "--tenant",
    "other",
    "--role",
    "viewer",
    "--file",
    file,
    "--json",
  ]);
  const { id } = JSON.parse(made.stdout) as { id: string };
  const held = JSON.parse(await readFile(file, "utf8")) as object;
  await writeFile(file, JSON.stringify({ acme: [key, hashOfKey("sk_bare_0123456789")], ...held }));
  const listed = await runCli(["api-key", "list", "--file", file, "--json"]);
  expect(JSON.parse(listed.stdout)).toEqual({
    keys: [
      { tenant: "acme", id: hashOfKey(key).slice(7, 19), role: "admin", created_at: null },
      { tenant: "acme", id: hashOfKey("sk_bare_0123456789").slice(7, 19), role: "admin", created_at: null },
      { tenant: "other", id, role: "viewer", created_at: expect.stringMatching(/^20\d\d-.*Z$/) as string },
    ],
  });
  const table = await runCli(["api-key", "list", "--file", file]);
  expect(table.stdout.split("\n")[3]).toMatch(new RegExp(`^other +${id} +viewer +20`));
  expect(`${listed.stdout}${table.stdout}`).not.toMatch(/sk_|sha256:/);
}, 120_000);
