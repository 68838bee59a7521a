"""Phones and e-mails as channels; what the shop itself decides of its messages, questions, consents and links."""

from loyalty import migrating
from tortoise.migrations import operations as ops
import functools
from json import dumps, loads
from tortoise.fields.base import OnDelete
from tortoise import fields
from tortoise.indexes import Index

RULES = """
ALTER TABLE messenger_account DROP CONSTRAINT messenger_account_channel;
ALTER TABLE messenger_account
    ADD CONSTRAINT messenger_account_channel CHECK (channel IN ('telegram', 'whatsapp', 'sms', 'email')),
    ADD CONSTRAINT messenger_account_talks CHECK (NOT is_default OR channel NOT IN ('sms', 'email'));
ALTER TABLE messaging ADD CONSTRAINT messaging_cap CHECK (cap_messages BETWEEN 0 AND 100 AND cap_days BETWEEN 1 AND 90);
ALTER TABLE question ADD CONSTRAINT question_kind CHECK (kind IN ('birthday', 'gender', 'text', 'date', 'choice'));
ALTER TABLE answer ADD CONSTRAINT answer_one CHECK (num_nonnulls(text, day, choice) = 1);
ALTER TABLE consent_text ADD CONSTRAINT consent_text_topic CHECK (topic IN ('terms', 'marketing'));
"""
RULES_BACK = """
ALTER TABLE messenger_account DROP CONSTRAINT messenger_account_channel, DROP CONSTRAINT messenger_account_talks;
ALTER TABLE messenger_account
    ADD CONSTRAINT messenger_account_channel CHECK (channel IN ('telegram', 'whatsapp'));
ALTER TABLE messaging DROP CONSTRAINT messaging_cap;
ALTER TABLE question DROP CONSTRAINT question_kind;
ALTER TABLE answer DROP CONSTRAINT answer_one;
ALTER TABLE consent_text DROP CONSTRAINT consent_text_topic;
"""
INDEXES = """
CREATE UNIQUE INDEX messenger_account_one ON messenger_account (channel, address) WHERE channel <> 'email';
CREATE UNIQUE INDEX question_of_profile ON question (kind) WHERE kind IN ('birthday', 'gender');
CREATE INDEX customer_entry_link ON customer (entry_link_id) WHERE entry_link_id IS NOT NULL;
CREATE INDEX message_capped ON message (customer_id, created_at) WHERE topic = 'marketing' AND direction = 'out';
CREATE INDEX message_named ON message (external_id) WHERE channel = 'sms' AND direction = 'out';
"""
INDEXES_BACK = """
DROP INDEX message_named, message_capped, customer_entry_link, question_of_profile, messenger_account_one
"""
# Newcomers were asked for their birthday all along. What is known of people is where they can be written to.
ROWS = """
INSERT INTO question (kind, labels, choices, is_required, is_asked, position, updated_at)
VALUES ('birthday', '{}', '[]', false, true, 1, now()), ('gender', '{}', '[]', false, false, 2, now());
INSERT INTO messenger_account (channel, address, customer_id, name, language, is_active, is_default, created_at,
    linked_at)
SELECT place.channel, place.address, c.id, '', c.language, true, false, c.created_at, c.created_at
FROM customer c, LATERAL (VALUES ('sms', c.phone), ('email', c.email)) place (channel, address)
WHERE place.address IS NOT NULL;
UPDATE customer_facts SET sms = c.phone IS NOT NULL, email = c.email IS NOT NULL
FROM customer c WHERE c.id = customer_facts.customer_id AND (c.phone IS NOT NULL OR c.email IS NOT NULL);
"""
ROWS_BACK = """
DELETE FROM message WHERE channel IN ('sms', 'email');
DELETE FROM conversation WHERE account_id IN (SELECT id FROM messenger_account WHERE channel IN ('sms', 'email'));
DELETE FROM messenger_account WHERE channel IN ('sms', 'email');
"""


class Migration(migrating.Migration):
    dependencies = [("loyalty", "0012_channels")]

    operations = [
        ops.CreateModel(
            name="ConsentText",
            fields=[
                ("id", fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("topic", fields.CharField(max_length=10)),
                ("version", fields.SmallIntField()),
                ("language", fields.CharField(max_length=2)),
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
                ("published_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "consent_text",
                "app": "loyalty",
                "unique_together": (("topic", "version", "language"),),
                "pk_attr": "id",
                "table_description": "What people are asked to agree to, in one language. A version is never changed: a new one follows it.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="DialogText",
            fields=[
                ("id", fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("name", fields.CharField(max_length=24)),
                ("language", fields.CharField(max_length=2)),
                ("text", fields.TextField(unique=False)),
                ("updated_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "dialog_text",
                "app": "loyalty",
                "unique_together": (("name", "language"),),
                "pk_attr": "id",
                "table_description": "Words of the shop's own in its chats, in one language: its greeting, what a new customer reads.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="EntryLink",
            fields=[
                ("id", fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("code", fields.CharField(unique=True, max_length=12)),
                ("name", fields.CharField(max_length=80)),
                ("source", fields.CharField(max_length=40)),
                (
                    "location",
                    fields.ForeignKeyField(
                        "loyalty.Location",
                        source_field="location_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
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
                ("deleted_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "entry_link",
                "app": "loyalty",
                "pk_attr": "id",
                "table_description": "A link, or its QR code, by which people come: where it hangs, or who shows it. `code` stands in it.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="EntryVisit",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                (
                    "link",
                    fields.ForeignKeyField(
                        "loyalty.EntryLink",
                        source_field="link_id",
                        db_constraint=True,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
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
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "entry_visit",
                "app": "loyalty",
                "unique_together": (("link", "account"),),
                "pk_attr": "id",
                "table_description": "An account that opened an entry link, for the first time.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="MessageType",
            fields=[
                ("name", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=24)),
                ("channels", fields.CharField(max_length=60)),
                ("own_first", fields.BooleanField()),
                ("texts", fields.JSONField(encoder=functools.partial(dumps, separators=(",", ":")), decoder=loads)),
                ("updated_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "message_type",
                "app": "loyalty",
                "pk_attr": "name",
                "table_description": "What the shop decided about one type of message; without a row it is as the house has it.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Question",
            fields=[
                ("id", fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("kind", fields.CharField(max_length=8)),
                ("labels", fields.JSONField(encoder=functools.partial(dumps, separators=(",", ":")), decoder=loads)),
                ("choices", fields.JSONField(encoder=functools.partial(dumps, separators=(",", ":")), decoder=loads)),
                ("is_required", fields.BooleanField()),
                ("is_asked", fields.BooleanField()),
                ("position", fields.SmallIntField()),
                ("updated_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("deleted_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "question",
                "app": "loyalty",
                "pk_attr": "id",
                "table_description": "Something that newcomers are asked in the chat.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Answer",
            fields=[
                ("id", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
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
                (
                    "question",
                    fields.ForeignKeyField(
                        "loyalty.Question",
                        source_field="question_id",
                        db_constraint=True,
                        to_field="id",
                        related_name=False,
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("text", fields.CharField(null=True, max_length=500)),
                ("day", fields.DateField(null=True)),
                ("choice", fields.SmallIntField(null=True)),
                ("via", fields.CharField(max_length=10)),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "answer",
                "app": "loyalty",
                "unique_together": (("customer", "question"),),
                "indexes": [Index(fields=["question_id", "choice"], name="answer_question")],
                "pk_attr": "id",
                "table_description": "What a customer answered to one of the shop's own questions: one of the three columns, by the question's kind.",
            },
            bases=["Model"],
        ),
        ops.AddField(
            model_name="Customer",
            name="entry_link",
            field=fields.ForeignKeyField(
                "loyalty.EntryLink",
                source_field="entry_link_id",
                null=True,
                db_constraint=True,
                to_field="id",
                related_name=False,
                on_delete=OnDelete.RESTRICT,
            ),
        ),
        ops.AddField(
            model_name="CustomerFacts",
            name="email",
            field=fields.BooleanField(db_default=False),
        ),
        ops.AddField(
            model_name="CustomerFacts",
            name="sms",
            field=fields.BooleanField(db_default=False),
        ),
        ops.AddField(
            model_name="Messaging",
            name="cap_days",
            field=fields.SmallIntField(db_default=7),
        ),
        ops.AddField(
            model_name="Messaging",
            name="cap_messages",
            field=fields.SmallIntField(db_default=0),
        ),
        ops.RemoveConstraint(
            model_name="MessengerAccount",
            name=None,
            fields=["channel", "address"],
        ),
        ops.AlterModelOptions(
            name="MessengerAccount",
            options={
                "table": "messenger_account",
                "app": "loyalty",
                "indexes": [
                    Index(fields=["customer_id"], name="messenger_account_customer"),
                    Index(fields=["channel", "address"], name="messenger_account_address"),
                ],
                "pk_attr": "id",
                "table_description": "Where somebody can be written to. In messengers a person has any number; before registration it is nobody's.",
            },
        ),
        ops.AlterField(
            model_name="MessengerAccount",
            name="address",
            field=fields.CharField(max_length=254),
        ),
        ops.AddIndex(
            model_name="MessengerAccount",
            index=Index(fields=["channel", "address"], name="messenger_account_address"),
        ),
        ops.RunSQL(RULES, RULES_BACK),
        ops.RunSQL(INDEXES, INDEXES_BACK),
        ops.RunSQL(ROWS, ROWS_BACK),
    ]
