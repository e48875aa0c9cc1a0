"""The DAG as a whole, run by Airflow on the real API: JSON in, CSV out."""

import io
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import httpx
import pytest
from airflow.sdk import DAG
from conftest import Storage

from storageapi.client import Client

GOOD = {
    "orders.json": (b'[{"id":1,"total":9.90},{"id":2,"note":"=1+1"}]', "id,total,note\r\n1,9.90,\r\n2,,'=1+1\r\n"),
    "2026/01/events.ndjson": (
        b'{"at":"2026-01-02"}\n{"at":null,"tags":["a","b"]}\n',
        'at,tags\r\n2026-01-02,\r\n,"[""a"",""b""]"\r\n',
    ),
    "Grüße 50% + 😀.JSON": ('{"größe":"5 €"}'.encode(), "größe\r\n5 €\r\n"),
    "none.jsonl.json": (b"[]", ""),
}


@dataclass
class Folder:
    """A folder of the bucket, and Airflow's way to work on it."""

    storage: Storage
    prefix: str
    api: Client
    dag: DAG
    capture: pytest.CaptureFixture[str]
    log: str = field(default="", init=False)

    def land(self, name: str, content: bytes) -> str:
        """Writes a file, over what is there, and returns its ETag."""
        answer = httpx.put(self._url(self.prefix + name), content=content, headers=self._headers())
        answer.raise_for_status()
        return answer.json()["etag"].strip('"')

    def convert(self) -> dict[str, str]:
        """Runs the DAG and returns the state of each task: of those that convert by the name of their file."""
        self.capture.readouterr()
        run = self.dag.test(run_conf={"prefix": self.prefix})
        self.log = "".join(self.capture.readouterr())
        states = {}
        for ti in run.get_task_instances():
            label = ti.rendered_map_index.removeprefix(self.prefix) if ti.map_index >= 0 and ti.rendered_map_index else ti.task_id
            states[label] = str(ti.state)
        return states

    def made(self) -> dict[str, str]:
        """Each CSV by its name below csv/ and the folder, with what is in it."""
        found = {}
        for file in self.api.files("csv/" + self.prefix):
            into = io.BytesIO()
            self.api.read(file, into)
            found[file.key.removeprefix("csv/" + self.prefix)] = into.getvalue().decode()
        return found

    def versions(self) -> list[dict]:
        """Every version of every CSV."""
        keys = [file.key for file in self.api.files("csv/" + self.prefix)]
        pages = [httpx.get(self._url(key).replace("/v1/files/", "/v1/versions/"), headers=self._headers()).json() for key in keys]
        return list(itertools.chain.from_iterable(page["versions"] for page in pages))

    def _url(self, key: str) -> str:
        return self.api._address.file(key)

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.storage.owner}"}


@pytest.fixture
def folder(
    storage: Storage,
    load_dag: Callable[[str], DAG],
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Iterator[Folder]:
    monkeypatch.setenv("STORAGE_URL", storage.url)
    monkeypatch.setenv("STORAGE_KEY", storage.airflow)
    with storage.client() as api:
        yield Folder(storage, f"landing/{request.node.name}/", api, load_dag("json_to_csv"), capfd)


def test_new_files_become_csv_once_and_a_bad_one_fails_alone(folder: Folder):
    etags = {name: folder.land(name, content) for name, (content, _) in GOOD.items()}
    folder.land("bad é.json", b'[{"id":1},\n{"id":}]')
    folder.land("notes.txt", b"no JSON")
    want = {f"{name}.{etags[name]}.csv": csv for name, (_, csv) in GOOD.items()}

    assert folder.convert() == {"find_new": "success", "bad é.json": "failed"} | dict.fromkeys(GOOD, "success")
    assert folder.made() == want
    assert f"'{folder.prefix}bad é.json': line 2, record 2: Expecting value" in folder.log
    assert folder.storage.airflow not in folder.log
    before = folder.versions()
    assert len(before) == len(GOOD)

    # Only what failed is tried again, since nobody has mended it.
    assert folder.convert() == {"find_new": "success", "bad é.json": "failed"}
    assert folder.versions() == before

    # Other content is another CSV beside the first.
    etag = folder.land("orders.json", b'{"id":3}')
    folder.land("bad é.json", b'[{"id":1}]')
    assert folder.convert() == {"find_new": "success", "orders.json": "success", "bad é.json": "success"}
    made = folder.made()
    assert made.items() > want.items()
    assert made[f"orders.json.{etag}.csv"] == "id\r\n3\r\n"

    assert folder.convert() == {"find_new": "success", "to_csv": "skipped"}


def set_limit(monkeypatch: pytest.MonkeyPatch, folder: Folder, task: str, name: str, value: int) -> None:
    monkeypatch.setitem(folder.dag.get_task(task).python_callable.__globals__, name, value)


def test_a_run_takes_as_many_files_as_airflow_maps_and_the_next_goes_on(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    names = {"1.json", "2.json", "3.json"}
    for name in names:
        folder.land(name, b"{}")
    set_limit(monkeypatch, folder, "find_new", "MAX_FILES", 2)
    caplog.set_level("INFO")
    first = folder.convert()
    assert "3 new files" in caplog.text
    assert len(first) == 3
    assert folder.convert() == {"find_new": "success"} | dict.fromkeys(names - set(first), "success")
    assert len(folder.made()) == 3


def test_a_file_that_no_worker_has_room_for_fails_by_name(folder: Folder, monkeypatch: pytest.MonkeyPatch):
    folder.land("large.json", b'[{"a":1}]')
    set_limit(monkeypatch, folder, "to_csv", "MAX_BYTES", 8)
    assert folder.convert() == {"find_new": "success", "large.json": "failed"}
    assert f"'{folder.prefix}large.json' has 9 bytes, more than 8" in folder.log
    assert folder.made() == {}


def test_a_file_that_changes_meanwhile_is_left_to_the_next_run(folder: Folder, monkeypatch: pytest.MonkeyPatch):
    folder.land("a.json", b'{"a":1}')
    read = Client.read

    def read_late(api: Client, *arguments: object) -> None:
        folder.land("a.json", b'{"a":2}')
        read(api, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Client, "read", read_late)
        first = folder.convert()
    assert first == {"find_new": "success", "a.json": "skipped"}
    assert folder.made() == {}
    assert folder.convert() == {"find_new": "success", "a.json": "success"}
    assert list(folder.made().values()) == ["a\r\n2\r\n"]


def test_a_key_that_may_not_list_fails_the_run_at_once(folder: Folder, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("STORAGE_KEY", folder.storage.other)
    assert folder.convert() == {"find_new": "failed", "to_csv": "upstream_failed"}
    assert f'other may not list "csv/{folder.prefix}"' in folder.log
    assert folder.storage.other not in folder.log
