"""Make the picture of a report in README: python docs/make_screenshot.py

It evaluates the generated clips with MusiCNN's published weights and opens the report in Chromium,
so that it needs Chromium and ``pip install -e ".[browser]"``.
"""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import sync_playwright

from skmer.datasets import load_toy_emotions
from skmer.evaluation import evaluate

PICTURE = Path(__file__).parent / "_static" / "report.png"
SIZE = {"width": 1120, "height": 1180}


def main() -> None:
    """Evaluate, write the report, and keep what its first screen shows."""
    toy = load_toy_emotions()
    result = evaluate(
        ["musicnn", "mfcc"],
        ["svm", "nb", "rf"],
        toy.data,
        toy.target,
        groups=toy.groups,
        dataset="toy",
        verbose=True,
    )
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        page_address = result.report(f"{folder}/report.html").as_uri()
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(viewport=SIZE, color_scheme="light")
        page.goto(page_address)
        page.wait_for_selector("#chart-scores[data-drawn=yes]")
        page.screenshot(path=PICTURE)
        browser.close()


if __name__ == "__main__":
    main()
