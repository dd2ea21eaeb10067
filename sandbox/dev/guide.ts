import { writeFile } from "node:fs/promises";
import { relative } from "node:path";
import { gatewayKey, tenant } from "../stack-environment.ts";
import type { Stack } from "../stack.ts";

interface Place {
  dir: string;
  envFile: string;
  gatewayUrl: string;
  /** `npx segops-braze` runs the built code. */
  isBuilt: boolean;
}

/** A file to source in another terminal: the environment of CONTRACT, and the stand-ins' control addresses. */
export async function writeEnvFile(file: string, stack: Stack, gatewayUrl: string): Promise<void> {
  const variables = {
    ...stack.env,
    GATEWAY: gatewayUrl,
    GATEWAY_KEY: gatewayKey,
    BRAZE_CONTROL: control(stack.brazeUrl),
    SEGMENT_CONTROL: segment(stack),
  };
  const lines = Object.entries(variables).map(([name, value]) => `export ${name}=${quoted(value)}\n`);
  await writeFile(file, lines.join(""), { mode: 0o600 });
}

/** Where everything is, and what to try first. */
export function guide(stack: Stack, { dir, envFile, gatewayUrl, isBuilt }: Place): string {
  const cli = isBuilt ? "npx segops-braze" : "npx tsx src/cli.ts";
  const change = '{"exitFirst": 10, "enterGenerate": {"count": 25, "prefix": "new-"}}';
  return `
  Gateway, page    ${gatewayUrl}/ , key ${gatewayKey}
  Temporal UI      ${stack.temporal.uiUrl}/namespaces/${stack.temporal.namespace}/workflows
  Temporal         ${stack.temporal.address}
  Braze stand-in   ${stack.brazeUrl}
  SegOps stand-in  ${stack.segopsUrl}
  Logs             ${here(dir)}/*.log

  Try in another terminal, in this folder:

    source ${quoted(here(envFile))}
    ${cli} connector show acme/7
    # 10 people exit, 25 enter, and SegOps recomputes: its webhook wakes the connector.
    curl -d '${change}' $SEGMENT_CONTROL/change
    curl -d '{}' $SEGMENT_CONTROL/recompute
    ${cli} connector logs acme/7
    # The same by HTTP, as SegOps' Activations API:
    curl -H "Authorization: ApiKey $GATEWAY_KEY" $GATEWAY/api/activations/7/
    # What Braze shows now:
    curl -s "$BRAZE_CONTROL/members?key=braze-key-of-dev&attribute=segops_segment_7" | tail -3

  In the UI's list of workflows, "Configure Columns" (below it) adds SegopsSegment, RunOutcome and RejectedCount.
  Ctrl-C ends it all; the data stay.`;
}

function control(url: string): string {
  return `${url}/_control`;
}

function segment({ segopsUrl }: Stack): string {
  return `${control(segopsUrl)}/tenants/${tenant}/segments/7`;
}

function here(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere && !fromHere.startsWith("..") ? fromHere : path;
}

/** For a shell: as it is where that is safe. */
function quoted(value: string): string {
  return /^[\w@%+=:,./-]+$/.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`;
}
