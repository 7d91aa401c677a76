// The transport: the only file that knows where the network computes. Every other file calls `call`.
import { t } from './i18n.js';
import { CallError, decode, encode } from './messages.js';

export { CallError };
export const isStatic = false; // an exported page answers from files instead

const token = () => document.querySelector('meta[name=token]').content;

// Calls the network: returns the last message, with its bytes as `bytes`, and hands every message to
// `progress`. A newer call of the same lane takes the place of an older one.
export async function call(name, parameters = {}, bytes = new Uint8Array(0), options = {}) {
  const { signal, progress, lane } = options;
  let answer;
  try {
    answer = await fetch(`/api/${name}`, {
      method: 'POST', signal, headers: { 'x-token': token() },
      body: encode(lane ? { ...parameters, lane } : parameters, bytes),
    });
  } catch (error) {
    if (error.name === 'AbortError') throw new CallError('cancelled', 409);
    throw new CallError(t('has_ended'), 0);
  }
  if (answer.status === 204) throw new CallError('newer work took its place', 409);
  if (answer.status === 403) throw new CallError(t('started_again'), 403);
  if (!answer.ok) throw new CallError(t('program_says', await answer.text()), answer.status);
  const reader = answer.body.getReader(), state = { bytes: new Uint8Array(0) };
  let last = null;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      const joined = new Uint8Array(state.bytes.length + value.length);
      joined.set(state.bytes);
      joined.set(value, state.bytes.length);
      state.bytes = joined;
      for (const message of decode(state)) {
        if (message.error) throw new CallError(t('program_says', message.error), message.error.includes('took its place') ? 409 : 500);
        last = message;
        if (progress) progress(message);
      }
    }
  } catch (error) {
    if (error.name === 'AbortError') throw new CallError('cancelled', 409);
    throw error instanceof CallError ? error : new CallError(t('has_ended'), 0);
  }
  if (!last) throw new CallError(t('has_ended'), 0);
  return last;
}
