/** Verdicts on the paper's claims from the committed runs, at the paper's budget and at the longer one. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { checkClaims, joinedEvidence, judgeSummary, readEvidence, verify } from '@grok/analysis';
import { fileStore } from '@grok/core/node';
import { verdictCounts, verdictTable } from '@grok/report';
import { expandPlan, isFinished, nameArm } from '@grok/study';
import { planOf } from './exploratory.mjs';

const NOT_KEPT = 'mean and standard deviation of seeds 0 to 9; their analyses were not kept';

/** The paper's claims file with a verdict on each, and the parts of the page. */
export async function claimsParts(root, results, summaries, planned) {
  const file = new URL('apps/cli/claims/distilling-grokking.json', root);
  const claims = checkClaims(JSON.parse(readFileSync(file, 'utf8')), 'claims');
  const known = JSON.parse(readFileSync(new URL('inside-study.json', results), 'utf8')).claims;
  const recorded = planned.map(({ plan, runs }) => {
    const store = fileStore(fileURLToPath(new URL(`${plan.name}/`, results)));
    return readEvidence(claims, store, runsOfWholeArms(runs));
  });
  const evidence = joinedEvidence([...summaries.map(ofSummary), ...(await Promise.all(recorded))]);
  const verified = verify(claims, evidence).map((item, i) => {
    const summary = known[item.id];
    if (item.verdict !== 'untested' || summary === undefined) return item;
    return { ...item, ...judgeSummary(claims.claims[i], summary), why: NOT_KEPT };
  });
  const counts = verdictCounts(verified);
  return {
    file: { paper: claims.paper, counts, claims: verified },
    parts: {
      'claims-counts': countsOf(verified, counts, claims),
      claims: verdictTable(verified.map(shorten), { style: 'markdown' }).replace(/\n\n[^|]*$/, ''),
    },
  };
}

/** The reasons without the settings, which are in the claims file. */
function shorten({ why, long, ...item }) {
  const short = (text) => text?.replace(/ with \{.*$/, '');
  return {
    ...item,
    ...(why === undefined ? {} : { why: short(why) }),
    ...(long === undefined ? {} : { long: { ...long, why: short(long.why) } }),
  };
}

/** Finished runs of complete arms only, since part of an arm is a biased sample. */
function runsOfWholeArms(runs) {
  const open = new Set(
    runs.filter(({ state }) => !['finished', 'failed', 'blocked'].includes(state)).map(nameArm),
  );
  return runs.filter((run) => isFinished(run) && !open.has(nameArm(run)));
}

/** Runs whose outcomes, but not epochs, are in a study's file. */
function ofSummary({ name, runs }) {
  const planned = new Map(expandPlan(planOf(name)).map((run) => [run.key, run]));
  const known = runs.flatMap(({ key, run, state, result }) => {
    const plan = planned.get(key);
    if (result === null || plan === undefined) return [];
    const { parameters, leaked } = result;
    const manifest = { status: state, parameters, leaked };
    const config = { experiment: plan.experiment };
    return [{ ...plan, run, state, config, manifest, history: [], record: result }];
  });
  return { runs: known, inside: new Map(), atlas: new Map() };
}

function countsOf(verified, counts, { budget, longBudget }) {
  const list = (found) =>
    Object.entries(found)
      .filter(([, count]) => count > 0)
      .map(([verdict, count]) => `${count} ${verdict}`)
      .join(', ');
  const long = verified.flatMap((item) => (item.long === undefined ? [] : [item.long]));
  const repeated = verified.filter(({ repeats }) => repeats !== undefined).length;
  return [
    `Of ${verified.length} claims ${repeated} repeat others. The rest, at ${budget} epochs: ${list(counts)}.`,
    `Of the ${long.length} on what is possible at all, at ${longBudget.toLocaleString('en-US')} epochs: ${list(verdictCounts(long))}.`,
  ].join('\n');
}
