"""The client base: its columns, labels, segments with conditions, views, bookings, merged and deleted cards."""

from loyalty import migrating
from tortoise.migrations import operations as ops
import datetime as dt
import functools
from json import dumps, loads
from tortoise.fields.base import OnDelete
from tortoise import fields
from tortoise.indexes import Index

# What people type is folded as names are, and then compared. `fold_name`: one case, no marks, Ukrainian and Russian
# letters alike. `romanize_name` of that: one spelling for both alphabets; pairs of letters by which Latin writes one
# Cyrillic letter become that letter, before the rest of both alphabets meet.
FOLD = r"""
CREATE FUNCTION fold_name(name TEXT) RETURNS TEXT LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
SELECT btrim(regexp_replace(translate(
    regexp_replace(normalize(lower($1), NFKD), '[\u0300-\u036f]', '', 'g'),
    'іґє''’ʼ`"%_\\', 'иге'), '[-[:space:].,;:()/|+*&]+', ' ', 'g'))
$$;
CREATE FUNCTION romanize_name(folded TEXT) RETURNS TEXT LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
SELECT replace(translate(
    replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(replace(
    replace(replace($1,
        'shch', 'ш'), 'sch', 'ш'), 'щ', 'ш'), 'sh', 'ш'), 'tch', 'ч'), 'ch', 'ч'), 'zh', 'ж'), 'kh', 'h'), 'tz', 'ц'),
        'ts', 'ц'), 'ck', 'k'), 'ph', 'f'), 'x', 'ks'), 'ye', 'e'), 'ю', 'iu'), 'я', 'ia'),
    'абвгдезиклмнопрстуфхыэgyjwqcъь',
    'abvhdeziklmnoprstufhiehiivkk'),
    'iia', 'ia')
$$;
"""
# A space before the first word lets a pattern ask for the beginning of any.
SEARCH = """
ALTER TABLE customer ADD COLUMN search_name TEXT NOT NULL
    GENERATED ALWAYS AS (' ' || fold_name(name) || ' ' || romanize_name(fold_name(name))) STORED;
DROP INDEX customer_name_trigrams, customer_name_prefix;
CREATE INDEX customer_search_trigrams ON customer USING gin (search_name gin_trgm_ops);
"""
SEARCH_BACK = """
ALTER TABLE customer DROP COLUMN search_name;
CREATE INDEX customer_name_trigrams ON customer USING gin (lower(name) gin_trgm_ops);
CREATE INDEX customer_name_prefix ON customer (lower(name) text_pattern_ops);
"""

PAIRS = """
CREATE TABLE customer_category (
    category_id INT NOT NULL REFERENCES category (id) ON DELETE RESTRICT,
    customer_id BIGINT NOT NULL REFERENCES customer (id) ON DELETE RESTRICT,
    rule_id INT REFERENCES label_rule (id) ON DELETE RESTRICT,
    staff_id INT REFERENCES staff_member (id) ON DELETE RESTRICT,
    added_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (category_id, customer_id)
);
CREATE INDEX customer_category_customer ON customer_category (customer_id);
CREATE TABLE staff_location (
    staff_id INT NOT NULL REFERENCES staff_member (id) ON DELETE RESTRICT,
    location_id INT NOT NULL REFERENCES location (id) ON DELETE RESTRICT,
    PRIMARY KEY (staff_id, location_id)
);
CREATE TABLE appointment_service (
    appointment_id BIGINT NOT NULL REFERENCES appointment (id) ON DELETE RESTRICT,
    service_id INT NOT NULL REFERENCES service (id) ON DELETE RESTRICT,
    PRIMARY KEY (appointment_id, service_id)
);
CREATE TABLE customer_team_member (
    team_member_id INT NOT NULL REFERENCES team_member (id) ON DELETE RESTRICT,
    customer_id BIGINT NOT NULL REFERENCES customer (id) ON DELETE RESTRICT,
    visits INT NOT NULL CHECK (visits >= 0),
    last_visit_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (team_member_id, customer_id)
);
CREATE INDEX customer_team_member_customer ON customer_team_member (customer_id);
CREATE TABLE customer_service (
    service_id INT NOT NULL REFERENCES service (id) ON DELETE RESTRICT,
    customer_id BIGINT NOT NULL REFERENCES customer (id) ON DELETE RESTRICT,
    visits INT NOT NULL CHECK (visits >= 0),
    last_visit_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (service_id, customer_id)
);
CREATE INDEX customer_service_customer ON customer_service (customer_id);
CREATE TABLE customer_service_category (
    service_category_id INT NOT NULL REFERENCES service_category (id) ON DELETE RESTRICT,
    customer_id BIGINT NOT NULL REFERENCES customer (id) ON DELETE RESTRICT,
    visits INT NOT NULL CHECK (visits >= 0),
    last_visit_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (service_category_id, customer_id)
);
CREATE INDEX customer_service_category_customer ON customer_service_category (customer_id);
"""
PAIRS_BACK = """
DROP TABLE customer_service_category, customer_service, customer_team_member, appointment_service, staff_location,
    customer_category;
"""

RULES = """
ALTER TABLE appointment
    ADD CONSTRAINT appointment_state CHECK (state IN ('planned', 'came', 'cancelled', 'no_show')),
    ADD CONSTRAINT appointment_source CHECK (source IN ('online', 'phone', 'walk_in')),
    ADD CONSTRAINT appointment_tips CHECK (tips >= 0),
    ADD CONSTRAINT appointment_times CHECK (ends_at > starts_at);
ALTER TABLE label_rule ADD CONSTRAINT label_rule_target CHECK (target IN ('category', 'discount', 'importance'));
ALTER TABLE customer ADD CONSTRAINT customer_merged CHECK (merged_into_id <> id);
ALTER TABLE customer_facts ADD CONSTRAINT customer_facts_visits
    CHECK (tips >= 0 AND locations >= 0 AND year_days >= 0 AND frequency >= 0);
ALTER TABLE merge ADD CONSTRAINT merge_two CHECK (survivor_id <> merged_id);
"""
RULES_BACK = """
ALTER TABLE merge DROP CONSTRAINT merge_two;
ALTER TABLE customer_facts DROP CONSTRAINT customer_facts_visits;
ALTER TABLE customer DROP CONSTRAINT customer_merged;
ALTER TABLE label_rule DROP CONSTRAINT label_rule_target;
ALTER TABLE appointment DROP CONSTRAINT appointment_state, DROP CONSTRAINT appointment_source,
    DROP CONSTRAINT appointment_tips, DROP CONSTRAINT appointment_times;
"""

# Of the facts few rows stand in the last five: most people have no booking, discount, class, tips or debt. That of birthdays holds
# everybody: the planner counts by the statistics of an expression only where an index has all of it.
INDEXES = """
CREATE UNIQUE INDEX appointment_external ON appointment (location_id, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX appointment_planned ON appointment (team_member_id, starts_at) WHERE state = 'planned';
CREATE UNIQUE INDEX category_name ON category (lower(name)) WHERE archived_at IS NULL;
CREATE UNIQUE INDEX importance_class_name ON importance_class (lower(name)) WHERE archived_at IS NULL;
CREATE UNIQUE INDEX saved_view_name ON saved_view (staff_id, lower(name));
CREATE UNIQUE INDEX label_rule_name ON label_rule (lower(name)) WHERE archived_at IS NULL;
CREATE UNIQUE INDEX merge_live ON merge (merged_id) WHERE undone_at IS NULL;
CREATE INDEX customer_home_location ON customer (home_location_id, id) WHERE home_location_id IS NOT NULL;
CREATE INDEX customer_birthday ON customer (((extract(month FROM birthday) * 100 + extract(day FROM birthday))::int));
CREATE INDEX customer_gender ON customer (gender);
CREATE INDEX customer_language ON customer (language);
CREATE INDEX customer_created_via ON customer (created_via);
CREATE INDEX customer_created_by ON customer (created_by_id) WHERE created_by_id IS NOT NULL;
CREATE INDEX customer_without_phone ON customer (id) WHERE phone IS NULL;
CREATE INDEX messenger_account_inactive ON messenger_account (channel, customer_id) WHERE NOT is_active;
CREATE INDEX messenger_account_stopped ON messenger_account (channel, customer_id) WHERE NOT takes_marketing;
CREATE INDEX conversation_heard ON conversation (heard_at, account_id) WHERE heard_at IS NOT NULL;
CREATE INDEX appointment_online ON appointment (customer_id) WHERE source = 'online';
CREATE INDEX appointment_missed ON appointment (starts_at) WHERE state = 'no_show';
CREATE INDEX customer_deleted ON customer (deleted_at, id) WHERE deleted_at IS NOT NULL;
CREATE INDEX customer_merged_into ON customer (merged_into_id) WHERE merged_into_id IS NOT NULL;
CREATE INDEX customer_facts_next_booking ON customer_facts (next_booking_at, customer_id)
    WHERE next_booking_at > TIMESTAMPTZ '1970-01-01 00:00+00';
CREATE INDEX customer_facts_discount ON customer_facts (discount_bp, customer_id) WHERE discount_bp > 0;
CREATE INDEX customer_facts_importance ON customer_facts (importance_id, customer_id) WHERE importance_id > 0;
CREATE INDEX customer_facts_tips ON customer_facts (tips, customer_id) WHERE tips > 0;
CREATE INDEX customer_facts_debt ON customer_facts (debt, customer_id) WHERE debt > 0;
"""
INDEXES_BACK = """
DROP INDEX customer_facts_debt, customer_facts_tips, customer_facts_importance, customer_facts_discount, customer_facts_next_booking, customer_merged_into,
    customer_deleted, appointment_missed, appointment_online, conversation_heard, messenger_account_stopped, messenger_account_inactive,
    customer_without_phone, customer_created_by, customer_created_via, customer_language, customer_gender,
    customer_birthday, customer_home_location, merge_live, label_rule_name, saved_view_name,
    importance_class_name, category_name, appointment_planned, appointment_external;
"""

# What the new facts are of those who came before.
ROWS = """
INSERT INTO importance_class (name, rank) VALUES ('1', 1), ('2', 2), ('3', 3);
UPDATE customer_facts SET locations = places.count
FROM (SELECT customer_id, count(*) AS count FROM customer_location WHERE visits > 0 GROUP BY 1) places
WHERE places.customer_id = customer_facts.customer_id;
UPDATE customer_facts SET year_days = days, year_first_on = first, year_last_on = last,
    frequency = CASE WHEN days >= 3 THEN round((last - first) * 10.0 / (days - 1)) ELSE 0 END
FROM (SELECT customer_id, count(DISTINCT business_date) AS days, min(business_date) AS first, max(business_date) AS last
    FROM receipt WHERE kind = 'sale' AND refunded < total AND business_date > current_date - 365 GROUP BY 1) year
WHERE year.customer_id = customer_facts.customer_id;
"""


class Migration(migrating.Migration):
    dependencies = [('loyalty', '0014_outgoing')]

    initial = False

    operations = [
        ops.CreateModel(
            name='Category',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('name', fields.CharField(max_length=40)),
                ('color', fields.CharField(max_length=8)),
                ('created_by', fields.ForeignKeyField('loyalty.StaffMember', source_field='created_by_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('archived_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'category', 'app': 'loyalty', 'pk_attr': 'id', 'table_description': 'A coloured label for customers. Never deleted: rules and the journal name it.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='ImportanceClass',
            fields=[
                ('id', fields.SmallIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('name', fields.CharField(max_length=40)),
                ('rank', fields.SmallIntField()),
                ('archived_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'importance_class', 'app': 'loyalty', 'pk_attr': 'id', 'table_description': "How much a customer matters, in the owner's words. The higher the rank, the more."},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='LabelRule',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('name', fields.CharField(max_length=60)),
                ('target', fields.CharField(max_length=10)),
                ('value', fields.IntField()),
                ('conditions', fields.JSONField(encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads)),
                ('position', fields.SmallIntField()),
                ('is_active', fields.BooleanField(default=True)),
                ('created_by', fields.ForeignKeyField('loyalty.StaffMember', source_field='created_by_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('due_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('applied_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('size', fields.IntField(default=0)),
                ('archived_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'label_rule', 'app': 'loyalty', 'pk_attr': 'id', 'table_description': 'Gives customers who meet its conditions a category, a personal discount or an importance class.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Merge',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('survivor', fields.ForeignKeyField('loyalty.Customer', source_field='survivor_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('merged', fields.ForeignKeyField('loyalty.Customer', source_field='merged_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('moved', fields.JSONField(encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads)),
                ('staff', fields.ForeignKeyField('loyalty.StaffMember', source_field='staff_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('undone_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('undone_by', fields.ForeignKeyField('loyalty.StaffMember', source_field='undone_by_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
            ],
            options={'table': 'merge', 'app': 'loyalty', 'indexes': [Index(fields=['survivor_id'], name='merge_survivor'), Index(fields=['merged_id'], name='merge_merged')], 'pk_attr': 'id', 'table_description': 'Two cards of one person made one. `moved`: what went over, so that it can be taken back.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='SavedView',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('staff', fields.ForeignKeyField('loyalty.StaffMember', source_field='staff_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('name', fields.CharField(max_length=60)),
                ('query', fields.TextField(unique=False)),
                ('is_shared', fields.BooleanField(default=False)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'saved_view', 'app': 'loyalty', 'pk_attr': 'id', 'table_description': "A look at the base that somebody keeps: the query of its address. Shared ones are everybody's to open."},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='SegmentSize',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('segment', fields.ForeignKeyField('loyalty.Segment', source_field='segment_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('day', fields.DateField()),
                ('size', fields.IntField()),
                ('counted_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'segment_size', 'app': 'loyalty', 'unique_together': (('segment', 'day'),), 'pk_attr': 'id', 'table_description': "How many customers a segment had on a day of the shop's."},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='ServiceCategory',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('name', fields.CharField(max_length=100)),
                ('external_id', fields.CharField(null=True, unique=True, max_length=64)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('archived_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'service_category', 'app': 'loyalty', 'pk_attr': 'id', 'table_description': 'A group of services.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Service',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('name', fields.CharField(max_length=200)),
                ('category', fields.ForeignKeyField('loyalty.ServiceCategory', source_field='category_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('external_id', fields.CharField(null=True, unique=True, max_length=64)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('archived_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'service', 'app': 'loyalty', 'pk_attr': 'id', 'table_description': 'Something that is done for customers at a time.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='TableLayout',
            fields=[
                ('staff', fields.OneToOneField('loyalty.StaffMember', source_field='staff_id', primary_key=True, db_index=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('columns', fields.JSONField(encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads)),
            ],
            options={'table': 'table_layout', 'app': 'loyalty', 'pk_attr': 'staff_id', 'table_description': 'The columns of a table as one person wants them: [[key, is pinned], ...] in order.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='TeamMember',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('name', fields.CharField(max_length=100)),
                ('position', fields.CharField(default='', max_length=100)),
                ('location', fields.ForeignKeyField('loyalty.Location', source_field='location_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('external_id', fields.CharField(null=True, unique=True, max_length=64)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('archived_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'team_member', 'app': 'loyalty', 'pk_attr': 'id', 'table_description': 'Somebody who serves customers: a hairdresser, a barista. Not an account of the panel. Never deleted.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Appointment',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('customer', fields.ForeignKeyField('loyalty.Customer', source_field='customer_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('location', fields.ForeignKeyField('loyalty.Location', source_field='location_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('team_member', fields.ForeignKeyField('loyalty.TeamMember', source_field='team_member_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('starts_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('ends_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('business_date', fields.DateField()),
                ('state', fields.CharField(max_length=9)),
                ('source', fields.CharField(max_length=7)),
                ('tips', fields.BigIntField(default=0)),
                ('external_id', fields.CharField(null=True, max_length=64)),
                ('body_hash', fields.CharField(null=True, max_length=64)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('created_via', fields.CharField(max_length=10)),
                ('created_by', fields.ForeignKeyField('loyalty.StaffMember', source_field='created_by_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('api_key', fields.ForeignKeyField('loyalty.ApiKey', source_field='api_key_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('updated_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'appointment', 'app': 'loyalty', 'indexes': [Index(fields=['customer_id', 'starts_at'], name='appointment_customer'), Index(fields=['starts_at'], name='appointment_starts')], 'pk_attr': 'id', 'table_description': 'A booked time. `business_date` is its local day at the location; tips in minor units.'},
            bases=['Model'],
        ),
        ops.AddField(
            model_name='Customer',
            name='deleted_at',
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name='Customer',
            name='deleted_by',
            field=fields.ForeignKeyField('loyalty.StaffMember', source_field='deleted_by_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT),
        ),
        ops.AddField(
            model_name='Customer',
            name='erased_at',
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name='Customer',
            name='merged_into',
            field=fields.ForeignKeyField('loyalty.Customer', source_field='merged_into_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT),
        ),
        ops.AddField(
            model_name='CustomerFacts',
            name='discount_rule_id',
            field=fields.IntField(db_default=0),
        ),
        ops.AddField(
            model_name='CustomerFacts',
            name='frequency',
            field=fields.IntField(db_default=0),
        ),
        ops.AddField(
            model_name='CustomerFacts',
            name='importance_id',
            field=fields.SmallIntField(db_default=0),
        ),
        ops.AddField(
            model_name='CustomerFacts',
            name='importance_rule_id',
            field=fields.IntField(db_default=0),
        ),
        ops.AddField(
            model_name='CustomerFacts',
            name='is_hidden',
            field=fields.BooleanField(db_default=False),
        ),
        ops.AddField(
            model_name='CustomerFacts',
            name='locations',
            field=fields.SmallIntField(db_default=0),
        ),
        ops.AddField(
            model_name='CustomerFacts',
            name='next_booking_at',
            field=fields.DatetimeField(db_default=dt.datetime.fromisoformat('1970-01-01T00:00:00+00:00'), auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name='CustomerFacts',
            name='tips',
            field=fields.BigIntField(db_default=0),
        ),
        ops.AddField(
            model_name='CustomerFacts',
            name='year_days',
            field=fields.SmallIntField(db_default=0),
        ),
        ops.AddField(
            model_name='CustomerFacts',
            name='year_first_on',
            field=fields.DateField(db_default=dt.date.fromisoformat('1970-01-01')),
        ),
        ops.AddField(
            model_name='CustomerFacts',
            name='year_last_on',
            field=fields.DateField(db_default=dt.date.fromisoformat('1970-01-01')),
        ),
        ops.AlterModelOptions(
            name='Segment',
            options={'table': 'segment', 'app': 'loyalty', 'pk_attr': 'id', 'table_description': 'A named group of customers: filled by hand, or whoever meets its conditions.'},
        ),
        ops.AddField(
            model_name='Segment',
            name='conditions',
            field=fields.JSONField(null=True, encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads),
        ),
        ops.AddField(
            model_name='Segment',
            name='is_exclusion',
            field=fields.BooleanField(db_default=False),
        ),
        ops.RunSQL(FOLD, "DROP FUNCTION romanize_name, fold_name"),
        ops.RunSQL(SEARCH, SEARCH_BACK),
        ops.RunSQL(PAIRS, PAIRS_BACK),
        ops.RunSQL(RULES, RULES_BACK),
        ops.RunSQL(INDEXES, INDEXES_BACK),
        ops.RunSQL(ROWS, "DELETE FROM importance_class"),
    ]
