"""Renew docs/report.png, the README's picture of a report: its summary, in Chromium.

.venv/bin/python docs/picture.py out/quickstart/report/report.html
"""

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from ernn.tools import require

WIDTH, SCALE, MARGIN = 1120, 1.5, 24  # of the page in CSS pixels; pixels of each; around the text


def main(report: Path, picture: Path) -> None:
    """Take a picture of everything above the first section of a report."""
    with sync_playwright() as session:
        chromium = session.chromium.launch(
            executable_path=require("chromium").path, args=["--no-sandbox"]
        )
        page = chromium.new_page(
            viewport={"width": WIDTH, "height": 800},
            device_scale_factor=SCALE,
            color_scheme="light",
        )
        page.goto(report.resolve().as_uri())
        box = page.get_by_role("banner").bounding_box()
        assert box is not None
        height = box["y"] + box["height"] + MARGIN / 2
        page.screenshot(path=picture, clip={"x": 0, "y": 0, "width": WIDTH, "height": height})
        chromium.close()


if __name__ == "__main__":
    if len(sys.argv) != 2 or not Path(sys.argv[1]).is_file():
        sys.exit("docs/picture.py needs the path of one report.html; run `make demo` first")
    main(Path(sys.argv[1]), Path(__file__).with_name("report.png"))
