"""JSON to CSV, the same bytes for the same input, in memory that does not grow with it."""

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, TextIO

# A table of more columns is data used as names, and each row of its CSV would have all of them.
MAX_COLUMNS = 1000
MAX_RECORD = 16 << 20  # characters
CHUNK = 1 << 18

WHITESPACE = re.compile(r"[ \t\r\n]*")
BROKEN_OFF = 16  # characters: no escape, number or literal that is cut off is noticed further from the end


class BadFile(ValueError):
    """The input is not what a table can be made of; the message says where and why."""


class Number(str):
    """A number as it is written: 1.10 and 12345678901234567890 stay what they are."""


@dataclass(frozen=True)
class Table:
    rows: int
    columns: int


def convert(source: BinaryIO, target: BinaryIO) -> Table:
    """Writes what source has as CSV (RFC 4180, UTF-8, a header). Columns are in the order in which they first appear."""
    try:
        columns: dict[str, None] = {}
        for record in records(source):
            columns.update(dict.fromkeys(record))
            if len(columns) > MAX_COLUMNS:
                raise BadFile(f"its records have more than {MAX_COLUMNS} different names: is data used as names?")
        rows = 0
        if columns:
            text = io.TextIOWrapper(target, encoding="utf-8", newline="", write_through=True)
            try:
                writer = csv.writer(text, lineterminator="\r\n")
                writer.writerow(harmless(name) for name in columns)
                for record in records(source):
                    writer.writerow(cell(record.get(name)) for name in columns)
                    rows += 1
            finally:
                text.detach()
        return Table(rows, len(columns))
    except UnicodeEncodeError as e:
        raise BadFile(f"it has half of a surrogate pair, {e.object[e.start : e.end]!r}, which no UTF-8 can hold") from e
    except UnicodeDecodeError as e:
        raise BadFile(f"it is not UTF-8: byte {e.object[e.start]:#04x}, {e.reason}") from e
    except RecursionError as e:
        raise BadFile("its values are nested too deeply") from e


def records(source: BinaryIO) -> Iterator[dict]:
    """The objects of a file: of its list, or one after the other (NDJSON; one alone is a file of one)."""
    source.seek(0)
    text = io.TextIOWrapper(source, encoding="utf-8-sig", newline="")
    try:
        yield from _Reader(text).records()
    finally:
        text.detach()


class _Reader:
    """It holds one record and a chunk at a time."""

    def __init__(self, text: TextIO):
        self._text = text
        self._buffer = ""
        self._at = 0
        self._line = 1  # of the buffer's beginning
        self._record = 0

    def records(self) -> Iterator[dict]:
        match self._peek():
            case "":
                raise BadFile("it is empty: no records are []")
            case "[":
                self._at += 1
                yield from self._list()
            case _:
                while self._peek():
                    yield self._object()

    def _list(self) -> Iterator[dict]:
        if self._peek() != "]":
            yield self._object()
            while self._peek() == ",":
                self._at += 1
                yield self._object()
        match self._peek():
            case "":
                raise self._bad("the list does not end")
            case "]":
                self._at += 1
            case _:
                raise self._bad("a comma or the list's end is missing")
        if self._peek():
            raise self._bad("there is more behind the list's end")

    def _object(self) -> dict:
        self._record += 1
        if self._peek() != "{":
            raise self._bad("it is no object")
        while True:
            try:
                value, self._at = _DECODER.raw_decode(self._buffer, self._at)
                return value
            except json.JSONDecodeError as e:
                bad = self._bad(e.msg, e.pos)
                held = len(self._buffer) - self._at
                if not e.msg.startswith("Unterminated string") and e.pos < len(self._buffer) - BROKEN_OFF:
                    raise bad from e
                if held > MAX_RECORD:
                    raise self._bad(f"it has more than {MAX_RECORD} characters") from e
                # As much again, so that reading a large record takes time in proportion to it.
                if not self._more(max(held, CHUNK)):
                    raise bad from e
            except BadFile as e:
                raise self._bad(str(e)) from e

    def _peek(self) -> str:
        """The next character that is no whitespace, or nothing at the end."""
        while True:
            self._at = WHITESPACE.match(self._buffer, self._at).end()
            if self._at < len(self._buffer):
                return self._buffer[self._at]
            if not self._more(CHUNK):
                return ""

    def _more(self, characters: int) -> bool:
        chunk = self._text.read(characters)
        self._line += self._buffer.count("\n", 0, self._at)
        self._buffer = self._buffer[self._at :] + chunk
        self._at = 0
        return bool(chunk)

    def _bad(self, why: str, position: int | None = None) -> BadFile:
        line = self._line + self._buffer.count("\n", 0, self._at if position is None else position)
        return BadFile(f"line {line}, record {self._record}: {why}")


def _object(pairs: list[tuple]) -> dict:
    value = dict(pairs)
    if len(value) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise BadFile(f"the name {twice!r} is there twice")
    return value


def _constant(name: str) -> None:
    raise BadFile(f"{name} is not JSON")


_QUOTE = json.JSONEncoder(ensure_ascii=False).encode
_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=Number, parse_float=Number, parse_constant=_constant)


def cell(value: object) -> str:
    """What a value is in CSV: text and numbers as they are, true and false, nothing for null, JSON for what is nested."""
    if value is None:
        return ""
    if isinstance(value, Number):
        return value
    return harmless(value) if isinstance(value, str) else _json(value)


def _json(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case Number():
            return value
        case str():
            return _QUOTE(value)
        case list():
            return f"[{','.join(map(_json, value))}]"
        case dict():
            return "{" + ",".join(f"{_json(name)}:{_json(inner)}" for name, inner in value.items()) + "}"
    raise TypeError(f"no JSON has a {type(value).__name__}")


# Spreadsheets run text that begins so (https://owasp.org/www-community/attacks/CSV_Injection), but for signs before what
# has no name of a function in it: +49 30 1234 and -1.5 stay as they are. The last four are full-width =, @, + and -.
FORMULA = re.compile(r"[=@\t\r\n\uff1d\uff20]|[-+\uff0b\uff0d](?![\d\s().,/:-]*\Z)")


def harmless(text: str) -> str:
    """The text, behind an apostrophe where a spreadsheet would run it."""
    return f"'{text}" if FORMULA.match(text) else text
