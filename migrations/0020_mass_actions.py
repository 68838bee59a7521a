"""Acts on many customers, and whom each of them concerns."""

import functools
from json import dumps, loads

from tortoise import fields
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops

from loyalty import migrating

# One row a customer, frozen when the act begins. before, by_rule: what they had before, so that it can be taken back.
# Customers are never deleted, so no foreign key is looked up a million times. Those who were left out are few, and are
# found among a million by their index.
ROWS = """
CREATE TABLE mass_action_row (
    action_id INT NOT NULL REFERENCES mass_action (id) ON DELETE RESTRICT,
    customer_id BIGINT NOT NULL,
    state VARCHAR(7) NOT NULL DEFAULT 'waiting',
    reason VARCHAR(40),
    before INT,
    by_rule INT,
    at TIMESTAMPTZ,
    PRIMARY KEY (action_id, customer_id)
);
ALTER TABLE mass_action_row
    ADD CONSTRAINT mass_action_row_state CHECK (state IN ('waiting', 'done', 'skipped', 'failed'));
CREATE INDEX mass_action_row_left_out ON mass_action_row (action_id, state, customer_id)
    WHERE state IN ('skipped', 'failed');
ALTER TABLE mass_action
    ADD CONSTRAINT mass_action_state CHECK (state IN ('running', 'paused', 'done', 'cancelled', 'undoing', 'undone')),
    ADD CONSTRAINT mass_action_counts CHECK (done >= 0 AND skipped >= 0 AND failed >= 0
        AND done + skipped + failed <= total);
CREATE INDEX mass_action_running ON mass_action (id) WHERE state = 'running';
"""
ROWS_BACK = """
DROP INDEX mass_action_running;
ALTER TABLE mass_action DROP CONSTRAINT mass_action_state, DROP CONSTRAINT mass_action_counts;
DROP TABLE mass_action_row;
"""


class Migration(migrating.Migration):
    """`mass_action`, `mass_action_row`."""

    dependencies = [("loyalty", "0019_timeline")]

    initial = False

    operations = [
        ops.CreateModel(
            name="MassAction",
            fields=[
                ("id", fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("key", fields.CharField(unique=True, max_length=60)),
                ("kind", fields.CharField(max_length=16)),
                ("params", fields.JSONField(encoder=functools.partial(dumps, separators=(",", ":")), decoder=loads)),
                (
                    "look",
                    fields.JSONField(null=True, encoder=functools.partial(dumps, separators=(",", ":")), decoder=loads),
                ),
                ("state", fields.CharField(max_length=9)),
                ("total", fields.IntField(default=0)),
                ("done", fields.IntField(default=0)),
                ("skipped", fields.IntField(default=0)),
                ("failed", fields.IntField(default=0)),
                ("place", fields.BigIntField(default=0)),
                (
                    "staff",
                    fields.ForeignKeyField(
                        "loyalty.StaffMember",
                        source_field="staff_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("resumed_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("resumed_from", fields.IntField(default=0)),
                ("finished_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                (
                    "undo_of",
                    fields.OneToOneField(
                        "loyalty.MassAction",
                        source_field="undo_of_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
            ],
            options={
                "table": "mass_action",
                "app": "loyalty",
                "pk_attr": "id",
                "table_description": "One act on many customers, done a little at a time. Whom it concerns stands in `mass_action_row`.",
            },
            bases=["Model"],
        ),
        ops.RunSQL(ROWS, ROWS_BACK),
    ]
