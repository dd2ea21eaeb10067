import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";

/** A folder of this process for what need not last; `close` removes all of it. */
export interface Scratch {
  /** Where DuckDB spills what does not fit its memory. */
  spillFolder: string;
  /** A new folder of its own, which the caller removes. */
  newFolder(): Promise<string>;
  /** Lends a new folder and removes it afterwards, whatever happened. */
  withFolder<T>(use: (folder: string) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export async function openScratch(parent: string): Promise<Scratch> {
  await mkdir(parent, { recursive: true });
  const root = await mkdtemp(join(parent, "segops-braze-"));
  const newFolder = () => mkdtemp(join(root, "work-"));
  return {
    spillFolder: join(root, "spill"),
    newFolder,
    async withFolder(use) {
      const folder = await newFolder();
      try {
        return await use(folder);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
    close: () => rm(root, { recursive: true, force: true }),
  };
}
