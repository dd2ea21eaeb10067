/** Where an error was thrown, without the message that a stack begins with: that may hold a user's id. */
export function stackFrames(error: unknown): string[] {
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  return stack.split("\n").filter((line) => line.startsWith("    at "));
}
