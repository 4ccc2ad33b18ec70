"""Which passwords may be set."""

import pytest

from amq.auth.users import PasswordRefused, Users
from amq.auth.validation import MIN_LENGTH, REGEXP, PasswordRules


@pytest.mark.parametrize(
    ("rules", "password", "problem"),
    [
        (PasswordRules(), "x", None),
        (PasswordRules(MIN_LENGTH, min_length=4), "größ", None),
        (PasswordRules(MIN_LENGTH, min_length=4), "abc", "minimum required password length is 4"),
        (PasswordRules(REGEXP, regexp="^[a-z]{3}"), "abcd", None),
        (
            PasswordRules(REGEXP, regexp="^[a-z]{3}"),
            "ab1",
            "provided password does not match the validation regular expression",
        ),
        # What belongs to another validator does not count.
        (PasswordRules(REGEXP, min_length=100), "x", None),
    ],
)
def test_a_password_is_refused_in_rabbitmqs_words(rules: PasswordRules, password: str, problem: str | None) -> None:
    assert rules.problem(password) == problem


def test_users_refuse_what_the_rules_do_not_allow() -> None:
    users = Users()
    users.check_password("x")
    users.rules = PasswordRules(MIN_LENGTH)
    users.check_password("12345678")
    with pytest.raises(PasswordRefused, match=r"^minimum required password length is 8$"):
        users.check_password("1234567")
