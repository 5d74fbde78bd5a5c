// The status page in a real browser: before a host that is made up, then before the real daemon; and the checks notice
// when the page is wrong. One browser for all, and many checks at once, since mostly they wait.
//
// usage: check.mjs --page FILE [--bin DIR --work DIR] [--only NAME]... [--screenshots DIR]
// Exits with 1 if a check fails; each is reported by its name.

import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";

import { broken, brokenPages } from "./broken_pages.mjs";
import { inTrial, openBrowser, startTimeout } from "./browser.mjs";
import { daemonCheck } from "./daemon_check.mjs";
import { fleetCheck } from "./fleet_check.mjs";
import { pageChecks } from "./page_checks.mjs";

const { values: options } = parseArgs({
  options: {
    page: { type: "string" }, bin: { type: "string" }, work: { type: "string" },
    only: { type: "string", multiple: true, default: [] }, screenshots: { type: "string" },
  },
});
const page = await readFile(options.page, "utf8");
const browser = await openBrowser();
const { bin, work, screenshots } = options;

/// Why the check fails; nothing if it holds.
async function failureOf(check, given) {
  try {
    await inTrial({ browser, page, timeout: startTimeout, ...given }, check);
    return undefined;
  } catch (error) {
    return error.message;
  }
}

/// Nothing if the check fails on the broken page for the right reason, else what it does.
async function missedBy({ check, reason, change }) {
  const said = await failureOf(pageChecks[check], { page: broken(page, change), timeout: 8000 });
  if (said === undefined) return `does not notice: ${change}`;
  return reason.test(said) ? undefined : `fails, but not for ${reason}: ${said}`;
}

// Those that wait longest come first.
const jobs = [
  ...(bin ? [["the real daemon's page", () => failureOf(daemonCheck, { bin, work, screenshots })], ["a real fleet's pages", () => failureOf(fleetCheck, { bin, work, screenshots })]] : []),
  ...Object.entries(pageChecks).map(([name, check]) => [name, () => failureOf(check, { screenshots })]),
  ...brokenPages.map((one) => [`${one.check} notices ${one.change[0][0]}`, () => missedBy(one)]),
].filter(([name]) => options.only.length === 0 || options.only.some((wanted) => name.startsWith(wanted)));

if (jobs.length === 0) throw new Error(`no check is called ${options.only}`);

let failures = 0;
async function takeJobs() {
  for (let job = jobs.shift(); job; job = jobs.shift()) {
    const [name, run] = job;
    const began = Date.now();
    const failure = await run().catch((error) => error.message);
    if (failure !== undefined) ++failures;
    const seconds = ((Date.now() - began) / 1000).toFixed(1);
    process.stdout.write(failure === undefined ? `ok      ${name} (${seconds} s)\n` : `FAILED  ${name}: ${failure}\n`);
  }
}

// Pictures are of a page that nothing else disturbs.
const atOnce = screenshots ? 1 : Number(process.env.AT_ONCE ?? 6);
await Promise.all(Array.from({ length: atOnce }, takeJobs));
await browser.close();
process.exit(failures === 0 ? 0 : 1);
