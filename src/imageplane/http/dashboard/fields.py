"""What people fill in, read one field at a time; every fault is told at once, beside its field."""

import re
from dataclasses import dataclass, field
from typing import Final

from imageplane.accounts import users
from imageplane.accounts.organizations import check_name
from imageplane.accounts.passwords import check_password
from imageplane.accounts.prices import MILLICREDITS
from imageplane.errors import Fault, NotFound, RequestError
from imageplane.http.dashboard.forms import Form

_MOST_CREDITS: Final = 1_000_000_000
_NUMBER: Final = re.compile(r"\d{1,10}", re.ASCII)
_ID: Final = re.compile(r"[0-9A-Za-z_]{1,32}")


def checked_id(given: str, what: str) -> str:
    """Give an id that can be one of a `key`, `job` or `delivery`. Errors: not_found."""
    # What can be no id is not asked for: a database need not understand every character.
    if not _ID.fullmatch(given):
        raise NotFound(f"There is no such {what}.")
    return given


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of a form.

    Gives: `faults`, one for each field that was wrong so far, with its id.
    """

    form: Form
    faults: list[Fault] = field(default_factory=list)

    def email(self) -> str:
        """Read the e-mail address; what can be none is given as it is."""
        given = self.form["email"]
        try:
            return users.normalized(given)
        except RequestError as error:
            self.fault("email", error.message)
            return given

    def new_password(self, email: str) -> str:
        """Read a password for an account with this address."""
        given = self.form["password"]
        try:
            check_password(given, email)
        except RequestError as error:
            self.fault("password", error.message)
        return given

    def name(self) -> str:
        """Read a name."""
        given = self.form["name"].strip()
        try:
            check_name(given)
        except RequestError as error:
            self.fault("name", error.message)
        return given

    def cap_in_millicredits(self) -> int | None:
        """Read the most credits that a key may spend; empty means without a cap."""
        given = self.form["cap"].strip()
        if not given:
            return None
        if not _NUMBER.fullmatch(given) or int(given) > _MOST_CREDITS:
            self.fault("cap", f"A cap is a whole number of credits from 0 to {_MOST_CREDITS:,}, or empty.")
            return None
        return int(given) * MILLICREDITS

    def fault(self, name: str, message: str) -> None:
        """Tell what is wrong with a field."""
        self.faults.append(Fault(name, message))
