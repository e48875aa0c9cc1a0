"""What CSV comes of which JSON, and of which none."""

import csv
import io
import json
import random
import re
import tracemalloc

import pytest
from conftest import ROOT

from storageapi import tabular
from storageapi.tabular import BadFile, Table, convert


def to_csv(text: str | bytes) -> str:
    target = io.BytesIO()
    convert(io.BytesIO(text.encode() if isinstance(text, str) else text), target)
    return target.getvalue().decode()


@pytest.mark.parametrize(
    ("text", "want"),
    [
        pytest.param('[{"a":1,"b":"x"},{"a":2,"b":"y"}]', "a,b\r\n1,x\r\n2,y\r\n", id="a list"),
        pytest.param('{"a":1}', "a\r\n1\r\n", id="one object"),
        pytest.param('{\n  "a": 1\n}\n', "a\r\n1\r\n", id="one object over lines"),
        pytest.param('{"a":1}\n{"a":2}\n', "a\r\n1\r\n2\r\n", id="NDJSON"),
        pytest.param('{"a":1}\r\n\r\n{"a":2}', "a\r\n1\r\n2\r\n", id="NDJSON of Windows, with an empty line"),
        pytest.param("\ufeff[{}]", "", id="a byte order mark"),
        pytest.param("[]", "", id="no records"),
        pytest.param("[{},{}]", "", id="no columns"),
        pytest.param('[{"b":1},{"a":2,"b":3}]', "b,a\r\n1,\r\n3,2\r\n", id="columns as they first appear"),
        pytest.param('[{"a":null,"b":""},{}]', "a,b\r\n,\r\n,\r\n", id="null, nothing and the empty text are empty"),
        pytest.param('[{"a":null}]', 'a\r\n""\r\n', id="no line is empty"),
        pytest.param('[{"a":true,"b":false}]', "a,b\r\ntrue,false\r\n", id="true and false"),
        pytest.param(
            '[{"a":1.10,"b":-1e400,"c":12345678901234567890123,"d":-0.0}]',
            "a,b,c,d\r\n1.10,-1e400,12345678901234567890123,-0.0\r\n",
            id="numbers as they are written",
        ),
        pytest.param(f'[{{"a":{"9" * 5000}}}]', f"a\r\n{'9' * 5000}\r\n", id="a number of 5000 digits"),
        pytest.param(
            '[{"a":{"z":[1.10, null,true,"\\u00e9\\n\\""],"y":{}},"b":[]}]',
            'a,b\r\n"{""z"":[1.10,null,true,""é\\n\\""""],""y"":{}}",[]\r\n',
            id="what is nested is JSON",
        ),
        pytest.param(
            '[{"a":"x,y","b":"say \\"hi\\"","c":"1\\n2","d":"1\\r2"}]',
            'a,b,c,d\r\n"x,y","say ""hi""","1\n2","1\r2"\r\n',
            id="RFC 4180",
        ),
        pytest.param('[{"naïve 😀":"\\ud83d\\ude00 ü"}]', "naïve 😀\r\n😀 ü\r\n", id="UTF-8"),
        pytest.param('[{"":1}]', '""\r\n1\r\n', id="a column without a name"),
    ],
)
def test_what_csv_comes_of_it(text: str, want: str):
    assert to_csv(text) == want


@pytest.mark.parametrize(
    "text", ["=1+1", "@SUM(A1)", "+A1", "-2+cmd|' /C calc'!A0", "\t=1", "\r=1", "\n=1", "\uff1d1", "+1\n=2", "-x"]
)
def test_no_spreadsheet_runs_a_text(text: str):
    assert list(csv.reader(io.StringIO(to_csv(json.dumps([{text: text}])), newline=""))) == [[f"'{text}"], [f"'{text}"]]


@pytest.mark.parametrize("text", ["+49 (30) 12-34", "-1.5", "-", "+1,000", "a=1", "2026-01-02", "'=1"])
def test_what_no_spreadsheet_runs_stays_as_it_is(text: str):
    assert list(csv.reader(io.StringIO(to_csv(json.dumps([{"a": text}]))))) == [["a"], [text]]


def test_the_page_shows_what_comes_of_its_example():
    page = (ROOT / "docs" / "composer.md").read_text()
    (text,) = re.findall(r"^echo '(.*)' > orders.json$", page, re.MULTILINE)
    (want,) = re.findall(r"^```text\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert to_csv(text).replace("\r\n", "\n") == want


TOO_WIDE = "its records have more than 1000 different names: is data used as names?"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is empty: no records are []"),
        (" \n", "it is empty: no records are []"),
        ("42", "line 1, record 1: it is no object"),
        ('"text"', "line 1, record 1: it is no object"),
        ('[{"a":1},\n 2]', "line 2, record 2: it is no object"),
        ('{"a":1}\n{"a":2\n{"a":3}\n', "line 3, record 2: Expecting ',' delimiter"),
        ('{"a":1}\n\n{"a":oops}' + " " * 100, "line 3, record 2: Expecting value"),
        ('[{"a":1}', "line 1, record 1: the list does not end"),
        ('[{"a":1},]', "line 1, record 2: it is no object"),
        ('[{"a":1}{"a":2}]', "line 1, record 1: a comma or the list's end is missing"),
        ('[{"a":1}]\n[{"a":2}]', "line 2, record 1: there is more behind the list's end"),
        ('[{"a":"x', "line 1, record 1: Unterminated string starting at"),
        ('[{"a":NaN}]', "line 1, record 1: NaN is not JSON"),
        ('[{"a":-Infinity}]', "line 1, record 1: -Infinity is not JSON"),
        ('[{"a":1,"b":{"c":1,"c":2}}]', "line 1, record 1: the name 'c' is there twice"),
        (b'[{"a":"\xff"}]', "it is not UTF-8: byte 0xff, invalid start byte"),
        ('[{"a":"x"}]'.encode("utf-16"), "it is not UTF-8: byte 0xff, invalid start byte"),
        ('[{"a":"\\ud800"}]', "it has half of a surrogate pair, '\\ud800', which no UTF-8 can hold"),
        ('[{"\\udfff":1}]', "it has half of a surrogate pair, '\\udfff', which no UTF-8 can hold"),
        ('[{"a":' + "[" * 100_000, "its values are nested too deeply"),
        (
            json.dumps([{f"n{i}": 1} for i in range(1001)]),
            "its records have more than 1000 different names: is data used as names?",
        ),
    ],
)
def test_what_is_no_table_is_refused_with_its_place(text: str | bytes, why: str):
    with pytest.raises(BadFile) as error:
        to_csv(text)
    assert str(error.value) == why


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 64])
def test_where_a_chunk_ends_changes_nothing(monkeypatch: pytest.MonkeyPatch, chunk: int):
    records = [{"é\n\\": f'\\"{i}😀', "n": {"deep": [i, -1.5e-3, None, True, "\u2028"]}} for i in range(40)]
    texts = [json.dumps(records), json.dumps(records, indent=1), "\n".join(map(json.dumps, records))]
    want = to_csv(texts[0])
    monkeypatch.setattr(tabular, "CHUNK", chunk)
    assert [to_csv(text) for text in texts] == [want] * 3
    with pytest.raises(BadFile, match=r"^line 41, record 41: Expecting property name"):
        to_csv(texts[2] + "\n{oops" + " " * 40)


def test_csv_read_back_is_the_json():
    rng = random.Random(7)
    letters = "aé😀,\";\r\n\t =+-@{}[]\\/'0"
    for _ in range(300):
        names = ["".join(rng.choices(letters, k=rng.randint(1, 6))) + str(i) for i in range(rng.randint(1, 5))]
        records = [{name: "".join(rng.choices(letters, k=rng.randint(0, 8))) for name in names} for _ in range(rng.randint(1, 6))]
        header, *rows = csv.reader(io.StringIO(to_csv(json.dumps(records)), newline=""), strict=True)
        assert [name.removeprefix("'") for name in header] == [name.removeprefix("'") for name in names]
        got = [dict(zip(names, (value.removeprefix("'") for value in row), strict=True)) for row in rows]
        assert got == [{name: value.removeprefix("'") for name, value in record.items()} for record in records]


class Endless(io.RawIOBase):
    """A list of records that is never in memory as a whole."""

    def __init__(self, count: int):
        self.record = b'{"id":12345,"text":"' + b"x" * 980 + b'"},'
        self.count, self.pending = count, b"["
        self.start = count

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, *_: int) -> int:
        self.count, self.pending = self.start, b"["
        return 0

    def readinto(self, buffer: bytearray) -> int:
        if not self.pending and self.count:
            self.count -= 1
            self.pending = self.record if self.count else self.record[:-1] + b"]"
        size = min(len(buffer), len(self.pending))
        buffer[:size], self.pending = self.pending[:size], self.pending[size:]
        return size


class Nowhere(io.RawIOBase):
    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:
        return len(data)


def test_memory_does_not_grow_with_the_file():
    def peak(count: int) -> int:
        tracemalloc.start()
        try:
            assert convert(Endless(count), Nowhere()) == Table(count, 2)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    small = peak(2_000)
    assert peak(20_000) < small * 1.5


def test_a_record_that_is_too_large_is_refused_without_reading_on(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tabular, "MAX_RECORD", 1 << 16)
    monkeypatch.setattr(tabular, "CHUNK", 1 << 10)
    text = io.BytesIO(b'[{"a":"' + b"x" * (1 << 20) + b'"}]')
    with pytest.raises(BadFile, match=r"^line 1, record 1: it has more than 65536 characters"):
        convert(text, io.BytesIO())
    assert text.tell() < 1 << 19


def test_a_large_record_is_tried_few_times(monkeypatch: pytest.MonkeyPatch):
    tries = []

    class Counting:
        def raw_decode(self, text: str, at: int) -> tuple[object, int]:
            tries.append(len(text))
            return decoder.raw_decode(text, at)

    decoder = tabular._DECODER
    monkeypatch.setattr(tabular, "_DECODER", Counting())
    monkeypatch.setattr(tabular, "CHUNK", 1 << 10)
    assert len(list(tabular.records(io.BytesIO(b'{"a":"' + b"x" * (1 << 20) + b'"}')))) == 1
    assert len(tries) <= 12  # 1 Ki characters, twice as many each time: not 1,024 times one chunk more
