"""Waiting for a file without holding a worker: the triggerer's half of the sensor."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Any

import httpx
from airflow.triggers.base import BaseTrigger, TriggerEvent

from storageapi.address import Address, address
from storageapi.client import TIMEOUT, found, retry_after
from storageapi.errors import Missing, Refused, failure, passing


class FileTrigger(BaseTrigger):
    """Fires once there is the file, or where no waiting helps. How long to wait at most is the deferral's to say: it is kept
    in the metastore, so that it goes on while no triggerer runs.

    It keeps nothing but what serialize returns, and the key of the API is not among it: each triggerer has its own."""

    def __init__(self, key: str, every: float):
        super().__init__()
        self.key = key
        self.every = every

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return "storageapi.trigger.FileTrigger", {"key": self.key, "every": self.every}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        try:
            file = await self._wait(address())
        except Refused as e:
            yield TriggerEvent({"refused": str(e)})
        else:
            yield TriggerEvent({"found": file})

    async def _wait(self, api: Address) -> dict[str, Any]:
        what = f"wait for {self.key!r}"
        async with httpx.AsyncClient(timeout=TIMEOUT, headers=api.headers(), follow_redirects=False) as http:
            while True:
                pause = self.every
                try:
                    answer = await http.head(api.file(self.key))
                    if answer.is_success:
                        return asdict(found(self.key, answer))
                    error = failure(what, answer)
                    pause = max(pause, retry_after(answer) or 0)
                    if passing(answer.status_code):
                        self.log.warning("%s; trying again in %s s", error, pause)
                    elif not isinstance(error, Missing):
                        raise error
                except httpx.TransportError as e:
                    self.log.warning("%s: %s: %s; trying again in %s s", what, type(e).__name__, e, pause)
                await asyncio.sleep(pause)
