"""What can go wrong with the storage API, by what helps: nothing, waiting, or looking again."""

import json

import httpx


class StorageError(Exception):
    """The message says what was asked for, what went wrong and the way out. It has no key and no signed URL."""


class Refused(StorageError):
    """Asking again cannot help: a wrong key, a missing permission, a name that no file has."""


class TooLarge(Refused):
    """More than the API takes through itself."""


class Unavailable(StorageError):
    """The API did not answer, or asked to come back later, for longer than the client waits."""


class Missing(StorageError):
    """There is no such file."""


class Changed(StorageError):
    """The file is another one than asked for, or is there already."""


MOVED = "STORAGE_URL must be the address that this one leads to"
WAYS_OUT = {
    301: MOVED,
    302: MOVED,
    307: MOVED,
    308: MOVED,
    401: "the key in STORAGE_KEY is not known, or has ended: give Airflow's services one that the API knows",
    403: "the key in STORAGE_KEY may not do that: give it the verbs and prefixes that docs/composer.md names",
    502: "the API's own permission on the bucket is missing: its log names the action",
}


def failure(what: str, response: httpx.Response) -> StorageError:
    """The error of an answer whose body has been read."""
    status = response.status_code
    ours = _is_problem(response) or response.is_redirect  # neither S3's nor a load balancer's
    told = "; ".join(filter(None, [_problem(response).get("detail"), WAYS_OUT.get(status) if ours else None]))
    message = f"{what}: the answer is {status}" + (f": {told}" if told else "")
    if status == 412:
        return Changed(message)
    if status == 404 and _says_not_found(response):
        return Missing(message)
    if status == 413:
        return TooLarge(message)
    if passing(status):
        return Unavailable(message)
    return Refused(message)


def passing(status: int) -> bool:
    """Whether an answer may be another one later: limits, outages, and somebody who writes the same file now."""
    return status in (409, 429) or status >= 500


def _says_not_found(response: httpx.Response) -> bool:
    if response.request.method == "HEAD":
        return _is_problem(response)
    return _problem(response).get("type") == "/v1/problems/not-found"


def _is_problem(response: httpx.Response) -> bool:
    return response.headers.get("Content-Type") == "application/problem+json"


def _problem(response: httpx.Response) -> dict:
    if not _is_problem(response):
        return {}
    try:
        problem = json.loads(response.content)
    except ValueError:  # the answer to HEAD has none
        return {}
    return problem if isinstance(problem, dict) else {}
