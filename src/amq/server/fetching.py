"""Definitions from a server (`definitions.https.url`)."""

import ssl
import urllib.error
import urllib.request
from typing import Final

from amq.config.seeds import ImportSettings
from amq.server.errors import SettingError

URL: Final = ("imports.url", "definitions.https.url")
# Seconds that a server has for every step of its answer, and octets that it may send.
PATIENCE: Final = 30.0
LARGEST: Final = 100_000_000


def fetched(url: str, imports: ImportSettings) -> bytes:
    """What stands at this URL. Raises SettingError."""
    try:
        context = ssl.create_default_context(cafile=imports.cacertfile)
        if imports.verify == "verify_none":
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        with urllib.request.urlopen(url, timeout=PATIENCE, context=context) as answer:
            octets = bytes(answer.read(LARGEST + 1))
    except urllib.error.HTTPError as error:
        with error:
            raise SettingError(*URL, f"{url}: the server answered {error.code} {error.reason}") from None
    except urllib.error.URLError as error:
        raise SettingError(*URL, f"{url}: {error.reason}") from None
    except (OSError, ValueError) as error:
        raise SettingError(*URL, f"{url}: {error}") from None
    if len(octets) > LARGEST:
        raise SettingError(*URL, f"{url}: more than {LARGEST} octets")
    return octets
