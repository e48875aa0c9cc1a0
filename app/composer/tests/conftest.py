"""The real storage API on a real S3 gateway, and an Airflow whose metastore is a file of this run."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
COMPOSER = HERE.parent
ROOT = COMPOSER.parent.parent

# Airflow reads its settings as it is imported, so they come before anything that imports it.
_home = tempfile.TemporaryDirectory(prefix="airflow-")
os.environ.update(
    {
        "AIRFLOW_HOME": _home.name,
        "AIRFLOW__CORE__DAGS_FOLDER": str(COMPOSER / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(COMPOSER / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{_home.name}/airflow.db",
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }
)
for name in ("STORAGE_URL", "STORAGE_KEY"):
    os.environ.pop(name, None)

import pytest  # noqa: E402
from airflow.dag_processing.dagbag import DagBag  # noqa: E402
from airflow.sdk import DAG  # noqa: E402

from storageapi.address import Address  # noqa: E402
from storageapi.client import Client  # noqa: E402


@dataclass(frozen=True)
class Storage:
    """A running storage API and keys that it knows."""

    url: str
    airflow: str
    other: str
    owner: str

    def client(self, key: str | None = None) -> Client:
        return Client(Address(self.url, key or self.airflow))


@pytest.fixture(scope="session")
def storage_program() -> Path:
    program = ROOT / ".cache" / "bin" / "composer-storage"
    subprocess.run(["go", "build", "-o", program, "./app/composer/tests/storage"], cwd=ROOT, check=True)
    return program


@pytest.fixture(scope="session")
def start_storage(storage_program: Path) -> Iterator[Callable[..., Storage]]:
    """Starts servers, each on buckets of its own, with settings such as STORAGE_RATE_LIMIT=1."""
    running = []

    def start(*settings: str) -> Storage:
        process = subprocess.Popen([storage_program, *settings], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        running.append(process)
        return Storage(**json.loads(process.stdout.readline()))

    yield start
    for process in running:
        process.stdin.close()
        assert process.wait(timeout=60) == 0


@pytest.fixture(scope="session")
def storage(start_storage: Callable[..., Storage]) -> Storage:
    return start_storage("STORAGE_RATE_LIMIT=-1")


@pytest.fixture(scope="session")
def load_dag() -> Callable[[str], DAG]:
    """A DAG that can be run: there is a metastore, with its tables."""
    subprocess.run([Path(sys.executable).parent / "airflow", "db", "migrate"], check=True, capture_output=True)
    return lambda name: DagBag(COMPOSER / "dags" / f"{name}.py", bundle_path=COMPOSER / "dags").dags[name]
