"""Tables of conversations. Private to this room."""

from tortoise import fields
from tortoise.indexes import Index, PartialIndex
from tortoise.models import Model


class Conversation(Model):
    """The chat of one messenger account, with the dialog it is in. Its row is the lock of the chat.

    `state`: bot (nobody but the bot has to do with it), open (people are wanted or answer), closed (they are done).
    `staffed_at`: since when a person answers and the bot is silent. `unread`: what came since staff last looked.
    """

    account = fields.OneToOneField(
        "loyalty.MessengerAccount", primary_key=True, on_delete=fields.RESTRICT, related_name=False
    )
    session = fields.JSONField[dict[str, object]]()
    waiting_since = fields.DatetimeField(null=True)  # staff are to look at it
    last_message_at = fields.DatetimeField()
    heard_at = fields.DatetimeField(null=True)  # when its person last said something
    state = fields.CharField(max_length=6, db_default="bot")  # bot, open, closed
    assignee = fields.ForeignKeyField("loyalty.StaffMember", null=True, on_delete=fields.RESTRICT, related_name=False)
    staffed_at = fields.DatetimeField(null=True)
    unread = fields.IntField(db_default=0)

    class Meta:
        app = "loyalty"
        table = "conversation"
        indexes = (
            Index(fields=("waiting_since",), name="conversation_waiting"),
            PartialIndex(
                fields=("last_message_at", "account_id"), name="conversation_open", condition={"state": "open"}
            ),
            PartialIndex(
                fields=("last_message_at", "account_id"), name="conversation_closed", condition={"state": "closed"}
            ),
        )


class IncomingUpdate(Model):
    """What a messenger sent, as it came. Stored and committed before it is acknowledged.

    `source` is the account of ours that received it ("telegram:123456"), `external_id` the messenger's name for it,
    `position` its place within a chat. `body` is emptied once it is old.
    """

    id = fields.BigIntField(primary_key=True)
    source = fields.CharField(max_length=40)
    external_id = fields.CharField(max_length=160)
    position = fields.BigIntField()
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
                fields=("source", "chat", "position", "id"), name="incoming_update_new", condition={"state": "new"}
            ),
            PartialIndex(fields=("id",), name="incoming_update_failed", condition={"state": "failed"}),
            Index(fields=("received_at",), name="incoming_update_received"),
        )


class Message(Model):
    """Something said by either side, or by staff among themselves: a line of the log and, until sent, of the outbox.

    `content` is neutral (see content.py). `external_id` is the messenger's name for it. `dedupe_key` keeps one
    cause from speaking twice. `topic` is what consent it needs. `instead_of`: the message that could not be sent
    through another account of its person. `units`: for how many messages its channel charges, as of its last try: parts
    of an SMS, 0 for a text within WhatsApp's hours; null: it was not tried, or nobody counted then.
    """

    id = fields.BigIntField(primary_key=True)
    account = fields.ForeignKeyField("loyalty.MessengerAccount", on_delete=fields.RESTRICT, related_name=False)
    customer = fields.ForeignKeyField("loyalty.Customer", null=True, on_delete=fields.RESTRICT, related_name=False)
    channel = fields.CharField(max_length=10)  # the account's: each channel has a queue of its own
    direction = fields.CharField(max_length=3)  # in, out, log (a note among staff)
    kind = fields.CharField(max_length=24)
    content = fields.JSONField[dict[str, object]]()
    status = fields.CharField(max_length=9)
    priority = fields.SmallIntField(default=0)  # 0 replies, 1 service, 2 bulk
    dedupe_key = fields.CharField(max_length=80, null=True, unique=True)
    topic = fields.CharField(max_length=10, db_default="service")  # service, marketing, surveys
    instead_of = fields.ForeignKeyField("loyalty.Message", null=True, on_delete=fields.RESTRICT, related_name=False)
    external_id = fields.CharField(max_length=160, null=True)
    staff = fields.ForeignKeyField("loyalty.StaffMember", null=True, on_delete=fields.RESTRICT, related_name=False)
    created_at = fields.DatetimeField()
    due_at = fields.DatetimeField(null=True)
    leased_until = fields.DatetimeField(null=True)
    attempts = fields.SmallIntField(default=0)
    reason = fields.CharField(max_length=60, null=True)
    sent_at = fields.DatetimeField(null=True)
    delivered_at = fields.DatetimeField(null=True)
    read_at = fields.DatetimeField(null=True)
    units = fields.SmallIntField(null=True)

    class Meta:
        app = "loyalty"
        table = "message"
        indexes = (Index(fields=("account_id", "id"), name="message_account"),)


class Media(Model):
    """A picture or file of a message. `file_id` is the messenger's name for it until `body` is here."""

    id = fields.BigIntField(primary_key=True)
    message = fields.ForeignKeyField("loyalty.Message", on_delete=fields.RESTRICT, related_name=False)
    file_id = fields.CharField(max_length=200)
    name = fields.CharField(max_length=120, db_default="")  # of a file, as its sender calls it
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
    reason = fields.CharField(max_length=20)  # rate, no_answer, unauthorized
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


class Attachment(Model):
    """A picture or file that we send; `Content.attachment` names it, so that many messages may carry one."""

    id = fields.BigIntField(primary_key=True)
    name = fields.CharField(max_length=120)
    mime = fields.CharField(max_length=100)
    size = fields.IntField()
    body = fields.BinaryField()
    staff = fields.ForeignKeyField("loyalty.StaffMember", null=True, on_delete=fields.RESTRICT, related_name=False)
    created_at = fields.DatetimeField()

    class Meta:
        app = "loyalty"
        table = "attachment"


class CannedReply(Model):
    """An answer that staff give often, in their own words."""

    id = fields.IntField(primary_key=True)
    title = fields.CharField(max_length=80)
    text = fields.TextField()
    staff = fields.ForeignKeyField("loyalty.StaffMember", null=True, on_delete=fields.RESTRICT, related_name=False)
    updated_at = fields.DatetimeField()
    deleted_at = fields.DatetimeField(null=True)

    class Meta:
        app = "loyalty"
        table = "canned_reply"


class MessageTemplate(Model):
    """A text that WhatsApp has approved for writing first. `body` has {{1}}, {{2}} … for the `variables`.

    variables: in their order, [{"name": …, "fallback": …}]; a name is one of ours or a free one that staff fill in.
    kind: the type of message that it stands in for while the 24 hours are over; null: written by staff alone.
    """

    id = fields.IntField(primary_key=True)
    name = fields.CharField(max_length=120)
    language = fields.CharField(max_length=8)
    category = fields.CharField(max_length=14)  # utility, marketing, authentication
    body = fields.TextField()
    variables = fields.JSONField[list[dict[str, str]]]()
    status = fields.CharField(max_length=10)  # draft, pending, approved, rejected, paused, disabled
    reason = fields.CharField(max_length=200, null=True)
    external_id = fields.CharField(max_length=40, null=True)
    kind = fields.CharField(max_length=24, null=True)
    updated_at = fields.DatetimeField()

    class Meta:
        app = "loyalty"
        table = "message_template"
        unique_together = (("name", "language"),)


class MessageType(Model):
    """What the shop decided about one type of message; without a row it is as the house has it.

    channels: in the order of preference, separated by commas; none at all: nobody gets it. own_first: before them, the
    messenger that a customer has chosen, if it is among them. texts: {language: {"text": …, "subject": …}}.
    """

    name = fields.CharField(max_length=24, primary_key=True)
    channels = fields.CharField(max_length=60)
    own_first = fields.BooleanField()
    texts = fields.JSONField[dict[str, dict[str, str]]]()
    updated_at = fields.DatetimeField()

    class Meta:
        app = "loyalty"
        table = "message_type"


class DialogText(Model):
    """Words of the shop's own in its chats, in one language: its greeting, what a new customer reads."""

    id = fields.IntField(primary_key=True)
    name = fields.CharField(max_length=24)
    language = fields.CharField(max_length=2)
    text = fields.TextField()
    updated_at = fields.DatetimeField()

    class Meta:
        app = "loyalty"
        table = "dialog_text"
        unique_together = (("name", "language"),)


class Messaging(Model):
    """How the shop writes: its one row. Hours by the clock of whoever is written to; equal ones: no quiet hours.

    cap_messages: so many advertising messages at most may a person get within cap_days; 0: no limit.
    """

    id = fields.SmallIntField(primary_key=True)
    quiet_from = fields.SmallIntField()
    quiet_until = fields.SmallIntField()
    cap_messages = fields.SmallIntField(db_default=0)
    cap_days = fields.SmallIntField(db_default=7)
    updated_at = fields.DatetimeField()

    class Meta:
        app = "loyalty"
        table = "messaging"


class MessagePrice(Model):
    """What one channel charges for a message, in hundredths of a minor unit: some cost less than a cent.

    advertising: of offers; service: of all else. Null, like no row: nobody has told.
    """

    channel = fields.CharField(max_length=10, primary_key=True)
    advertising = fields.IntField(null=True)
    service = fields.IntField(null=True)
    updated_at = fields.DatetimeField()

    class Meta:
        app = "loyalty"
        table = "message_price"


class SenderPulse(Model):
    """A worker that sends through one account of ours, and when it last said so: without Redis they share the pace."""

    id = fields.CharField(max_length=40, primary_key=True)
    source = fields.CharField(max_length=40)
    at = fields.DatetimeField()

    class Meta:
        app = "loyalty"
        table = "sender_pulse"
