"""The duties: each does what is due, a little at a time, and is safe to run twice. `JOBS` lists them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from loyalty.bonuses.actions.expiry import expire_due
from loyalty.bonuses.actions.expiry import warn_of_expiry as warn_of_due_expiry
from loyalty.bonuses.actions.once_only import grant_birthdays as grant_due_birthdays
from loyalty.bonuses.actions.referrals import settle_referrals as settle_due_referrals
from loyalty.bonuses.actions.referrals import undo_referrals as undo_refunded_referrals
from loyalty.bonuses.actions.tiers import review_tiers as review_due_tiers
from loyalty.bookings.actions.counting import pass_bookings as pass_due_bookings
from loyalty.campaigns.actions.beginning import begin_due
from loyalty.campaigns.actions.feeding import LinkFor, feed_due
from loyalty.campaigns.actions.granting import find_late
from loyalty.campaigns.actions.granting import grant_due as grant_due_by_campaigns
from loyalty.campaigns.actions.reporting import report_due as report_due_campaigns
from loyalty.campaigns.actions.starting import start_due as start_due_campaigns
from loyalty.campaigns.actions.stepping import step_due
from loyalty.conversations.actions.arrivals import empty_old_updates
from loyalty.conversations.actions.reminding import remind_of_tasks
from loyalty.conversations.actions.staff import hand_back_silent
from loyalty.office.actions import prove_nightly
from loyalty.office.actions.dashboard import count_due as count_due_looks
from loyalty.office.actions.duplicates import look_for_duplicates_nightly
from loyalty.office.actions.erasure import forget_addresses as forget_erased_addresses
from loyalty.office.actions.export_work import make_due as make_due_exports
from loyalty.office.actions.exports import expire_exports as expire_due_exports
from loyalty.office.actions.import_work import forget_due as forget_due_imports
from loyalty.office.actions.import_work import work_due as work_on_due_imports
from loyalty.office.actions.mass_work import work_due as work_on_due_actions
from loyalty.receipts.actions.claims import settle_claims as settle_due_claims
from loyalty.receipts.actions.holds import lapse_due
from loyalty.receipts.actions.visits import roll_years as roll_visit_years
from loyalty.receipts.actions.waiting import credit_waiting_due, lapse_waiting_due
from loyalty.segments.actions.label_rules import apply_due as apply_due_rules
from loyalty.segments.actions.sizes import count_due as count_due_segments
from loyalty.staff.rules import JOB
from loyalty.surveys.actions.asking import ask_due, invite_due
from loyalty.webhooks.actions.deliveries import clear_old


@dataclass(frozen=True, slots=True)
class Job:
    """A duty: called every so many seconds with the time; returns how much it did."""

    name: str
    every_seconds: int
    run: Callable[[datetime], Awaitable[int]]


async def expire_bonuses(now: datetime) -> int:
    """Write the entries of lots whose time is over; nothing that has expired can be spent meanwhile."""
    return await expire_due(actor=JOB, now=now, limit=500)


async def lapse_holds(now: datetime) -> int:
    """Close the holds whose time is over; what has lapsed holds nothing back meanwhile."""
    return await lapse_due(now=now, limit=500)


async def settle_claims(now: datetime) -> int:
    """Decide on fiscal receipts that customers sent, of which more is known by now."""
    return await settle_due_claims(actor=JOB, now=now, limit=200)


async def credit_waiting_sales(now: datetime) -> int:
    """Credit the sales that waited for a phone, whoever registered it."""
    return await credit_waiting_due(now=now, limit=500)


async def lapse_waiting_sales(now: datetime) -> int:
    """Close the sales that nobody came for in time."""
    return await lapse_waiting_due(now=now, limit=500)


async def review_tiers(now: datetime) -> int:
    """Warn of tiers that the window no longer supports, and let them fall when their days of grace are over."""
    return await review_due_tiers(actor=JOB, now=now, limit=500)


async def grant_birthdays(now: datetime) -> int:
    """Give the birthday gifts that are due."""
    return await grant_due_birthdays(actor=JOB, now=now, limit=500)


async def prove_books(now: datetime) -> int:
    """Prove the books once a night and keep the outcome for the panel."""
    return await prove_nightly(now=now)


async def look_for_duplicates(now: datetime) -> int:
    """Look through a large base once a night for cards that may be one person's."""
    return await look_for_duplicates_nightly(now=now)


async def settle_referrals(now: datetime) -> int:
    """Find first purchases of invited people, and pay what they are due for."""
    return await settle_due_referrals(actor=JOB, now=now, limit=500)


async def undo_referrals(now: datetime) -> int:
    """Take back what was paid for a purchase that was refunded since."""
    return await undo_refunded_referrals(actor=JOB, now=now, limit=500)


async def warn_of_expiry(now: datetime) -> int:
    """Tell people by day what of theirs will expire soon."""
    return await warn_of_due_expiry(now=now, limit=500)


async def empty_updates(now: datetime) -> int:
    """Empty what messengers sent a week ago: it holds personal words, and has done its work."""
    return await empty_old_updates(now=now)


async def hand_back_conversations(now: datetime) -> int:
    """Leave conversations to the bot in which staff have fallen silent."""
    return await hand_back_silent(now=now, limit=50)


async def count_segments(now: datetime) -> int:
    """Keep how large segments are, a few times a day."""
    return await count_due_segments(now=now, limit=20)


async def count_figures(now: datetime) -> int:
    """Count what somebody looks at in the overview and what takes longer than a page may."""
    return await count_due_looks(now=now)


async def apply_label_rules(now: datetime) -> int:
    """Give and take back what rules say, of categories, discounts and classes."""
    return await apply_due_rules(now=now)


async def clear_webhooks(now: datetime) -> int:
    """Forget what was told to other programs a month ago."""
    return await clear_old(now=now, limit=5000)


async def pass_bookings(now: datetime) -> int:
    """Let the next booking be the next one again, where it has begun."""
    return await pass_due_bookings(now=now, limit=500)


async def roll_years(now: datetime) -> int:
    """Take the days out of everybody's last year that have left it by the calendar."""
    return await roll_visit_years(now=now)


async def forget_addresses(now: datetime) -> int:
    """Forget where erased people were told so, once that is sent."""
    return await forget_erased_addresses(now=now, limit=100)


async def act_on_many(now: datetime) -> int:
    """Go on with what people have begun on many customers."""
    return await work_on_due_actions(now=now)


async def start_campaigns(now: datetime) -> int:
    """Begin the campaigns whose time has come."""
    return await start_due_campaigns(now=now)


def campaign_jobs(link: LinkFor | None) -> tuple[Job, ...]:
    """The duty that writes addresses of ours. link: by which following one is counted; None: they stay as they are."""

    async def feed_campaigns(now: datetime) -> int:
        """Put the next messages of campaigns into the outbox, a few seconds of pace ahead."""
        return await feed_due(link=link, now=now)

    return (Job("feed campaigns", 1, feed_campaigns),)


async def invite_to_surveys(now: datetime) -> int:
    """Invite whoever bought, once the delay of the programme is over."""
    return await invite_due(now=now)


async def ask_surveys(now: datetime) -> int:
    """Ask those who are invited, a few hundred ahead of the senders."""
    return await ask_due(now=now)


async def grant_campaign_bonuses(now: datetime) -> int:
    """Give the bonuses that come with campaigns to those to whom these were sent."""
    return await grant_due_by_campaigns(actor=JOB, now=now)


async def find_late_arrivals(now: datetime) -> int:
    """Find whose message of a campaign with bonuses arrived after all."""
    return await find_late(now=now)


async def report_campaigns(now: datetime) -> int:
    """Count what came of campaigns, while their windows are open and once after."""
    return await report_due_campaigns(now=now, limit=20)


async def begin_automations(now: datetime) -> int:
    """Begin with everybody to whom something happened that an automation waits for."""
    return await begin_due(now=now)


async def step_automations(now: datetime) -> int:
    """Go on with those whose next step is due."""
    return await step_due(now=now)


async def make_exports(now: datetime) -> int:
    """Make the next file of customers that somebody has asked for: a million take minutes."""
    return await make_due_exports(now=now)


async def expire_exports(now: datetime) -> int:
    """Delete files of customers that were kept for their days."""
    return await expire_due_exports(now=now, limit=20)


async def bring_in_files(now: datetime) -> int:
    """Go on with files that people have sent: reading, trying out, bringing in, taking back."""
    return await work_on_due_imports(now=now)


async def forget_files(now: datetime) -> int:
    """Empty the lines of files whose time to be taken back is over."""
    return await forget_due_imports(now=now, limit=20)


JOBS = (
    Job("expire bonuses", 30, expire_bonuses),
    Job("lapse holds", 15, lapse_holds),
    Job("settle claims", 60, settle_claims),
    Job("credit waiting sales", 60, credit_waiting_sales),
    Job("lapse waiting sales", 600, lapse_waiting_sales),
    Job("review tiers", 60, review_tiers),
    Job("grant birthdays", 300, grant_birthdays),
    Job("settle referrals", 60, settle_referrals),
    Job("undo referrals", 300, undo_referrals),
    Job("warn of expiry", 300, warn_of_expiry),
    Job("empty old updates", 600, empty_updates),
    Job("forget addresses", 60, forget_addresses),
    Job("hand back conversations", 300, hand_back_conversations),
    Job("pass bookings", 60, pass_bookings),
    Job("roll years", 3600, roll_years),
    Job("prove the books", 300, prove_books),
    Job("look for duplicates", 300, look_for_duplicates),
    Job("apply label rules", 30, apply_label_rules),
    Job("act on many", 2, act_on_many),
    Job("bring in files", 2, bring_in_files),
    Job("forget files", 600, forget_files),
    Job("start campaigns", 1, start_campaigns),
    Job("grant bonuses of campaigns", 2, grant_campaign_bonuses),
    Job("find late arrivals", 900, find_late_arrivals),
    Job("report on campaigns", 60, report_campaigns),
    Job("begin automations", 10, begin_automations),
    Job("step automations", 2, step_automations),
    Job("invite to surveys", 5, invite_to_surveys),
    Job("ask", 3, ask_surveys),
    Job("make files", 2, make_exports),
    Job("delete old files", 600, expire_exports),
    Job("count segments", 300, count_segments),
    Job("count figures", 2, count_figures),
    Job("clear webhooks", 600, clear_webhooks),
)


def task_jobs(panel: str) -> tuple[Job, ...]:
    """The duty that leads colleagues to their tasks. panel: where the panel is opened, without a last slash."""

    async def remind(now: datetime) -> int:
        """Tell colleagues of their tasks, at the time that they chose."""
        return await remind_of_tasks(panel=panel, now=now, limit=200)

    return (Job("remind of tasks", 20, remind),)
