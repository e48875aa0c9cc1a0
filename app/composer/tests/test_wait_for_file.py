"""The sensor and its trigger: when they fire, when they fail, and what outlives a triggerer."""

import asyncio
import io
import json
import logging
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from airflow.sdk import DAG
from airflow.sdk._shared.module_loading import import_string
from airflow.sdk.exceptions import AirflowFailException, AirflowSensorTimeout, TaskDeferralTimeout, TaskDeferred
from airflow.triggers.base import TriggerEvent
from conftest import Storage
from scripted import serve

from storageapi.client import Client
from storageapi.errors import Missing
from storageapi.sensor import FileSensor
from storageapi.trigger import FileTrigger

PROBLEM = {"Content-Type": "application/problem+json"}
MISSING = (404, PROBLEM, b'{"type":"/v1/problems/not-found"}')
THERE = (200, {"ETag": '"e"', "Content-Length": "7"}, b"")
KEY = "cst_not-to-be-seen"


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Says in the environment where the API is and what key we have."""

    def settings(url: str, key: str) -> None:
        monkeypatch.setenv("STORAGE_URL", url)
        monkeypatch.setenv("STORAGE_KEY", key)

    return settings


def fire(trigger: FileTrigger) -> dict:
    """Runs a trigger as the triggerer does, after what a restart does to it, to its event."""

    async def first() -> TriggerEvent:
        path, arguments = json.loads(json.dumps(trigger.serialize()))
        assert KEY not in str(arguments)
        async for event in import_string(path)(**arguments).run():
            return event
        raise AssertionError("it ended without an event")

    return json.loads(json.dumps(asyncio.run(asyncio.wait_for(first(), 60)).payload))


def sensor(**arguments: object) -> FileSensor:
    return FileSensor(task_id="wait", **arguments)


class Pauses(list[float]):
    """How long the trigger paused each time, which took no time; what happened in which pause."""

    during: dict[int, Callable[[], None]]


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> Pauses:
    waited = Pauses()
    waited.during = {}
    sleep = asyncio.sleep

    async def pause(seconds: float) -> None:
        if seconds:  # others sleep, too: for nothing, to let others run
            waited.append(seconds)
            await asyncio.to_thread(waited.during.get(len(waited), int))
        await sleep(0)

    monkeypatch.setattr("storageapi.trigger.asyncio.sleep", pause)
    return waited


def test_the_trigger_waits_until_somebody_writes_the_file(storage: Storage, use: Callable, pauses: Pauses):
    use(storage.url, storage.airflow)
    key = "landing/wait/Grüße 50%.json"

    def write() -> None:
        with storage.client() as api:
            api.write_new(key, io.BytesIO(b"content"), "application/json")

    pauses.during = {3: write}
    event = fire(FileTrigger(key, every=7))
    assert pauses == [7, 7, 7]
    with storage.client() as api:
        assert event == {"found": {"key": key, "size": 7, "etag": api.stat(key).etag}}


def test_a_sensor_whose_file_is_there_is_done_at_once(storage: Storage, use: Callable):
    use(storage.url, storage.airflow)
    with storage.client() as api:
        api.write_new("landing/there.json", io.BytesIO(b"content"), "application/json")
        etag = api.stat("landing/there.json").etag
    assert sensor(key="landing/there.json").execute({}) == {"key": "landing/there.json", "size": 7, "etag": etag}


def test_a_sensor_whose_file_is_not_there_leaves_the_worker(storage: Storage, use: Callable):
    use(storage.url, storage.airflow)
    with pytest.raises(TaskDeferred) as deferred:
        sensor(key="landing/not-there.json", wait="90", every="5").execute({})
    assert deferred.value.timeout == timedelta(seconds=90)
    assert deferred.value.trigger.serialize() == ("storageapi.trigger.FileTrigger", {"key": "landing/not-there.json", "every": 5.0})
    assert deferred.value.method_name == "execute_complete"


@pytest.mark.parametrize("which", ["unknown", "other"])
def test_a_key_that_will_never_do_fails_both_at_once(storage: Storage, use: Callable, which: str):
    key, why = {"unknown": (KEY, "is not known, or has ended"), "other": (storage.other, "may not do that")}[which]
    use(storage.url, key)
    with pytest.raises(AirflowFailException, match=why):
        sensor(key="landing/x.json").execute({})
    event = fire(FileTrigger("landing/x.json", every=600))
    assert why in event["refused"]
    with pytest.raises(AirflowFailException, match=why):
        sensor(key="landing/x.json").execute_complete({}, event)


def test_another_server_is_not_waited_for(use: Callable, monkeypatch: pytest.MonkeyPatch):
    with serve(*[(404, {}, b"<html>")] * 3) as script:
        use(script.url, KEY)
        with pytest.raises(AirflowFailException, match="the answer is 404"):
            sensor(key="landing/x.json").execute({})
        assert "the answer is 404" in fire(FileTrigger("landing/x.json", every=600))["refused"]
    monkeypatch.delenv("STORAGE_URL")
    assert fire(FileTrigger("landing/x.json", every=600))["refused"].startswith("STORAGE_URL is ''")


def test_outages_are_waited_through(use: Callable, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)
    with serve(MISSING, (503, {}, b""), (0, {}, b""), (429, {}, b""), (502, PROBLEM, b"{}"), MISSING, THERE) as script:
        use(script.url, KEY)
        assert fire(FileTrigger("landing/x.json", every=0.01)) == {"found": {"key": "landing/x.json", "size": 7, "etag": "e"}}
        assert {(method, path) for method, path, _, _ in script.requests} == {("HEAD", "/v1/files/landing%2Fx.json")}
        assert all(headers["Authorization"] == f"Bearer {KEY}" for _, _, headers, _ in script.requests)
    assert KEY not in caplog.text


def test_the_trigger_comes_back_when_it_is_told_to(use: Callable, pauses: Pauses):
    with serve((503, {"Retry-After": "20"}, b""), (503, {"Retry-After": "1"}, b""), MISSING, THERE) as script:
        use(script.url, KEY)
        fire(FileTrigger("landing/x.json", every=5))
    assert pauses == [20, 5, 5]


def test_a_trigger_that_is_moved_to_another_triggerer_leaves_nothing_behind(use: Callable):
    async def cancel(asked: threading.Event) -> None:
        event = asyncio.ensure_future(anext(FileTrigger("landing/x.json", every=600).run()))
        assert await asyncio.to_thread(asked.wait, 60)
        event.cancel()
        with pytest.raises(asyncio.CancelledError):
            await event
        assert asyncio.all_tasks() == {asyncio.current_task()}

    with serve(MISSING) as script:
        use(script.url, KEY)
        asyncio.run(cancel(script.asked))


def test_a_file_that_does_not_come_is_named(monkeypatch: pytest.MonkeyPatch):
    def end(*_: object) -> None:
        raise TaskDeferralTimeout("Trigger timeout")

    monkeypatch.setattr("airflow.sdk.bases.operator.BaseOperator.resume_execution", end)
    with pytest.raises(AirflowSensorTimeout, match=r"^'landing/x.json' is not there after 90 s$"):
        sensor(key="landing/x.json", wait="90").resume_execution("__fail__", {}, {})


def test_what_the_trigger_finds_is_the_tasks_result():
    found = {"key": "landing/x.json", "size": 7, "etag": "e"}
    assert sensor(key="landing/x.json").execute_complete({}, {"found": found}) == found


def test_the_dag_defers_and_ends_with_what_the_trigger_finds(
    storage: Storage, use: Callable, load_dag: Callable[[str], DAG], monkeypatch: pytest.MonkeyPatch
):
    use(storage.url, storage.airflow)
    with storage.client() as api:
        api.write_new("landing/dag é.json", io.BytesIO(b"content"), "application/json")
        found = api.stat("landing/dag é.json")

    def too_early(_: Client, key: str) -> None:
        raise Missing(key)

    monkeypatch.setattr(Client, "stat", too_early)
    run = load_dag("wait_for_file").test(run_conf={"key": "landing/dag é.json", "wait": 60, "every": 1})
    (ti,) = run.get_task_instances()
    assert (ti.task_id, ti.state) == ("wait", "success")
    assert ti.xcom_pull("wait") == {"key": "landing/dag é.json", "size": 7, "etag": found.etag}
