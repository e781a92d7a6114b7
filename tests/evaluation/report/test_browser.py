"""The page in a real browser: it draws, sorts, answers, fits, and can be used by everyone."""

import pytest

pytestmark = pytest.mark.browser
NO_BROWSER = "needs Chromium and the packages of skmer[browser]"


@pytest.fixture(scope="module")
def addresses(result, regression, tagged, tmp_path_factory):
    """Where the pages are."""
    folder = tmp_path_factory.mktemp("pages")
    return {
        "classes": result.report(folder / "classes.html").as_uri(),
        "numbers": regression.report(folder / "numbers.html").as_uri(),
        "tags": tagged.report(folder / "tags.html").as_uri(),
    }


@pytest.fixture
def visit(chromium, addresses):
    """Open a page; at the end nothing may have gone wrong in it."""
    opened, troubles = [], []

    def call(name, width=1280, scheme="light"):
        page = chromium.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        page.on("console", lambda message: troubles.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("request", lambda request: troubles.extend(
            [] if request.url.startswith(("file:", "data:")) else [request.url]
        ))  # fmt: skip
        page.goto(addresses[name])
        page.wait_for_selector("#chart-scores[data-drawn=yes]", timeout=60_000)
        opened.append(page)
        return page

    yield call
    for page in opened:
        page.close()
    assert troubles == []


@pytest.mark.parametrize("name", ["classes", "numbers", "tags"])
@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_overflows(visit, name, width):
    page = visit(name, width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    wide = page.evaluate(
        """width => [...document.querySelectorAll('main *')].filter(e => {
            const box = e.getBoundingClientRect();
            return box.width && box.right > width + 1 && !e.closest('.scroll, svg');
        }).map(e => e.outerHTML.slice(0, 80))""",
        width,
    )
    assert wide == []


def test_the_chart_shows_every_configuration(visit):
    page = visit("classes")
    assert page.locator("#chart-scores svg .mark-symbol.role-mark path").count() == 12
    assert page.locator("#chart-map svg .mark-symbol.role-mark path").count() == 60


def test_a_table_sorts_by_its_numbers(visit):
    page = visit("classes")
    read = (
        "[...document.querySelectorAll('#table-scores tbody tr')].map(r => r.cells[2].dataset.key)"
    )
    head = page.locator("#table-scores th").nth(2)
    head.locator("button").focus()
    page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    down = [float(key) for key in page.evaluate(read)]
    assert down == sorted(down, reverse=True)
    page.keyboard.press("Enter")
    assert [float(key) for key in page.evaluate(read)] == sorted(down)
    assert not page.locator("#table-scores th").nth(6).is_visible()
    page.get_by_role("button", name="All columns").click()
    assert page.locator("#table-scores th").nth(6).is_visible()


def test_the_confusion_follows_the_choice(visit):
    page = visit("classes")
    cells = "[...document.querySelectorAll('#confusion td')].map(c => c.textContent).join()"
    first = page.evaluate(cells)
    assert first.count("%") == 4
    page.select_option("#configuration", index=11)
    assert page.evaluate(cells) != first


def test_the_map_answers(visit):
    page = visit("classes")
    page.select_option("#chart-map select >> nth=1", "group")
    page.wait_for_function(
        "document.querySelectorAll('#chart-map .role-legend-symbol path').length > 9"
    )
    page.locator("#chart-map svg .mark-symbol.role-mark path").first.hover(force=True)
    page.wait_for_selector("#vg-tooltip-element.visible")
    assert "clip" in page.locator("#vg-tooltip-element").inner_text()
    assert not page.locator("#player").is_visible()


def test_colours_follow_the_scheme_and_can_be_read(visit):
    for scheme in ("light", "dark"):
        page = visit("classes", scheme=scheme)
        contrasts = page.evaluate(
            """() => {
                const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
                    .map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
                    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
                const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
                const rgb = colour => { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
                    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3); };
                return [...document.querySelectorAll('.heat td, .notes li, .matrix td')].map(cell => {
                    const style = getComputedStyle(cell);
                    const over = style.backgroundColor === 'rgba(0, 0, 0, 0)'
                        ? getComputedStyle(document.body).backgroundColor : style.backgroundColor;
                    const [a, b] = [light(rgb(style.color)), light(rgb(over))].sort((x, y) => y - x);
                    return (a + .05) / (b + .05);
                });
            }"""
        )
        assert len(contrasts) > 20
        assert min(contrasts) >= 4.5


@pytest.mark.parametrize("name", ["classes", "numbers", "tags"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(visit, name, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason=NO_BROWSER)
    found = axe.Axe().run(visit(name, scheme=scheme))
    assert found.violations_count == 0, found.generate_report()


def test_on_paper_there_are_no_buttons(visit):
    page = visit("classes")
    page.emulate_media(media="print")
    assert not page.locator("button.tool").first.is_visible()
    assert page.locator(".headline").is_visible()


@pytest.mark.parametrize("name", ["classes", "numbers", "tags"])
def test_on_paper_nothing_is_cut_or_folded_up(visit, name):
    page = visit(name, scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    page.set_viewport_size({"width": 680, "height": 900})
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    cut = page.evaluate(
        """() => [...document.querySelectorAll('main *')].filter(e => {
            const box = e.getBoundingClientRect();
            return box.width && box.right > 681 && !(e.closest('svg') && e.tagName !== 'svg');
        }).map(e => e.outerHTML.slice(0, 80))"""
    )
    assert cut == []
    assert page.evaluate("[...document.querySelectorAll('details')].every(e => e.open)")
    paper, panel = page.evaluate(
        """() => ['body', '.notes li'].map(e => getComputedStyle(document.querySelector(e)).backgroundColor)"""
    )
    assert paper == "rgb(255, 255, 255)"
    assert min(map(int, panel[4:-1].split(","))) > 200


def test_a_narrow_screen_shows_by_how_much_a_feature_is_better(visit):
    page = visit("classes", 360)
    assert page.locator("#table-features tbody tr").first.locator("td").nth(2).is_visible()
