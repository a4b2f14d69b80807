"""Opens a report in headless Chromium as a reader would, at the width of a desk and of a phone.

usage: report_in_browser.py REPORT.html [FOLDER FOR SCREENSHOTS] [--everything]

Fails on a message on the console, on any request but the page itself, on a page wider than its window or the paper, on texts
that are cut, lie on one another or can hardly be read, in light and in dark, on folded parts that don't print, and if sorting,
switching series or the tab key don't do what they should; with --everything also if there is nothing to try one of these on.
Speaks the DevTools protocol over Chromium's pipe (--remote-debugging-pipe), so that Python's own library is enough.
"""
import argparse
import base64
import json
import os
import pathlib
import re
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


def load(browser, url):
    browser.events = [event for event in browser.events if event.get("method") != "Page.loadEventFired"]
    browser.call("Page.navigate", url=url)
    browser.wait_for("Page.loadEventFired")


def open_page(browser, url, width, height):
    target = browser.call("Target.createTarget", url="about:blank")["targetId"]
    browser.session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    browser.events.clear()
    for domain in ("Page", "Runtime", "Log", "Network"):
        browser.call(f"{domain}.enable")
    browser.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
    load(browser, url)


def check_silence(browser, url):
    for event in browser.events:
        method = event.get("method")
        assert method not in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled"), event
        assert method != "Log.entryAdded", event["params"]["entry"]
        if method == "Network.requestWillBeSent":
            wanted = event["params"]["request"]["url"]
            assert wanted == url or wanted.startswith("data:"), f"it asks for {wanted}"


# What hangs out of the window, of its own plot, or of its box, and what lies on something else.
CUT = """(() => {
  const cut = [];
  const seen = (element) => element.checkVisibility({visibilityProperty: true}) && element.getBoundingClientRect().width > 0;
  const placed = (elements) => Array.from(elements).filter(seen).map((element) => [element.textContent, element.getBoundingClientRect()]).filter(([text]) => text.trim());
  const lies_on = (boxes, where) => boxes.forEach(([a, p], i) => boxes.slice(i + 1).forEach(([b, q]) => {
    if (p.left < q.right - 1 && q.left < p.right - 1 && p.top < q.bottom - 3 && q.top < p.bottom - 3) cut.push(`"${a}" lies on "${b}" in ${where}`);
  }));
  // Not innerWidth: a phone zooms out to what is too wide.
  const root = document.documentElement;
  if (root.scrollWidth > root.clientWidth) cut.push(`the page is ${root.scrollWidth} wide, its window ${root.clientWidth}`);
  for (const svg of document.querySelectorAll('svg.plot')) {
    if (!seen(svg)) continue;
    const whole = svg.getBoundingClientRect(), texts = placed(svg.querySelectorAll('text')), name = svg.getAttribute('aria-label');
    for (const [text, own] of texts) {
      if (own.left < whole.left - 1 || own.right > whole.right + 1 || own.top < whole.top - 1 || own.bottom > whole.bottom + 1) cut.push(`"${text}" hangs out of ${name}`);
    }
    lies_on(texts, name);
  }
  for (const tracks of document.querySelectorAll('.tracks')) {
    if (!seen(tracks)) continue;
    const whole = tracks.getBoundingClientRect(), name = tracks.getAttribute('aria-label');
    lies_on(placed(tracks.querySelectorAll('.label, .ticks span')), name);
    for (const [text, own] of placed(tracks.querySelectorAll('.label, .ticks span, .track'))) {
      if (own.left < whole.left - 1 || own.right > whole.right + 1 || own.top < whole.top - 1 || own.bottom > whole.bottom + 1) cut.push(`"${text}" hangs out of ${name}`);
    }
    for (const bar of tracks.querySelectorAll('.track i')) {
      // Cut where there is no room, but so that it shows: with an ellipsis, or not at all.
      if (bar.textContent && getComputedStyle(bar).textOverflow !== 'ellipsis' && bar.scrollWidth > bar.clientWidth + 1) cut.push(`"${bar.textContent}" is cut in ${name}`);
      if (bar.textContent && bar.scrollHeight > bar.clientHeight + 1) cut.push(`"${bar.textContent}" is cut at the bottom in ${name}`);
    }
  }
  // Boxes that neither scroll nor say by an ellipsis that there is more.
  for (const box of document.querySelectorAll('td, th, .label, .legend li, figcaption, h1, h2, h3, dd, .mistakes li, summary, p')) {
    if (!seen(box) || getComputedStyle(box).overflowX === 'visible' || getComputedStyle(box).textOverflow === 'ellipsis') continue;
    if (box.scrollWidth > box.clientWidth + 1) cut.push(`"${box.textContent.slice(0, 60)}" is cut`);
  }
  return cut;
})()"""


# The first table whose first column has something to sort, as `table`.
TABLE = """(() => {
  const first = (row) => row.cells[0].textContent;
  const table = Array.from(document.querySelectorAll('table.sortable')).find((table) => new Set(Array.from(table.tBodies[0].rows).map(first)).size > 1);
  return %s;
})()"""


def check_sorting(browser):
    """False if no table has two rows that differ."""
    if browser.value(TABLE % "table === undefined"):
        return False
    column = TABLE % "Array.from(table.tBodies[0].rows).map(first)"
    head = "table.tHead.rows[0].cells[0]"
    before = browser.value(column)
    browser.value(TABLE % f"{head}.querySelector('button').click()")
    ascending = browser.value(column)
    assert browser.value(TABLE % f"{head}.getAttribute('aria-sort')") == "ascending"
    browser.value(TABLE % f"{head}.querySelector('button').click()")
    descending = browser.value(column)
    assert sorted(before) == sorted(ascending) == sorted(descending), (before, ascending, descending)
    # Rows that are equal keep their order, whichever way.
    assert list(dict.fromkeys(ascending)) == list(dict.fromkeys(descending))[::-1] and ascending[0] != descending[0], (ascending, descending)
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
    return True


# What the first legend's first entry switches, as `parts`.
SWITCHED = """(() => {
  const button = document.querySelector('.legend button'), name = button.parentElement.dataset.series;
  const parts = Array.from(button.closest('figure').querySelectorAll(`g[data-series="${name}"], i[data-series="${name}"]`));
  return %s;
})()"""


def check_switches(browser):
    """False if there is no series to switch."""
    if browser.value("document.querySelector('.legend button') === null"):
        return False
    shown = SWITCHED % "parts.filter((part) => getComputedStyle(part).display !== 'none').length"
    before = browser.value(shown)
    assert before > 0
    browser.value(SWITCHED % "button.click()")
    assert browser.value(shown) == 0 and browser.value(SWITCHED % "button.getAttribute('aria-pressed')") == "false"
    browser.value(SWITCHED % "button.click()")
    assert browser.value(shown) == before
    return True


def check_keys(browser):
    """The tab key reaches the skip link first, then links, heads of tables, folded parts and legends, as far as there are such; Enter sorts."""
    kinds = {"BUTTON": "th button", "SUMMARY": "summary", "BUTTON legend": ".legend button"}
    wanted = {kind for kind, selector in kinds.items() if browser.value(f"document.querySelector('{selector}') !== null")}
    browser.value("document.activeElement.blur(); window.scrollTo(0, 0)")
    browser.call("Page.bringToFront")
    reached, sorted_by_key = [], "BUTTON" not in wanted
    for _ in range(2000):
        browser.press("Tab", 9)
        reached.append(browser.value("document.activeElement.tagName + (document.activeElement.closest('.legend') ? ' legend' : '')"))
        if reached[-1] == "BUTTON" and not sorted_by_key:
            before = browser.value("document.activeElement.closest('th').getAttribute('aria-sort')")
            browser.press("Enter", 13)
            sorted_by_key = browser.value("document.activeElement.closest('th').getAttribute('aria-sort')") != before
        if sorted_by_key and wanted <= set(reached):
            break
    assert reached[0] == "A", reached[:5]
    assert sorted_by_key, "Enter on a head did not sort"
    assert wanted <= set(reached), f"the tab key does not reach {wanted - set(reached)}"


# Of every text against what is painted behind it, see-through colours mixed.
CONTRAST = """(() => {
  const light = (rgb) => { const [r, g, b] = rgb.map((v) => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; }); return .2126 * r + .7152 * g + .0722 * b; };
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const known = new Map();
  const numbers = (colour) => {  // [r, g, b, alpha], whatever notation the browser gives
    if (!known.has(colour)) {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = colour;
      canvas.fillRect(0, 0, 1, 1);
      const [r, g, b, alpha] = canvas.getImageData(0, 0, 1, 1).data;
      known.set(colour, [r, g, b, alpha / 255]);
    }
    return known.get(colour);
  };
  const over = ([r, g, b, alpha], under) => [r, g, b].map((v, i) => alpha * v + (1 - alpha) * under[i]);
  const behind = (element) => {
    if (!element) return [255, 255, 255];
    const colour = numbers(getComputedStyle(element).backgroundColor);
    return colour[3] === 1 ? colour.slice(0, 3) : over(colour, behind(element.parentElement));
  };
  const poor = new Set();
  for (const element of document.querySelectorAll('p, td, th, li, dt, dd, summary, figcaption, a, button, h1, h2, h3, h4, pre, strong, .faint, .label, .ticks span, .track i, svg.plot text')) {
    if (!element.textContent.trim() || !element.getClientRects().length) continue;
    const under = behind(element), own = over(numbers(element.matches('text') ? getComputedStyle(element).fill : getComputedStyle(element).color), under);
    const [a, b] = [light(own), light(under)];
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) poor.add(`${element.tagName} ${element.getAttribute('class') || ''}: ${ratio.toFixed(2)}, rgb ${own.map(Math.round)} on ${under.map(Math.round)}`);
  }
  return Array.from(poor);
})()"""


def set_scheme(browser, scheme):
    browser.call("Emulation.setEmulatedMedia", media="", features=[{"name": "prefers-color-scheme", "value": scheme}])


def check_contrast(browser):
    """Texts keep 4.5 : 1 (WCAG 2.1, level AA) in light and in dark."""
    for scheme in ("light", "dark"):
        set_scheme(browser, scheme)
        poor = browser.value(CONTRAST)
        assert poor == [], f"{scheme}: {poor}"
    set_scheme(browser, "light")


# A4 without its margins, at 96 pixels an inch.
PAPER = {"width": round((210 - 2 * 12) / 25.4 * 96), "height": round((297 - 2 * 12) / 25.4 * 96)}
FOLDED = "document.querySelectorAll('details:not([open])').length"


def printed(browser):
    """The page as PDF; Chromium fires beforeprint and afterprint around it."""
    stream = browser.call("Page.printToPDF", transferMode="ReturnAsStream", preferCSSPageSize=True, printBackground=True, paperWidth=8.27, paperHeight=11.69)["stream"]
    data = b""
    while True:
        part = browser.call("IO.read", handle=stream)
        data += base64.b64decode(part["data"]) if part.get("base64Encoded") else part["data"].encode()
        if part["eof"]:
            break
    browser.call("IO.close", handle=stream)
    return data


def pages_of(pdf):
    return len(re.findall(rb"/Type\s*/Page\b", pdf))


def check_print(browser):
    """What lies folded prints, no wider than the paper; afterwards it is folded again. Returns the PDF."""
    folded = browser.value(FOLDED)
    browser.value(f"window.folded_on_paper = -1; addEventListener('beforeprint', () => {{ window.folded_on_paper = {FOLDED}; }})")
    pdf = printed(browser)
    assert browser.value("window.folded_on_paper") == 0, f"{browser.value('window.folded_on_paper')} parts stay folded on paper"
    assert browser.value(FOLDED) == folded, "what was folded before it was printed is not afterwards"
    width = browser.value("window.innerWidth"), browser.value("window.innerHeight")
    browser.call("Emulation.setDeviceMetricsOverride", deviceScaleFactor=1, mobile=False, **PAPER)
    browser.call("Emulation.setEmulatedMedia", media="print", features=[])
    cut = browser.value(CUT)
    assert cut == [], f"on paper: {cut}"
    wide = browser.value("Array.from(document.querySelectorAll('table, svg.plot, pre, .tracks')).filter((part) => part.getBoundingClientRect().right > document.documentElement.clientWidth + 1)"
                         ".map((part) => part.caption ? part.caption.textContent : part.getAttribute('aria-label') || part.tagName)")
    assert wide == [], f"wider than the paper: {wide}"
    browser.call("Emulation.setEmulatedMedia", media="", features=[])
    browser.call("Emulation.setDeviceMetricsOverride", width=width[0], height=width[1], deviceScaleFactor=1, mobile=width[0] < 600)
    return pdf


def check_print_without_script(browser, url, pdf):
    """The style alone unfolds too: about as many pages as with the script, with which the heads of tables are buttons and break otherwise."""
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    load(browser, url)
    pages, scripted = pages_of(printed(browser)), pages_of(pdf)
    browser.call("Emulation.setScriptExecutionDisabled", value=False)
    load(browser, url)
    assert abs(pages - scripted) <= max(1, scripted // 10), f"{scripted} pages with the script, {pages} without"


def take_pictures(browser, folder, name, width):
    """Of the whole page; a long one in several, since Chromium draws none of more than 16,384 pixels."""
    height, most = browser.value("document.documentElement.scrollHeight"), 8000
    for number, top in enumerate(range(0, height, most)):
        clip = {"x": 0, "y": top, "width": width, "height": min(most, height - top), "scale": 1}
        picture = browser.call("Page.captureScreenshot", captureBeyondViewport=True, format="png", clip=clip)
        (folder / (f"{name}-{number + 1}.png" if height > most else f"{name}.png")).write_bytes(base64.b64decode(picture["data"]))


def unfold(browser, open_):
    browser.value(f"document.querySelectorAll('details').forEach((details) => {{ details.open = {'true' if open_ else 'false'}; }})")


def check_page(browser, page, name, size, pictures, everything):
    """Everything, at one size. Returns what there was nothing to try on."""
    browser.session = None
    open_page(browser, page.as_uri(), *size)
    for state in ("folded", "unfolded"):
        unfold(browser, state == "unfolded")
        cut = browser.value(CUT)
        assert cut == [], f"{name}, {state}: {cut}"
        for scheme in ("light", "dark") if pictures else ():
            set_scheme(browser, scheme)
            take_pictures(browser, pictures, f"{page.stem}-{name}-{state}-{scheme}", size[0])
    check_contrast(browser)
    unfold(browser, False)
    nothing = []
    if not check_sorting(browser):
        nothing.append("rows to sort")
    if not check_switches(browser):
        nothing.append("series to switch")
    check_keys(browser)
    if name == "desk":
        pdf = check_print(browser)
        if everything:
            check_print_without_script(browser, page.as_uri(), pdf)
        if pictures:
            (pictures / f"{page.stem}-paper.pdf").write_bytes(pdf)
    check_silence(browser, page.as_uri())
    return nothing


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("page", type=pathlib.Path)
    parser.add_argument("pictures", type=pathlib.Path, nargs="?")
    parser.add_argument("--everything", action="store_true", help="fail also if the page has no table to sort, or no series to switch")
    arguments = parser.parse_args()
    page = arguments.page.resolve()
    profile = tempfile.mkdtemp(prefix="edgelab-browser-")
    browser = Browser(profile)
    try:
        for name, size in SIZES.items():
            nothing = check_page(browser, page, name, size, arguments.pictures, arguments.everything)
            assert not (nothing and arguments.everything), f"there are no {' and no '.join(nothing)}"
            print(f"{name}: in order" + (f"; no {', no '.join(nothing)}" if nothing else ""))
        browser.close()
    finally:
        browser.process.kill()
        browser.process.wait()
        shutil.rmtree(profile, ignore_errors=True)


if __name__ == "__main__":
    main()
