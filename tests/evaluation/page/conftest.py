"""Pages without all their pictures, which take most of the time; a real browser."""

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from naba.evaluation.page import render, report_pictures
from naba.evaluation.page.report_view import report_drawings

Report = dict[str, Any]


@pytest.fixture
def few_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """One topic's pictures: drawing takes most of a page's time."""
    monkeypatch.setattr(report_pictures, "MOST_PANELS", 1)


@pytest.fixture(scope="session")
def drawings(whole_report: Report) -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report_pictures, "MOST_PANELS", 1)
        return report_drawings(whole_report)


@pytest.fixture
def drawn_before(monkeypatch: pytest.MonkeyPatch, drawings: dict[str, Any]) -> None:
    """Pages get the pictures of the report as it is: for tests that change its words alone."""
    monkeypatch.setattr(render, "report_drawings", lambda report: drawings)


Browse = Callable[..., Any]


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browse]:
    """Open HTML in a headless Chromium: `browser(html, width=360, dark=True)` gives the driver, with the page loaded."""
    chromium = next((path for name in ("chromium", "google-chrome") if (path := shutil.which(name))), None)
    driver_path = shutil.which("chromedriver")
    if not chromium or not driver_path:
        told = (
            "needs Chromium and its driver; install them with: apt-get install chromium chromium-driver fonts-noto-core"
        )
        pytest.fail(told) if os.environ.get("CI") else pytest.skip(told)
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    folder = tmp_path_factory.mktemp("browser")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    flags = (
        "headless no-sandbox disable-gpu disable-quic no-first-run disable-background-networking disable-component-update "
        f"disable-sync disable-dev-shm-usage user-data-dir={folder / 'profile'}"
    )
    for flag in flags.split():
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(driver_path))

    def open_page(html: str, *, width: int = 1400, dark: bool = False) -> Any:
        page = folder / "page.html"
        page.write_text(html, encoding="utf-8")
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        driver.get_log("browser")  # what an earlier page said
        driver.get(page.as_uri())
        return driver

    try:
        yield open_page
    finally:
        driver.quit()
