"""Headers that every answer gets: for browsers, what they may do with it; for pages of other origins, whether they may
ask at all (CORS).
"""

from collections.abc import Mapping
from typing import Final

from amq.config.web import ManagementSettings

# The console's files bring their own.
POLICY: Final = "default-src 'none'; frame-ancestors 'none'"
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
# What forms are sent as, and what a page may send without its browser asking whether it may.
SIMPLE_TYPES: Final = frozenset({"application/x-www-form-urlencoded", "multipart/form-data", "text/plain"})
ALLOWED_HEADERS: Final = "accept, authorization, content-type, x-reason, x-requested-with"


def for_every_answer(settings: ManagementSettings) -> dict[str, str]:
    """What is added to an answer unless it has it already."""
    headers = {
        "content-security-policy": settings.csp_policy or POLICY,
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
        "cross-origin-resource-policy": "same-origin",
    }
    if settings.hsts_policy is not None:
        headers["strict-transport-security"] = settings.hsts_policy
    return headers


def for_origin(settings: ManagementSettings, request: Mapping[str, str], allow: str | None) -> dict[str, str]:
    """What allows the page that sends this request to read the answer; `allow` are the methods, for OPTIONS."""
    headers = {"vary": "origin"}
    origin = request.get("origin")
    if origin is None or not _is_allowed(settings, origin):
        return headers
    headers["access-control-allow-origin"] = origin
    headers["access-control-expose-headers"] = "location"
    headers["cross-origin-resource-policy"] = "cross-origin"
    if origin in settings.cors_allow_origins:
        # Whoever allows every origin has not thought of passwords that browsers remember.
        headers["access-control-allow-credentials"] = "true"
    if allow is not None:
        headers["access-control-allow-methods"] = allow
        headers["access-control-allow-headers"] = ALLOWED_HEADERS
        headers["access-control-max-age"] = str(settings.cors_max_age)
    return headers


def is_forged(settings: ManagementSettings, method: str, request: Mapping[str, str]) -> bool:
    """Whether a browser sends this for a page of another origin, which is not allowed to change anything here.

    Browsers add credentials that they remember to whatever a page sends.
    """
    if method in SAFE_METHODS:
        return False
    origin = request.get("origin")
    # Where every origin is allowed, none may use remembered passwords: a browser that asks first learns so.
    trusted = origin in settings.cors_allow_origins or not is_simple(method, request)
    if origin is not None and trusted and _is_allowed(settings, origin):
        return False
    site = request.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    return origin is not None and origin.partition("://")[2] != request.get("host")


def is_simple(method: str, request: Mapping[str, str]) -> bool:
    """Whether browsers send this for any page without asking first, with credentials that they remember."""
    kind = request.get("content-type", "").partition(";")[0].strip().lower()
    return method == "POST" and (not kind or kind in SIMPLE_TYPES) and "x-requested-with" not in request


def _is_allowed(settings: ManagementSettings, origin: str) -> bool:
    return origin in settings.cors_allow_origins or "*" in settings.cors_allow_origins
