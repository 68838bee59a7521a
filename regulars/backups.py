"""Backup and restore of the whole base by PostgreSQL's own pg_dump and pg_restore.

Both work on the base as a whole: a backup is one consistent moment, a restore one transaction that either
replaces everything or changes nothing. Neither holds the secret key or what lies in Valkey.
"""

import os
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import parse_qsl, unquote, urlsplit

from regulars.embedded import POSTGRES_MAJOR, CannotStart, wheel_postgres_bin

PROGRESS_SECONDS = 5.0
LOCK_SECONDS = 10
"""How long whoever uses the base may keep a restore waiting."""
# Options of libpq that a database URL may carry; the others there are for our own pool.
LIBPQ_OPTIONS = {"sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT", "host": "PGHOST"}
REPLACE_ALL = """\\set QUIET on
\\set ON_ERROR_STOP on
BEGIN;
SET LOCAL client_min_messages = warning;
SET LOCAL lock_timeout = '{seconds}s';
DROP SCHEMA public CASCADE;
CREATE SCHEMA public;
GRANT USAGE ON SCHEMA public TO PUBLIC;
"""
# pg_restore writes it from 17 on whatever server it is for, and older ones do not know it.
NEW_SETTING, NEW_SETTING_SINCE = b"SET transaction_timeout = 0;\n", 17
# Every dump sets it, after the line above and before any row.
END_OF_SETTINGS = b"SET client_encoding"

Report = Callable[[str], None]


class BackupFailed(Exception):
    """The message says why, for the person at the terminal; the file or the base is as it was."""


@dataclass(frozen=True, slots=True)
class Base:
    """The base to work on; `built_in` when its server is the one of the wheel."""

    url: str
    built_in: bool


def back_up(base: Base, target: Path, report: Report) -> None:
    """Write the whole base into `target`, readable by its owner alone; `target` appears only when complete.

    An existing file is replaced. Reports what is written so far every few seconds. Raises BackupFailed.
    """
    program = _dumping_program(base)
    partial = target.with_name(target.name + ".partial")
    try:
        partial.unlink(missing_ok=True)
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as refused:
        raise BackupFailed(f"Cannot write {partial}: {refused.strerror}.") from refused
    try:
        with os.fdopen(descriptor, "wb") as file, _progress(report, partial):
            # By name: into a pipe or a given descriptor pg_dump appends a second table of contents
            # instead of completing the first.
            dump = subprocess.run(
                [
                    program,
                    "--format=custom",
                    "--no-owner",
                    "--no-privileges",
                    f"--file={partial}",
                ],
                stderr=subprocess.PIPE,
                env=_libpq_environment(base.url),
                check=False,
            )
            if dump.returncode != 0:
                raise BackupFailed(f"pg_dump failed: {_words(dump.stderr)}")
            os.fsync(file.fileno())
        _put(partial, target)
    finally:
        partial.unlink(missing_ok=True)


def restore(base: Base, source: Path) -> None:
    """Replace everything in the base by what `source` holds, in one transaction. Raises BackupFailed.

    Stop the processes that use the base first: one that holds a lock makes this fail after 10 s.
    """
    program, server_major = _reading_program(base, source), _server_major(base)
    reading = subprocess.Popen(
        [program, "--no-owner", "--no-privileges", "--file=-", str(source)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    writing = subprocess.Popen(
        [_programs("psql", base)[0], "-X", "--quiet"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=_libpq_environment(base.url),
    )
    with reading, writing:
        if reading.stdout is None or writing.stdin is None:
            raise AssertionError("unreachable: both are pipes")
        try:
            writing.stdin.write(REPLACE_ALL.format(seconds=LOCK_SECONDS).encode())
            _copy_dump(reading.stdout, writing.stdin, server_major)
            # A dump that ends early must not be committed: psql sees the end without COMMIT and rolls back.
            if reading.wait() == 0:
                writing.stdin.write(b"COMMIT;\n")
            writing.stdin.close()
        except BrokenPipeError:
            # psql met an error and left; its own words follow.
            reading.kill()
        complaint = writing.stderr.read() if writing.stderr else b""
        if writing.wait() != 0:
            raise BackupFailed(f"The base is as it was. PostgreSQL says: {_words(complaint)}")
        if reading.wait() != 0:
            complaint = reading.stderr.read() if reading.stderr else b""
            raise BackupFailed(f"The base is as it was. {source} cannot be read: {_words(complaint)}")


def check_is_backup(base: Base, source: Path) -> None:
    """Raise BackupFailed unless `source` is a readable backup with a table of contents."""
    if not source.is_file():
        raise BackupFailed(f"There is no file {source}.")
    _reading_program(base, source)


@contextmanager
def _progress(report: Report, growing: Path) -> Iterator[None]:
    done = threading.Event()

    def watch() -> None:
        while not done.wait(PROGRESS_SECONDS):
            report(f"{growing.stat().st_size / 1_000_000:.0f} MB written …")

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def _copy_dump(source: IO[bytes], target: IO[bytes], server_major: int) -> None:
    """Copy what pg_restore writes, without the setting that the server is too old to know."""
    for line in source:
        if line != NEW_SETTING or server_major >= NEW_SETTING_SINCE:
            target.write(line)
        if line.startswith(END_OF_SETTINGS):
            break
    # The rows as they are: one of them may read like a setting.
    shutil.copyfileobj(source, target, 1 << 20)


def _server_major(base: Base) -> int:
    """The major version of the base's server. Raises BackupFailed when it does not let us in."""
    if base.built_in:
        return int(POSTGRES_MAJOR)
    answer = subprocess.run(
        [_programs("psql", base)[0], "-X", "--no-align", "--tuples-only", "--command=SHOW server_version_num"],
        capture_output=True,
        env=_libpq_environment(base.url),
        check=False,
    )
    if answer.returncode != 0:
        raise BackupFailed(f"The server of the base cannot be asked: {_words(answer.stderr)}")
    return int(answer.stdout) // 10_000


def _dumping_program(base: Base) -> str:
    """A pg_dump as new as the server or newer: an older one refuses it."""
    server_major = _server_major(base)
    for program in _programs("pg_dump", base):
        if _major(program) >= server_major:
            return program
    raise BackupFailed(f"pg_dump is older than the server: install the client programs of PostgreSQL {server_major}.")


def _reading_program(base: Base, source: Path) -> str:
    """A pg_restore that knows the format of this backup; raises BackupFailed when none does."""
    complaint = b""
    for program in _programs("pg_restore", base):
        listing = subprocess.run(
            [program, "--list", str(source)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False
        )
        if listing.returncode == 0:
            return program
        complaint = listing.stderr
    raise BackupFailed(f"{source} is not a backup: {_words(complaint)}")


def _programs(name: str, base: Base) -> list[str]:
    """A client program of this name, by preference: for a server elsewhere the machine's own, then the wheel's.

    The wheel's may be newer, but speak no TLS.
    """
    found = []
    if not base.built_in and (path := shutil.which(name)):
        found.append(path)
    with suppress(CannotStart):
        found.append(str(wheel_postgres_bin() / name))
    if not found:
        raise BackupFailed(f"{name} is missing: install PostgreSQL's client programs.")
    return found


def _major(program: str) -> int:
    """The major version of a client program, 0 when it does not tell."""
    answer = subprocess.run([program, "--version"], capture_output=True, check=False)
    number = re.search(rb"\(PostgreSQL\) (\d+)", answer.stdout)
    return int(number[1]) if number else 0


def _libpq_environment(database_url: str) -> dict[str, str]:
    """The address as environment, so that no list of processes shows the password."""
    parts = urlsplit(database_url)
    environment = {
        **os.environ,
        "PGHOST": parts.hostname or "127.0.0.1",
        "PGPORT": str(parts.port or 5432),
        "PGUSER": unquote(parts.username or "postgres"),
        "PGPASSWORD": unquote(parts.password or ""),
        "PGDATABASE": unquote(parts.path.lstrip("/")),
        "PGCONNECT_TIMEOUT": "10",
        # Messages of psql and pg_dump in the language that this program speaks.
        "LC_ALL": "C.UTF-8",
    }
    for option, value in parse_qsl(parts.query):
        if option in LIBPQ_OPTIONS:
            environment[LIBPQ_OPTIONS[option]] = value
    return environment


def _words(output: bytes) -> str:
    lines = output.decode(errors="replace").strip().splitlines()
    return " ".join(lines[-5:]) or "no reason given"


def _put(partial: Path, target: Path) -> None:
    """Give a complete file its name."""
    try:
        partial.replace(target)
    except OSError as refused:
        raise BackupFailed(f"Cannot write {target}: {refused.strerror}.") from refused
    # A folder that we may not list cannot be synced by us; the file is there all the same.
    with suppress(PermissionError):
        _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
