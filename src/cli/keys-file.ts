import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { keysFileSchema, keysFileShape, type KeysFile } from "../api/auth/api-keys.ts";
import { CommandError } from "./failure.ts";

/** Nothing yet where there is no file. */
export async function readKeysFile(file: string): Promise<KeysFile> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return "{}";
    throw new CommandError("file_unreadable", `${file} cannot be read (${error.code}). Check --file.`);
  });
  const parsed = keysFileSchema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new CommandError("file_invalid", `${file} is left as it is: it must hold ${keysFileShape}.`);
}

/** Whole or not at all: a running gateway reads it at any moment. */
export async function writeKeysFile(file: string, keys: KeysFile): Promise<void> {
  const temporary = `${file}.${process.pid}.new`;
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(temporary, `${JSON.stringify(keys, null, 2)}\n`, { mode: 0o600 });
    await rename(temporary, file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new CommandError("file_unwritable", `${file} cannot be written (${code}). Check --file.`, {
      cause: error,
    });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
