import axe from "axe-core";
import type { Page } from "playwright-core";

interface Violation {
  id: string;
  impact: string;
  nodes: { html: string; failureSummary: string }[];
}

/** What axe-core finds that is serious or critical, one line each. */
export async function seriousFindings(page: Page): Promise<string[]> {
  // Over the browser's own wire: the page's security policy lets no script in, ours neither.
  await page.evaluate(axe.source);
  const found = await page.evaluate<Violation[]>("axe.run(document).then(({ violations }) => violations)");
  return found
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html}: ${failureSummary}`));
}
