"""Backup and restore of a real base."""

import io
from collections.abc import Callable
from dataclasses import replace

import asyncpg
import pytest

from regulars import backups
from regulars.backups import BackupFailed, Base, _copy_dump, back_up, check_is_backup, restore
from tests.conftest import in_own_loop

MAKE = "CREATE TABLE IF NOT EXISTS drill (word text); TRUNCATE drill; INSERT INTO drill VALUES ('привет')"


async def run(url: str, sql: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


async def words(url: str) -> list[str]:
    connection = await asyncpg.connect(url)
    rows = await connection.fetch("SELECT word FROM drill ORDER BY word")
    await connection.close()
    return [row["word"] for row in rows]


@pytest.fixture(scope="session")
def make_base(make_database: Callable[[str], str], worker_number: int) -> Callable[[str], Base]:
    """A migrated base without the schema that only the tests know."""

    def make(name: str) -> Base:
        url = make_database(f"{name}_{worker_number}")
        in_own_loop(lambda: run(url, "DROP SCHEMA IF EXISTS fresh CASCADE"))
        return Base(url, built_in=True)

    return make


@pytest.fixture(scope="session")
def base(make_base: Callable[[str], Base]) -> Base:
    return make_base("drill")


@pytest.fixture
async def backup(base, tmp_path):
    await run(base.url, MAKE)
    target = tmp_path / "shop.dump"
    back_up(base, target, lambda _: None)
    return target


async def test_a_restore_brings_back_what_was_there_and_nothing_else(base, backup):
    await run(base.url, "UPDATE drill SET word = 'changed'; CREATE TABLE IF NOT EXISTS later (n int)")
    restore(base, backup)
    assert await words(base.url) == ["привет"]
    with pytest.raises(asyncpg.UndefinedTableError):
        await run(base.url, "SELECT FROM later")


async def test_a_restored_base_can_be_backed_up_and_restored_again(base, backup, tmp_path):
    restore(base, backup)
    again = tmp_path / "again.dump"
    back_up(base, again, lambda _: None)
    restore(base, again)
    assert await words(base.url) == ["привет"]


async def test_a_backup_goes_into_another_base(base, backup, make_base):
    other = make_base("drill_elsewhere")
    restore(other, backup)
    assert await words(other.url) == ["привет"]


async def test_a_cut_backup_changes_nothing(base, backup):
    await run(base.url, "UPDATE drill SET word = 'newer'")
    whole = backup.read_bytes()
    # Beyond its table of contents, so that only reading the rows can tell.
    backup.write_bytes(whole[:-200])
    with pytest.raises(BackupFailed):
        restore(base, backup)
    assert await words(base.url) == ["newer"]


async def test_a_base_in_use_is_left_alone(base, backup, monkeypatch):
    monkeypatch.setattr(backups, "LOCK_SECONDS", 1)
    await run(base.url, "UPDATE drill SET word = 'newer'")
    busy = await asyncpg.connect(base.url)
    async with busy.transaction():
        await busy.fetch("SELECT FROM drill")
        with pytest.raises(BackupFailed, match="lock timeout"):
            restore(base, backup)
    await busy.close()
    assert await words(base.url) == ["newer"]


def test_a_backup_is_readable_by_its_owner_alone(backup):
    assert backup.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in backup.parent.iterdir()] == ["shop.dump"]


def test_a_backup_that_fails_leaves_the_older_file(base, backup):
    before = backup.read_bytes()
    wrong = Base(base.url.replace("://regulars:", "://regulars:wrong"), built_in=True)
    with pytest.raises(BackupFailed, match="password authentication failed"):
        back_up(wrong, backup, lambda _: None)
    assert backup.read_bytes() == before
    assert [path.name for path in backup.parent.iterdir()] == ["shop.dump"]


def test_a_folder_that_cannot_be_entered_is_told(base, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(BackupFailed, match=r"Cannot write .*/file/shop.dump.partial: Not a directory"):
        back_up(base, tmp_path / "file" / "shop.dump", lambda _: None)


@pytest.fixture
def machine_has(monkeypatch, tmp_path):
    """Client programs of another version on the PATH that can do nothing but tell it."""

    def put(*names: str, major: int) -> None:
        (tmp_path / "bin").mkdir(exist_ok=True)
        for name in names:
            program = tmp_path / "bin" / name
            program.write_text(f'#!/bin/sh\n[ "$1" = --version ] && echo "{name} (PostgreSQL) {major}.4"\n')
            program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path / "bin"))

    return put


async def test_programs_that_are_older_than_the_server_are_left_alone(base, tmp_path, machine_has):
    machine_has("pg_dump", "pg_restore", major=15)
    elsewhere = replace(base, built_in=False)
    await run(base.url, MAKE)
    back_up(elsewhere, tmp_path / "shop.dump", lambda _: None)
    check_is_backup(elsewhere, tmp_path / "shop.dump")
    await run(base.url, "UPDATE drill SET word = 'changed'")
    restore(elsewhere, tmp_path / "shop.dump")
    assert await words(base.url) == ["привет"]


def test_programs_of_the_servers_version_are_preferred_to_the_wheels(base, tmp_path, machine_has):
    machine_has("pg_dump", major=18)
    with pytest.raises(BackupFailed, match="pg_dump failed: no reason given"):
        back_up(replace(base, built_in=False), tmp_path / "shop.dump", lambda _: None)


@pytest.mark.parametrize(("major", "is_kept"), [(15, False), (16, False), (17, True), (18, True)])
def test_a_server_gets_no_setting_that_it_does_not_know(major, is_kept):
    before = b"SET lock_timeout = 0;\nSET transaction_timeout = 0;\nSET client_encoding = 'UTF8';\n"
    rows = b"COPY public.drill (word) FROM stdin;\nSET transaction_timeout = 0;\n\\.\n"
    written = io.BytesIO()
    _copy_dump(io.BytesIO(before + rows), written, major)
    expected = before if is_kept else before.replace(b"SET transaction_timeout = 0;\n", b"")
    assert written.getvalue() == expected + rows


def test_any_other_file_is_not_a_backup(base, tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(BackupFailed, match="is not a backup"):
        check_is_backup(base, tmp_path / "notes.txt")
    with pytest.raises(BackupFailed, match="There is no file"):
        check_is_backup(base, tmp_path / "nothing")
