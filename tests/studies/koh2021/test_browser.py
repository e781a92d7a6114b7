"""The study's page in a real browser: it fits every width, and nothing goes wrong in it."""

import pytest

pytestmark = pytest.mark.browser
NO_BROWSER = "needs Chromium and the packages of skmer[browser]"


@pytest.fixture(scope="module")
def address(page, tmp_path_factory):
    """Where the page is."""
    path = tmp_path_factory.mktemp("study") / "report.html"
    path.write_text(page, encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def visit(chromium, address):
    """Open the page with everything unfolded; at the end nothing may have gone wrong in it."""
    opened, troubles = [], []

    def call(width=1280, scheme="light"):
        tab = chromium.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        tab.on("console", lambda message: troubles.append(f"{message.type}: {message.text}"))
        tab.on("pageerror", lambda error: troubles.append(str(error)))
        tab.on("request", lambda request: troubles.extend(
            [] if request.url.startswith(("file:", "data:")) else [request.url]
        ))  # fmt: skip
        tab.goto(address)
        tab.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        opened.append(tab)
        return tab

    yield call
    for tab in opened:
        tab.close()
    assert troubles == []


def test_nothing_overflows_a_telephone(visit):
    width = 360
    tab = visit(width)
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    wide = tab.evaluate(
        """width => [...document.querySelectorAll('header *, main *')].filter(e => {
            const box = e.getBoundingClientRect();
            return box.width && box.right > width + 1 && !e.closest('.scroll, svg');
        }).map(e => e.outerHTML.slice(0, 80))""",
        width,
    )
    assert wide == []


def test_the_news_are_on_the_first_screen(visit):
    tab = visit()
    for name in (".headline", "header .notes li >> nth=0", "#claims h2"):
        box = tab.locator(name).bounding_box()
        assert box["y"] + box["height"] <= 900


@pytest.mark.parametrize(("scheme", "colour"), [("light", "27, 31, 36"), ("dark", "232, 235, 238")])
def test_figures_follow_the_scheme_and_axe_finds_nothing(visit, scheme, colour):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason=NO_BROWSER)
    tab = visit(scheme=scheme)
    fills = tab.evaluate(
        "[...document.querySelectorAll('.chart svg text')].map(e => getComputedStyle(e).fill)"
    )
    assert f"rgb({colour})" in fills
    found = axe.Axe().run(tab)
    assert found.violations_count == 0, found.generate_report()
