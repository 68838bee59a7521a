"""Several messengers: WhatsApp, queues by channel, the inbox of staff, templates, attachments."""

from loyalty import migrating
from tortoise.migrations import operations as ops
import functools
from json import dumps, loads
from typing import Any
from tortoise.fields.base import OnDelete
from tortoise import fields
from tortoise.indexes import Index, PartialIndex

RULES = """
ALTER TABLE messenger_account DROP CONSTRAINT messenger_account_channel;
ALTER TABLE messenger_account
    ADD CONSTRAINT messenger_account_channel CHECK (channel IN ('telegram', 'whatsapp')),
    ADD CONSTRAINT messenger_account_inactive CHECK (NOT is_active OR inactive_reason IS NULL);
ALTER TABLE message DROP CONSTRAINT message_direction, DROP CONSTRAINT message_status, DROP CONSTRAINT message_due,
    DROP CONSTRAINT message_status_by_direction;
ALTER TABLE message ADD CONSTRAINT message_direction CHECK (direction IN ('in', 'out', 'log')),
    ADD CONSTRAINT message_status CHECK (status IN ('received', 'queued', 'delayed', 'leased', 'sending', 'sent',
        'delivered', 'read', 'failed', 'cancelled', 'unknown')),
    ADD CONSTRAINT message_status_by_direction CHECK ((direction = 'out') <> (status = 'received')),
    ADD CONSTRAINT message_due CHECK (status NOT IN ('queued', 'delayed') OR due_at IS NOT NULL),
    ADD CONSTRAINT message_topic CHECK (topic IN ('service', 'marketing', 'surveys'));
ALTER TABLE conversation ADD CONSTRAINT conversation_state CHECK (state IN ('bot', 'open', 'closed')),
    ADD CONSTRAINT conversation_unread CHECK (unread >= 0);
ALTER TABLE messaging ADD CONSTRAINT messaging_one CHECK (id = 1),
    ADD CONSTRAINT messaging_hours CHECK (quiet_from BETWEEN 0 AND 23 AND quiet_until BETWEEN 0 AND 23);
ALTER TABLE link_request ADD CONSTRAINT link_request_state CHECK (state IN ('open', 'accepted', 'refused'));
ALTER TABLE message_template ADD CONSTRAINT message_template_status
        CHECK (status IN ('draft', 'pending', 'approved', 'rejected', 'paused', 'disabled')),
    ADD CONSTRAINT message_template_category CHECK (category IN ('utility', 'marketing', 'authentication'));
UPDATE messenger_account SET inactive_reason = 'blocked' WHERE NOT is_active;
UPDATE conversation SET state = 'open', unread = 1 WHERE waiting_since IS NOT NULL;
UPDATE conversation SET heard_at = last.at FROM (SELECT account_id, max(created_at) AS at FROM message
    WHERE direction = 'in' GROUP BY account_id) last WHERE last.account_id = conversation.account_id;
"""
RULES_BACK = """
UPDATE message SET status = 'queued' WHERE status = 'delayed';
ALTER TABLE message_template DROP CONSTRAINT message_template_status, DROP CONSTRAINT message_template_category;
ALTER TABLE messaging DROP CONSTRAINT messaging_one, DROP CONSTRAINT messaging_hours;
ALTER TABLE link_request DROP CONSTRAINT link_request_state;
ALTER TABLE conversation DROP CONSTRAINT conversation_state, DROP CONSTRAINT conversation_unread;
ALTER TABLE message DROP CONSTRAINT message_direction, DROP CONSTRAINT message_status, DROP CONSTRAINT message_due,
    DROP CONSTRAINT message_status_by_direction, DROP CONSTRAINT message_topic;
ALTER TABLE message ADD CONSTRAINT message_direction CHECK (direction IN ('in', 'out')),
    ADD CONSTRAINT message_status CHECK (status IN ('received', 'queued', 'leased', 'sending', 'sent', 'delivered',
        'read', 'failed', 'cancelled', 'unknown')),
    ADD CONSTRAINT message_status_by_direction CHECK ((direction = 'in') = (status = 'received')),
    ADD CONSTRAINT message_due CHECK (status <> 'queued' OR due_at IS NOT NULL);
ALTER TABLE messenger_account DROP CONSTRAINT messenger_account_channel,
    DROP CONSTRAINT messenger_account_inactive;
ALTER TABLE messenger_account ADD CONSTRAINT messenger_account_channel CHECK (channel IN ('telegram'));
"""

# Each channel has a queue of its own, and what is not due yet lies beside it: a lease meets nothing that it cannot take.
INDEXES = """
DROP INDEX message_queued, message_pending;
CREATE INDEX message_queued ON message (channel, priority, id) WHERE status = 'queued';
CREATE INDEX message_delayed ON message (due_at) WHERE status = 'delayed';
CREATE INDEX message_pending ON message (account_id, priority, id)
    WHERE status IN ('queued', 'delayed', 'leased', 'sending');
CREATE INDEX message_instead_of ON message (instead_of_id) WHERE instead_of_id IS NOT NULL;
CREATE UNIQUE INDEX messenger_account_alias ON messenger_account (channel, alias) WHERE alias IS NOT NULL;
CREATE UNIQUE INDEX link_request_once ON link_request (account_id, customer_id) WHERE state = 'open';
CREATE UNIQUE INDEX canned_reply_title ON canned_reply (lower(title)) WHERE deleted_at IS NULL;
CREATE INDEX conversation_assignee ON conversation (assignee_id) WHERE assignee_id IS NOT NULL;
CREATE INDEX message_words ON message USING gin ((content->>'text') gin_trgm_ops)
    WHERE direction <> 'out' OR kind = 'staff';
CREATE INDEX message_told ON message (created_at, id) WHERE direction = 'out';
CREATE INDEX message_lost ON message (created_at, id) WHERE status IN ('failed', 'unknown', 'cancelled');
"""
INDEXES_BACK = """
DROP INDEX message_lost, message_told, message_words, conversation_assignee, canned_reply_title, link_request_once,
    messenger_account_alias, message_instead_of, message_pending, message_delayed, message_queued;
CREATE INDEX message_queued ON message (priority, id) WHERE status = 'queued';
CREATE INDEX message_pending ON message (account_id, priority, id) WHERE status IN ('queued', 'leased', 'sending');
"""


class NumberBecomesText(ops.AlterField):
    """The names that messengers give to updates: Telegram counts them, WhatsApp does not."""

    async def database_forward(self, app_label: str, old_state: Any, new_state: Any, state_editor: Any = None) -> None:
        if state_editor:
            await state_editor._run_sql("ALTER TABLE incoming_update ALTER COLUMN external_id TYPE VARCHAR(160)")

    async def database_backward(self, app_label: str, old_state: Any, new_state: Any, state_editor: Any = None) -> None:
        if state_editor:
            await state_editor._run_sql(
                "ALTER TABLE incoming_update ALTER COLUMN external_id TYPE BIGINT USING external_id::bigint"
            )


class Migration(migrating.Migration):
    dependencies = [("loyalty", "0011_rows_of_people")]

    operations = [
        ops.CreateModel(
            name="Attachment",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("name", fields.CharField(max_length=120)),
                ("mime", fields.CharField(max_length=100)),
                ("size", fields.IntField()),
                ("body", fields.BinaryField()),
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
            ],
            options={
                "table": "attachment",
                "app": "loyalty",
                "pk_attr": "id",
                "table_description": "A picture or file that we send; `Content.attachment` names it, so that many messages may carry one.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="CannedReply",
            fields=[
                ("id", fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("title", fields.CharField(max_length=80)),
                ("text", fields.TextField(unique=False)),
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
                ("updated_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("deleted_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "canned_reply",
                "app": "loyalty",
                "pk_attr": "id",
                "table_description": "An answer that staff give often, in their own words.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="LinkRequest",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "account",
                    fields.ForeignKeyField(
                        "loyalty.MessengerAccount",
                        source_field="account_id",
                        db_constraint=True,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "customer",
                    fields.ForeignKeyField(
                        "loyalty.Customer",
                        source_field="customer_id",
                        db_constraint=True,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("state", fields.CharField(max_length=8)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("decided_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
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
            ],
            options={
                "table": "link_request",
                "app": "loyalty",
                "indexes": [
                    PartialIndex(fields=["created_at"], name="link_request_open", condition={"state": "open"}),
                    Index(fields=["customer_id"], name="link_request_customer"),
                    Index(fields=["account_id"], name="link_request_account"),
                ],
                "pk_attr": "id",
                "table_description": "An account that may be a customer's, by a phone that nobody has proven: staff decide.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="MessageTemplate",
            fields=[
                ("id", fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("name", fields.CharField(max_length=120)),
                ("language", fields.CharField(max_length=8)),
                ("category", fields.CharField(max_length=14)),
                ("body", fields.TextField(unique=False)),
                ("variables", fields.JSONField(encoder=functools.partial(dumps, separators=(",", ":")), decoder=loads)),
                ("status", fields.CharField(max_length=10)),
                ("reason", fields.CharField(null=True, max_length=200)),
                ("external_id", fields.CharField(null=True, max_length=40)),
                ("kind", fields.CharField(null=True, max_length=24)),
                ("updated_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "message_template",
                "app": "loyalty",
                "unique_together": (("name", "language"),),
                "pk_attr": "id",
                "table_description": "A text that WhatsApp has approved for writing first. `body` has {{1}}, {{2}} … for the `variables`.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Messaging",
            fields=[
                ("id", fields.SmallIntField(primary_key=True, unique=True, db_index=True)),
                ("quiet_from", fields.SmallIntField()),
                ("quiet_until", fields.SmallIntField()),
                ("updated_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "messaging",
                "app": "loyalty",
                "pk_attr": "id",
                "table_description": "How the shop writes: its one row. Hours by the clock of whoever is written to; "
                "equal ones: no quiet hours.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="SenderPulse",
            fields=[
                ("id", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=40)),
                ("source", fields.CharField(max_length=40)),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "sender_pulse",
                "app": "loyalty",
                "pk_attr": "id",
                "table_description": "A worker that sends through one account of ours, and when it last said so: without Redis they share the pace.",
            },
            bases=["Model"],
        ),
        ops.AddField(
            model_name="Conversation",
            name="assignee",
            field=fields.ForeignKeyField(
                "loyalty.StaffMember",
                source_field="assignee_id",
                null=True,
                db_constraint=True,
                to_field="id",
                related_name=False,
                on_delete=OnDelete.RESTRICT,
            ),
        ),
        ops.AddField(
            model_name="Conversation",
            name="heard_at",
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name="Conversation",
            name="staffed_at",
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name="Conversation",
            name="state",
            field=fields.CharField(db_default="bot", max_length=6),
        ),
        ops.AddField(
            model_name="Conversation",
            name="unread",
            field=fields.IntField(db_default=0),
        ),
        ops.AddIndex(
            model_name="Conversation",
            index=PartialIndex(
                fields=["last_message_at", "account_id"], name="conversation_open", condition={"state": "open"}
            ),
        ),
        ops.AddIndex(
            model_name="Conversation",
            index=PartialIndex(
                fields=["last_message_at", "account_id"], name="conversation_closed", condition={"state": "closed"}
            ),
        ),
        ops.AddField(
            model_name="CustomerFacts",
            name="whatsapp",
            field=fields.BooleanField(db_default=False),
        ),
        ops.RemoveIndex(
            model_name="IncomingUpdate",
            name="incoming_update_new",
            fields=None,
        ),
        NumberBecomesText(
            model_name="IncomingUpdate",
            name="external_id",
            field=fields.CharField(max_length=160),
        ),
        ops.AddField(
            model_name="IncomingUpdate",
            name="position",
            field=fields.BigIntField(null=True),
        ),
        ops.RunSQL("UPDATE incoming_update SET position = external_id::bigint", "SELECT"),
        ops.AlterField(
            model_name="IncomingUpdate",
            name="position",
            field=fields.BigIntField(),
        ),
        ops.AddIndex(
            model_name="IncomingUpdate",
            index=PartialIndex(
                fields=["source", "chat", "position", "id"], name="incoming_update_new", condition={"state": "new"}
            ),
        ),
        ops.AddIndex(
            model_name="IncomingUpdate",
            index=PartialIndex(fields=["id"], name="incoming_update_failed", condition={"state": "failed"}),
        ),
        ops.AlterModelOptions(
            name="Message",
            options={
                "table": "message",
                "app": "loyalty",
                "indexes": [Index(fields=["account_id", "id"], name="message_account")],
                "pk_attr": "id",
                "table_description": "Something said by either side, or by staff among themselves: a line of the log and, "
                "until sent, of the outbox.",
            },
        ),
        ops.AddField(
            model_name="Message",
            name="channel",
            field=fields.CharField(null=True, max_length=10),
        ),
        ops.RunSQL(
            "UPDATE message SET channel = a.channel FROM messenger_account a WHERE a.id = message.account_id", "SELECT"
        ),
        ops.AlterField(
            model_name="Message",
            name="channel",
            field=fields.CharField(max_length=10),
        ),
        ops.AddField(
            model_name="Media",
            name="name",
            field=fields.CharField(db_default="", max_length=120),
        ),
        ops.AlterField(
            model_name="Message",
            name="external_id",
            field=fields.CharField(null=True, max_length=160),
        ),
        ops.AddField(
            model_name="Message",
            name="delivered_at",
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name="Message",
            name="instead_of",
            field=fields.ForeignKeyField(
                "loyalty.Message",
                source_field="instead_of_id",
                null=True,
                db_constraint=True,
                to_field="id",
                related_name=False,
                on_delete=OnDelete.RESTRICT,
            ),
        ),
        ops.AddField(
            model_name="Message",
            name="read_at",
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name="Message",
            name="topic",
            field=fields.CharField(db_default="service", max_length=10),
        ),
        ops.AddField(
            model_name="MessengerAccount",
            name="alias",
            field=fields.CharField(null=True, max_length=140),
        ),
        ops.AlterField(
            model_name="MessengerAccount",
            name="address",
            field=fields.CharField(max_length=140),
        ),
        ops.AddField(
            model_name="MessengerAccount",
            name="inactive_at",
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name="MessengerAccount",
            name="inactive_reason",
            field=fields.CharField(null=True, max_length=20),
        ),
        ops.AddField(
            model_name="MessengerAccount",
            name="phone",
            field=fields.CharField(null=True, max_length=16),
        ),
        ops.AddField(
            model_name="MessengerAccount",
            name="takes_marketing",
            field=fields.BooleanField(db_default=True),
        ),
        ops.AddField(
            model_name="MessengerAccount",
            name="takes_service",
            field=fields.BooleanField(db_default=True),
        ),
        ops.AddField(
            model_name="MessengerAccount",
            name="takes_surveys",
            field=fields.BooleanField(db_default=True),
        ),
        ops.RunSQL(RULES, RULES_BACK),
        ops.RunSQL(INDEXES, INDEXES_BACK),
    ]
