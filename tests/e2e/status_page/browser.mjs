// A headless Chromium before the status page, and the words a test needs for what it shows.
import { AsyncLocalStorage } from "node:async_hooks";
import path from "node:path";
import { chromium } from "playwright-core";

const trials = new AsyncLocalStorage();

/// Runs `check` with what it finds by `trial()`: the `browser` that all share, the `page`'s text, its `timeout` in ms,
/// and a directory for `screenshots` if there is one. Many checks run at once.
export const inTrial = (given, check) => trials.run(given, check);
export const trial = () => trials.getStore();

/// For whatever must be there before a check begins.
export const startTimeout = 30000;

export class Failure extends Error {}

export function demand(holds, reason) {
  if (!holds) throw new Failure(reason);
}

/// Until `holds()` is true; fails with what `describe()` says then.
export async function until(what, holds, describe = () => "", timeout = trial().timeout) {
  const deadline = Date.now() + timeout;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Failure(`never: ${what}. ${await describe()}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

export async function openBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    // A container's root has no namespaces to make a sandbox of.
    args: ["--disable-gpu", "--disable-dev-shm-usage", ...(process.getuid() === 0 ? ["--no-sandbox"] : [])],
  });
}

export class StatusPage {
  /// What the browser complained of: script errors, violations of the page's policy.
  complaints = [];

  static async open(address, { scheme = "light", width = 1440, height = 900, reducedMotion = "reduce" } = {}) {
    const page = new StatusPage();
    page.context = await trial().browser.newContext({ viewport: { width, height }, colorScheme: scheme, reducedMotion, deviceScaleFactor: 1 });
    page.tab = await page.context.newPage();
    page.tab.setDefaultTimeout(startTimeout);
    page.tab.on("pageerror", (error) => page.complaints.push(String(error)));
    page.tab.on("console", (message) => {
      // A lost connection is what several tests are about.
      if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) page.complaints.push(message.text());
    });
    await page.tab.goto(address);
    page.tab.setDefaultTimeout(trial().timeout);
    return page;
  }

  /// The visible row of the cell: its state's word, and all its text.
  async row(id) {
    return this.tab.evaluate((wanted) => {
      const row = [...document.querySelectorAll(".cell-row:not([hidden])")].find((one) => one.querySelector(".name").textContent === wanted);
      return row && { state: row.querySelector(".state").textContent, text: row.textContent, silence: row.querySelector(".silence").textContent,
        vmm: row.querySelector(".vmm").textContent };
    }, id);
  }

  async awaitState(id, state) {
    await until(`${id} is ${state}`, async () => (await this.row(id))?.state === state,
      async () => `It shows ${JSON.stringify(await this.row(id))}`);
  }

  /// Shows the detail of the cell. Rows change places under a mouse, and not while this looks for one.
  async choose(id) {
    await until(`${id} can be chosen`, () => this.tab.evaluate((wanted) => {
      const row = [...document.querySelectorAll(".cell-row:not([hidden])")].find((one) => one.querySelector(".name").textContent === wanted);
      row?.click();
      return row !== undefined;
    }, id));
    await this.awaitText("#detail h2", new RegExp(`^${id}$`));
  }

  async text(selector) {
    return this.tab.locator(selector).innerText();
  }

  async awaitText(selector, pattern) {
    await until(`${selector} says ${pattern}`, async () => pattern.test(await this.text(selector)),
      async () => `It says ${JSON.stringify(await this.text(selector))}`);
  }

  async capture(name) {
    const { screenshots } = trial();
    if (screenshots) await this.tab.screenshot({ path: path.join(screenshots, `${name}.png`), animations: "disabled" });
  }

  async close() {
    demand(this.complaints.length === 0, `the browser complains: ${this.complaints.join("; ")}`);
    await this.context.close();
  }
}
