"""Tables of conversations. Private to this room."""

from tortoise import fields
from tortoise.indexes import Index, PartialIndex
from tortoise.models import Model


class Conversation(Model):
    """The chat of one messenger account, with the dialog it is in. Its row is the lock of the chat."""

    account = fields.OneToOneField(
        "loyalty.MessengerAccount", primary_key=True, on_delete=fields.RESTRICT, related_name=False
    )
    session = fields.JSONField[dict[str, object]]()
    waiting_since = fields.DatetimeField(null=True)  # staff are to look at it
    last_message_at = fields.DatetimeField()

    class Meta:
        app = "loyalty"
        table = "conversation"
        indexes = (Index(fields=("waiting_since",), name="conversation_waiting"),)


class IncomingUpdate(Model):
    """What a messenger sent, as it came. Stored and committed before it is acknowledged.

    `source` is the account of ours that received it ("telegram:123456"), `external_id` the messenger's number,
    which gives the order within a chat. `body` is emptied once it is old.
    """

    id = fields.BigIntField(primary_key=True)
    source = fields.CharField(max_length=40)
    external_id = fields.BigIntField()
    chat = fields.CharField(max_length=64, null=True)
    body = fields.BinaryField(null=True)
    state = fields.CharField(max_length=8)  # new, done, ignored, failed
    reason = fields.CharField(max_length=60, null=True)
    received_at = fields.DatetimeField()
    done_at = fields.DatetimeField(null=True)

    class Meta:
        app = "loyalty"
        table = "incoming_update"
        unique_together = (("source", "external_id"),)
        indexes = (
            PartialIndex(
                fields=("source", "chat", "external_id"), name="incoming_update_new", condition={"state": "new"}
            ),
            Index(fields=("received_at",), name="incoming_update_received"),
        )


class Message(Model):
    """Something said by either side: a line of the log and, until it is sent, of the outbox.

    `content` is neutral (see content.py). `external_id` is the messenger's name for it. `dedupe_key` keeps one
    cause from speaking twice.
    """

    id = fields.BigIntField(primary_key=True)
    account = fields.ForeignKeyField("loyalty.MessengerAccount", on_delete=fields.RESTRICT, related_name=False)
    customer = fields.ForeignKeyField("loyalty.Customer", null=True, on_delete=fields.RESTRICT, related_name=False)
    direction = fields.CharField(max_length=3)  # in, out
    kind = fields.CharField(max_length=24)
    content = fields.JSONField[dict[str, object]]()
    status = fields.CharField(max_length=9)
    priority = fields.SmallIntField(default=0)  # 0 replies, 1 service, 2 bulk
    dedupe_key = fields.CharField(max_length=80, null=True, unique=True)
    external_id = fields.CharField(max_length=80, null=True)
    staff = fields.ForeignKeyField("loyalty.StaffMember", null=True, on_delete=fields.RESTRICT, related_name=False)
    created_at = fields.DatetimeField()
    due_at = fields.DatetimeField(null=True)
    leased_until = fields.DatetimeField(null=True)
    attempts = fields.SmallIntField(default=0)
    reason = fields.CharField(max_length=60, null=True)
    sent_at = fields.DatetimeField(null=True)

    class Meta:
        app = "loyalty"
        table = "message"
        indexes = (Index(fields=("account_id", "id"), name="message_account"),)


class Media(Model):
    """A picture or file of a message. `file_id` is the messenger's name for it until `body` is here."""

    id = fields.BigIntField(primary_key=True)
    message = fields.ForeignKeyField("loyalty.Message", on_delete=fields.RESTRICT, related_name=False)
    file_id = fields.CharField(max_length=200)
    mime = fields.CharField(max_length=100)
    size = fields.IntField(default=0)
    body = fields.BinaryField(null=True)
    state = fields.CharField(max_length=7)  # wanted, stored, failed
    due_at = fields.DatetimeField()
    attempts = fields.SmallIntField(default=0)

    class Meta:
        app = "loyalty"
        table = "media"
        indexes = (
            Index(fields=("message_id",), name="media_message"),
            PartialIndex(fields=("due_at",), name="media_wanted", condition={"state": "wanted"}),
        )


class ShownCard(Model):
    """A card that is open in a chat: its code changes there until `closes_at`, and finds its owner at a till."""

    message = fields.OneToOneField("loyalty.Message", primary_key=True, on_delete=fields.RESTRICT, related_name=False)
    customer = fields.ForeignKeyField("loyalty.Customer", on_delete=fields.RESTRICT, related_name=False)
    closes_at = fields.DatetimeField()
    due_at = fields.DatetimeField(null=True)  # when its face is to change; null once it is closed

    class Meta:
        app = "loyalty"
        table = "shown_card"
        indexes = (
            Index(fields=("due_at",), name="shown_card_due"),
            Index(fields=("closes_at",), name="shown_card_closes"),
        )


class ChannelPause(Model):
    """Why and until when nothing is sent through one account of ours. Kept here, so that no restart forgets it."""

    source = fields.CharField(max_length=40, primary_key=True)
    paused_until = fields.DatetimeField()
    reason = fields.CharField(max_length=20)  # rate, unauthorized
    at = fields.DatetimeField()

    class Meta:
        app = "loyalty"
        table = "channel_pause"


class ChannelLink(Model):
    """How people come to an account of ours in a messenger, as whoever receives there found out."""

    source = fields.CharField(max_length=40, primary_key=True)
    link = fields.CharField(max_length=200)  # what a link tells us follows at its end
    at = fields.DatetimeField()

    class Meta:
        app = "loyalty"
        table = "channel_link"
