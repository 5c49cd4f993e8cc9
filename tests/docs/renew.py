"""Rewrites everything in the documentation that is generated: `python -m tests.docs.renew`."""

from __future__ import annotations

from tests.docs import cli_page, pages
from tests.estimate import page as mixtures_page


def main() -> None:
    cli_page.PAGE.write_text(cli_page.page(), encoding="utf-8")
    for path in pages.PAGES:
        before = path.read_text(encoding="utf-8")
        after = pages.renewed(mixtures_page.renewed(before) if path == mixtures_page.PAGE else before)
        if after != before:
            path.write_text(after, encoding="utf-8")
            print(f"renewed {path.relative_to(pages.ROOT)}")  # noqa: T201 -- what a person waits for


if __name__ == "__main__":
    main()
