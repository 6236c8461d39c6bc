"""`python -m dev.icons`: the pictures of the installed page in api/static, drawn by Chromium from favicon.svg."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

STATIC = Path(__file__).resolve().parents[1] / "api" / "static"
DARK = "#10151b"
# Of a maskable icon only the middle is sure to be seen: a circle of 80 % (W3C "Web Application Manifest", "purpose").
SAFE = 0.62
# A badge in Android's status bar is drawn from its shape alone, so it has no ground.
BADGE = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="4 4 24 24"><path d="M7 9h7v14H7zM18 9h7v14h-7z" fill="none"'
    ' stroke="#fff" stroke-width="2.6" stroke-linejoin="round"/><circle cx="16" cy="16" r="2.2" fill="#fff"/></svg>'
)


def main() -> int:
    executable = shutil.which("chromium") or shutil.which("google-chrome")
    if executable is None:
        print("No Chromium: apt-get install chromium", file=sys.stderr)
        return 1
    icon = (STATIC / "favicon.svg").read_text()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        _draw(browser, "icon-192.png", icon, 192)
        _draw(browser, "icon-512.png", icon, 512)
        # Systems cut these to a shape of their own, so the ground reaches their edges.
        _draw(browser, "icon-180.png", icon, 180, ground=DARK)
        _draw(browser, "icon-mask.png", icon, 512, ground=DARK, scale=SAFE)
        _draw(browser, "badge.png", BADGE, 96)
        browser.close()
    return 0


def _draw(browser: Browser, name: str, svg: str, size: int, *, ground: str = "transparent", scale: float = 1) -> None:
    page = browser.new_page(viewport={"width": size, "height": size})
    style = f"margin:0;display:grid;place-items:center;height:100vh;background:{ground}"
    page.set_content(f'<body style="{style}"><div style="width:{scale * 100}%">{svg}</div></body>')
    page.screenshot(path=STATIC / name, omit_background=ground == "transparent")
    page.close()


if __name__ == "__main__":
    sys.exit(main())
