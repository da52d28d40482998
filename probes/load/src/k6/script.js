// One load gate as a k6 test, written by readygate. Needs k6 1.0 or later.
import http from 'k6/http';
import exec from 'k6/execution';
import { Counter, Rate, Trend } from 'k6/metrics';

const PLAN = JSON.parse("@PLAN@");
const HEADERS = {};
if (PLAN.headers.length > 0) {
  if (!__ENV.READYGATE_HEADERS) {
    throw new Error(`READYGATE_HEADERS is not set: the gate declares headers, as a JSON object: ${PLAN.headers.join(', ')}`);
  }
  Object.assign(HEADERS, JSON.parse(__ENV.READYGATE_HEADERS));
}

// Counts add up exactly over any number of segments; percentiles do not.
const started = new Counter('rg_started');
const done = new Counter('rg_done');
const failed = new Rate('rg_failed');
const timeouts = new Counter('rg_timeouts');
const silent = new Counter('rg_no_response');
const classes = [1, 2, 3, 4, 5].map((n) => new Counter(`rg_status_${n}xx`));
const latency = new Trend('rg_latency', true);
const lag = new Trend('rg_lag', true);
const bounds = PLAN.bounds.map((ms) => ({ ms, within: new Rate(`lt_${ms}ms`.replace('.', '_')) }));

export const options = PLAN.options;

const total = PLAN.requests.reduce((sum, request) => sum + request.weight, 0);

function pick() {
  let at = Math.random() * total;
  for (const request of PLAN.requests) {
    at -= request.weight;
    if (at < 0) return request;
  }
  return PLAN.requests[0];
}

// How long after its time an iteration began. Clocks tell milliseconds here, so one is no delay.
function late() {
  if (!PLAN.period) return 0;
  const due = exec.scenario.startTime + exec.scenario.iterationInTest * PLAN.period;
  return Math.max(0, Date.now() - due - 1);
}

export default function () {
  const measured = exec.scenario.name === 'measure';
  const behind = measured ? late() : 0;
  if (measured) started.add(1);
  const step = pick();
  const answer = http.request(step.method, step.url, step.body, {
    headers: Object.assign({}, HEADERS, step.headers),
    redirects: 0,
    timeout: PLAN.timeout_ms,
    responseType: 'none',
    tags: { name: step.name },
    responseCallback: http.expectedStatuses(...step.expected),
  });
  if (!measured) return;
  record(step, answer, behind);
  done.add(1);
}

function record(step, answer, behind) {
  const accepted = step.expected.some((s) => (typeof s === 'number' ? s === answer.status : s.min <= answer.status && answer.status <= s.max));
  const ok = answer.status > 0 && accepted;
  const timeout = answer.error_code === 1050;
  failed.add(!ok);
  lag.add(behind);
  if (answer.status > 0) classes[Math.floor(answer.status / 100) - 1].add(1);
  else if (timeout) timeouts.add(1);
  else silent.add(1);
  // Errors other than timeouts are in no latency: a quick 500 must not make it look better.
  const took = behind + (timeout ? PLAN.timeout_ms : answer.timings.blocked + answer.timings.duration);
  if (ok || timeout) latency.add(took);
  for (const bound of bounds) bound.within.add(ok && took < bound.ms);
}

export function handleSummary(data) {
  const text = JSON.stringify(data);
  if (__ENV.READYGATE_SUMMARY) return { [__ENV.READYGATE_SUMMARY]: text };
  // Runners in a cluster have no folder in common: their log is the way out.
  return { stdout: `\nREADYGATE-SUMMARY-BEGIN ${text} READYGATE-SUMMARY-END\n` };
}
