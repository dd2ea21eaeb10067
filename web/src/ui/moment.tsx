import { formatMoment } from "./text.ts";

/** A time as people read it, the exact one behind it; `never` where there is none. */
export function Moment({ at, never = "never" }: { at: string | null; never?: string }) {
  if (at === null) return <span className="muted">{never}</span>;
  return (
    <time dateTime={at} title={at}>
      {/* Where there is no room for both, the line breaks between date and time alone. */}
      {formatMoment(at).map((part) => (
        <span key={part}>{part} </span>
      ))}
    </time>
  );
}
