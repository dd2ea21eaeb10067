/** How a part ends: `stop` lets it finish what it does, `kill` does not. */
type Release = (how: "stop" | "kill") => Promise<unknown>;

/** What has been started and must be ended, the latest first. */
export class Releases {
  #open: Release[] = [];
  #closed = false;

  /** Throws, having ended the part, where everything else was ended while it was being started. */
  async add(release: Release): Promise<void> {
    if (!this.#closed) {
      this.#open.push(release);
      return;
    }
    await release("kill");
    throw new Error("ended before it was started");
  }

  /** One that fails keeps none of the others from ending. */
  async all(how: "stop" | "kill"): Promise<void> {
    this.#closed = true;
    const latestFirst = this.#open.toReversed();
    this.#open = [];
    for (const release of latestFirst)
      await release(how).catch((error: unknown) => process.emitWarning(error as Error));
  }
}
