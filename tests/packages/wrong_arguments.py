"""Wrong arguments are Python's own errors, and say which argument it was."""

from collections.abc import Callable
from traceback import format_exception_only

import snapfill


def refused(kind: type[Exception], word: str, call: Callable[..., object], *words: object, **named: object) -> None:
    try:
        call(*words, **named)
    except kind as error:
        said = "".join(format_exception_only(error))
        assert word in said, f"{said!r} does not say {word}"
    else:
        raise AssertionError(f"{call}, {words}, {named} was accepted")


refused(TypeError, "reposiotry", snapfill.Backfill, target="a", reposiotry="b")
refused(TypeError, "workers", snapfill.Backfill, target="a", workers="many")
refused(TypeError, "target", snapfill.Backfill)
refused(TypeError, "PathLike", snapfill.Repository, 3)
refused(TypeError, "index", snapfill.Repository("a").snapshot("b").documents, index=3)
refused(snapfill.ConfigError, "refuse", snapfill.Backfill, target="a", types="mix")
