"""The client, against the real API, and against one that fails on demand."""

import io
import json
import logging
import time
from collections.abc import Callable
from email.utils import formatdate

import pytest
from conftest import Storage
from scripted import serve

from storageapi import client as module
from storageapi.address import Address, address
from storageapi.client import ATTEMPTS, Client, File
from storageapi.errors import Changed, Missing, Refused, StorageError, Unavailable

CSV = "text/csv; charset=utf-8; header=present"
KEY = "cst_not-to-be-seen"

NAMES = [
    "a.json",
    "with space.json",
    "Grüße 😀.json",
    "50%.json",
    "a%2Fb.json",
    "a+b&c=d?e#f.json",
    "quo\"te's.json",
    "deep/er/..a.json",
    "back\\slash.json",
]


def content(api: Client, file: File) -> bytes:
    into = io.BytesIO(b"what was there before, which is longer than the file")
    api.read(file, into)
    return into.getvalue()


@pytest.mark.parametrize("name", NAMES)
def test_a_file_of_any_name_is_written_listed_found_and_read(storage: Storage, name: str):
    key = f"landing/names/{name}"
    with storage.client() as api:
        assert api.write_new(key, io.BytesIO(name.encode()), "application/json")
        listed = [file for file in api.files("landing/names/") if file.key == key]
        assert listed == [api.stat(key)]
        assert content(api, listed[0]) == name.encode()


def test_a_file_is_written_once(storage: Storage):
    with storage.client() as api:
        assert api.write_new("csv/once", io.BytesIO(b"first"), CSV)
        before = api.stat("csv/once")
        assert not api.write_new("csv/once", io.BytesIO(b"second"), CSV)
        assert api.stat("csv/once") == before
        assert content(api, before) == b"first"


@pytest.mark.parametrize("direct", [0, 1 << 20])
def test_what_is_too_large_for_the_api_goes_to_s3_directly_and_once(
    start_storage: Callable[..., Storage], monkeypatch: pytest.MonkeyPatch, direct: int
):
    monkeypatch.setattr(module, "DIRECT_BYTES", direct)
    with start_storage("STORAGE_MAX_BODY=4").client() as api:
        assert api.write_new("csv/large é", io.BytesIO(b"first"), CSV)
        assert not api.write_new("csv/large é", io.BytesIO(b"second"), CSV)
        assert content(api, api.stat("csv/large é")) == b"first"


def test_all_pages_are_listed(storage: Storage):
    names = [f"landing/pages/{i:04}" for i in range(1001)]
    with storage.client() as api:
        for name in names:
            api.write_new(name, io.BytesIO(b""), CSV)
        assert [file.key for file in api.files("landing/pages/")] == names


def test_what_was_written_anew_is_not_read_as_what_was_found(storage: Storage):
    with storage.client() as api:
        api.write_new("landing/changed", io.BytesIO(b"first"), CSV)
        with pytest.raises(Changed, match=r"^read 'landing/changed': the answer is 412"):
            content(api, File("landing/changed", 5, "0" * 32))
        with pytest.raises(Missing, match=r"^read 'landing/missing': the answer is 404"):
            content(api, File("landing/missing", 5, "0" * 32))


def test_why_a_request_is_refused_is_said_at_once(storage: Storage):
    def refused(api: Client, ask: Callable[[Client], object]) -> str:
        with api, pytest.raises(Refused) as error:
            ask(api)
        return str(error.value)

    unknown = "the key in STORAGE_KEY is not known, or has ended"
    assert unknown in refused(storage.client(KEY), lambda api: api.stat("landing/a"))
    assert unknown in refused(storage.client(KEY), lambda api: list(api.files("landing/")))
    assert 'other may not read "landing/a"' in refused(storage.client(storage.other), lambda api: api.stat("landing/a"))
    assert 'other may not write "csv/a"' in refused(
        storage.client(storage.other), lambda api: api.write_new("csv/a", io.BytesIO(b""), CSV)
    )
    assert 'airflow may not list ""' in refused(storage.client(), lambda api: list(api.files("")))
    assert 'the path segment ".."' in refused(storage.client(), lambda api: api.stat("landing/../other/a"))
    wrong_server = Client(Address(storage.url + "/v1", storage.airflow), pytest.fail)
    assert "there is no such route" in refused(wrong_server, lambda api: api.stat("landing/a"))


def test_an_address_that_leads_elsewhere_is_no_success():
    moved = (301, {"Location": "https://127.0.0.1/"}, b"")
    with serve(*[moved] * 3) as script, Client(Address(script.url, KEY), pytest.fail) as api:
        for ask in (lambda: api.stat("a"), lambda: list(api.files(""))):
            with pytest.raises(Refused, match="the answer is 301: STORAGE_URL must be the address that this one leads to"):
                ask()


def test_a_signature_that_has_ended_is_worth_another_try(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "DIRECT_BYTES", 0)
    with serve((403, {}, b"<Error><Code>AccessDenied</Code></Error>")) as s3:
        signed = {"method": "PUT", "url": f"{s3.url}/a", "headers": {}}
        with (
            serve((200, {}, json.dumps(signed).encode())) as script,
            Client(Address(script.url, KEY), pytest.fail) as api,
            pytest.raises(Unavailable, match=r"^write 'a' to S3: the answer is 403$"),
        ):
            api.write_new("a", io.BytesIO(b"content"), CSV)


def test_a_client_that_asks_too_often_waits_as_long_as_it_is_told(start_storage: Callable[..., Storage]):
    storage = start_storage("STORAGE_RATE_LIMIT=1")
    waits = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        time.sleep(seconds)

    with Client(Address(storage.url, storage.airflow), sleep) as api:
        for _ in range(3):
            assert list(api.files("landing/")) == []
    assert waits
    assert all(seconds == 1 for seconds in waits)


OK = (200, {}, json.dumps({"files": []}).encode())


@pytest.mark.parametrize(
    ("answer", "least", "most"),
    [
        ((429, {"Retry-After": "7"}, b""), 7, 7),
        ((503, {"Retry-After": "3600"}, b""), 60, 60),
        ((503, {"Retry-After": formatdate(time.time() + 1800, usegmt=True)}, b""), 60, 60),
        ((503, {"Retry-After": "soon"}, b""), 0.3, 0.7),
        ((503, {}, b""), 0.3, 0.7),
        ((504, {}, b"<html>"), 0.3, 0.7),
        ((0, {}, b""), 0.3, 0.7),
        ((200, {"Content-Length": "100"}, b'{"files":'), 0.3, 0.7),
    ],
)
def test_what_may_pass_is_waited_for(answer: tuple[int, dict[str, str], bytes], least: float, most: float):
    waits: list[float] = []
    with serve(answer, OK) as script, Client(Address(script.url, KEY), waits.append) as api:
        assert list(api.files("landing/")) == []
        assert [path for _, path, _, _ in script.requests] == ["/v1/files?prefix=landing%2F"] * 2
    assert len(waits) == 1
    assert least <= waits[0] <= most


def test_what_does_not_pass_is_given_up():
    waits: list[float] = []
    with serve(*[(503, {}, b"")] * ATTEMPTS) as script, Client(Address(script.url, KEY), waits.append) as api:
        with pytest.raises(Unavailable, match=r"^list 'landing/': the answer is 503$"):
            list(api.files("landing/"))
        assert len(script.requests) == ATTEMPTS
        url = script.url
    assert len(waits) == ATTEMPTS - 1
    with Client(Address(url, KEY), waits.append) as api, pytest.raises(Unavailable, match="ConnectError"):
        api.stat("landing/a")


def test_a_file_that_breaks_off_is_read_whole_the_next_time(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "CHUNK", 1)  # what has come has been written
    with serve((200, {"Content-Length": "8"}, b"bad"), (200, {}, b"content")) as script:
        with Client(Address(script.url, KEY), lambda _: None) as api:
            assert content(api, File("a", 7, "e")) == b"content"
        for _, path, headers, _ in script.requests:
            assert path == "/v1/files/a?stream=1"
            assert (headers["If-Match"], headers["Accept-Encoding"]) == ('"e"', "identity")


def test_a_write_whose_answer_is_lost_is_sent_again_as_a_whole_and_makes_nothing_twice():
    with serve((0, {}, b""), (409, {}, b""), (412, {}, b"")) as script:
        with Client(Address(script.url, KEY), lambda _: None) as api:
            assert not api.write_new("a", io.BytesIO(b"content"), CSV)
        assert len(script.requests) == 3
        for _, _, headers, body in script.requests:
            assert body == b"content"
            assert headers["If-None-Match"] == "*"
            assert headers["Content-Digest"] == "sha-256=:7XACtDnprIRfIjV9giusFERzD722AW0+yUMil7nsn3M=:"


def test_no_key_goes_to_s3_and_no_signature_into_messages(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(module, "DIRECT_BYTES", 0)
    with serve(*[(503, {}, b"")] * ATTEMPTS) as s3:
        signed = {"method": "PUT", "url": f"{s3.url}/a?X-Amz-Signature=secret", "headers": {"If-None-Match": "*"}}
        with serve((200, {}, json.dumps(signed).encode())) as script, Client(Address(script.url, KEY), lambda _: None) as api:
            with pytest.raises(Unavailable) as error:
                api.write_new("a", io.BytesIO(b"content"), CSV)
            assert script.requests[0][2]["Authorization"] == f"Bearer {KEY}"
        assert [headers.get("Authorization") for _, _, headers, _ in s3.requests] == [None] * ATTEMPTS
    for said in (str(error.value), caplog.text, repr(Address("http://127.0.0.1", KEY))):
        assert "secret" not in said
        assert KEY not in said


@pytest.mark.parametrize(
    ("url", "key", "why"),
    [
        (None, KEY, "STORAGE_URL is ''"),
        ("127.0.0.1:5000", KEY, "STORAGE_URL is '127.0.0.1:5000'"),
        ("http://127.0.0.1:5000/v1", KEY, "STORAGE_URL is 'http://127.0.0.1:5000/v1'"),
        ("http://127.0.0.1:5000", None, "STORAGE_KEY must be an API key"),
        ("http://127.0.0.1:5000", f"{KEY}\n", "STORAGE_KEY must be an API key"),
    ],
)
def test_settings_that_cannot_work_are_named_and_the_key_is_not_shown(
    monkeypatch: pytest.MonkeyPatch, url: str | None, key: str | None, why: str
):
    for name, value in (("STORAGE_URL", url), ("STORAGE_KEY", key)):
        if value is not None:
            monkeypatch.setenv(name, value)
    with pytest.raises(StorageError) as error:
        address()
    assert str(error.value).startswith(why)
    assert KEY not in str(error.value)


def test_settings_that_work(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("STORAGE_URL", "https://files.example.org/")
    monkeypatch.setenv("STORAGE_KEY", KEY)
    assert address() == Address("https://files.example.org", KEY)
