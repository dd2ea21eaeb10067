import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { CommandError } from "./failure.ts";

/** The Braze key from a file, or from standard input for `-`, without the line end that editors add. */
export async function readApiKey(file: string): Promise<string> {
  const content = file === "-" ? await text(process.stdin) : await readKeyFile(file);
  return content.trim();
}

async function readKeyFile(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new CommandError("file_unreadable", `${file} cannot be read (${code}). Check --api-key-file.`, {
      cause: error,
    });
  }
}
