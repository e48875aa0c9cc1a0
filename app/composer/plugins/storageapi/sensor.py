"""Waiting for a file of the storage API, as a task."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from airflow.sdk import BaseSensorOperator, Context
from airflow.sdk.exceptions import AirflowFailException, AirflowSensorTimeout, TaskDeferred

from storageapi.address import address
from storageapi.client import Client
from storageapi.errors import Missing, Refused
from storageapi.trigger import FileTrigger


class FileSensor(BaseSensorOperator):
    """Succeeds once there is a file of that name, and returns its key, size and ETag.

    It looks once itself; from then on the triggerer waits, and no worker is held. A key that is not known, or may not read
    that file, fails the task at once."""

    template_fields: Sequence[str] = ("key", "wait", "every")

    def __init__(self, *, key: str, wait: float | str = 3600, every: float | str = 30, **kwargs: Any):
        """wait is how long at most, every how often to look, in seconds; all three may be templates."""
        super().__init__(**kwargs)
        self.key = key
        self.wait = wait
        self.every = every

    def execute(self, context: Context) -> dict[str, Any]:
        try:
            with Client(address()) as api:
                return asdict(api.stat(self.key))
        except Missing:
            self.log.info("%r is not there yet: waiting up to %s s for it", self.key, self.wait)
        except Refused as e:
            raise AirflowFailException(str(e)) from e
        raise TaskDeferred(
            trigger=FileTrigger(self.key, float(self.every)),
            method_name="execute_complete",
            timeout=timedelta(seconds=float(self.wait)),
        )

    def execute_complete(self, context: Context, event: dict[str, Any]) -> dict[str, Any]:
        if "refused" in event:
            raise AirflowFailException(event["refused"])
        return event["found"]

    def resume_execution(self, next_method: str, next_kwargs: dict[str, Any] | None, context: Context) -> Any:
        try:
            return super().resume_execution(next_method, next_kwargs, context)
        except AirflowSensorTimeout as e:
            raise AirflowSensorTimeout(f"{self.key!r} is not there after {self.wait} s") from e
