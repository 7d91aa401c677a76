#!/usr/bin/env python3
"""Uses the page of `fer serve` in a headless Chromium as a person would, and writes screenshots.

    cargo build --release && python3 tests/external/browser_check.py [FER] [SHOTS]

A photo is dropped, a camera faked from a file, a video played to a timeline, a face painted on, a filter and a cell
opened, an exported site opened from disk; English and Chinese, 390 and 1280 pixels, light and dark. Exits with 0
(also where Chromium is missing, with the reason) or 1.
"""
import base64
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PHOTO = ROOT / "data/photos/astronaut.jpg"
PATIENCE = 300.0  # seconds; machines may be slow


class Browser:
    """Chromium over its debugging pipe: JSON that ends with a zero byte."""

    def __init__(self, program, camera, folder):
        command_in, self.write_end = os.pipe()
        self.read_end, answer_out = os.pipe()

        def pipes():
            a, b = os.dup(command_in), os.dup(answer_out)
            os.dup2(a, 3)
            os.dup2(b, 4)

        arguments = [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--mute-audio",
                     f"--user-data-dir={folder}", "--remote-debugging-pipe", "--use-fake-ui-for-media-stream",
                     "--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={camera or ''}",
                     "--autoplay-policy=no-user-gesture-required", "--lang=en", "about:blank"]
        self.process = subprocess.Popen(arguments, preexec_fn=pipes, close_fds=False,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(command_in)
        os.close(answer_out)
        self.number, self.session, self.buffer, self.complaints, self.requests = 0, None, b"", [], []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "DOM"):
            self.call(f"{domain}.enable")

    def call(self, method, **parameters):
        self.number += 1
        command = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            command["sessionId"] = self.session
        os.write(self.write_end, json.dumps(command).encode() + b"\0")
        while True:
            message = self.receive()
            if message.get("id") == self.number:
                if "error" in message:
                    raise SystemExit(f"{method}: {message['error']}")
                return message["result"]
            self.hear(message)

    def receive(self):
        while b"\0" not in self.buffer:
            part = os.read(self.read_end, 1 << 16)
            if not part:
                raise SystemExit("the browser has ended")
            self.buffer += part
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def hear(self, event):
        what, parameters = event.get("method"), event.get("params", {})
        if what == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(parameters["exceptionDetails"])[:600])
        elif what == "Log.entryAdded" and parameters["entry"]["level"] == "error":
            self.complaints.append(json.dumps(parameters["entry"])[:600])
        elif what == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])

    def value(self, expression):
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in found:
            raise SystemExit(f"{expression}: {found['exceptionDetails']}")
        return found["result"].get("value")

    def wait(self, expression, patience=PATIENCE):
        begun = time.monotonic()
        while not self.value(expression):
            if time.monotonic() - begun > patience:
                text = self.value("document.body.innerText")
                raise SystemExit(f"not within {patience} s: {expression}\n{text}\n{self.complaints}")
            time.sleep(0.1)

    def look(self, width, height, scheme="light"):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def open(self, address):
        self.call("Page.navigate", url=address)
        self.wait("document.body && document.body.dataset.ready === 'yes'")

    def choose_file(self, path):
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=root, selector="#file")["nodeId"]
        self.call("DOM.setFileInputFiles", nodeId=node, files=[str(path)])

    def drop(self, path):
        """Drops a file onto the stage."""
        data = base64.b64encode(path.read_bytes()).decode()
        self.value(f"""(() => {{
            const bytes = Uint8Array.from(atob('{data}'), c => c.charCodeAt(0)), transfer = new DataTransfer();
            transfer.items.add(new File([bytes], '{path.name}', {{ type: 'image/jpeg' }}));
            document.getElementById('drop').dispatchEvent(new DragEvent('drop', {{ dataTransfer: transfer, bubbles: true }}));
        }})()""")

    def click(self, selector):
        self.value(f"document.querySelector({json.dumps(selector)}).click()")

    def shot(self, path):
        data = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)["data"]
        path.write_bytes(base64.b64decode(data))

    def fits(self, what):
        wide = self.value("document.documentElement.scrollWidth - innerWidth")
        check(wide <= 0, f"{what}: the page is {wide} pixels wider than the window")

    def close(self):
        self.process.kill()
        self.process.wait()


FAILED = []


def check(good, words):
    if not good:
        FAILED.append(words)
        print("FAILED:", words)


def y4m(browser, path):
    """Writes a video of 640 × 480 in raw YUV: the photo in gray, moved a little from frame to frame."""
    data = base64.b64encode(PHOTO.read_bytes()).decode()
    luma = base64.b64decode(browser.value(f"""(async () => {{
        const photo = new Image();
        photo.src = 'data:image/jpeg;base64,{data}';
        await photo.decode();
        const canvas = Object.assign(document.createElement('canvas'), {{ width: 720, height: 480 }});
        const context = canvas.getContext('2d'), scale = 720 / photo.width;
        context.drawImage(photo, 0, 0, photo.width * scale, photo.height * scale);
        const {{ data }} = context.getImageData(0, 0, 720, 480);
        let text = '';
        for (let i = 0; i < data.length; i += 4) text += String.fromCharCode(data[i + 1]);
        return btoa(text);
    }})()"""))
    with open(path, "wb") as out:
        out.write(b"YUV4MPEG2 W640 H480 F30:1 Ip A1:1 C420jpeg\n")
        for k in range(60):
            left = 2 * min(k % 60, 60 - k % 60)
            rows = (luma[720 * y + left:720 * y + left + 640] for y in range(480))
            out.write(b"FRAME\n" + b"".join(rows) + bytes([128]) * (2 * 320 * 240))


def prepare(wanted, command):
    """Returns Chromium, a folder, one for screenshots, and a film for the camera. Ends where something is missing."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not program or not wanted.exists():
        print("skipped:", f"no {wanted}; {command}" if program else "no chromium in PATH")
        sys.exit(0)
    folder = pathlib.Path(tempfile.mkdtemp())
    shots = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else folder / "shots"
    shots.mkdir(parents=True, exist_ok=True)
    camera = folder / "camera.y4m"
    helper = Browser(program, None, folder / "helper")
    y4m(helper, camera)
    helper.close()
    return program, folder, shots, camera


def nothing_wrong(browser, own):
    """Checks that the console has no error, and that nothing was fetched but from `own`."""
    check(not browser.complaints, f"errors in the console: {browser.complaints}")
    foreign = [url for url in browser.requests if not url.startswith((*own, "about:", "data:", "blob:", "chrome"))]
    check(not foreign, f"requests to elsewhere: {foreign}")


def main():
    fer = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "target/release/fer").resolve()
    program, folder, shots, camera = prepare(fer, "cargo build --release")
    server = subprocess.Popen([fer, "serve", "--port", "0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    browser = None
    try:
        address = server.stdout.readline().strip()
        browser = Browser(program, camera, folder / "profile")
        walk(browser, address, shots)
        if "--export" in subprocess.run([fer, "serve", "--help"], capture_output=True, text=True).stdout:
            exported(browser, fer, folder / "site", shots)
        nothing_wrong(browser, [address, "file:"])
    finally:
        server.kill()
        if browser:
            browser.close()
    print("screenshots:", shots)
    sys.exit(1 if FAILED else 0)


def walk(browser, address, shots):
    browser.look(1280, 900)
    browser.open(address)
    painted = browser.value("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    print(f"first paint: {painted:.0f} ms")
    # A photo is dropped.
    browser.drop(PHOTO)
    browser.wait("document.querySelectorAll('#cards article').length === 1")
    status = browser.value("document.getElementById('status').textContent")
    check("happy" in status, f"the astronaut is happy: {status}")
    browser.shot(shots / "answer.png")
    browser.fits("answer")
    # The camera.
    browser.click("#camera")
    browser.wait("Number(document.body.dataset.rate) > 0 && document.querySelectorAll('#cards article').length === 1")
    time.sleep(6)
    rate = browser.value("document.getElementById('rate').textContent")
    print("camera:", rate)
    check(browser.value("document.getElementById('timeline-face').options.length") == 1, "one face keeps its number")
    rows = browser.value("document.getElementById('timeline').getContext('2d').getImageData(0, 0, 1200, 300).data.length")
    check(rows > 0, "the timeline is drawn")
    browser.shot(shots / "camera.png")
    browser.click("#stop")
    # A video, recorded here, becomes a timeline.
    browser.value("""(async () => {
        const photo = document.getElementById('stage'), canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 480 });
        const context = canvas.getContext('2d'), kind = 'video/webm', recorder = new MediaRecorder(canvas.captureStream(15), { mimeType: kind });
        const still = await createImageBitmap(photo), parts = [];
        recorder.ondataavailable = event => parts.push(event.data);
        recorder.start();
        for (let k = 0; k < 30; k++) {
            context.drawImage(still, -k, 0, 640, 480);
            await new Promise(done => setTimeout(done, 66));
        }
        await new Promise(done => {
            recorder.onstop = done;
            recorder.stop();
        });
        const transfer = new DataTransfer();
        transfer.items.add(new File(parts, 'video.webm', { type: kind }));
        document.getElementById('drop').dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true }));
    })()""")
    browser.wait("!document.querySelector('.timeline').hidden && document.getElementById('rate').textContent.includes('per second')")
    time.sleep(2)
    browser.shot(shots / "video.png")
    browser.click("#stop")
    # Why: maps side by side, painting changes the answer.
    browser.drop(PHOTO)
    browser.wait("document.getElementById('status').textContent.includes('happy')")
    browser.click("#tab-why")
    browser.wait("document.body.dataset.maps === '3'")
    before = browser.value("document.querySelector('#painted .best output').textContent")
    browser.value("""(() => {
        const canvas = document.getElementById('paint'), box = canvas.getBoundingClientRect();
        const at = (kind, x, y) => canvas.dispatchEvent(new PointerEvent(kind, { pointerId: 1, bubbles: true,
            clientX: box.left + box.width * x, clientY: box.top + box.height * y }));
        canvas.setPointerCapture = () => {};
        document.getElementById('size').value = 8;
        at('pointerdown', 0.3, 0.75);
        for (let x = 0.3; x < 0.75; x += 0.02) at('pointermove', x, 0.75);
        at('pointerup', 0.75, 0.75);
    })()""")
    browser.wait(f"document.querySelector('#painted .best output').textContent !== {json.dumps(before)}")
    browser.click("#patch")
    browser.wait("document.querySelectorAll('#patch-result .bars, #patch-result p:not(.slow)').length > 0")
    browser.shot(shots / "why.png")
    browser.fits("why")
    # From the face to a filter to a cell, down to the pixels.
    browser.click("#tab-microscope")
    browser.wait("document.body.dataset.layer !== undefined")
    browser.click("[data-layer=conv2d_2]")
    browser.wait("document.body.dataset.layer === 'conv2d_2' && (document.body.dataset.filter || '').startsWith('conv2d_2')")
    browser.wait("[...document.querySelectorAll('.ascent .note')].every(n => /\\d/.test(n.textContent)) && !document.querySelector('#filter .slow')")
    browser.value("document.getElementById('one-map').dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter' }))")
    browser.wait("document.body.dataset.cell !== undefined")
    check(browser.value("document.body.dataset.cell") == "exact", "the arithmetic of a cell gives its value: " + browser.value("document.body.dataset.cell"))
    browser.shot(shots / "microscope.png")
    browser.fits("microscope")
    wrong = browser.value("""(async () => {
        const wrong = [], pause = time => new Promise(done => setTimeout(done, time)), own = document.body.dataset;
        for (const button of document.querySelectorAll('.plan button')) {
            delete own.cell;
            button.click();
            for (let i = 0; i < 200 && own.layer !== button.dataset.layer; i++) await pause(50);
            await pause(100);
            document.getElementById('one-map').dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter' }));
            for (let i = 0; i < 200 && own.cell === undefined; i++) await pause(50);
            if (own.cell !== 'exact') wrong.push(`${button.dataset.layer}: ${own.cell}`);
        }
        return wrong.join('; ');
    })()""")
    check(not wrong, f"arithmetic of every layer: {wrong}")
    # The layer with the most maps: from the click for another face until its maps are drawn, median of nine.
    most, spent = browser.value("""(async () => {
        const own = document.body.dataset, net = await (await import('/api.js')).call('hello'), times = [];
        const maps = layer => layer.output?.length === 3 ? layer.output[0] : 0;
        const most = net.layers.reduce((a, b) => maps(b) > maps(a) ? b : a);
        const drawn = async click => {
            const start = performance.now();
            delete own.layer;
            click();
            while (!own.layer) await new Promise(done => setTimeout(done, 1));
            await new Promise(requestAnimationFrame);
            return performance.now() - start;
        };
        await drawn(() => document.querySelector(`[data-layer="${most.name}"]`).click());
        for (let k = 0; k < 9; k++) times.push(await drawn(() => document.getElementById('from-set').click()));
        return [`${maps(most)} maps of ${most.name}`, times.sort((a, b) => a - b)[4]];
    })()""")
    print(f"{most}: {spent:.0f} ms")
    browser.click("#tab-map")
    browser.wait("Number(document.body.dataset.map) > 100")
    browser.click("#mistakes")
    browser.wait("document.getElementById('chosen-title').textContent !== ''")
    browser.shot(shots / "map.png")
    browser.value("(s => { s.value = 'tsne'; s.dispatchEvent(new Event('change')); })(document.getElementById('map-layout'))")
    browser.wait("document.body.dataset.layout === 'tsne'")
    browser.shot(shots / "map_tsne.png")
    ground = "String(document.getElementById('data-map').getContext('2d').getImageData(0, 0, 1, 1).data)"
    light = browser.value(ground)
    browser.look(1280, 900, "dark")
    browser.wait(f"{ground} !== '{light}'")  # canvases follow the colour scheme
    # Both languages on a phone, dark.
    for language in ("en", "zh"):
        browser.look(390, 844, "dark")
        browser.value(f"localStorage.setItem('fer-language', '{language}')")
        browser.open(address)
        browser.drop(PHOTO)
        browser.wait("document.querySelectorAll('#cards article').length === 1")
        for tab in ("answer", "why", "microscope", "map"):
            browser.click(f"#tab-{tab}")
            time.sleep(1.5)
            browser.fits(f"{tab} in {language} at 390 pixels")
            browser.shot(shots / f"{tab}-390-{language}.png")
    browser.look(3840, 2160)
    browser.shot(shots / "4k.png")


def exported(browser, fer, site, shots):
    done = subprocess.run([fer, "serve", "--export", site], capture_output=True, text=True)
    check(done.returncode == 0, f"export: {done.stderr}")
    browser.look(1280, 900)
    browser.value("localStorage.setItem('fer-language', 'en')")
    browser.open((site / "index.html").as_uri())
    browser.wait("document.body.dataset.layer !== undefined")
    browser.wait("(document.body.dataset.filter || '') !== ''")
    browser.value("document.getElementById('one-map').dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter' }))")
    browser.wait("document.body.dataset.cell !== undefined")
    check(browser.value("document.body.dataset.cell") == "exact", "the arithmetic of a cell of the exported site")
    browser.shot(shots / "exported.png")


if __name__ == "__main__":
    main()
