const count = new Intl.NumberFormat("en-US");
const date = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium" });
const time = new Intl.DateTimeFormat("en-GB", { timeStyle: "short" });

export function formatCount(value: number): string {
  return count.format(value);
}

/** `1 user`, `3,482 users`. */
export function formatUsers(value: number): string {
  return `${formatCount(value)} ${value === 1 ? "user" : "users"}`;
}

/** Date and time in the reader's own time zone. */
export function formatMoment(iso: string): [date: string, time: string] {
  const at = new Date(iso);
  return [`${date.format(at)},`, time.format(at)];
}

/** `45 s`, `12 min`, `3 h 5 min`. */
export function formatDuration(seconds: number): string {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
