// The transport of the page whose network runs in the browser, in place of `api.js` of `fer serve`: two Web
// Workers, one that answers at once and one that takes its time.
import { CallError, decode, encode } from './messages.js';

export { CallError };
export const isStatic = false;

// A module with one instruction of relaxed SIMD: browsers that have it compute a·b + c in one step.
const RELAXED = Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 15, 1, 13, 0,
  65, 1, 253, 15, 65, 2, 253, 15, 253, 128, 2, 11);
const variant = WebAssembly.validate(RELAXED) ? 'fer_web_relaxed' : 'fer_web';
const script = new URL(`${variant}.js`, import.meta.url).href;
const module = WebAssembly.compileStreaming(fetch(new URL(`${variant}_bg.wasm`, import.meta.url)));
// A promise that fails before anybody waits for it is reported as an error of the page.
module.catch(() => {});

const stale = text => new CallError(text, 409);

// A worker with the jobs that wait for it. A newer job of a lane takes the place of an older one.
class Lanes {
  constructor() {
    this.waiting = [];
    this.running = null;
    this.start();
  }

  async start() {
    this.isReady = false;
    this.worker = new Worker(new URL('worker.js', import.meta.url), { type: 'module' });
    this.worker.onmessage = ({ data }) => this.receive(data);
    this.worker.onerror = event => this.fail(event.message || 'the worker could not be started');
    try {
      this.worker.postMessage({ module: await module, script });
    } catch (error) {
      const isOld = error instanceof WebAssembly.CompileError;
      this.fail(isOld ? 'This browser cannot run the network: it lacks WebAssembly with SIMD. Use a newer one.' : error.message);
    }
  }

  // No job can be done: each is told why.
  fail(text) {
    this.broken = text;
    for (const job of [this.running, ...this.waiting]) job?.reject(new CallError(text, 0));
    [this.running, this.waiting] = [null, []];
  }

  receive(data) {
    const job = this.running;
    if (data.isReady) this.isReady = true;
    else if (job?.id === data.id) { // not an answer that nobody waits for any more
      if (data.error !== undefined || data.isLast) this.running = null;
      if (data.error !== undefined) job.reject(new CallError(data.error, 500));
      else {
        const [message] = decode({ bytes: data.bytes });
        job.progress?.(message);
        if (data.isLast) job.resolve(message);
      }
    }
    this.next();
  }

  next() {
    if (!this.isReady || this.running || !this.waiting.length) return;
    this.running = this.waiting.shift();
    const { id, name, bytes } = this.running;
    this.worker.postMessage({ id, name, bytes });
  }

  push(job) {
    if (this.broken) return job.reject(new CallError(this.broken, 0));
    this.waiting = this.waiting.filter(other => other.lane !== job.lane || other.reject(stale('newer work took its place')));
    if (this.running?.lane === job.lane && job.isSlow) this.stop('newer work took its place');
    this.waiting.push(job);
    this.next();
  }

  cancel(job) {
    if (this.running === job) this.stop('cancelled');
    else this.waiting = this.waiting.filter(other => other !== job);
    job.reject(stale('cancelled'));
  }

  // Ends what runs. Only a new worker can interrupt a computation; it begins in the time of one answer.
  stop(reason) {
    const { running } = this;
    this.running = null;
    running.reject(stale(reason));
    if (!running.isSlow) return;
    this.worker.terminate();
    this.start();
  }
}

const quick = new Lanes();
let slow = null, slowCalls = new Set(), count = 0;

export function call(name, parameters = {}, bytes = new Uint8Array(0), { signal, progress, lane = name } = {}) {
  const isSlow = slowCalls.has(name);
  if (isSlow) slow ??= new Lanes();
  return new Promise((resolve, reject) => {
    const job = { id: count++, name, lane, isSlow, progress, resolve, reject, bytes: encode(parameters, bytes ?? new Uint8Array(0)) };
    const lanes = isSlow ? slow : quick;
    if (signal?.aborted) return reject(stale('cancelled'));
    signal?.addEventListener('abort', () => lanes.cancel(job), { once: true });
    lanes.push(job);
  }).then(answer => {
    if (name === 'hello') slowCalls = new Set(answer.slow);
    return answer;
  });
}
