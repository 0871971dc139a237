"""What the commands share: the settings, the door to the instance, and progress on the terminal."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import click

from framerr.console import door, wire
from framerr.core import config
from framerr.core.config import Settings
from framerr.observability import logs


def settings() -> Settings:
    """The settings from the environment. Raises InvalidInput with one sentence per fault."""
    return config.load(os.environ)


def perform(action: str, **params: Any) -> Any:
    """Have an action of the instance done, showing progress on stderr; its result."""
    logs.configure("human", "ERROR")
    with Progress() as progress:
        return door.perform(settings(), action, params, progress.show)


def print_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def table(rows: Sequence[tuple[str, ...]], heads: tuple[str, ...]) -> None:
    """Print columns as wide as their content; the last one runs free."""
    widths = [max(len(row[column]) for row in [heads, *rows]) for column in range(len(heads) - 1)]
    for row in [heads, *rows]:
        start = "  ".join(cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=True))
        click.echo(f"{start}  {row[-1]}".rstrip())


def file_or_name(text: str) -> str:
    """An existing file as an absolute path, for a process with another working folder; else a name of the list."""
    path = Path(text)
    return str(path.absolute()) if path.exists() or path.is_absolute() or "/" in text else text


def contents(found: Mapping[str, Any]) -> None:
    """Print what is inside a backup, as the page does."""
    click.echo(f"{found['name']}: {found['type']} backup of {found['instance']}, {found['created_at']}, ")
    click.echo(f"made by version {found['app_version']}; all {found['files']} files match their checksums.")
    for title, part in (("Comes back", "comes_back"), ("Starts empty", "starts_empty"), ("Not in it", "not_included")):
        if found[part]:
            click.echo(f"\n{title}:")
        for line in found[part]:
            count = "" if line["count"] is None else f"{line['count']:>6}  "
            click.echo(f"  {count}{line['name']}" + (f" ({line['words']})" if line["words"] else ""))
    for warning in found["warnings"]:
        click.echo(f"\nNote: {warning}")


class Progress:
    """Stages and percents on stderr: rewritten in place on a terminal, a line per stage elsewhere."""

    def __init__(self) -> None:
        self._rewrites = sys.stderr.isatty()
        self._stage = ""
        self._width = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._rewrites and self._width:
            click.echo(err=True)

    def show(self, news: wire.News) -> None:
        """Print one piece of news."""
        if isinstance(news, wire.Noted):
            self._line(news.text, stays=True)
        elif self._rewrites:
            self._line(_words(news), stays=False)
        elif news.stage != self._stage:
            self._line(news.stage, stays=True)
        if isinstance(news, wire.Progressed):
            self._stage = news.stage

    def _line(self, text: str, *, stays: bool) -> None:
        if not self._rewrites:
            click.echo(text, err=True)
            return
        click.echo("\r" + text.ljust(self._width) + ("\n" if stays else ""), err=True, nl=False)
        self._width = 0 if stays else len(text)


def _words(news: wire.Progressed) -> str:
    return f"{news.stage} … {min(100, news.done * 100 // news.total)} %" if news.total else f"{news.stage} …"


def outcome(result: Mapping[str, Any], as_json: bool, sentence: str) -> None:
    """Print a result for a program or for a person."""
    if as_json:
        print_json(result)
    else:
        click.echo(sentence)
