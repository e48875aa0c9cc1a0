"""Where the storage API is and what it knows us by: the environment says both, to every service of Airflow that needs them."""

import os
import re
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

from storageapi.errors import Refused


@dataclass(frozen=True)
class Address:
    url: str
    key: str = field(repr=False)

    def file(self, name: str) -> str:
        """The URL of a file. Slashes are escaped, too: a name such as a/../b must not become that of another file on its way."""
        return f"{self.url}/v1/files/{quote(name, safe='')}"

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}


def address() -> Address:
    url = os.environ.get("STORAGE_URL", "").rstrip("/")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query or parts.username:
        raise Refused(f"STORAGE_URL is {url!r}, but must be the storage API's address, such as http://127.0.0.1:5000")
    key = os.environ.get("STORAGE_KEY", "")
    if not re.fullmatch(r"[!-~]+", key):  # never shown: it may be a key with a line break behind it
        raise Refused("STORAGE_KEY must be an API key, as storagectl key new prints it, and is empty or has other characters")
    return Address(url, key)
