"""Which passwords may be set: RabbitMQ's credential validators (`credential_validator.*`), with its words."""

from typing import Final

import attrs

from amq.lang.pattern import compile_pattern

ACCEPT_EVERYTHING: Final = "rabbit_credential_validator_accept_everything"
MIN_LENGTH: Final = "rabbit_credential_validator_min_password_length"
REGEXP: Final = "rabbit_credential_validator_password_regexp"


@attrs.frozen
class PasswordRules:
    """`backend` is one of the three names above; `min_length` in characters and `regexp` count for theirs alone."""

    backend: str = ACCEPT_EVERYTHING
    min_length: int = 8
    regexp: str = ".*"

    def problem(self, password: str) -> str | None:
        """What is wrong with a password that somebody wants to set; None when it may be set."""
        if self.backend == MIN_LENGTH and len(password) < self.min_length:
            return f"minimum required password length is {self.min_length}"
        if self.backend == REGEXP and not compile_pattern(self.regexp).search(password.encode("utf-8", "replace")):
            return "provided password does not match the validation regular expression"
        return None
