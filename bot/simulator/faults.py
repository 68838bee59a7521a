"""What may go wrong on purpose, and how a refused call is answered."""

from dataclasses import dataclass


@dataclass(slots=True)
class Faults:
    """Switches of bad weather; change them at any time.

    `retry_after`: seconds that every send is told to wait, 0 is off. `lose_answers`: so many accepted sends are
    carried out while their answer is lost on the way. `server_errors`: so many calls, of any method, get the HTML
    page of a broken proxy. `unauthorized`: the token is revoked.
    """

    retry_after: int = 0
    lose_answers: int = 0
    server_errors: int = 0
    unauthorized: bool = False


class Refusal(Exception):
    """A call the Bot API refuses: `{"ok": false, "error_code": …, "description": …}`."""

    def __init__(self, description: str, code: int = 400, *, retry_after: int = 0) -> None:
        prefix = {400: "Bad Request: ", 403: "Forbidden: ", 409: "Conflict: "}.get(code, "")
        super().__init__(prefix + description)
        self.code = code
        self.retry_after = retry_after
