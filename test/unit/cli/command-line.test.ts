import { mkdtemp, readFile, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { openKey, sealKey } from "../../../src/braze/sealed-key.ts";
import { runCli } from "./run-cli.ts";

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "segops-braze-cli-"));
});

// Nobody listens on port 1: whatever would need Temporal says so at once.
const noTemporal = { TEMPORAL_ADDRESS: "127.0.0.1:1" };
const endpoint = ["--rest-endpoint", "https://rest.iad-01.braze.com"];

test("tells its version and its commands with status 0", async () => {
  const { version } = JSON.parse(
    await readFile(new URL("../../../package.json", import.meta.url), "utf8"),
  ) as {
    version: string;
  };
  expect(await runCli(["--version"])).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
  const help = await runCli(["--help"]);
  expect(help).toMatchObject({ code: 0, stderr: "" });
  for (const command of ["setup", "worker", "keys", "connector", "dev"])
    expect(help.stdout).toContain(`  ${command}`);
});

test.each([
  { args: ["nonsense"], says: "unknown command 'nonsense' [usage]" },
  { args: ["connector"], says: "a command is missing [usage]" },
  { args: ["connector", "show", "acme"], says: "such as acme/7. [usage]" },
  { args: ["connector", "logs", "acme/7", "--limit", "0"], says: "from 1 to 1000. [usage]" },
  { args: ["connector", "verify", "acme/7", "--sample", "10001"], says: "from 1 to 10000. [usage]" },
  { args: ["connector", "list", "--tenant", "a'b"], says: "tenant slug" },
  {
    args: ["connector", "list", "--status", "ill"],
    says: "Allowed choices are inactive, active, error. [usage]",
  },
  { args: ["connector", "approve-removal", "acme/7"], says: "'--digest <digest>' not specified [usage]" },
  { args: ["connector", "approve-removal", "acme/7", "--digest", "5d"], says: "64 hex digits" },
  { args: ["connector", "configure", "acme/7"], says: "nothing to change" },
  { args: ["connector", "configure", "acme/7", "--set", "batch_size"], says: "--set wants name=value" },
  {
    args: ["connector", "configure", "acme/7", "--set", "a=1", "--unset", "a"],
    says: "a is given twice [usage]",
  },
])("a wrong command line ends with status 2 and says why: $args", async ({ args, says }) => {
  const ran = await runCli(args, { env: noTemporal });
  expect(ran).toMatchObject({ code: 2, stdout: "" });
  expect(ran.stderr).toContain(says);
});

test("with --json a wrong command line is one JSON document on stderr, even where help would be printed", async () => {
  const ran = await runCli(["connector", "--json"]);
  expect(ran).toMatchObject({ code: 2, stdout: "" });
  expect(JSON.parse(ran.stderr)).toEqual({ error: { code: "usage", message: expect.any(String) } });
});

test("bad variables are all told at once, before anything else, with status 1", async () => {
  const env = { LOG_LEVEL: "loud", PART_SECONDS: "soon" };
  const ran = await runCli(["keys", "create", "--dir", join(dir, "never")], { env });
  expect(ran).toMatchObject({ code: 1, stdout: "" });
  expect(ran.stderr).toMatch(/LOG_LEVEL: [^]*PART_SECONDS: [^]*\[environment_invalid\]/);
  await expect(stat(join(dir, "never"))).rejects.toThrow("ENOENT");
});

test("an unreachable Temporal is told with its address and what to check", async () => {
  const ran = await runCli(["connector", "list", "--json"], { env: noTemporal });
  expect(ran).toMatchObject({ code: 1, stdout: "" });
  const { error } = JSON.parse(ran.stderr) as { error: { code: string; message: string } };
  expect(error.code).toBe("temporal_unreachable");
  expect(error.message).toMatch(/127\.0\.0\.1:1.*TEMPORAL_ADDRESS/);
});

test("a broken Temporal configuration file is told without quoting it", async () => {
  const file = join(dir, "temporal.toml");
  await writeFile(file, '[profile.default]\naddress = "x"\napi_key = "sk-never-shown\n');
  const ran = await runCli(["connector", "list"], { env: { TEMPORAL_CONFIG_FILE: file } });
  expect(ran.code).toBe(1);
  expect(ran.stderr).toContain("[environment_invalid]");
  expect(ran.stderr).not.toContain("sk-never-shown");
});

test("keys create makes a pair that seals and opens, the private file for its owner alone, and never overwrites", async () => {
  const folder = join(dir, "keys");
  const ran = await runCli(["keys", "create", "--dir", folder, "--json"]);
  expect(ran).toMatchObject({ code: 0, stderr: "" });
  const files = JSON.parse(ran.stdout) as Record<string, string>;
  expect(files).toEqual({
    private_keys_file: join(folder, "sealing-keys.json"),
    public_keys_file: join(folder, "sealing-public-keys.json"),
    key_id: expect.any(String),
  });
  const [secret, open] = await Promise.all(
    [files["private_keys_file"], files["public_keys_file"]].map((file) => readFile(file ?? "", "utf8")),
  );
  const sealedFor = { connector: "braze/acme/7", host: "rest.iad-01.braze.com" };
  const sealed = await sealKey("a-key", sealedFor, JSON.parse(open ?? "") as never);
  expect(await openKey(sealed, sealedFor, JSON.parse(secret ?? "") as never)).toBe("a-key");
  expect((await stat(files["private_keys_file"] ?? "")).mode & 0o777).toBe(0o600);
  expect(open).not.toContain('"d"');

  const again = await runCli(["keys", "create", "--dir", folder]);
  expect(again).toMatchObject({ code: 1, stdout: "" });
  expect(again.stderr).toContain("[file_exists]");
  expect(await readFile(join(folder, "sealing-keys.json"), "utf8")).toBe(secret);
});

test("keys create leaves no half of a pair behind", async () => {
  const folder = await mkdtemp(join(dir, "half-"));
  await writeFile(join(folder, "sealing-public-keys.json"), "{}");
  expect(await runCli(["keys", "create", "--dir", folder])).toMatchObject({ code: 1 });
  await expect(stat(join(folder, "sealing-keys.json"))).rejects.toThrow("ENOENT");
});

test("create names every field at fault before it connects, and never the key", async () => {
  const args = ["connector", "create", "acme/7", "--rest-endpoint", "https://rest.iad-01.braze.com/"];
  const settings = ["--api-key-file", "-", "--set", "batch_size=76", "colour=red"];
  const ran = await runCli([...args, ...settings], { env: noTemporal, input: "my secret key\n" });
  expect(ran).toMatchObject({ code: 1, stdout: "" });
  expect(ran.stderr).toContain("[config_invalid]");
  for (const part of [
    "rest_endpoint: must not end with a slash",
    "batch_size: ",
    "field: colour",
    "api_key: must be one word",
  ]) {
    expect(ran.stderr).toContain(part);
  }
  expect(ran.stderr).not.toContain("my secret key");
});

test.each([
  { given: ["--set", "api_key=never-shown"], says: "use --api-key-file" },
  { given: ["--api-key=never-shown"], says: "unknown option '--api-key'" },
  { given: ["--set", "never-shown"], says: "--set wants name=value" },
])("a key on the command line is refused and not repeated: $given", async ({ given, says }) => {
  const ran = await runCli(["connector", "create", "acme/7", ...endpoint, ...given], { env: noTemporal });
  expect(ran).toMatchObject({ code: 2, stdout: "" });
  expect(ran.stderr).toContain(says);
  expect(ran.stderr).not.toContain("never-shown");
});

test("a key that cannot be read, and one that cannot be sealed, are told apart", async () => {
  const create = ["connector", "create", "acme/7", ...endpoint, "--api-key-file"];
  const unread = await runCli([...create, join(dir, "no-such-file")], { env: noTemporal });
  expect(unread).toMatchObject({ code: 1 });
  expect(unread.stderr).toContain("ENOENT");
  const unsealed = await runCli([...create, "-"], { env: noTemporal, input: "a-key" });
  expect(unsealed).toMatchObject({ code: 1 });
  expect(unsealed.stderr).toContain("SEALING_PUBLIC_KEYS_FILE: is needed");
});

test("a private key set given as the public one is refused", async () => {
  const file = join(dir, "private.json");
  await writeFile(file, JSON.stringify({ keys: [{ kty: "EC", d: "secret-part" }] }));
  const env = { ...noTemporal, SEALING_PUBLIC_KEYS_FILE: file };
  const ran = await runCli(["connector", "list"], { env });
  expect(ran).toMatchObject({ code: 1 });
  expect(ran.stderr).toContain("is not a JWK set of public keys");
  expect(ran.stderr).not.toContain("secret-part");
});

test("delete asks nobody who cannot answer", async () => {
  const ran = await runCli(["connector", "delete", "acme/7", "--cleanup"], { env: noTemporal, input: "y\n" });
  expect(ran).toMatchObject({ code: 1, stdout: "" });
  expect(ran.stderr).toContain("Say --yes. [not_confirmed]");
});
