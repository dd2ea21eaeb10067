import { connectorName } from "../contracts/connector-id.ts";
import { errorHalves } from "../contracts/errors.ts";
import { verificationLine, type ConnectorView, type CurrentRun } from "../contracts/view.ts";
import { table } from "./table.ts";

/** A connector for a person: what it is, how it stands, what to do if it does not stand well. */
export function connectorCard(view: ConnectorView): string {
  const name = connectorName({ tenant_slug: view.tenant_slug, segment_id: view.segment });
  const members = view.member_count === null ? "" : `, ${view.member_count} members`;
  const sections = [
    `${name}  ${view.segment_name || `Segment ${view.segment}`}${members}`,
    facts([
      ["status", view.status],
      ["last synced", view.last_synced_at ?? "never"],
      ...errorFacts(view),
      ...pendingRemovalFacts(name, view),
      ...(view.current_run ? [["running", runLine(view.current_run)] as Fact] : []),
      ...lastRunFacts(view),
    ]),
    channelTable(view),
    facts(Object.entries(view.config).map(([field, value]) => [field, String(value)])),
  ];
  return sections.filter(Boolean).join("\n\n");
}

type Fact = [label: string, value: string];

function facts(lines: Fact[]): string {
  const width = Math.max(...lines.map(([label]) => label.length));
  return lines.map(([label, value]) => `  ${label.padEnd(width)}  ${value}`).join("\n");
}

/** The remedy on a line of its own, taken off the end of the message. */
function errorFacts({ last_error, last_error_code: code }: ConnectorView): Fact[] {
  if (!last_error && !code) return [];
  const { what, remedy } = errorHalves(code, last_error);
  return [["last error", `${what} [${code}]`], ...(remedy ? [["what to do", remedy] as Fact] : [])];
}

/** What to look at before, since whom it removes is nowhere shown by name. */
function pendingRemovalFacts(name: string, { pending_removal: pending }: ConnectorView): Fact[] {
  if (!pending) return [];
  const { users, digest } = pending;
  return [
    ["held", `${users} exits wait for a person; Braze still shows these users`],
    ["what to do", `if so many are to leave: connector approve-removal ${name} --digest ${digest}`],
    ["", "if not: mend the segment in SegOps; its next recompute takes them back"],
  ];
}

/** `run 12 (recompute): tracking entered users, 40 % of 50000 users, about 12 s to go`. */
export function runLine({ number, reason, progress }: CurrentRun): string {
  const head = `run ${number} (${reason})`;
  if (!progress) return head;
  const { phase, users_done, users_total, eta_seconds, last_error } = progress;
  const share =
    users_total > 0 ? `, ${Math.floor((100 * users_done) / users_total)} % of ${users_total} users` : "";
  const eta = eta_seconds === null || users_total === 0 ? "" : `, about ${eta_seconds} s to go`;
  return `${head}: ${phase}${share}${eta}${last_error ? `; last error: ${last_error}` : ""}`;
}

function lastRunFacts({ last_run: run }: ConnectorView): Fact[] {
  if (!run) return [["last run", "none yet"]];
  const counts = `${run.entered} entered, ${run.exited} exited, ${run.rejected} rejected`;
  return [
    ["last run", `run ${run.number} (${run.reason}): ${run.outcome}, ${counts}, ended ${run.finished_at}`],
    ...(run.verification ? [["verified", verificationLine(run.verification)] as Fact] : []),
  ];
}

function channelTable({ channels }: ConnectorView): string {
  if (channels.length === 0) return "";
  const rows = channels.map((channel) => [
    channel.channel,
    channel.delivered,
    channel.rejected,
    channel.unknown,
    channel.waiting,
  ]);
  return table(["CHANNEL", "DELIVERED", "REJECTED", "UNKNOWN", "WAITING"], rows);
}
