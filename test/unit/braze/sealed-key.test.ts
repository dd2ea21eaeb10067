import { base64url } from "jose";
import { beforeAll, describe, expect, test } from "vitest";
import { createSealingKeys, openKey, sealKey } from "../../../src/braze/sealed-key.ts";
import type { CodedError } from "../../../src/contracts/errors.ts";
import { sealedKeySchema } from "../../../src/contracts/connector-config.ts";

const apiKey = "b8f1a7c2-braze-rest-key";
const place = { connector: "braze/acme/7", host: "rest.iad-01.braze.com" };

type Keys = Awaited<ReturnType<typeof createSealingKeys>>;
let current: Keys;
let retired: Keys;

beforeAll(async () => {
  [current, retired] = await Promise.all([createSealingKeys(), createSealingKeys()]);
});

test("new sealing keys are one pair under one key id, and the public set holds no private part", () => {
  expect(current.publicKeys.keys).toHaveLength(1);
  expect(current.publicKeys.keys[0]).toMatchObject({
    kty: "EC",
    crv: "P-256",
    kid: expect.stringMatching(/^[\w-]{43}$/),
  });
  expect(current.publicKeys.keys[0]).not.toHaveProperty("d");
  expect(current.privateKeys.keys[0]).toMatchObject({ ...current.publicKeys.keys[0], d: expect.any(String) });
  expect(current.publicKeys.keys[0]?.kid).not.toBe(retired.publicKeys.keys[0]?.kid);
});

describe("a sealed key", () => {
  test("opens for its connector and host, and is what a configuration takes", async () => {
    const sealed = await sealKey(apiKey, place, current.publicKeys);
    expect(sealedKeySchema.safeParse(sealed).success).toBe(true);
    expect(await openKey(sealed, place, current.privateKeys)).toBe(apiKey);
  });

  test("shows key id, connector, host and algorithms, and the API key in no part", async () => {
    const parts = (await sealKey(apiKey, place, current.publicKeys)).split(".");
    const texts = parts.map((part) => Buffer.from(base64url.decode(part)).toString());
    expect(JSON.parse(texts[0]!)).toMatchObject({
      alg: "ECDH-ES+A256KW",
      enc: "A256GCM",
      kid: current.publicKeys.keys[0]?.kid,
      ...place,
    });
    expect(JSON.parse(texts[0]!)).not.toHaveProperty("crit");
    expect(texts.join()).not.toContain(apiKey);
  });

  test("differs each time, so that equal keys cannot be told", async () => {
    expect(await sealKey(apiKey, place, current.publicKeys)).not.toBe(
      await sealKey(apiKey, place, current.publicKeys),
    );
  });

  test("opens after a rotation with the old private key, while new ones are sealed with the first public key", async () => {
    const both = { keys: [...current.privateKeys.keys, ...retired.privateKeys.keys] };
    const old = await sealKey(apiKey, place, retired.publicKeys);
    expect(await openKey(old, place, both)).toBe(apiKey);
    const rotated = { keys: [...current.publicKeys.keys, ...retired.publicKeys.keys] };
    expect(await openKey(await sealKey(apiKey, place, rotated), place, current.privateKeys)).toBe(apiKey);
  });

  test.each([
    ["another connector", { ...place, connector: "braze/acme/8" }, "another connector"],
    ["another host", { ...place, host: "rest.iad-02.braze.com" }, "another host"],
  ])("does not open for %s", async (_, elsewhere, words) => {
    const sealed = await sealKey(apiKey, place, current.publicKeys);
    expect(await failureOf(openKey(sealed, elsewhere, current.privateKeys))).toMatchObject(unreadable(words));
  });

  test("does not open where its private key is not", async () => {
    const sealed = await sealKey(apiKey, place, current.publicKeys);
    expect(await failureOf(openKey(sealed, place, retired.privateKeys))).toMatchObject(
      unreadable("not here"),
    );
    expect(await failureOf(openKey(sealed, place, { keys: [] }))).toMatchObject(unreadable("not here"));
  });

  test("does not open with another private key of the same id", async () => {
    const sealed = await sealKey(apiKey, place, current.publicKeys);
    const wrong = { keys: [{ ...retired.privateKeys.keys[0]!, kid: current.privateKeys.keys[0]!.kid! }] };
    expect(await failureOf(openKey(sealed, place, wrong))).toMatchObject(unreadable("does not decrypt"));
  });

  test("whose header was rewritten for another connector does not open there", async () => {
    const [head, ...rest] = (await sealKey(apiKey, place, current.publicKeys)).split(".");
    const header = JSON.parse(Buffer.from(head!, "base64url").toString()) as object;
    const other = { ...place, connector: "braze/acme/8" };
    const forged = [base64url.encode(JSON.stringify({ ...header, ...other })), ...rest].join(".");
    expect(await failureOf(openKey(forged, other, current.privateKeys))).toMatchObject(
      unreadable("does not decrypt"),
    );
  });

  test.each([
    ["empty text", ""],
    ["a key in clear", apiKey],
    ["five parts of nothing", "a.b.c.d.e"],
    ["a header without key id", `${base64url.encode('{"alg":"dir"}')}.b.c.d.e`],
  ])("is not %s, and the message does not repeat it", async (_, text) => {
    expect(await failureOf(openKey(text, place, current.privateKeys))).toMatchObject(unreadable("no JWE"));
  });
});

test.each([
  ["empty", ""],
  ["with a line break at its end", `${apiKey}\n`],
  ["with a letter that no header takes", `${apiKey}ü`],
])("an API key %s is refused before it is sealed, without being repeated", async (_, text) => {
  expect(await failureOf(sealKey(text, place, current.publicKeys))).toMatchObject({
    code: "config_invalid",
    detail: expect.stringContaining("api_key"),
    shown: expect.not.stringContaining(apiKey),
  });
});

test("an empty set of public keys is refused by name", async () => {
  await expect(sealKey(apiKey, place, { keys: [] })).rejects.toMatchObject({
    code: "config_invalid",
    detail: expect.stringContaining("public sealing keys is empty"),
  });
});

/** An error as an operator could come to see it. */
async function failureOf(work: Promise<string>): Promise<unknown> {
  const { code, detail, stack } = await work.then(
    () => expect.unreachable(),
    (error: unknown) => error as CodedError,
  );
  return { code, detail, shown: stack };
}

function unreadable(words: string): object {
  return {
    code: "sealed_key_unreadable",
    detail: expect.stringContaining(words),
    shown: expect.not.stringContaining(apiKey),
  };
}
