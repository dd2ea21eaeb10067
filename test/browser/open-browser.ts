import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";

/** A browser that speaks to nobody but the page's server. Playwright gives it a new, empty profile. */
export function openBrowser(executablePath: string): Promise<Browser> {
  const quiet = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ];
  // Chromium's sandbox refuses to run as root, which is what a container's user often is.
  const isRoot = process.getuid?.() === 0;
  return chromium.launch({
    executablePath,
    timeout: patienceMs,
    args: isRoot ? [...quiet, "--no-sandbox"] : quiet,
  });
}

/** A page, and what it did that a page should not: errors in its console, requests to anybody else. */
export interface WatchedPage {
  page: Page;
  faults: string[];
}

/**
 * Answers of the gateway's that are errors make the browser itself write a line; these the tests look at by what is shown. 503 is its word
 * for a worker that has much else to do.
 */
const refusedByGateway = /^Failed to load resource: the server responded with a status of (4\d\d|503)/;

/** A screen shows within a second what it waits for; on a machine that many share it may take long. */
const patienceMs = 90_000;

export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext({ viewport: { width: 1200, height: 800 }, ...options });
  context.setDefaultTimeout(patienceMs);
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("console", (message) => {
    const isFault = ["error", "warning"].includes(message.type()) && !refusedByGateway.test(message.text());
    if (isFault) faults.push(`${message.type()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => faults.push(`thrown: ${error.message}`));
  page.on("request", (request) => {
    if (!request.url().startsWith(url)) faults.push(`a request to ${request.url()}`);
  });
  await page.goto(url);
  return { page, faults };
}

export async function signIn(page: Page, apiKey: string): Promise<void> {
  await page.getByLabel("API key").fill(apiKey);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Activations" }).waitFor();
}
