"""`python -m dev.preview`: the picture beside links to pages that have none of their own, api/static/preview.png."""

from __future__ import annotations

from pathlib import Path

from pictures.drawing import preview_png

FILE = Path(__file__).resolve().parents[1] / "api" / "static" / "preview.png"


def main() -> None:
    FILE.write_bytes(preview_png())


if __name__ == "__main__":
    main()
