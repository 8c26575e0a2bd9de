"""The report's page: what it says, that no name gets out of its place, and how it behaves in a browser."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib import resources
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mac_profiler import api, units
from mac_profiler.errors import InvalidInput
from mac_profiler.page.markup import Html, embedded, tag
from tests.reporting import END, SCRIPT, audits, hostile

ASSETS = resources.files("mac_profiler.page").joinpath("assets")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FIGURES = ["mult_adds", "accesses", "predicted_seconds"]


class Outline(HTMLParser):
    """Headings, tags and ids of a page, and whether every element that is opened is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.headings: list[int] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in ("meta", "rect"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def page_of(*names: str) -> str:
    return api.report_page(audits(*names))


def data_of(page: str) -> Any:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


def test_a_page_holds_what_the_audit_says() -> None:
    (audited,) = audits("shufflenet_v2")
    page = page_of("shufflenet_v2")
    for said in ("145,814,296", "Complete: every operator", f"Score: {audited.score.score:.1f} of 100", "GTX 1080 Ti"):
        assert said in page
    for finding in audited.findings:
        for text in (finding.code, finding.message, finding.remedy, *(place.source for place in finding.places)):
            assert html.escape(text) in page
    (model,) = data_of(page)["models"]
    assert len(model["ops"]) == audited.prediction.profile.op_count
    assert sum(row[5] for row in model["ops"]) == audited.prediction.profile.total.mult_adds
    seconds = sum(row[10] for row in model["ops"])
    assert seconds == pytest.approx(audited.prediction.total.total, rel=1e-4)
    assert next(row for row in model["modules"] if row[0] == "")[3] == audited.prediction.profile.total.mult_adds


def test_a_page_needs_nothing_from_outside() -> None:
    page = page_of("shufflenet_v2")
    outline = Outline(page)
    assert outline.open == []
    assert not [tag for tag, _ in outline.tags if tag in ("link", "iframe", "img", "base", "object")]
    assert not [given for _, given in outline.tags if "src" in given or "style" in given]
    assert all(key not in given for _, given in outline.tags for key in ("onclick", "onload", "onerror"))
    assert {given["href"][:1] for _, given in outline.tags if given.get("href")} == {"#"}  # type: ignore[index]
    assert len(page.encode()) < 6_000_000


def test_headings_are_in_order_and_tables_say_what_they_head() -> None:
    outline = Outline(page_of("shufflenet_v2", "mobilenet_v2"))
    assert outline.headings[0] == 1
    assert outline.headings.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(outline.headings))
    names = [tag for tag, _ in outline.tags]
    assert names.count("table") == names.count("caption")
    assert all("scope" in given for tag, given in outline.tags if tag == "th")
    ids = [given["id"] for _, given in outline.tags if "id" in given]
    assert len(ids) == len(set(ids))
    places = {f"#{name}" for name in ids}
    assert all(given["href"] in places for tag, given in outline.tags if tag == "a")


def test_several_models_are_compared() -> None:
    page = page_of("shufflenet_v2", "mobilenet_v2")
    assert "The models side by side" in page
    assert "The models side by side" not in page_of("shufflenet_v2")
    assert [model["name"] for model in data_of(page)["models"]] == ["shufflenet_v2", "mobilenet_v2"]


def test_no_audit_is_no_report() -> None:
    with pytest.raises(InvalidInput, match="one audit at least"):
        api.report_page([])


def test_a_name_that_is_markup_stays_text() -> None:
    page = api.report_page([hostile()])
    assert SCRIPT not in page
    assert END not in page
    outline = Outline(page)
    assert [tag for tag, _ in outline.tags].count("script") == 2
    assert "img" not in [tag for tag, _ in outline.tags]
    paths = [row[0] for row in data_of(page)["models"][0]["ops"]]
    assert SCRIPT in paths
    assert f"{END}.0" in paths
    # Named by a finding too, outside of the data.
    assert html.escape(END) in page


@given(st.text() | st.sampled_from([SCRIPT, END, "<!--", "]]>", "\u2028", "\ud800", "&lt;"]))
def test_any_text_stays_where_it_is_put(text: str) -> None:
    held = text.encode("utf-8", "backslashreplace").decode("utf-8")
    written = tag("p", text, title=text)
    assert written == f'<p title="{html.escape(held)}">{html.escape(held)}</p>'
    data = embedded({"name": text})
    assert not set("<>&") & set(data)
    data.encode()
    assert json.loads(data) == {"name": text}


def test_markup_is_put_together() -> None:
    assert tag("p", None, ["a", Html("<b>")], hidden=True, class_=None) == "<p hidden>a<b></p>"
    assert tag("meta", charset="utf-8") == '<meta charset="utf-8"/>'


def contrast(one: str, other: str) -> float:
    """Of two colours, by WCAG 2.2."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_colours_have_contrast(theme: int) -> None:
    style = ASSETS.joinpath("page.css").read_text(encoding="utf-8")
    found = re.findall(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)", style)
    colours = {name: pair[theme] for name, *pair in found}
    for ground in ("paper", "panel"):
        for ink in ("ink", "soft", "link", "good", "warn", "bad"):
            assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
        for mark in (*(f"kind-{i}" for i in range(9)), "focus"):
            assert contrast(colours[mark], colours[ground]) >= 3, (mark, ground)
    for tone in (*(f"tone-{i}" for i in range(6)), "line"):
        assert contrast(colours["ink"], colours[tone]) >= 4.5, tone


# --------------------------------------------------------------------------------------------------------- a browser


def chromium() -> str | None:
    """A browser that can be driven, if this machine has one and playwright is installed."""
    if find_spec("playwright") is None:
        return None
    return os.environ.get("MACPROF_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)


needs_browser = pytest.mark.skipif(
    chromium() is None, reason="no Chromium (MACPROF_CHROMIUM may name one), or playwright is not installed"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # Root has no sandbox of its own in a container.
        started = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """Opens a page from its file, without a network; at the end nothing may have been complained of or asked for."""
    said: list[str] = []
    made: list[Any] = []

    def open_page(text: str, width: int = 1280, scheme: str = "light") -> Any:
        file = tmp_path / f"report {len(made)}.html"
        file.write_text(text, encoding="utf-8")
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True)
        made.append(context)
        view = context.new_page()
        view.on("console", lambda message: said.append(message.text))
        view.on("pageerror", lambda error: said.append(str(error)))
        view.on("dialog", lambda dialog: said.append(dialog.message))
        view.on("request", lambda request: said.extend({request.url} - {file.as_uri()}))
        view.goto(file.as_uri())
        return view

    yield open_page
    for context in made:
        context.close()
    assert said == []


def page_rows(view: Any) -> list[str]:
    """Modules of the operators that are shown."""
    found: list[str] = view.locator(".operators tbody th").evaluate_all("rows => rows.map((row) => row.textContent)")
    return found


def first_rows(view: Any, many: int = 3) -> list[list[str]]:
    rows = view.locator(".operators tbody tr").evaluate_all(
        "(rows, many) => rows.slice(0, many).map((row) => [...row.children].map((cell) => cell.textContent))", many
    )
    return [list(row) for row in rows]


@needs_browser
def test_operators_sort_and_filter_by_keyboard(opened: Any) -> None:
    from playwright.sync_api import expect

    view = opened(page_of("shufflenet_v2"))
    status = view.locator(".operators [role=status]")
    assert status.inner_text() == "245 of 245 operators, the first 200 shown"
    head = view.locator(".operators th", has_text="multiply-adds")
    assert head.get_attribute("aria-sort") == "none"
    head.locator("button").focus()
    view.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    largest = max(row[5] for row in data_of(view.content())["models"][0]["ops"])
    assert first_rows(view, 1)[0][6] == units.count(largest)
    view.keyboard.press("Space")
    assert head.get_attribute("aria-sort") == "ascending"
    assert first_rows(view, 1)[0][6] == "0"
    view.get_by_label("Filter operators").fill("stage3 CONV depthwise")
    expect(status).to_have_text("9 of 245 operators")
    assert all(row[3] == "depthwise conv" and row[1].startswith("stage3") for row in first_rows(view, 99))
    view.get_by_label("Filter operators").fill("nothing of the kind")
    expect(status).to_have_text("0 of 245 operators")


@needs_browser
def test_thousands_of_operators_are_no_burden(opened: Any) -> None:
    page = page_of("shufflenet_v2")
    data = data_of(page)
    ops = data["models"][0]["ops"]
    data["models"][0]["ops"] = ops * 60
    view = opened(re.sub(r'(id="data">).*?(</script>)', lambda m: m[1] + embedded(data) + m[2], page, flags=re.DOTALL))
    assert view.locator(".operators tbody tr").count() == 200
    milliseconds = view.evaluate(
        """() => {
            const start = performance.now();
            for (const button of document.querySelectorAll('.operators th button')) button.click();
            return performance.now() - start;
        }"""
    )
    assert milliseconds < 15 * 1000
    view.locator(".operators button", has_text="Show 200 more").click()
    assert view.locator(".operators tbody tr").count() == 400


@needs_browser
def test_modules_are_drawn_by_three_measures_and_zoomed_by_keyboard(opened: Any) -> None:
    view = opened(page_of("shufflenet_v2"))
    wide = "(bars) => Object.fromEntries(bars.map((bar) => [bar.dataset.path, bar.offsetWidth]))"
    modules = {row[0]: row for row in data_of(view.content())["models"][0]["modules"]}
    for title, place in (("multiply-adds", 3), ("memory access", 4), ("predicted time", 5)):
        view.get_by_label(title, exact=True).check()
        drawn = view.locator(".bar").evaluate_all(wide)
        share = modules["stage3"][place] / modules[""][place]
        assert drawn["stage3"] / drawn[""] == pytest.approx(share, abs=0.01), title
    view.locator(".bar[tabindex='0']").focus()
    view.keyboard.press("ArrowDown")
    view.keyboard.press("ArrowRight")
    focused = "document.activeElement.dataset.path"
    assert view.evaluate(focused) == "maxpool"
    assert view.locator(".detail").inner_text().startswith("maxpool, MaxPool2d: multiply-adds 0 (0.0%), ")
    view.keyboard.press("ArrowRight")
    view.keyboard.press("Enter")
    assert view.evaluate(focused) == "stage2"
    drawn = view.locator(".bar").evaluate_all(wide)
    assert drawn["stage2"] == drawn[""]
    assert "stage3" not in drawn
    view.get_by_role("button", name="List its operators").click()
    inside = [row for row in page_rows(view) if row == "stage2" or row.startswith("stage2.")]
    assert len(inside) == len(page_rows(view)) == modules["stage2"][2]
    view.get_by_role("button", name="Only in stage2: show all").click()
    assert view.evaluate("document.activeElement.type") == "search"
    assert len(page_rows(view)) > len(inside)
    view.locator(".bar[tabindex='0']").focus()
    view.keyboard.press("Escape")
    assert "stage3" in view.locator(".bar").evaluate_all(wide)
    view.get_by_text("The same as a table").click()
    assert view.locator(".modules tbody tr").count() == len(modules)


@needs_browser
def test_the_roofline_tells_of_each_operator(opened: Any) -> None:
    view = opened(page_of("shufflenet_v2"))
    marks = view.locator(".plot path.mark")
    points = data_of(view.content())["models"][0]["points"]
    assert marks.count() == len(points)
    view.locator(".plot path.mark[tabindex='0']").focus()
    view.keyboard.press("ArrowRight")
    assert view.locator(".tip").is_visible()
    assert "FLOPs a byte" in view.locator(".tip").inner_text()
    view.keyboard.press("Escape")
    assert not view.locator(".tip").is_visible()
    kind = view.get_by_role("button", name="batch norm")
    kind.click()
    assert kind.get_attribute("aria-pressed") == "false"
    assert marks.count() == sum(point[1] != "batch norm" for point in points)


@needs_browser
def test_the_theme_is_the_systems_or_the_readers(opened: Any) -> None:
    view = opened(page_of("shufflenet_v2"), scheme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    button = view.get_by_role("button", name="Dark theme")
    assert button.get_attribute("aria-pressed") == "true"
    dark = view.evaluate(ground)
    button.click()
    assert button.get_attribute("aria-pressed") == "false"
    assert view.evaluate(ground) == "rgb(255, 255, 255)" != dark
    view.reload()
    assert view.evaluate(ground) == "rgb(255, 255, 255)"


@needs_browser
def test_in_a_browser_a_name_stays_text(opened: Any) -> None:
    view = opened(api.report_page([hostile()]))
    assert view.locator(".operators tbody th").first.inner_text() == SCRIPT
    assert view.locator("main img, body script:not([id]) ~ *").count() == 0
    paths = view.locator(".bar").evaluate_all("(bars) => bars.map((bar) => bar.dataset.path)")
    assert {SCRIPT, END, f"{END}.0"} <= set(paths)


@needs_browser
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (390, "light")])
def test_nothing_keeps_a_reader_out(opened: Any, width: int, scheme: str) -> None:
    found = find_spec("axe_playwright_python")
    if found is None or found.origin is None:
        pytest.skip("axe-playwright-python is not installed, which brings axe-core along")
    axe = Path(found.origin).with_name("axe.min.js").read_text(encoding="utf-8")
    # Two models of one name, of few operators: axe looks at every cell.
    view = opened(api.report_page([hostile(), hostile()]), width, scheme)
    assert view.evaluate("document.documentElement.scrollWidth") == width
    for summary in view.locator("summary").all():
        summary.click()
    view.locator(".bar").first.focus()
    view.evaluate(axe)
    violations = view.evaluate("axe.run(document).then((result) => result.violations)")
    assert [(each["id"], each["impact"], each["nodes"][0]["html"]) for each in violations] == []


@needs_browser
def test_figures_are_written_as_everywhere(opened: Any) -> None:
    view = opened(page_of("shufflenet_v2"))
    # The page's functions are its own; the same file tells what they would say.
    script = f"{ASSETS.joinpath('units.js').read_text(encoding='utf-8')}\nreturn cases.map((each) => text(...each));"
    numbers = [
        0,
        1,
        7,
        999,
        999.4,
        999.6,
        1000,
        1023,
        1024,
        9_994,
        9_996,
        99_949,
        999_499,
        999_500,
        1_234_567,
        145_814_296,
    ]
    small = [3.66e-6, 9.994e-4, 9.996e-4, 0.99996, 1.2e-9, 4e-10, 0.0004, 0.0005, 0.5, 1.0, 12.34, 5e17]
    cases = [[unit, value] for unit in ("count", "bytes") for value in [*numbers, 5e17]]
    cases += [[unit, value] for unit in ("seconds", "share", "ratio", "number") for value in [0, *small]]
    wanted = [units.text(unit, value) for unit, value in cases]  # type: ignore[arg-type]
    assert view.evaluate(f"(cases) => {{ {script} }}", cases) == wanted


@needs_browser
def test_on_paper_nothing_stays_shut(opened: Any) -> None:
    view = opened(page_of("shufflenet_v1"), scheme="dark")
    assert view.pdf(format="A4").startswith(b"%PDF")
    view.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    shut = view.locator("details:not([open])")
    assert [shut.nth(i).inner_text() for i in range(shut.count())] == ["The same as a table"]
    view.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert view.locator("details[open]").count() == 0
    view.emulate_media(media="print")
    assert view.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


SIDE_BY_SIDE = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.parts = nn.ModuleList(nn.Sequential(nn.Linear(4, 4), nn.ReLU()) for _ in range(MANY))
        self.add_module("a b", nn.Linear(4, 4))
        setattr(self, "\u202eturned", nn.Linear(4, 4))

    def forward(self, x):
        for part in self.parts:
            x = part(x)
        return getattr(self, "\u202eturned")(getattr(self, "a b")(x))


def build():
    return Net(), torch.zeros(1, 4)
"""


def many_parts(tmp_path: Path, many: int) -> str:
    (tmp_path / "net.py").write_text(SIDE_BY_SIDE.replace("MANY", str(many)), encoding="utf-8")
    settings = api.audit_settings(None, platform="nominal")
    return api.report_page(api.audits_named([f"{tmp_path / 'net.py'}:build"], settings))


def test_a_name_turns_nothing_round(tmp_path: Path) -> None:
    page = many_parts(tmp_path, 1)
    assert "\u202e" not in page
    assert "\\u202eturned" in page


@needs_browser
def test_a_module_lists_its_own_operators_alone(opened: Any, tmp_path: Path) -> None:
    view = opened(many_parts(tmp_path, 12))
    for module, operators in (("parts.1", 2), ("a b", 1), ("parts", 24)):
        view.locator(f".bar[data-path='{module}']").focus()
        view.get_by_role("button", name="List its operators").click()
        shown = page_rows(view)
        assert len(shown) == operators, module
        assert all(row == module or row.startswith(f"{module}.") for row in shown)
    view.get_by_label("Filter operators").fill("1x4")
    view.wait_for_timeout(200)
    assert len(page_rows(view)) == 24
    view.get_by_label("Filter operators").fill("1×4 parts.11")
    view.wait_for_timeout(200)
    assert len(page_rows(view)) == 2


@needs_browser
def test_what_is_too_narrow_to_draw_is_said(opened: Any, tmp_path: Path) -> None:
    view = opened(many_parts(tmp_path, 3000))
    assert re.search(
        r"[\d,]+ modules are narrower than a pixel here, and not drawn", view.locator(".icicle").inner_text()
    )
    # What is as narrow as its borders would be no more than these.
    view = opened(many_parts(tmp_path, 400))
    thin = view.locator(".bar.thin").first
    assert thin.evaluate("bar => getComputedStyle(bar).borderLeftWidth") in ("0px", "")


@needs_browser
def test_the_focus_stays_where_a_button_goes(opened: Any, tmp_path: Path) -> None:
    view = opened(many_parts(tmp_path, 300))
    view.locator(".operators .more", has_text="Show all").click()
    assert view.evaluate("document.activeElement.getAttribute('role')") == "region"
    view.locator(".bar[data-path='parts']").click()
    view.get_by_role("button", name="Zoom out").click()
    assert view.evaluate("document.activeElement.dataset.path") == ""
