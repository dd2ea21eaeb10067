/** How good or bad a word is: its colour. The word itself always says the same, for whoever does not see colours. */
export type Tone = "good" | "quiet" | "warn" | "bad";

export function Badge({ tone, children }: { tone: Tone; children: string }) {
  return <span className={`badge ${tone}`}>{children}</span>;
}
