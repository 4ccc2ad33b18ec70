"""Short words for requests whose answers are compared as a whole."""

from typing import Any

import httpx


async def ask(client: httpx.AsyncClient, method: str, path: str, body: Any = None, **options: Any) -> tuple[int, Any]:
    """Status and JSON of an answer; None for one without a body."""
    answer = await client.request(method, path, json=body, **options)
    return answer.status_code, answer.json() if answer.content else None


def bad(reason: Any) -> tuple[int, dict[str, Any]]:
    """What is answered to a bad request."""
    return 400, {"error": "bad_request", "reason": reason}


def invalid(*problems: str) -> tuple[int, dict[str, Any]]:
    """What is answered to what is not valid."""
    return bad("Validation failed\n\n" + "".join(f"{problem}\n" for problem in problems))


MISSING = (404, {"error": "Object Not Found", "reason": "Not Found"})
NO_VHOST = (404, {"error": "not_found", "reason": "vhost_not_found"})
CREATED = (201, None)
DONE = (204, None)
