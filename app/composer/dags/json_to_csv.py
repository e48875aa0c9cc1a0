"""Makes a CSV file of each new JSON file below a prefix of the storage API.

The CSV of `landing/orders.json` is `csv/landing/orders.json.<ETag>.csv`: its name says which content it was made of, and it is
written only where there is none, so that what is there was made and is never made again, whoever runs this and however often.

A file that is no table fails its own task, whose log names it, and touches nothing else.
"""

import logging
import random
import tempfile
from dataclasses import asdict
from datetime import timedelta
from urllib.parse import quote

from airflow.sdk import Param, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from storageapi.address import address
from storageapi.client import Client, File
from storageapi.errors import Changed, Missing, Refused
from storageapi.tabular import BadFile, convert

log = logging.getLogger("json_to_csv")

ENDINGS = (".json", ".jsonl", ".ndjson")
MAX_BYTES = 1 << 30  # on a worker's disk, as often as it runs tasks at once
MAX_FILES = 1000  # a run; Airflow maps a task to 1024 at most (core.max_map_length)

RETRIES = {"retries": 3, "retry_delay": timedelta(seconds=30), "retry_exponential_backoff": True}


def csv_name(output: str, file: File) -> str:
    return f"{output}{file.key}.{quote(file.etag, safe='')}.csv"


@dag(
    schedule=None,
    max_active_runs=1,
    params={
        "prefix": Param("landing/", type="string", maxLength=512, description="Where the JSON files are."),
        "output": Param("csv/", type="string", minLength=1, maxLength=256, description="What goes before their names."),
    },
    tags=["storage"],
    doc_md=__doc__,
)
def json_to_csv():
    @task(execution_timeout=timedelta(minutes=30), **RETRIES)
    def find_new() -> list[dict]:
        params = get_current_context()["params"]
        prefix, output = params["prefix"], params["output"]
        try:
            with Client(address()) as api:
                made = {file.key for file in api.files(output + prefix)}
                json_files = (file for file in api.files(prefix) if file.key.lower().endswith(ENDINGS))
                new = [asdict(file) for file in json_files if csv_name(output, file) not in made]
        except Refused as e:
            raise AirflowFailException(str(e)) from e
        log.info("%d new files below %r", len(new), prefix)
        if len(new) > MAX_FILES:
            log.warning("%d of them now, the next runs go on", MAX_FILES)
            # Any, not the first: those that nobody mends must not be all that is ever tried.
            new = random.sample(new, MAX_FILES)
        return new

    @task(execution_timeout=timedelta(hours=1), map_index_template="{{ file }}", **RETRIES)
    def to_csv(found: dict) -> str:
        file = File(**found)
        context = get_current_context()
        context["file"] = file.key
        name = csv_name(context["params"]["output"], file)
        log.info("%r: %d bytes, to %r", file.key, file.size, name)  # first: a worker that dies says nothing more
        if file.size > MAX_BYTES:
            raise AirflowFailException(f"{file.key!r} has {file.size} bytes, more than {MAX_BYTES}: land it in several files")
        try:
            with Client(address()) as api, tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as target:
                api.read(file, source)
                table = convert(source, target)
                wrote = api.write_new(name, target, "text/csv; charset=utf-8; header=present")
        except BadFile as e:
            raise AirflowFailException(f"{file.key!r}: {e}") from e
        except (Changed, Missing) as e:
            raise AirflowSkipException(f"{file.key!r} was written or deleted meanwhile; the next run sees to it") from e
        except Refused as e:
            raise AirflowFailException(str(e)) from e
        log.info("%r: %d rows of %d columns, %s", file.key, table.rows, table.columns, "written" if wrote else "which were there")
        return name

    to_csv.expand(found=find_new())


json_to_csv()
