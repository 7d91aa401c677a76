// What the page and the network send each other. A message is the length of its JSON text and of its bytes
// (32 bits each, lowest byte first), the text, and the bytes; see src/page/message.rs.

export class CallError extends Error {
  constructor(text, status) {
    super(text);
    this.status = status;
  }
  // Newer work took the place of this call, or it was cancelled: nothing to tell anybody.
  get isStale() { return this.status === 409; }
}

export function encode(parameters, bytes) {
  const text = new TextEncoder().encode(JSON.stringify(parameters));
  const all = new Uint8Array(8 + text.length + bytes.length), head = new DataView(all.buffer);
  head.setUint32(0, text.length, true);
  head.setUint32(4, bytes.length, true);
  all.set(text, 8);
  all.set(bytes, 8 + text.length);
  return all;
}

// Takes whole messages from the front of the bytes received so far.
export function* decode(state) {
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
