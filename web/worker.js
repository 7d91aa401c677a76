// A Web Worker with a network: answers one call after the other.
let page = null, running = null;
self.receiveMessage = bytes => self.postMessage({ id: running, bytes: bytes.slice(), isLast: false });

self.onmessage = async ({ data }) => {
  if (data.module) {
    const { default: init, Page } = await import(data.script);
    await init({ module_or_path: data.module });
    page = new Page();
    self.postMessage({ isReady: true });
    return;
  }
  running = data.id;
  try {
    const bytes = page.call(data.name, data.bytes);
    self.postMessage({ id: data.id, bytes, isLast: true }, [bytes.buffer]);
  } catch (error) {
    self.postMessage({ id: data.id, error: error.message });
  }
};
