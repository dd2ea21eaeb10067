import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { Command } from "commander";
import { createSealingKeys } from "../braze/sealed-key.ts";
import { defineCommand } from "./command.ts";
import { CommandError } from "./failure.ts";

export function addKeys(program: Command): void {
  const keys = program.command("keys").description("the keys that seal Braze API keys");
  const command = keys
    .command("create")
    .description("make a pair: the workers open with the private set, callers seal with the public one")
    .requiredOption("--dir <dir>", "folder for sealing-keys.json and sealing-public-keys.json");
  defineCommand(command, async ({ output }, { dir }: { dir: string }) => {
    const folder = resolve(dir);
    const privateFile = join(folder, "sealing-keys.json");
    const publicFile = join(folder, "sealing-public-keys.json");
    const { privateKeys, publicKeys } = await createSealingKeys();
    await create(privateFile, privateKeys, 0o600);
    try {
      await create(publicFile, publicKeys, 0o644);
    } catch (error) {
      // Half a pair is no use to anybody.
      await rm(privateFile);
      throw error;
    }
    const made = {
      private_keys_file: privateFile,
      public_keys_file: publicFile,
      key_id: publicKeys.keys[0]?.kid,
    };
    output.result(made, () => madeText(privateFile, publicFile));
  });
}

function madeText(privateFile: string, publicFile: string): string {
  return [
    "Made a pair of sealing keys:",
    `  SEALING_KEYS_FILE=${privateFile}`,
    `  SEALING_PUBLIC_KEYS_FILE=${publicFile}`,
    "The first is for the workers alone. Keep a copy: without it the stored Braze keys cannot be opened.",
  ].join("\n");
}

/** Only where nothing is: overwritten keys would lock up every stored Braze key. */
async function create(file: string, content: unknown, mode: number): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, `${JSON.stringify(content, null, 2)}\n`, { flag: "wx", mode });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") {
      throw new CommandError("file_exists", `${file} exists and is not overwritten. Choose another --dir.`);
    }
    throw new CommandError("file_unwritable", `${file} cannot be written (${code}). Check --dir.`, {
      cause: error,
    });
  }
}
