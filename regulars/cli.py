"""The command `regulars`. Thin: each command reads the settings, opens the servers and calls one thing."""

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from loyalty.clock import system_now
from loyalty.settings import Settings, WrongSettings, read_settings
from regulars.embedded import CannotStart, is_running

DEMO_CUSTOMERS = 2000
T = TypeVar("T")

app = typer.Typer(
    help="Regulars: a loyalty platform whose counter is the messenger.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
staff_app = typer.Typer(help="People of the panel.", no_args_is_help=True)
app.add_typer(staff_app, name="staff")
key_app = typer.Typer(help="Keys of other programs, for the API.", no_args_is_help=True)
app.add_typer(key_app, name="key")

Customers = Annotated[int, typer.Option("--customers", min=1, help="How many made-up customers.")]
# There are so many card numbers, and a few are left for whoever comes.
SeedCustomers = Annotated[int, typer.Option("--customers", min=1, max=9_000_000, help="How many made-up customers.")]
Fast = Annotated[
    bool,
    typer.Option(
        "--fast",
        help="For bases of 10,000 and more: lives are lived by many people each, with their sales but hardly a word in"
        " the chats. A million customers with eleven million receipts take some ten minutes and 22 GB.",
    ),
]
PortOption = Annotated[int | None, typer.Option("--port", min=1, max=65535, help="Port to listen on.")]
Webhook = Annotated[bool, typer.Option("--webhook", help="The simulator calls the bot instead of being polled.")]
Yes = Annotated[bool, typer.Option("--yes", help="Replace everything in the base without asking.")]


class CommandFailed(Exception):
    """The command cannot do its work; the message is for the person at the terminal."""


@app.command()
def run(
    parts: Annotated[list[str] | None, typer.Argument(help="Parts to run here; all of them when none.")] = None,
    port: PortOption = None,
) -> None:
    """Serve until Ctrl-C: everything in one process, or the parts that are named."""
    from regulars.logs import configure_logging
    from regulars.ports import check_port_is_free
    from regulars.processes import describe, needs_port, parts_named, serve

    settings = _settings(port)
    chosen = parts_named(parts or [])
    configure_logging()
    if needs_port(settings, chosen):
        check_port_is_free(settings)
    with _servers(settings) as opened:
        if settings.database_url is None:
            # A server of our own has nobody else to migrate it; elsewhere `regulars migrate` does, once.
            _with_database(opened, _migrate)
        asyncio.run(serve(opened, chosen, lambda: _say(describe(opened, chosen))))


@app.command()
def demo(customers: Customers = DEMO_CUSTOMERS, port: PortOption = None, webhook: Webhook = False) -> None:
    """Serve a made-up shop from servers and data of its own, apart from those of `run`."""
    from regulars.demo import demo_settings, describe, empty_base, simulator_beside
    from regulars.logs import configure_logging
    from regulars.ports import check_port_is_free
    from regulars.processes import PARTS, serve

    settings = demo_settings(_settings(port), webhook=webhook)
    # Only what goes wrong, so that the logins stay in sight.
    configure_logging(level=logging.WARNING)
    check_port_is_free(settings)
    if is_running(settings.home):
        raise CommandFailed(f"A demo runs already with the data of {settings.home}.")
    _say("Starting PostgreSQL and Valkey …")
    with _servers(settings) as opened:
        finished = settings.home / "seeded"
        if not finished.exists():
            # Whatever an interrupted run left is made up and not worth mending.
            _with_database(opened, empty_base)
        _with_database(opened, _migrate)
        if not finished.exists():
            _say(f"Making up {customers} customers …")
            _with_database(opened, lambda: _seed(customers))
            finished.touch()
        asyncio.run(serve(opened, PARTS, lambda: _say(describe(opened)), simulator_beside(opened)))


@app.command()
def migrate() -> None:
    """Bring the base to this version. Safe to repeat and to run from several machines at once."""
    with _servers(_settings()) as opened:
        _with_database(opened, _migrate)


@app.command()
def seed(customers: SeedCustomers = DEMO_CUSTOMERS, fast: Fast = False) -> None:
    """Fill an empty base with a made-up shop. Refuses a base that has customers."""
    from regulars.seed import DEMO_LOGINS

    with _servers(_settings()) as opened:
        _with_database(opened, _migrate)
        if _with_database(opened, has_customers):
            raise CommandFailed("This base has customers already; made-up ones go only into an empty base.")
        _with_database(opened, lambda: _seed_fast(customers) if fast else _seed(customers))
    logins = ", ".join(email for email, _, _ in DEMO_LOGINS)
    _say(f"The passwords of {logins} are public: anyone who reaches this panel can sign in.")


@app.command()
def verify() -> None:
    """Recompute every balance and counter from the ledger, for the panel too; exit 1 when anything differs."""
    with _servers(_settings()) as opened:
        agrees = _with_database(opened, _verify)
    if not agrees:
        raise typer.Exit(1)


@app.command()
def explain(
    customer: Annotated[str, typer.Argument(help="Their id, phone or card number.")],
    operations: Annotated[int, typer.Option("--last", min=1, max=5000, help="So many movements, newest first.")] = 50,
) -> None:
    """Say where a customer's bonuses came from and went: each movement with its lots."""
    with _servers(_settings()) as opened:
        _with_database(opened, lambda: _explain(customer, operations))


@staff_app.command("add")
def add_staff(
    email: Annotated[str, typer.Argument(help="The address they sign in with.")],
    role: Annotated[str, typer.Option(help="owner, marketer, cashier, analyst or support.")],
    name: Annotated[str | None, typer.Option(help="What colleagues call them.")] = None,
) -> None:
    """Invite someone to the panel; prints the link with which they set their password, once."""
    with _servers(_settings()) as opened:
        _with_database(opened, lambda: _invite(opened, email, role, name))


@key_app.command("add")
def add_api_key(
    name: Annotated[str, typer.Argument(help="Which program it is for.")],
    scope: Annotated[list[str], typer.Option(help="What it may do, like receipts.write; repeat for more.")],
    location: Annotated[list[int] | None, typer.Option(help="Id of a location; repeat for more. None: all.")] = None,
) -> None:
    """Make a key; prints its text, once. Nobody can read it again."""
    with _servers(_settings()) as opened:
        _say(_with_database(opened, lambda: _make_key(name, scope, location)))


@key_app.command("list")
def list_api_keys() -> None:
    """Print the keys: how they begin, what they may do, when they were last used."""
    with _servers(_settings()) as opened:
        _with_database(opened, _list_keys)


@key_app.command("revoke")
def revoke_api_key(prefix: Annotated[str, typer.Argument(help="How the key begins, as the list shows it.")]) -> None:
    """End a key for good."""
    with _servers(_settings()) as opened:
        _with_database(opened, lambda: _revoke_key(prefix))


@app.command()
def backup(file: Annotated[Path, typer.Argument(help="Where to write it.", dir_okay=False)]) -> None:
    """Write the whole base into one file, which appears only when it is complete."""
    from regulars.backups import Base, back_up

    settings = _settings()
    with _servers(settings) as opened:
        base = Base(_database_url(opened), built_in=settings.database_url is None)
        back_up(base, file.absolute(), _say)
    _say(f"{file}: {file.stat().st_size / 1_000_000:.1f} MB. It holds personal data; keep it closed.")


@app.command()
def restore(file: Annotated[Path, typer.Argument(help="A file of `regulars backup`.")], yes: Yes = False) -> None:
    """Replace the base by a backup, wholly or not at all. Stop the processes that use it first."""
    from regulars.backups import Base, check_is_backup
    from regulars.backups import restore as restore_base

    settings = _settings()
    with _servers(settings) as opened:
        base = Base(_database_url(opened), built_in=settings.database_url is None)
        check_is_backup(base, file)
        if not yes and _with_database(opened, _has_tables):
            raise CommandFailed("This base is not empty. To replace all that is in it, add --yes.")
        _with_database(opened, _check_letters)
        restore_base(base, file)
        _say("Restored.")
        # A backup of an older version must fit the code that is here.
        _with_database(opened, _migrate)


@app.command()
def version() -> None:
    """Print the version."""
    _say(installed_version("regulars"))


def main() -> None:
    """The console script: a wrong setting exits with 2, a failure with 1 and one line on stderr."""
    from regulars.backups import BackupFailed
    from regulars.ports import CannotServe

    try:
        app()
    except WrongSettings as wrong:
        for problem in wrong.problems:
            print(problem, file=sys.stderr)
        sys.exit(2)
    except (BackupFailed, CannotServe, CannotStart, CommandFailed) as failure:
        print(failure, file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


async def has_customers() -> bool:
    """Whether the open base has any customer."""
    from loyalty.db import fetch_value

    return bool(await fetch_value("SELECT EXISTS (SELECT FROM customer)"))


def _say(line: str) -> None:
    print(line, flush=True)


def _settings(port: int | None = None) -> Settings:
    settings = read_settings()
    return settings if port is None else settings.on_port(port)


@contextmanager
def _servers(settings: Settings) -> Iterator[Settings]:
    from regulars.servers import open_servers

    with open_servers(settings) as opened:
        yield opened


def _database_url(settings: Settings) -> str:
    if settings.database_url is None:
        raise CommandFailed("DATABASE_URL is missing.")
    return settings.database_url.get_secret_value()


def _with_database(settings: Settings, work: Callable[[], Awaitable[T]]) -> T:
    """Run `work` with the base open, in a loop of its own; says plainly why a base cannot be opened."""
    from loyalty.db import OUTAGES, close_database, lacks_rights, open_database, why_not_opened
    from loyalty.errors import Invalid, LoyaltyError

    url = _database_url(settings)

    async def opened() -> T:
        try:
            await open_database(url)
        except Exception as refused:
            raise CommandFailed(why_not_opened(url, refused)) from refused
        try:
            result = await work()
        except BaseException as failure:
            # Closing may fail after an interruption, which must not hide why we leave.
            with suppress(Exception):
                await close_database()
            if isinstance(failure, Invalid):
                raise CommandFailed(f"{failure.field}: {failure.reason.replace('_', ' ')}.") from failure
            if isinstance(failure, LoyaltyError):
                raise CommandFailed(f"Refused: {failure.reason.replace('_', ' ')}.") from failure
            if lacks_rights(failure):
                raise CommandFailed(f"The role of DATABASE_URL must own the base: {failure}.") from failure
            if isinstance(failure, OUTAGES):
                raise CommandFailed(f"The base at DATABASE_URL went away: {type(failure).__name__}.") from failure
            raise
        await close_database()
        return result

    return asyncio.run(opened())


async def _migrate() -> None:
    from loyalty.db import migrate as apply

    await _check_letters()
    for name in await apply():
        _say(f"Migrated: {name}")


async def _check_letters() -> None:
    from loyalty.db import knows_cyrillic

    if not await knows_cyrillic():
        raise CommandFailed(
            "To this base Cyrillic letters are no letters, so nobody would be found by name. Create it with: CREATE "
            "DATABASE … OWNER … TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C.UTF-8'"
        )


async def _check_version() -> None:
    from loyalty.db import is_migrated

    if not await is_migrated():
        from regulars.processes import NOT_MIGRATED

        raise CommandFailed(NOT_MIGRATED)


async def _seed(customers: int) -> None:
    from regulars.seed import seed as make_up

    await make_up(customers, now=system_now(), report=_say)


async def _seed_fast(customers: int) -> None:
    from regulars.seed.fast import seed_fast

    await seed_fast(customers, now=system_now(), report=_say)


async def _verify() -> bool:
    from loyalty.office.actions import prove

    await _check_version()
    proof = await prove(now=system_now())
    for difference in proof.differences:
        _say(difference.describe())
    if proof.unshown:
        _say(f"… and {proof.unshown} more.")
    found = len(proof.differences) + proof.unshown
    _say(
        f"{found or 'No'} {'difference' if found == 1 else 'differences'}. "
        f"Checked {proof.customers} customers, {proof.receipts} receipts, {proof.entries} entries of the ledger "
        f"and {proof.lots} lots."
    )
    return found == 0


async def _explain(customer: str, operations: int) -> None:
    from loyalty.errors import NotFound
    from loyalty.office.queries.explain import customer_named, explain
    from loyalty.shop.queries import shop
    from regulars.explaining import told

    await _check_version()
    chain = await shop()
    try:
        customer_id = await customer_named(customer, chain.region)
    except NotFound:
        raise CommandFailed("No customer has this id, phone or card number.") from None
    _say(f"Customer {customer_id}. Times are those of {chain.time_zone}.")
    before = None
    while operations > 0:
        stories, before = await explain(customer_id, before_id=before)
        for story in stories[:operations]:
            for line in told(story, chain.time_zone):
                _say(line)
        operations -= len(stories)
        if before is None:
            return


async def _has_tables() -> bool:
    from loyalty.db import fetch_value

    return bool(await fetch_value("SELECT EXISTS (SELECT FROM pg_tables WHERE schemaname = 'public')"))


async def _invite(settings: Settings, email: str, role: str, name: str | None) -> None:
    from loyalty.staff.actions import invite
    from loyalty.staff.rules import COMMAND, Role

    try:
        known = Role(role)
    except ValueError:
        names = ", ".join(each.value for each in Role)
        raise CommandFailed(f"There is no role {role!r}; the roles are: {names}.") from None
    await _check_version()
    called = name or email.partition("@")[0]
    token = await invite(email=email, name=called, role=known, actor=COMMAND, now=system_now())
    _say(f"{settings.public_url}/join/{token}")


async def _make_key(name: str, scopes: list[str], places: list[int] | None) -> str:
    from loyalty.shop.queries import location
    from loyalty.staff.actions import add_key
    from loyalty.staff.rules import COMMAND, Scope

    await _check_version()
    unknown = [scope for scope in scopes if scope not in list(Scope)]
    if unknown:
        raise CommandFailed(f"There is no scope {unknown[0]!r}; the scopes are: {', '.join(Scope)}.")
    for place in places or ():
        await location(place)
    return await add_key(name, [Scope(scope) for scope in scopes], places or None, actor=COMMAND, now=system_now())


async def _list_keys() -> None:
    from loyalty.staff.queries import api_keys

    await _check_version()
    for key in await api_keys():
        places = "all" if key.location_ids is None else ",".join(map(str, sorted(key.location_ids)))
        used = f"{key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "never"
        state = "revoked" if key.revoked_at else "active"
        scopes = ",".join(sorted(key.scopes))
        _say(f"{key.prefix}  {state}  {scopes}  locations {places}  used {used}  {key.name}")


async def _revoke_key(prefix: str) -> None:
    from loyalty.staff.actions import revoke_key
    from loyalty.staff.queries import api_keys
    from loyalty.staff.rules import COMMAND

    await _check_version()
    found = [key for key in await api_keys() if key.prefix == prefix and key.revoked_at is None]
    if len(found) != 1:
        raise CommandFailed(f"{len(found) or 'No'} active keys begin with {prefix!r}; see regulars key list.")
    await revoke_key(found[0].id, actor=COMMAND, now=system_now())
    _say(f"{prefix} is revoked; a running panel may take it for five seconds more.")
