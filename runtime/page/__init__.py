"""The live page: a sink that keeps the newest picture, and a web server that shows it."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import TYPE_CHECKING

from edgecrnn.runtime.errors import EdgecrnnError
from edgecrnn.runtime.page.settings import PageSettings, is_loopback, listen
from edgecrnn.runtime.page.token import kept_token, token_file

if TYPE_CHECKING:
    from edgecrnn.runtime.page.server import Page

__all__ = ["PageSettings", "open_page"]


def open_page(settings: PageSettings, say: Callable[[str], None]) -> Page | None:
    """The page, listening; None where none is asked for. Nothing is answered before it is shown.

    Args:
        settings: where, and who may see it.
        say: is told where the page is.

    Raises:
        EdgecrnnError: aiohttp is missing, the address cannot be had, or the token cannot be kept.
    """
    if not settings.serve:
        return None
    if importlib.util.find_spec("aiohttp") is None:
        raise EdgecrnnError(
            '--serve: expected aiohttp, which is not installed; pip install "edgecrnn[page]"'
        )
    from edgecrnn.runtime.page.server import Page

    listening = listen(settings)
    try:
        token, shown = "", ""
        if settings.serve_name or not is_loopback(listening.getsockname()[0]):
            path = token_file(settings.serve_token)
            token, made = kept_token(path)
            # Once: what is printed may end in a log.
            shown = f"?token={token}" if made else f" (asks for the token in {path})"
        return Page(settings, listening, token, shown, say)
    except BaseException:
        listening.close()
        raise
