"""Waits for a file in the storage API and holds no worker meanwhile."""

from airflow.sdk import Param, dag

from storageapi.sensor import FileSensor


@dag(
    schedule=None,
    params={
        "key": Param("landing/orders.json", type="string", minLength=1, maxLength=1024, description="The file's name."),
        "wait": Param(3600, type="integer", minimum=1, maximum=7 * 86400, description="For how many seconds at most."),
        "every": Param(10, type="integer", minimum=1, maximum=3600, description="How many seconds between two looks."),
    },
    tags=["storage"],
    doc_md=__doc__,
)
def wait_for_file():
    FileSensor(task_id="wait", key="{{ params.key }}", wait="{{ params.wait }}", every="{{ params.every }}")


wait_for_file()
