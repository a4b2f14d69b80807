"""Opens a report in headless Chromium as a reader would, at the width of a desk and of a phone.

usage: report_in_browser.py REPORT.html [FOLDER FOR SCREENSHOTS]

Fails on a message on the console, on any request but the page itself, on a page wider than its window, on a text that its
plot cuts, and if sorting, switching series or the tab key don't do what they should. Speaks the DevTools protocol over
Chromium's pipe (--remote-debugging-pipe), so that Python's own library is enough.
"""
import base64
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

SIZES = {"desk": (1400, 900), "phone": (390, 844)}


class Browser:
    def __init__(self, profile):
        to_read, self.to_write = os.pipe()
        self.to_read, to_write = os.pipe()

        def take_places():  # Chromium reads descriptor 3 and writes 4
            held = os.dup(to_read), os.dup(to_write)
            os.dup2(held[0], 3), os.dup2(held[1], 4)

        program = shutil.which("chromium") or shutil.which("chromium-browser")
        self.process = subprocess.Popen(
            [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", f"--user-data-dir={profile}", "--remote-debugging-pipe", "about:blank"],
            preexec_fn=take_places, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_read), os.close(to_write)
        self.number, self.pending, self.events, self.session = 0, b"", [], None

    def message(self):
        while b"\0" not in self.pending:
            part = os.read(self.to_read, 1 << 16)
            if not part:
                sys.exit("Chromium ended")
            self.pending += part
        text, self.pending = self.pending.split(b"\0", 1)
        return json.loads(text)

    def call(self, method, **parameters):
        self.number += 1
        request = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            request["sessionId"] = self.session
        os.write(self.to_write, json.dumps(request).encode() + b"\0")
        while True:
            answer = self.message()
            if answer.get("id") == self.number:
                assert "error" not in answer, (method, answer)
                return answer["result"]
            self.events.append(answer)

    def wait_for(self, method):
        while not any(event.get("method") == method for event in self.events):
            self.events.append(self.message())

    def value(self, script):
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in result, (script, result)
        return result["result"].get("value")

    def press(self, key, code):
        extra = {"text": "\r"} if key == "Enter" else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, code=key, windowsVirtualKeyCode=code, **extra)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, code=key, windowsVirtualKeyCode=code)

    def close(self):
        self.session = None
        self.call("Browser.close")
        self.process.wait(timeout=20)


def open_page(browser, url, width, height):
    target = browser.call("Target.createTarget", url="about:blank")["targetId"]
    browser.session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    browser.events.clear()
    for domain in ("Page", "Runtime", "Log", "Network"):
        browser.call(f"{domain}.enable")
    browser.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
    browser.call("Page.navigate", url=url)
    browser.wait_for("Page.loadEventFired")


def check_silence(browser, url):
    for event in browser.events:
        method = event.get("method")
        assert method not in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled"), event
        assert method != "Log.entryAdded", event["params"]["entry"]
        if method == "Network.requestWillBeSent":
            wanted = event["params"]["request"]["url"]
            assert wanted == url or wanted.startswith("data:"), f"it asks for {wanted}"


# What hangs out of the window, or of its own plot.
CUT = """(() => {
  const cut = [];
  // Not innerWidth: a phone zooms out to what is too wide.
  if (document.documentElement.scrollWidth > document.documentElement.clientWidth) cut.push(`the page is ${document.documentElement.scrollWidth} wide`);
  for (const text of document.querySelectorAll('svg.plot text')) {
    if (!text.checkVisibility || !text.checkVisibility()) continue;
    const own = text.getBoundingClientRect(), whole = text.ownerSVGElement.getBoundingClientRect();
    if (own.width && (own.left < whole.left - 1 || own.right > whole.right + 1)) cut.push(`"${text.textContent}" hangs out of ${text.ownerSVGElement.getAttribute('aria-label')}`);
  }
  for (const svg of document.querySelectorAll('svg.plot')) {
    const boxes = Array.from(svg.querySelectorAll(':scope > text')).map((text) => [text.textContent, text.getBoundingClientRect()]).filter(([, box]) => box.width);
    boxes.forEach(([a, p], i) => boxes.slice(i + 1).forEach(([b, q]) => {
      if (p.left < q.right - 1 && q.left < p.right - 1 && p.top < q.bottom - 3 && q.top < p.bottom - 3) cut.push(`"${a}" lies on "${b}" in ${svg.getAttribute('aria-label')}`);
    }));
  }
  return cut;
})()"""


def check_sorting(browser):
    column = "Array.from(document.querySelector('table.sortable').tBodies[0].rows).map(row => row.cells[0].textContent)"
    before = browser.value(column)
    browser.value("document.querySelector('table.sortable th button').click()")
    ascending = browser.value(column)
    assert browser.value("document.querySelector('table.sortable th').getAttribute('aria-sort')") == "ascending"
    browser.value("document.querySelector('table.sortable th button').click()")
    descending = browser.value(column)
    assert sorted(before) == sorted(ascending) == sorted(descending) and ascending == descending[::-1], (before, ascending, descending)
    assert ascending[0] != descending[0], "the first table has too few rows to show that it sorts"
    # By what the numbers are, not by what they look like.
    wrong = browser.value("""Array.from(document.querySelectorAll('table.sortable')).filter((table) => {
      const head = Array.from(table.tHead.rows[0].cells).findIndex((cell) => cell.classList.contains('n'));
      if (head < 0) return false;
      const button = table.tHead.rows[0].cells[head].querySelector('button');
      button.click();
      const values = Array.from(table.tBodies[0].rows).map((row) => row.cells[head].dataset.v).filter((value) => value !== undefined).map(Number);
      return values.some((value, i) => i > 0 && value < values[i - 1]);
    }).map((table) => table.caption.textContent)""")
    assert wrong == [], f"not in order: {wrong}"


def check_switches(browser):
    count = browser.value("document.querySelectorAll('.legend button').length")
    assert count > 0, "there is no series to switch"
    shown = "(() => { const button = document.querySelector('.legend button'), figure = button.closest('figure');" \
            " return Array.from(figure.querySelectorAll('g[data-series=\"0\"], i[data-series=\"0\"]')).filter((part) => getComputedStyle(part).display !== 'none').length; })()"
    before = browser.value(shown)
    assert before > 0
    browser.value("document.querySelector('.legend button').click()")
    assert browser.value(shown) == 0 and browser.value("document.querySelector('.legend button').getAttribute('aria-pressed')") == "false"
    browser.value("document.querySelector('.legend button').click()")
    assert browser.value(shown) == before


def check_keys(browser):
    """The tab key reaches the skip link first, then links, heads of tables and legends; Enter sorts."""
    browser.value("document.activeElement.blur(); window.scrollTo(0, 0)")
    browser.call("Page.bringToFront")
    reached, sorted_by_key = [], False
    for _ in range(120):
        browser.press("Tab", 9)
        reached.append(browser.value("document.activeElement.tagName + (document.activeElement.closest('.legend') ? ' legend' : '')"))
        if reached[-1] == "BUTTON" and not sorted_by_key:
            before = browser.value("document.activeElement.closest('th').getAttribute('aria-sort')")
            browser.press("Enter", 13)
            sorted_by_key = browser.value("document.activeElement.closest('th').getAttribute('aria-sort')") != before
    assert reached[0] == "A", reached[:5]
    assert sorted_by_key, "Enter on a head did not sort"
    assert {"BUTTON", "SUMMARY", "BUTTON legend"} <= set(reached), set(reached)


CONTRAST = """(() => {
  const light = (rgb) => { const [r, g, b] = rgb.map((v) => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; }); return .2126 * r + .7152 * g + .0722 * b; };
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const behind = (element) => { for (; element; element = element.parentElement) { const c = numbers(getComputedStyle(element).backgroundColor); if (c.length < 4 || c[3] === 1) return c.slice(0, 3); } return [255, 255, 255]; };
  const poor = new Set();
  for (const element of document.querySelectorAll('p, td, th, li, dt, dd, summary, figcaption, a, button, .label, .ticks span')) {
    if (!element.textContent.trim() || !element.getClientRects().length || element.closest('.confusion')) continue;
    const [a, b] = [light(numbers(getComputedStyle(element).color).slice(0, 3)), light(behind(element))];
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) poor.add(`${element.tagName} ${element.className}: ${ratio.toFixed(2)}`);
  }
  return Array.from(poor);
})()"""


def check_contrast(browser):
    """Texts keep 4.5 : 1 (WCAG 2.1, level AA) in light and in dark."""
    for scheme in ("light", "dark"):
        browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        poor = browser.value(CONTRAST)
        assert poor == [], f"{scheme}: {poor}"


def take_pictures(browser, folder, name, width):
    """Of the whole page; a long one in several, since Chromium draws none of more than 16,384 pixels."""
    browser.call("Emulation.setEmulatedMedia", features=[])
    height, most = browser.value("document.documentElement.scrollHeight"), 8000
    for number, top in enumerate(range(0, height, most)):
        clip = {"x": 0, "y": top, "width": width, "height": min(most, height - top), "scale": 1}
        picture = browser.call("Page.captureScreenshot", captureBeyondViewport=True, format="png", clip=clip)
        (folder / (f"{name}-{number + 1}.png" if height > most else f"{name}.png")).write_bytes(base64.b64decode(picture["data"]))


def main():
    page = pathlib.Path(sys.argv[1]).resolve()
    pictures = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else None
    profile = tempfile.mkdtemp(prefix="edgelab-browser-")
    browser = Browser(profile)
    try:
        for name, (width, height) in SIZES.items():
            browser.session = None
            open_page(browser, page.as_uri(), width, height)
            for state in ("folded", "unfolded"):
                cut = browser.value(CUT)
                assert cut == [], f"{name}, {state}: {cut}"
                if pictures:
                    take_pictures(browser, pictures, f"{page.stem}-{name}-{state}", width)
                browser.value("document.querySelectorAll('details').forEach((details) => { details.open = true; })")
            check_contrast(browser)
            browser.value("document.querySelectorAll('details').forEach((details) => { details.open = false; })")
            check_sorting(browser)
            check_switches(browser)
            check_keys(browser)
            check_silence(browser, page.as_uri())
            print(f"{name}: in order")
        browser.close()
    finally:
        browser.process.kill()
        browser.process.wait()
        shutil.rmtree(profile, ignore_errors=True)


if __name__ == "__main__":
    main()
