// The transport: the only file that knows where the network computes. Every other file calls `call`.
// A message is the length of its JSON text and of its bytes (32 bits each, lowest byte first), the text,
// and the bytes; see src/serve/message.rs.

export const isStatic = false; // an exported page answers from files instead

export class CallError extends Error {
  constructor(text, status) {
    super(text);
    this.status = status;
  }
  // Newer work took the place of this call, or it was cancelled: nothing to tell anybody.
  get isStale() { return this.status === 409; }
}

const token = () => document.querySelector('meta[name=token]').content;

function encode(parameters, bytes) {
  const text = new TextEncoder().encode(JSON.stringify(parameters));
  const all = new Uint8Array(8 + text.length + bytes.length), head = new DataView(all.buffer);
  head.setUint32(0, text.length, true);
  head.setUint32(4, bytes.length, true);
  all.set(text, 8);
  all.set(bytes, 8 + text.length);
  return all;
}

// Takes whole messages from the front of the bytes received so far.
function* decode(state) {
  while (state.bytes.length >= 8) {
    const head = new DataView(state.bytes.buffer, state.bytes.byteOffset);
    const text = head.getUint32(0, true), bytes = head.getUint32(4, true), end = 8 + text + bytes;
    if (state.bytes.length < end) return;
    const json = JSON.parse(new TextDecoder().decode(state.bytes.subarray(8, 8 + text)));
    json.bytes = state.bytes.slice(8 + text, end);
    state.bytes = state.bytes.subarray(end);
    yield json;
  }
}

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
    throw new CallError(error.message, 0);
  }
  if (answer.status === 204) throw new CallError('newer work took its place', 409);
  if (!answer.ok) throw new CallError(await answer.text(), answer.status);
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
        if (message.error) throw new CallError(message.error, message.error.includes('took its place') ? 409 : 500);
        last = message;
        if (progress) progress(message);
      }
    }
  } catch (error) {
    throw error.name === 'AbortError' ? new CallError('cancelled', 409) : error;
  }
  if (!last) throw new CallError('the program has ended', 0);
  return last;
}
