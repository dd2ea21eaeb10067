/** The order in which the ledger's files are sorted: by the bytes of UTF-8, which is not that of JavaScript's `<`. */
export function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
