"""Tasks, surveys, and what a campaign may say, when it starts, what came of it; the owner's figures."""

import datetime as dt
import functools
from json import dumps, loads

from tortoise import fields
from tortoise.fields.base import OnDelete
from tortoise.indexes import Index, PartialIndex
from tortoise.migrations import operations as ops

from loyalty import migrating

TASKS = """
ALTER TABLE task
    ADD CONSTRAINT task_state CHECK (state IN ('open', 'done', 'cancelled')),
    ADD CONSTRAINT task_origin CHECK (origin IN ('hand', 'inbox', 'survey', 'automation')),
    ADD CONSTRAINT task_closed CHECK ((state = 'open') = (closed_at IS NULL));
"""
TASKS_BACK = """
ALTER TABLE task DROP CONSTRAINT task_closed, DROP CONSTRAINT task_origin, DROP CONSTRAINT task_state;
"""
SURVEYS = """
ALTER TABLE survey_invitation
    ADD CONSTRAINT survey_invitation_state CHECK (state IN ('waiting', 'asked', 'answered', 'skipped', 'expired'));
ALTER TABLE survey_answer
    ADD CONSTRAINT survey_answer_score CHECK (score BETWEEN 0 AND 10);
ALTER TABLE survey_programme
    ADD CONSTRAINT survey_programme_one CHECK (id = 1),
    ADD CONSTRAINT survey_programme_figures CHECK (delay_hours BETWEEN 0 AND 720 AND pause_days BETWEEN 90 AND 3650
        AND minimum >= 0 AND bonus >= 0);
ALTER TABLE customer_facts ADD CONSTRAINT customer_facts_nps CHECK (nps BETWEEN -1 AND 10);
"""
SURVEYS_BACK = """
ALTER TABLE customer_facts DROP CONSTRAINT customer_facts_nps;
ALTER TABLE survey_programme DROP CONSTRAINT survey_programme_figures, DROP CONSTRAINT survey_programme_one;
ALTER TABLE survey_answer DROP CONSTRAINT survey_answer_score;
ALTER TABLE survey_invitation DROP CONSTRAINT survey_invitation_state;
"""
# Who is of the control group is frozen with the others. `due`: sent, and the bonus is still to be given.
CAMPAIGNS = """
ALTER TABLE recipient DROP CONSTRAINT recipient_state;
ALTER TABLE recipient
    ADD CONSTRAINT recipient_state CHECK (state IN ('waiting', 'queued', 'due', 'done', 'skipped', 'control'));
CREATE INDEX recipient_due ON recipient (campaign_id, customer_id) WHERE state = 'due';
ALTER TABLE campaign DROP CONSTRAINT campaign_state;
ALTER TABLE campaign
    ADD CONSTRAINT campaign_state
        CHECK (state IN ('draft', 'scheduled', 'running', 'paused', 'finished', 'cancelled')),
    ADD CONSTRAINT campaign_figures CHECK (control_bp BETWEEN 0 AND 5000 AND window_days BETWEEN 0 AND 365
        AND bonus >= 0 AND bonus_days >= 0);
CREATE INDEX campaign_scheduled ON campaign (starts_at) WHERE state = 'scheduled';
CREATE INDEX campaign_series ON campaign (series_id, id) WHERE series_id IS NOT NULL;
CREATE TABLE campaign_click (
    campaign_id INT NOT NULL REFERENCES campaign (id) ON DELETE RESTRICT,
    customer_id BIGINT NOT NULL,
    button SMALLINT NOT NULL,
    first_at TIMESTAMPTZ NOT NULL,
    clicks INT NOT NULL DEFAULT 1,
    PRIMARY KEY (campaign_id, customer_id, button)
);
"""
CAMPAIGNS_BACK = """
DROP TABLE campaign_click;
DROP INDEX campaign_series;
DROP INDEX campaign_scheduled;
ALTER TABLE campaign DROP CONSTRAINT campaign_figures, DROP CONSTRAINT campaign_state;
ALTER TABLE campaign
    ADD CONSTRAINT campaign_state CHECK (state IN ('running', 'paused', 'finished', 'cancelled'));
DROP INDEX recipient_due;
ALTER TABLE recipient DROP CONSTRAINT recipient_state;
ALTER TABLE recipient
    ADD CONSTRAINT recipient_state CHECK (state IN ('waiting', 'queued', 'done', 'skipped'));
"""


class Migration(migrating.Migration):
    """`task`, `staff_chat`; `survey_*`; `campaign` widened, `campaign_click`; `dashboard_look`."""

    dependencies = [("loyalty", "0023_duplicates")]

    initial = False

    operations = [
        ops.CreateModel(
            name='DashboardLook',
            fields=[
                ('key', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=60)),
                ('figures', fields.JSONField(encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads)),
                ('counted_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('milliseconds', fields.IntField()),
            ],
            options={'table': 'dashboard_look', 'app': 'loyalty', 'pk_attr': 'key', 'table_description': 'The owner\'s figures of one period and location, as they were counted last. key: "30d", "30d:2".'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='StaffChat',
            fields=[
                ('staff', fields.OneToOneField('loyalty.StaffMember', source_field='staff_id', primary_key=True, db_index=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('linked_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('code_hash', fields.CharField(null=True, unique=True, max_length=64)),
                ('code_expires_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'staff_chat', 'app': 'loyalty', 'pk_attr': 'staff_id', 'table_description': 'The messenger account in which a member of staff is reminded, linked by a code that works once.'},
            bases=['Model'],
        ),
        # In a step of its own: of two such columns the ORM makes one or the other first.
        ops.AddField(
            model_name='StaffChat',
            name='account',
            field=fields.OneToOneField('loyalty.MessengerAccount', source_field='account_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT),
        ),
        ops.CreateModel(
            name='SurveyProgramme',
            fields=[
                ('id', fields.SmallIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('is_on', fields.BooleanField()),
                ('delay_hours', fields.SmallIntField()),
                ('pause_days', fields.SmallIntField()),
                ('minimum', fields.BigIntField()),
                ('location_ids', fields.JSONField(null=True, encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads)),
                ('texts', fields.JSONField(encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads)),
                ('links', fields.JSONField(encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads)),
                ('bonus', fields.BigIntField()),
                ('makes_tasks', fields.BooleanField()),
                ('assignee', fields.ForeignKeyField('loyalty.StaffMember', source_field='assignee_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('looked_at', fields.BigIntField(default=0)),
                ('updated_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'survey_programme', 'app': 'loyalty', 'pk_attr': 'id', 'table_description': 'After which purchases people are asked, and what they are thanked with. One row.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='SurveyRun',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('key', fields.CharField(unique=True, max_length=60)),
                ('look', fields.JSONField(null=True, encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads)),
                ('total', fields.IntField(default=0)),
                ('skipped', fields.IntField(default=0)),
                ('staff', fields.ForeignKeyField('loyalty.StaffMember', source_field='staff_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('cancelled_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'survey_run', 'app': 'loyalty', 'pk_attr': 'id', 'table_description': 'Asking on demand: everybody whom a look finds, frozen when it starts.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='SurveyInvitation',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('key', fields.CharField(unique=True, max_length=60)),
                ('customer', fields.ForeignKeyField('loyalty.Customer', source_field='customer_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('run', fields.ForeignKeyField('loyalty.SurveyRun', source_field='run_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('receipt', fields.ForeignKeyField('loyalty.Receipt', source_field='receipt_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('location', fields.ForeignKeyField('loyalty.Location', source_field='location_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('cashier', fields.ForeignKeyField('loyalty.StaffMember', source_field='cashier_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('team_member', fields.ForeignKeyField('loyalty.TeamMember', source_field='team_member_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('state', fields.CharField(max_length=8)),
                ('reason', fields.CharField(null=True, max_length=24)),
                ('due_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('asked_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('message', fields.ForeignKeyField('loyalty.Message', source_field='message_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'survey_invitation', 'app': 'loyalty', 'indexes': [PartialIndex(fields=['due_at', 'id'], name='survey_invitation_due', condition={'state': 'waiting'}), Index(fields=['customer_id', 'id'], name='survey_invitation_customer'), Index(fields=['run_id'], name='survey_invitation_run'), Index(fields=['asked_at'], name='survey_invitation_asked')], 'pk_attr': 'id', 'table_description': 'One person asked once, or to be asked, or left out and why.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='SurveyAnswer',
            fields=[
                ('invitation', fields.OneToOneField('loyalty.SurveyInvitation', source_field='invitation_id', primary_key=True, db_index=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('customer', fields.ForeignKeyField('loyalty.Customer', source_field='customer_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('score', fields.SmallIntField()),
                ('comment', fields.TextField(null=True, unique=False)),
                ('location', fields.ForeignKeyField('loyalty.Location', source_field='location_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('cashier', fields.ForeignKeyField('loyalty.StaffMember', source_field='cashier_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('team_member', fields.ForeignKeyField('loyalty.TeamMember', source_field='team_member_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('channel', fields.CharField(max_length=10)),
                ('answered_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('changed_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('commented_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'survey_answer', 'app': 'loyalty', 'indexes': [Index(fields=['answered_at', 'invitation_id'], name='survey_answer_time'), Index(fields=['customer_id', 'answered_at'], name='survey_answer_customer')], 'pk_attr': 'invitation_id', 'table_description': 'What one person answered to one invitation; changeable for a day. The newest of a customer is in their facts.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Task',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('key', fields.CharField(unique=True, max_length=80)),
                ('title', fields.CharField(max_length=200)),
                ('details', fields.TextField(db_default='', unique=False)),
                ('customer', fields.ForeignKeyField('loyalty.Customer', source_field='customer_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('assignee', fields.ForeignKeyField('loyalty.StaffMember', source_field='assignee_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('due_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('remind_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('reminded_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('state', fields.CharField(max_length=9)),
                ('origin', fields.CharField(max_length=10)),
                ('created_by', fields.ForeignKeyField('loyalty.StaffMember', source_field='created_by_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('updated_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('closed_by', fields.ForeignKeyField('loyalty.StaffMember', source_field='closed_by_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('closed_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'task', 'app': 'loyalty', 'indexes': [PartialIndex(fields=['due_at', 'id'], name='task_open', condition={'state': 'open'}), PartialIndex(fields=['remind_at'], name='task_remind', condition={'state': 'open'}), Index(fields=['customer_id', 'id'], name='task_customer'), Index(fields=['assignee_id', 'id'], name='task_assignee')], 'pk_attr': 'id', 'table_description': 'Something that staff have to do, for a customer or for nobody in particular.'},
            bases=['Model'],
        ),
        ops.AddField(
            model_name='Campaign',
            name='attachment',
            field=fields.ForeignKeyField('loyalty.Attachment', source_field='attachment_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT),
        ),
        ops.AddField(
            model_name='Campaign',
            name='bonus',
            field=fields.BigIntField(db_default=0),
        ),
        ops.AddField(
            model_name='Campaign',
            name='bonus_days',
            field=fields.SmallIntField(db_default=0),
        ),
        ops.AddField(
            model_name='Campaign',
            name='buttons',
            field=fields.JSONField(null=True, encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads),
        ),
        ops.AddField(
            model_name='Campaign',
            name='control',
            field=fields.IntField(db_default=0),
        ),
        ops.AddField(
            model_name='Campaign',
            name='control_bp',
            field=fields.SmallIntField(db_default=0),
        ),
        ops.AddField(
            model_name='Campaign',
            name='fallbacks',
            field=fields.JSONField(null=True, encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads),
        ),
        ops.AddField(
            model_name='Campaign',
            name='ids',
            field=fields.JSONField(null=True, encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads),
        ),
        ops.AddField(
            model_name='Campaign',
            name='preferred',
            field=fields.CharField(db_default='', max_length=60),
        ),
        ops.AddField(
            model_name='Campaign',
            name='repeat',
            field=fields.JSONField(null=True, encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads),
        ),
        ops.AddField(
            model_name='Campaign',
            name='report',
            field=fields.JSONField(null=True, encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads),
        ),
        ops.AddField(
            model_name='Campaign',
            name='reported_at',
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name='Campaign',
            name='seed',
            field=fields.IntField(db_default=0),
        ),
        ops.AddField(
            model_name='Campaign',
            name='send_until',
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name='Campaign',
            name='series',
            field=fields.ForeignKeyField('loyalty.Campaign', source_field='series_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT),
        ),
        ops.AddField(
            model_name='Campaign',
            name='started_at',
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name='Campaign',
            name='starts_at',
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name='Campaign',
            name='template',
            field=fields.ForeignKeyField('loyalty.MessageTemplate', source_field='template_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT),
        ),
        ops.AddField(
            model_name='Campaign',
            name='updated_at',
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name='Campaign',
            name='window_days',
            field=fields.SmallIntField(db_default=0),
        ),
        ops.AddField(
            model_name='Campaign',
            name='zone',
            field=fields.CharField(db_default='', max_length=40),
        ),
        ops.AddField(
            model_name='CustomerFacts',
            name='nps',
            field=fields.SmallIntField(db_default=-1),
        ),
        ops.AddField(
            model_name='CustomerFacts',
            name='nps_at',
            field=fields.DatetimeField(db_default=dt.datetime.fromisoformat('1970-01-01T00:00:00+00:00'), auto_now=False, auto_now_add=False),
        ),
        ops.RunSQL(TASKS, TASKS_BACK),
        ops.RunSQL(SURVEYS, SURVEYS_BACK),
        ops.RunSQL(CAMPAIGNS, CAMPAIGNS_BACK),
    ]
