"""The storage API as tasks use it: list files, read one, write one once."""

import hashlib
import logging
import random
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import BinaryIO

import httpx

from storageapi.address import Address
from storageapi.errors import Changed, Missing, Refused, TooLarge, Unavailable, failure, passing

log = logging.getLogger(__name__)

# They log the URLs of requests and the headers of answers, and a signed URL is as good as the file.
for library in ("httpx", "httpcore"):
    logging.getLogger(library).setLevel(logging.WARNING)

TIMEOUT = httpx.Timeout(60, connect=10)
ATTEMPTS = 6  # 0.5 + 1 + 2 + 4 + 8 s between them, unless the API says how long
LONGEST_WAIT = 60.0

# What the API takes through itself unless it is told otherwise (STORAGE_MAX_BODY, docs/api.md); more goes to S3 directly.
DIRECT_BYTES = 64 << 20
CHUNK = 1 << 20


@dataclass(frozen=True)
class File:
    key: str
    size: int
    etag: str  # without its quotes


class Client:
    """It may be used by one thread, and is closed by its context."""

    def __init__(self, address: Address, sleep: Callable[[float], None] = time.sleep):
        self._address = address
        self._sleep = sleep
        # Redirects lead to S3, which a worker need not reach.
        self._http = httpx.Client(timeout=TIMEOUT, follow_redirects=False)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def files(self, prefix: str) -> Iterator[File]:
        """All files below the prefix, page by page."""
        cursor = None
        while True:
            query = {"prefix": prefix} | ({"cursor": cursor} if cursor else {})
            page = self._api("GET", f"{self._address.url}/v1/files", f"list {prefix!r}", params=query).json()
            for file in page["files"]:
                yield File(file["key"], file["size"], file["etag"].strip('"'))
            cursor = page.get("next_cursor")
            if not cursor:
                return

    def stat(self, key: str) -> File:
        """The file as it is now, or Missing."""
        url, what = self._address.file(key), f"look for {key!r}"
        try:
            return found(key, self._api("HEAD", url, what))
        except (Missing, Refused):
            # HEAD says neither why, nor whether it is the file that is missing or the route, for which nobody should wait.
            self._api("GET", url, what, params={"stream": "1"}, take=lambda _: None)
            raise

    def read(self, file: File, into: BinaryIO) -> None:
        """Fills into with that content of the file, or fails with Changed where it has another one meanwhile."""

        def fill(answer: httpx.Response) -> None:
            into.seek(0)
            into.truncate()
            for chunk in answer.iter_raw(CHUNK):
                into.write(chunk)

        # The raw bytes: what somebody stored compressed is not unpacked here, to any size.
        headers = {"If-Match": f'"{file.etag}"', "Accept-Encoding": "identity"}
        self._api("GET", self._address.file(file.key), f"read {file.key!r}", params={"stream": "1"}, headers=headers, take=fill)

    def write_new(self, key: str, content: BinaryIO, kind: str) -> bool:
        """Writes a file unless there is one of that name, and says whether it did. Two that write at once make one file."""
        size, digest = _measure(content)
        try:
            if size <= DIRECT_BYTES:
                try:
                    self._write(key, content, kind, size, digest)
                    return True
                except TooLarge:
                    log.info("%r is more than this API takes through itself", key)
            self._write_signed(key, content, kind, size, digest)
        except Changed:
            return False
        return True

    def _write(self, key: str, content: BinaryIO, kind: str, size: int, digest: bytes) -> None:
        headers = {
            "Content-Type": kind,
            "Content-Length": str(size),
            "Content-Digest": f"sha-256=:{b64encode(digest).decode()}:",
            "If-None-Match": "*",
        }
        self._api("PUT", self._address.file(key), f"write {key!r}", headers=headers, body=content)

    def _write_signed(self, key: str, content: BinaryIO, kind: str, size: int, digest: bytes) -> None:
        asked = {"type": kind, "size": size, "sha256": digest.hex(), "if_new": True}
        signed = self._api("PUT", self._address.file(key), f"sign the writing of {key!r}", params={"sign": "1"}, json=asked).json()
        headers = signed["headers"] | {"Content-Length": str(size)}
        try:
            self._send(signed["method"], signed["url"], f"write {key!r} to S3", headers=headers, body=content)
        except Refused as e:  # a signature ends: another one may do
            raise Unavailable(str(e)) from e

    def _api(self, method: str, url: str, what: str, *, headers: dict[str, str] | None = None, **request) -> httpx.Response:
        return self._send(method, url, what, headers=(headers or {}) | self._address.headers(), **request)

    def _send(
        self,
        method: str,
        url: str,
        what: str,
        *,
        body: BinaryIO | None = None,
        take: Callable[[httpx.Response], object] = httpx.Response.read,
        **request,
    ) -> httpx.Response:
        """Sends a request until it is answered for good, and gives the body of a success to take."""
        for attempt in range(1, ATTEMPTS + 1):
            # Tasks that began together shall not come back together.
            wait = 2**attempt / 4 * random.uniform(0.75, 1.25)  # noqa: S311
            if body is not None:
                body.seek(0)
            try:
                with self._http.stream(method, url, content=body, **request) as answer:
                    if answer.is_success:
                        take(answer)
                        return answer
                    answer.read()
            except httpx.TransportError as e:
                error = Unavailable(f"{what}: {type(e).__name__}: {e}")
            else:
                error = failure(what, answer)
                if not passing(answer.status_code):
                    raise error
                wait = retry_after(answer) or wait
            if attempt < ATTEMPTS:
                log.info("%s; trying again in %.1f s", error, wait)
                self._sleep(wait)
        raise error


def found(key: str, answer: httpx.Response) -> File:
    """What the answer to HEAD says of a file."""
    return File(key, int(answer.headers["Content-Length"]), answer.headers["ETag"].strip('"'))


def retry_after(answer: httpx.Response) -> float | None:
    """How long the answer asks to wait, in seconds, up to a minute (RFC 9110, 10.2.3)."""
    value = answer.headers.get("Retry-After", "")
    if value.isdecimal():
        seconds = float(value)
    else:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - time.time()
        except ValueError:
            return None
    return min(max(seconds, 0.0), LONGEST_WAIT)


def _measure(content: BinaryIO) -> tuple[int, bytes]:
    content.seek(0)
    digest, size = hashlib.sha256(), 0
    while chunk := content.read(CHUNK):
        digest.update(chunk)
        size += len(chunk)
    return size, digest.digest()
