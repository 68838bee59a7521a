"""The files in migrations/ and the tables in the code say the same."""

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import asyncpg
from tortoise import Tortoise
from tortoise.migrations.autodetector import MigrationAutodetector

from loyalty.db import APP
from loyalty.migrating import Migration
from regulars.embedded import wheel_postgres_bin
from tests.conftest import ROOT, in_own_loop, other_database

SCHEMA = Path(__file__).with_name("schema.sql")

MIGRATE = """
import asyncio, sys
from loyalty.db import close_database, migrate, open_database
async def main():
    await open_database(sys.argv[1])
    print(len(await migrate()))
    await close_database()
asyncio.run(main())
"""


COLUMNS = """
SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'
"""


# What Tortoise finds although nothing changed: a primary key that is a relation has another name in the state
# of the files than in the model, and `generated=False` of a key is not written into a migration.
PHANTOMS = {
    ("AlterModelOptions", "BonusEntryComment", ""),
    ("AlterModelOptions", "Conversation", ""),
    ("AlterModelOptions", "CustomerFacts", ""),
    ("AlterModelOptions", "Referral", ""),
    ("AlterModelOptions", "ShownCard", ""),
    ("AlterModelOptions", "StaffChat", ""),
    ("AlterModelOptions", "SurveyAnswer", ""),
    ("AlterModelOptions", "TableLayout", ""),
    ("RemoveField", "Shop", "id"),
    ("AddField", "Shop", "id"),
    ("AddIndex", "Shop", ""),
}


async def test_no_model_was_changed_without_a_migration(database):
    assert Tortoise.apps is not None
    found = {
        (type(operation).__name__, *subject(operation))
        for writer in await MigrationAutodetector(Tortoise.apps, {"loyalty": APP}).changes()
        for operation in writer.operations
    }
    assert found - PHANTOMS == set()


def test_every_migration_is_of_the_house():
    """The class that the ORM writes copies all models before each step."""
    for path in sorted((ROOT / "migrations").glob("0*.py")):
        assert issubclass(import_module(f"migrations.{path.stem}").Migration, Migration), path


def subject(operation: Any) -> tuple[str, str]:
    """The model, and the field if there is one, that an operation is about."""
    name = getattr(operation, "name", "")
    return (operation.model_name, name) if hasattr(operation, "model_name") else (name, "")


def test_the_migrations_still_make_the_base_that_was_reviewed(make_database, worker_number):
    """A model's constraint that no migration brought, or a migration edited later, shows as a difference here.

    After a migration of your own, run this file with REGULARS_KEEP_SCHEMA=1 and review what changed in schema.sql.
    """
    schema = schema_of(make_database(f"schema_{worker_number}"))
    if os.environ.get("REGULARS_KEEP_SCHEMA"):
        SCHEMA.write_text(schema)
    assert schema.splitlines() == SCHEMA.read_text().splitlines()


def schema_of(url: str) -> str:
    """What pg_dump says of the tables of a base, as `schema.sql` has it."""
    command = [str(wheel_postgres_bin() / "pg_dump"), "--schema-only", "--schema=public"]
    command += ["--no-owner", "--no-comments", url]
    dump = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    noise = ("--", "SET ", "SELECT pg_catalog.", "\\restrict", "\\unrestrict")
    return "\n".join(line for line in dump.splitlines() if line.strip() and not line.startswith(noise)) + "\n"


async def test_every_column_of_a_model_is_in_the_base(database):
    rows = await database.fetch(COLUMNS)
    present = {(row["table_name"], row["column_name"]) for row in rows}
    wanted = {
        (model._meta.db_table, column)
        for models in (Tortoise.apps or {}).values()
        for model in models.values()
        for column in model._meta.fields_db_projection.values()
    }
    assert wanted - present == set()


async def test_every_foreign_key_of_the_base_restricts_or_says_otherwise_by_itself(database):
    """Tortoise's default is CASCADE, which would let one deletion take a ledger along."""
    rows = await database.fetch(
        "SELECT conrelid::regclass::text AS name, conname FROM pg_constraint WHERE contype = 'f' AND confdeltype = 'c'"
    )
    money = {"bonus_entry", "bonus_lot", "bonus_allocation", "receipt", "journal_entry"}
    assert [row["conname"] for row in rows if row["name"] in money] == []


def test_two_processes_may_migrate_at_once(servers, worker_number):
    name = f"empty_{worker_number}"
    in_own_loop(lambda: create(servers.database_url, name))
    url = other_database(servers.database_url, name)
    processes = [
        subprocess.Popen([sys.executable, "-c", MIGRATE, url], stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    applied = sorted(int(process.communicate(timeout=60)[0]) for process in processes)
    assert [process.returncode for process in processes] == [0, 0]
    assert applied[0] == 0
    assert applied[1] > 0


async def create(url: str, name: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(f'CREATE DATABASE "{name}"')
    await connection.close()
