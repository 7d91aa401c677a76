#!/usr/bin/env python3
"""Uses the page whose network runs in the browser (`.ci/web`), in a headless Chromium, and writes screenshots.

    .ci/web && python3 tests/external/web_check.py [FOLDER] [SHOTS]

A photo is dropped, a camera faked from a file, a map made, a slow call cancelled; the times of an answer and of a
map are measured. Exits with 0 (also where Chromium or the folder is missing, with the reason) or 1.
"""
import functools
import http.server
import pathlib
import sys
import threading
import time

import browser_check
from browser_check import FAILED, PHOTO, ROOT, Browser, check, nothing_wrong, prepare

# Milliseconds of a call, median of nine: the newest face of the page, answered or explained.
TIMES = """(async () => {
    const { call } = await import('/api.js'), hello = await call('hello'), times = { answer: [], map: [] };
    const set = await call('set', { faces: [0] }), gray = set.bytes.slice(0, 2304);
    const method = hello.methods.find(m => m.default).name;
    for (let k = 0; k < 9; k++) {
        for (const [name, work] of [['answer', () => call('answer', {}, gray)],
            ['map', () => call('attribution', { method: 'saliency', class: 3 }, gray)]]) {
            const start = performance.now();
            await work();
            times[name].push(performance.now() - start);
        }
    }
    const start = performance.now();
    await call('attribution', { method, class: 3 }, gray);
    const middle = list => list.sort((a, b) => a - b)[4];
    return [middle(times.answer), middle(times.map), method, performance.now() - start];
})()"""

# A slow call is cancelled by its signal, another by a newer one; the third is answered.
CANCEL = """(async () => {
    const { call } = await import('/api.js'), set = await call('set', { faces: [0] }), gray = set.bytes.slice(0, 2304);
    const stop = new AbortController(), ask = options => call('attribution', { method: 'rise', class: 3 }, gray, options).catch(e => e.status);
    const first = ask({ signal: stop.signal });
    setTimeout(() => stop.abort(), 50);
    const found = [await first], second = ask({ lane: 'x' });
    await new Promise(done => setTimeout(done, 50));
    const third = call('attribution', { method: 'saliency', class: 3 }, gray, { lane: 'x' });
    return [...found, await second, (await third).method];
})()"""


# The module that the page has loaded.
MODULE = "performance.getEntriesByType('resource').map(r => r.name.split('/').pop()).find(n => n.endsWith('.wasm'))"


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves the site; under `/plain/` to a browser that seems to lack relaxed SIMD."""

    def do_GET(self):
        if not self.path.startswith("/plain/"):
            return super().do_GET()
        self.path = self.path.removeprefix("/plain")
        if self.path != "/api.js":
            return super().do_GET()
        text = pathlib.Path(self.translate_path(self.path)).read_text(encoding="utf-8")
        text = text.replace("WebAssembly.validate(RELAXED)", "false").encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/javascript")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


def main():
    site = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "target/web")
    program, folder, shots, camera = prepare(site / "index.html", ".ci/web")
    handler = functools.partial(Quiet, directory=str(site))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/"
    browser = Browser(program, camera, folder / "profile")
    try:
        answers(browser, address + "plain/", "fer_web_bg.wasm")
        walk(browser, address, shots)
        nothing_wrong(browser, [address])
    finally:
        browser.close()
    print("screenshots:", shots)
    sys.exit(1 if FAILED else 0)


def answers(browser, address, module):
    """Opens the page and drops a photo. The page must use that module."""
    begun = time.monotonic()
    browser.open(address)
    print(f"{module}: ready after {time.monotonic() - begun:.1f} s")
    browser.drop(PHOTO)
    browser.wait("document.querySelectorAll('#cards article').length === 1")
    status = browser.value("document.getElementById('status').textContent")
    check("happy" in status, f"the astronaut is happy: {status}")
    check(browser.value(MODULE) == module, f"{browser.value(MODULE)} is used")
    # Imports the script that the page uses.
    answer, saliency, method, slow = browser.value(TIMES.replace("/api.js", f"{address}api.js"))
    print(f"one face: answer {answer:.0f} ms, saliency {saliency:.0f} ms, {method} {slow:.0f} ms")


def walk(browser, address, shots):
    browser.look(1280, 900)
    answers(browser, address, "fer_web_relaxed_bg.wasm")
    browser.shot(shots / "web_answer.png")
    check(browser.value(CANCEL) == [409, 409, "saliency"], f"cancelled calls: {browser.value(CANCEL)}")
    browser.click("#camera")
    browser.wait("Number(document.body.dataset.rate) > 0 && document.querySelectorAll('#cards article').length === 1")
    time.sleep(4)
    print("camera:", browser.value("document.getElementById('rate').textContent"))
    browser.shot(shots / "web_camera.png")
    browser.click("#stop")
    browser.click("#tab-why")
    browser.wait("document.body.dataset.maps === '3'")
    browser.shot(shots / "web_why.png")
    browser.click("#tab-microscope")
    browser.wait("document.body.dataset.layer !== undefined")
    browser.shot(shots / "web_microscope.png")
    browser.look(390, 844, "dark")
    browser.fits("microscope")


if __name__ == "__main__":
    browser_check.PATIENCE = 120.0
    main()
