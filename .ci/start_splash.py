"""Starts Splash 3.5 (2020) with today's Python and PyQt5; its arguments are Splash's own. Run by `./run test-all` for tests."""

import json
from typing import Any

from PyQt5.QtCore import QTimer

loads, start, single_shot = json.loads, QTimer.start, QTimer.singleShot


def without_encoding(*given: Any, **options: Any) -> Any:
    """Read JSON; Python 3.9 has taken the argument `encoding` away."""
    options.pop("encoding", None)
    return loads(*given, **options)


def whole(given: tuple[Any, ...]) -> list[Any]:
    """Return arguments without fractions, which PyQt5 no longer takes."""
    return [int(each) if isinstance(each, float) else each for each in given]


json.loads = without_encoding
QTimer.start = lambda timer, *given: start(timer, *whole(given))
QTimer.singleShot = lambda *given: single_shot(*whole(given))

from splash.server import main  # noqa: E402 - once that is done

main()
