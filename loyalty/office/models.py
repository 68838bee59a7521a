"""Tables of the office. Private to this room."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model


class Proof(Model):
    """The outcome of one look at the books. `differences`: those told one by one; `unshown`: how many more."""

    id = fields.IntField(primary_key=True)
    at = fields.DatetimeField()
    seconds = fields.IntField()
    customers = fields.BigIntField()
    entries = fields.BigIntField()
    lots = fields.BigIntField()
    receipts = fields.BigIntField()
    differences = fields.JSONField[list[dict[str, object]]]()
    unshown = fields.IntField()

    class Meta:
        app = "loyalty"
        table = "proof"


class Merge(Model):
    """Two cards of one person made one. `moved`: what went over, so that it can be taken back.

    survivor and merged are customers; the merged card leads to the survivor.
    """

    id = fields.IntField(primary_key=True)
    survivor = fields.ForeignKeyField("loyalty.Customer", on_delete=fields.RESTRICT, related_name=False)
    merged = fields.ForeignKeyField("loyalty.Customer", on_delete=fields.RESTRICT, related_name=False)
    moved = fields.JSONField[dict[str, object]]()
    staff = fields.ForeignKeyField("loyalty.StaffMember", null=True, on_delete=fields.RESTRICT, related_name=False)
    at = fields.DatetimeField()
    undone_at = fields.DatetimeField(null=True)
    undone_by = fields.ForeignKeyField("loyalty.StaffMember", null=True, on_delete=fields.RESTRICT, related_name=False)

    class Meta:
        app = "loyalty"
        table = "merge"
        indexes = (
            Index(fields=("survivor_id",), name="merge_survivor"),
            Index(fields=("merged_id",), name="merge_merged"),
        )


class MassAction(Model):
    """One act on many customers, done a little at a time. Whom it concerns stands in `mass_action_row`.

    That table's two-column key the ORM cannot declare: the migration creates it and plain SQL uses it. params: what to
    do; look: the search and the filter they were found by. place: the last customer it has been through, by id.
    resumed_at, resumed_from: since when it runs, and how far it was then. undo_of: whose changes it takes back.
    """

    id = fields.IntField(primary_key=True)
    key = fields.CharField(max_length=60, unique=True)  # made by the form: pressing twice starts once
    kind = fields.CharField(max_length=16)
    params = fields.JSONField[dict[str, object]]()
    look = fields.JSONField[dict[str, str] | None](null=True)  # null: ticked one by one
    state = fields.CharField(max_length=9)  # running, paused, done, cancelled, undoing, undone
    total = fields.IntField(default=0)
    done = fields.IntField(default=0)
    skipped = fields.IntField(default=0)
    failed = fields.IntField(default=0)
    place = fields.BigIntField(default=0)
    staff = fields.ForeignKeyField("loyalty.StaffMember", null=True, on_delete=fields.RESTRICT, related_name=False)
    created_at = fields.DatetimeField()
    resumed_at = fields.DatetimeField()
    resumed_from = fields.IntField(default=0)
    finished_at = fields.DatetimeField(null=True)
    undo_of = fields.OneToOneField("loyalty.MassAction", null=True, on_delete=fields.RESTRICT, related_name=False)

    class Meta:
        app = "loyalty"
        table = "mass_action"


class FileImport(Model):
    """A file of customers or appointments brought into the base. Its lines stand in `file_import_row` once it is read.

    settings: how it was read (encoding, separator, sheet, header) and what each column is. body: the file until it is
    read. total, added …: of its lines. place: the last line it has been through. read_until: when its lines are
    forgotten.
    """

    id = fields.IntField(primary_key=True)
    key = fields.CharField(max_length=60, unique=True)  # made by the form: sending twice keeps it once
    kind = fields.CharField(max_length=16)  # customers, appointments
    file_name = fields.CharField(max_length=120)
    size = fields.IntField()
    body = fields.BinaryField(null=True)
    state = fields.CharField(max_length=9)
    settings = fields.JSONField[dict[str, object]]()
    failure = fields.CharField(max_length=40, null=True)  # why it could not be read, as a code
    failure_details = fields.JSONField[dict[str, object] | None](null=True)
    total = fields.IntField(default=0)
    added = fields.IntField(default=0)
    changed = fields.IntField(default=0)
    same = fields.IntField(default=0)
    refused = fields.IntField(default=0)
    place = fields.IntField(default=0)
    staff = fields.ForeignKeyField("loyalty.StaffMember", null=True, on_delete=fields.RESTRICT, related_name=False)
    created_at = fields.DatetimeField()
    resumed_at = fields.DatetimeField()
    resumed_from = fields.IntField(default=0)
    finished_at = fields.DatetimeField(null=True)
    undone_at = fields.DatetimeField(null=True)
    undone_by = fields.ForeignKeyField("loyalty.StaffMember", null=True, on_delete=fields.RESTRICT, related_name=False)
    read_until = fields.DatetimeField(null=True)

    class Meta:
        app = "loyalty"
        table = "file_import"


class FileExport(Model):
    """Customers taken out as a file. Its pieces stand in `file_export_piece` until `expires_at`.

    look: the search, the filter and the order, as the address said them; chosen: those who were ticked. format: xlsx or
    csv. columns: keys of the base's columns; words: what they and their values are called in the asker's language.
    location_ids: what its asker may see; null: the whole chain. email: where its link goes; "" where no mail is sent.
    attempts: how often it was begun; a process that dies leaves it to the next.
    """

    id = fields.IntField(primary_key=True)
    key = fields.CharField(max_length=60, unique=True)  # made by the form: pressing twice makes one file
    look = fields.JSONField[dict[str, str] | None](null=True)
    chosen = fields.JSONField[list[int] | None](null=True)
    format = fields.CharField(max_length=4, db_default="xlsx")
    columns = fields.JSONField[list[str]]()
    words = fields.JSONField[dict[str, object] | None](null=True)
    location_ids = fields.JSONField[list[int] | None](null=True)
    shows_phones = fields.BooleanField()
    language = fields.CharField(max_length=2)
    email = fields.CharField(max_length=254)
    state = fields.CharField(max_length=9)
    failure = fields.CharField(max_length=40, null=True)
    attempts = fields.SmallIntField(db_default=0)
    total = fields.IntField(default=0)
    rows = fields.IntField(default=0)
    size = fields.BigIntField(default=0)
    staff = fields.ForeignKeyField("loyalty.StaffMember", null=True, on_delete=fields.RESTRICT, related_name=False)
    created_at = fields.DatetimeField()
    finished_at = fields.DatetimeField(null=True)
    expires_at = fields.DatetimeField(null=True)

    class Meta:
        app = "loyalty"
        table = "file_export"


class FileDownload(Model):
    """One time that somebody took an exported file: by its link from an e-mail, or from the log."""

    id = fields.BigIntField(primary_key=True)
    export = fields.ForeignKeyField("loyalty.FileExport", on_delete=fields.RESTRICT, related_name=False)
    staff = fields.ForeignKeyField("loyalty.StaffMember", null=True, on_delete=fields.RESTRICT, related_name=False)
    by_link = fields.BooleanField()
    at = fields.DatetimeField()

    class Meta:
        app = "loyalty"
        table = "file_download"
        indexes = (Index(fields=("export_id", "id"), name="file_download_export"),)


class DuplicateLook(Model):
    """What the last night found in a large base: cards that may be one person's. pairs: by what, and their ids."""

    id = fields.IntField(primary_key=True)
    at = fields.DatetimeField()
    pairs = fields.JSONField[list[dict[str, object]]]()

    class Meta:
        app = "loyalty"
        table = "duplicate_look"


class DashboardLook(Model):
    """The owner's figures of one period and location, as they were counted last. key: "30d", "30d:2"."""

    key = fields.CharField(max_length=60, primary_key=True)
    figures = fields.JSONField[dict[str, object]]()
    counted_at = fields.DatetimeField()
    milliseconds = fields.IntField()

    class Meta:
        app = "loyalty"
        table = "dashboard_look"
