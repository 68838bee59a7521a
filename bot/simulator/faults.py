"""What may go wrong on purpose in any messenger."""

from dataclasses import dataclass, fields

LONGEST_SECONDS = 60
BROKEN_PROXY = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


@dataclass(slots=True)
class Faults:
    """Switches of bad weather; change them at any time.

    `retry_after`: seconds that every send is told to wait, 0 is off. `lose_answers`: so many accepted sends are
    carried out while their answer is lost on the way. `server_errors`: so many calls, of any method, get the HTML
    page of a broken proxy. `slow`: seconds that every call takes. `unauthorized`: the token is revoked.
    """

    retry_after: int = 0
    lose_answers: int = 0
    server_errors: int = 0
    slow: int = 0
    unauthorized: bool = False

    @property
    def any(self) -> bool:
        """Whether anything goes wrong."""
        return any(getattr(self, field.name) for field in fields(self))

    def take(self, name: str) -> bool:
        """Whether a counted fault happens now; it counts down."""
        left: int = getattr(self, name)
        if left < 1:
            return False
        setattr(self, name, left - 1)
        return True

    def change(self, wanted: dict[str, object]) -> bool:
        """Set all of them, those not named to off; False, and nothing changes, when a value cannot be."""
        values = {}
        for field in fields(self):
            value = wanted.get(field.name, field.default)
            most = LONGEST_SECONDS if field.name == "slow" else 9999
            is_number = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most
            if not (isinstance(value, bool) if isinstance(field.default, bool) else is_number):
                return False
            values[field.name] = value
        for name, value in values.items():
            setattr(self, name, value)
        return True
