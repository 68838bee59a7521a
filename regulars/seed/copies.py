"""Copies of a town: each row that belongs to its people again, by SQL, with other ids, names and numbers.

What a row names by its id, it names in its own copy: which columns those are, the base says itself. Moments are a
little earlier in each copy. What else must be one's own stands in OWN.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from loyalty import db
from regulars.seed.records import ZONE

PATIENCE_SECONDS = 3600
EARLIEST_HOUR = 6
"""Before it nothing is moved: it is ends of days, what was done at night, and "never"."""

PEOPLE = {
    "whose": "bigint",
    "earlier": "float8",
    "name": "text",
    "phone": "text",
    "digits": "text",
    "email": "text",
    "username": "text",
    "card_number": "text",
    "referral_code": "text",
    "person": "text",
    "chat": "text",
    "scoped": "text",
}
"""Who lives in a copy: whose life, how many seconds earlier, and what is their own. `person`: the hash of the phone."""

WHOSE = {
    "customer": "t.id",
    "referral": "greatest(t.invitee_id, t.referrer_id)",
    "conversation": "(SELECT customer_id FROM messenger_account a WHERE a.id = t.account_id)",
    "entry_visit": "(SELECT customer_id FROM messenger_account a WHERE a.id = t.account_id)",
    "receipt_line": "(SELECT customer_id FROM receipt r WHERE r.id = t.receipt_id)",
    "bonus_allocation": "(SELECT customer_id FROM bonus_entry e WHERE e.id = t.entry_id)",
    "bonus_entry_comment": "(SELECT customer_id FROM bonus_entry e WHERE e.id = t.entry_id)",
    "once_only_bonus": "(SELECT customer_id FROM bonus_entry e WHERE e.id = t.entry_id)",
    "hold_lot": "(SELECT customer_id FROM hold h WHERE h.id = t.hold_id)",
    "appointment_service": "(SELECT customer_id FROM appointment a WHERE a.id = t.appointment_id)",
    "survey_answer": "(SELECT customer_id FROM survey_invitation i WHERE i.id = t.invitation_id)",
    "journal_entry": "CASE WHEN t.actor_kind = 'customer' AND t.subject_kind = 'customer' THEN t.subject_id END",
    **dict.fromkeys(
        (
            "customer_facts",
            "customer_location",
            "customer_team_member",
            "customer_service",
            "customer_service_category",
            "customer_category",
            "messenger_account",
            "message",
            "consent",
            "registration_step",
            "note",
            "answer",
            "receipt",
            "card_code_use",
            "tier_change",
            "bonus_entry",
            "bonus_lot",
            "hold",
            "appointment",
            "survey_invitation",
        ),
        "t.customer_id",
    ),
}
"""Table -> SQL: whose life the row `t` belongs to. A row of nobody's is not copied; of two people, when both are."""

FIRST_NAME = "split_part(p.name, ' ', 1)"
# $1 is the number of the copy; {customer}, {receipt} and so on are how far ids of a table are apart in two copies.
OWN = {
    "customer": {
        "name": "p.name",
        "phone": "p.phone",
        "email": "CASE WHEN t.email IS NOT NULL THEN p.email END",
        "card_number": "p.card_number",
        # The day and month are those of the gifts; every fourth year has a 29 February.
        "birthday": "(t.birthday - make_interval(years => ($1::int % 5) * 4))::date",
        "referral_code": "CASE WHEN t.referral_code IS NOT NULL THEN p.referral_code END",
    },
    "messenger_account": {
        "address": "CASE t.channel WHEN 'sms' THEN p.phone WHEN 'email' THEN p.email WHEN 'telegram' THEN p.chat"
        " ELSE CASE WHEN t.alias IS NULL THEN p.digits ELSE p.scoped END END",
        "alias": "CASE WHEN t.alias IS NOT NULL THEN p.digits END",
        "phone": "CASE WHEN t.phone IS NOT NULL THEN p.phone END",
        "name": f"CASE WHEN t.name = '' THEN '' WHEN position(' ' IN t.name) > 0 THEN p.name ELSE {FIRST_NAME} END",
        "username": "CASE WHEN t.username IS NOT NULL THEN p.username END",
    },
    "receipt": {
        "external_id": "'seed-' || t.id + {receipt} * $1::bigint",
        "answer": "t.answer || jsonb_build_object('receipt_id', t.id + {receipt} * $1::bigint)",
    },
    "bonus_entry": {
        # The keys of gifts say for what they are given once.
        "operation_id": "CASE t.event WHEN 'welcome' THEN 'welcome:' || p.person"
        " WHEN 'birthday' THEN 'birthday:' || t.customer_id + {customer} * $1::bigint"
        " || substring(t.operation_id FROM ':[0-9]+$')"
        " WHEN 'invited' THEN 'invited:' || t.customer_id + {customer} * $1::bigint"
        " WHEN 'referral' THEN 'referral:'"
        " || substring(t.operation_id FROM '[0-9]+$')::bigint + {customer} * $1::bigint"
        " ELSE 'seed:' || t.id + {bonus_entry} * $1::bigint END",
    },
    "once_only_bonus": {"person": "p.person"},
    "hold": {"external_id": "'seed-' || t.id + {hold} * $1::bigint"},
    "survey_invitation": {"key": "'receipt:' || t.receipt_id + {receipt} * $1::bigint"},
    "appointment": {
        "external_id": "'seed-' || t.customer_id + {customer} * $1::bigint || '-' || split_part(t.external_id, '-', 3)"
    },
    "journal_entry": {
        "subject_id": "t.subject_id + {customer} * $1::bigint",
        "details": "CASE WHEN t.details ? 'account' THEN t.details || jsonb_build_object('account',"
        " (t.details ->> 'account')::bigint + {messenger_account} * $1::bigint) ELSE t.details END",
    },
}
"""Table -> column -> SQL of what it is in a copy; `t` is the row, `p` who lives it now."""

COLUMNS = """
SELECT table_name AS "table", column_name AS name, data_type AS type FROM information_schema.columns
WHERE table_schema = current_schema() AND table_name = ANY($1::text[]) AND is_generated = 'NEVER'
ORDER BY table_name, ordinal_position
"""
REFERENCES = """
SELECT k.conrelid::regclass::text AS "table", a.attname AS name, k.confrelid::regclass::text AS target,
    k.conname AS constraint_name, pg_get_constraintdef(k.oid) AS definition
FROM pg_constraint k JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
WHERE k.contype = 'f' AND k.connamespace = current_schema()::regnamespace
    AND k.conrelid::regclass::text = ANY($1::text[])
ORDER BY 1, 4
"""
# Those of a primary key or another constraint stay: what is written comes in their order, or is little. So do those of
# a few rows by lists of words, which PostgreSQL would write down in another way when it has read them again.
INDEXES = """
SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS definition FROM pg_index i
WHERE i.indrelid::regclass::text = ANY($1::text[])
    AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid)
    AND pg_get_indexdef(i.indexrelid) NOT LIKE '%ARRAY[%'
ORDER BY i.indrelid::regclass::text, 1
"""


@dataclass(frozen=True, slots=True)
class Copies:
    """How the towns of this base are copied. statements: table -> INSERT of one copy, whose number is its parameter.

    Within one transaction: `begin`, then `add` for each copy, then `end`. In between the tables have neither their
    indexes nor their foreign keys, and nobody else may read them: a row at a time, either would take most of the time.
    """

    statements: dict[str, str]
    references: list[db.Row]
    indexes: list[db.Row]

    @classmethod
    async def of_the_base(cls) -> "Copies":
        """Read from the base what its tables have and name."""
        tables = list(WHOSE)
        references = await db.fetch(REFERENCES, tables)
        named = {(row["table"], row["name"]): row["target"] for row in references}
        columns: dict[str, dict[str, str]] = {}
        for row in await db.fetch(COLUMNS, tables):
            columns.setdefault(row["table"], {})[row["name"]] = row["type"]
        # Tables of ours, not words of a stranger.
        apart = {
            table: await db.fetch_value(f"SELECT coalesce(max(id), 0) FROM {table}")  # noqa: S608
            for table in tables
            if "id" in columns[table]
        }
        statements = {}
        for table in tables:
            # In the order of the model, in which ids rise. Not every table has a column that needs the copy's number,
            # and a parameter must be used.
            values = [_value(table, name, type_, named, apart) for name, type_ in columns[table].items()]
            statements[table] = (
                f"INSERT INTO {table} ({', '.join(map(_quoted, columns[table]))})"  # noqa: S608
                f" SELECT {', '.join(values)} FROM model_{table} t JOIN person p USING (whose)"
                " WHERE $1::int > 0 ORDER BY t.place"
            )
        return cls(statements, references, await db.fetch(INDEXES, tables))

    async def begin(self) -> None:
        """Keep the first town aside as the model, and take off what would be looked up for each row."""
        people = ", ".join(f"{name} {type_}" for name, type_ in PEOPLE.items())
        await _run(f"CREATE TEMPORARY TABLE person ({people}) ON COMMIT DROP")
        for table, whose in WHOSE.items():
            await _run(
                f"CREATE TEMPORARY TABLE model_{table} ON COMMIT DROP AS SELECT t.*, w.whose,"  # noqa: S608
                f" row_number() OVER (ORDER BY t.ctid) AS place FROM {table} t, LATERAL (SELECT {whose}) w (whose)"
                " WHERE w.whose IS NOT NULL ORDER BY t.ctid"
            )
            await _run(f"ANALYZE model_{table}")
        for row in self.references:
            await _run(f"ALTER TABLE {row['table']} DROP CONSTRAINT {_quoted(row['constraint_name'])}")
        for row in self.indexes:
            await _run(f"DROP INDEX {row['name']}")

    async def add(self, copy: int, people: Sequence[tuple[Any, ...]]) -> None:
        """Write a copy of the town for these PEOPLE; copies are numbered from one."""
        await _run("TRUNCATE person")
        await db.copy_rows("person", list(PEOPLE), list(people))
        if copy == 1:
            await _run("ANALYZE person")
        for statement in self.statements.values():
            await _run(statement, copy)

    async def end(self, report: Callable[[str], None]) -> None:
        """Make the indexes again, then the foreign keys, which looks at every row."""
        for number, row in enumerate(self.indexes, 1):
            report(f"Index {number} of {len(self.indexes)}: {row['name']}")
            await _run(row["definition"])
        for number, row in enumerate(self.references, 1):
            report(f"Foreign key {number} of {len(self.references)}: {row['constraint_name']}")
            added = f"ADD CONSTRAINT {_quoted(row['constraint_name'])} {row['definition']}"
            await _run(f"ALTER TABLE {row['table']} {added}")


def _value(table: str, name: str, type_: str, named: dict[tuple[str, str], str], apart: dict[str, int]) -> str:
    """SQL of a column in a copy."""
    own = OWN.get(table, {}).get(name)
    if own is not None:
        for other, distance in apart.items():
            own = own.replace(f"{{{other}}}", str(distance))
        return own
    column = f"t.{_quoted(name)}"
    of = table if name == "id" else named.get((table, name))
    if of in apart:
        return f"{column} + {apart[of]} * $1::bigint"
    return _earlier(column) if type_ == "timestamp with time zone" else column


def _earlier(moment: str) -> str:
    """SQL: a moment, as much earlier as its person lives; of the first hours of a day half of what has passed of them.

    So what happened later still did, on the same day.
    """
    since = f"date_part('epoch', ({moment} AT TIME ZONE '{ZONE}')::time) - {EARLIEST_HOUR * 3600}"
    return f"{moment} - make_interval(secs => least(p.earlier, greatest(0, ({since}) / 2)))"


def _quoted(name: str) -> str:
    return f'"{name}"'


async def _run(sql: str, *params: Any) -> None:
    await db.fetch_patiently(PATIENCE_SECONDS, sql, *params)
