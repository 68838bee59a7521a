"""A shop for the table of rights: everything that has a number in an address, once here and once elsewhere."""

from dataclasses import dataclass, field
from typing import Any

from loyalty import db
from loyalty.bonuses.actions.requests import ask_credit
from loyalty.bookings.actions.appointments import record_appointment
from loyalty.bookings.rules import AppointmentDraft, Door
from loyalty.customers.actions.categories import add_category
from loyalty.customers.actions.entry_links import add_entry_link
from loyalty.customers.actions.notes import add_note
from loyalty.customers.labels import CategoryDraft
from loyalty.customers.queries import CustomerView
from loyalty.office.actions import mass
from loyalty.office.actions.exports import Wish, ask_export
from loyalty.office.actions.links import ask_link
from loyalty.office.actions.merging import merge_cards
from loyalty.office.exporting import FileFormat, FileWords
from loyalty.office.mass import MassKind, Order
from loyalty.receipts.actions.refunds import refund_receipt
from loyalty.receipts.actions.waiting import keep_waiting_sale
from loyalty.segments.actions.segments import add_segment
from loyalty.segments.queries.base import Look
from loyalty.segments.rules.segments import SegmentDraft
from loyalty.staff.queries import StaffView
from loyalty.staff.rules import COMMAND, Role
from tests.admin_web.conftest import START
from tests.builders import (
    a_cashier,
    a_customer,
    a_hold,
    a_location,
    a_message,
    a_picture,
    a_programme,
    a_sale,
    a_task,
    an_account,
)

HERE, THERE = "Тверская", "Покровская"
"""What people of the one side and of the other are called."""


@dataclass(slots=True)
class Side:
    """Numbers by the names that addresses have for them: `{id}` goes by the section it stands in."""

    location_id: int
    ids: dict[str, int] = field(default_factory=dict)
    own: dict[tuple[int, str], int] = field(default_factory=dict)

    def number(self, section: str, person: StaffView | None) -> int:
        """Of what a section is about; of what is made by people, this person's."""
        if person is not None and (person.id, section) in self.own:
            return self.own[person.id, section]
        return self.ids[section]


@dataclass(frozen=True, slots=True)
class World:
    """Everybody's things at the location that limited people have, and at another one."""

    here: Side
    there: Side
    segment_id: int
    category_id: int


BEGUN = ("/customers/actions", "/campaigns")
"""Whose things are of who has begun them."""
CAMPAIGN = """
INSERT INTO campaign (key, name, topic, texts, channels, state, acknowledged_version, acknowledged_language,
    acknowledged_text, staff_id, created_at, resumed_at, counted_at, resumed_from, place, total, skipped, queued, sent,
    delivered, read, failed, unknown, cancelled)
VALUES ($1, 'Autumn', 'marketing', '{"ru": "Ждём"}', 'telegram', 'running', 1, 'ru', 'Согласны', $2, $3, $3, $3,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0) RETURNING id
"""


async def the_world(people: list[StaffView], here: int, there: int) -> World:
    """Fill the shop. Who works at the till has sold at both locations, who acts on many has begun something."""
    await a_programme(manual_credit_alone=0)
    category = await add_category(CategoryDraft("Office", "blue"), actor=COMMAND, now=START)
    segment = await add_segment(SegmentDraft("Neighbours", ""), actor=COMMAND, now=START)
    sides = []
    for location_id, called in ((here, HERE), (there, THERE)):
        side = Side(location_id)
        sides.append(side)
        person = await _people(side, people[0], called)
        for one in people:
            if one.role in {Role.OWNER, Role.CASHIER}:
                await _sold(side, person, one)
            if one.role in {Role.OWNER, Role.MARKETER}:
                order = Order(MassKind.CATEGORY_GIVE, target=category)
                action = await mass.begin(order, [person.id], key=f"{location_id}-{one.id}", actor=one.actor, now=START)
                # There stands what somebody else has begun.
                side.own[one.id, "/customers/actions"] = action
                side.own[one.id, "/campaigns"] = await db.fetch_value(
                    CAMPAIGN, f"{location_id}-{one.id}", one.id, START
                )
            if one.role in {Role.OWNER, Role.MARKETER, Role.ANALYST}:
                side.own[one.id, "/customers/exports"] = await _taken_out(side, one)
        for path in (*BEGUN, "/customers/exports"):
            side.ids[path] = side.own[people[0].id, path]
    for one in people:
        # Whatever somebody has to do is theirs wherever its customer is.
        sides[0].own[one.id, "/tasks"] = await a_task(customer_id=sides[1].ids["/customers"], assignee_id=one.id)
    for one in people[1:]:
        for path in BEGUN:
            sides[1].own.pop((one.id, path), None)
    # What is shut, ended or signed out there is nobody's who goes on.
    spare = await a_location(name="Closing down")
    leaver = (await a_cashier()).staff_id
    assert leaver is not None
    await db.execute("INSERT INTO channel_link (source, link, at) VALUES ('telegram:42', 't.me/shop', $1)", START)
    for side in sides:
        side.ids |= {"/settings/locations": spare, "/settings/staff": leaver}
    return World(sides[0], sides[1], segment, category)


async def _people(side: Side, owner: StaffView, called: str) -> CustomerView:
    """Somebody who has been there with all that can be theirs, and two more who belong there."""
    person = await a_customer(name=f"{called} Мария", bonuses=500_00)
    others = [await a_customer(name=f"{called} {name}") for name in ("Олег", "Анна", "Пётр")]
    ids = [one.id for one in others]
    await db.execute("UPDATE customer SET home_location_id = $1 WHERE id = ANY($2::bigint[])", side.location_id, ids)
    account = await an_account(person.id)
    picture = await a_picture(account, b"jpeg", mime="image/jpeg")
    sent = await a_message(account, "Hello", kind="staff", status="failed", reason="blocked")
    file = await db.fetch_value(
        "INSERT INTO attachment (name, mime, size, body, created_at) VALUES ('a.pdf', 'application/pdf', 1, 'x', $1)"
        " RETURNING id",
        START,
    )
    await db.execute(
        "UPDATE message SET content = content || jsonb_build_object('attachment', $2::bigint) WHERE id = $1", sent, file
    )
    sale = await a_sale(person.id, side.location_id, 100_00, now=START)
    claim = await db.fetch_value(
        "INSERT INTO fiscal_claim (customer_id, fn, i, fp, total, sold_at, source, location_id, state, reason,"
        " created_at) VALUES ($1, $2, 1, 1, 5000, $3, 'text', $4, 'waiting', 'over_limit', $3) RETURNING id",
        person.id,
        f"{side.location_id:016d}",
        START,
        side.location_id,
    )
    draft = AppointmentDraft(side.location_id, START, person.id, external_id=f"b-{side.location_id}")
    booked = (await record_appointment(draft, door=Door.PANEL, actor=COMMAND, now=START)).appointment
    question = await ask_link(await an_account(), person.id, actor=COMMAND, now=START)
    assert question is not None
    request = await ask_credit(person.id, 10_00, "gift", key=f"ask-{side.location_id}", actor=owner.actor, now=START)
    side.ids |= {
        "/customers": person.id,
        "other": others[0].id,
        "customer": person.id,
        "account": account,
        # It is taken off the card.
        "spare": await an_account(person.id),
        "media": picture,
        "attachment": file,
        "/messages": sent,
        "/claims": claim,
        "/credit-requests": request.id,
        "/link-requests": question,
        "/merges": await merge_cards(others[2].id, others[1].id, actor=COMMAND, now=START),
        "/settings/entry-links": await add_entry_link(
            "By the door", "flyer", location_id=side.location_id, actor=COMMAND, now=START
        ),
        "note": await add_note(person.id, "likes it hot", actor=owner.actor, now=START),
        "/tasks": await a_task(customer_id=person.id),
        "entry": await db.fetch_value("SELECT min(id) FROM bonus_entry WHERE customer_id = $1", person.id),
        "/api/v1/appointments": booked.id,
        "appointment": booked.id,
        "/api/v1/team-members": await db.fetch_value(
            "INSERT INTO team_member (name, position, location_id, created_at) VALUES ('Lev', '', $1, $2) RETURNING id",
            side.location_id,
            START,
        ),
        "/api/v1/receipts": sale.receipt_id,
        "/api/v1/holds": (await a_hold(person.id, side.location_id, 100_00, 1_00, now=START)).id,
    }
    return person


async def _taken_out(side: Side, asker: StaffView) -> int:
    """A file of those who are there, which this person of the panel has asked for."""
    wish = Wish(
        look=Look(locations=(side.location_id,)),
        chosen=None,
        said={},
        format=FileFormat.CSV,
        columns=("name",),
        words=FileWords("Base", {}, {}, ""),
        shows_phones=False,
        language="en",
        email="",
    )
    return await ask_export(wish, key=f"{side.location_id}-{asker.id}", actor=asker.actor, now=START)


async def _sold(side: Side, person: CustomerView, seller: StaffView) -> None:
    """A sale of this person of the panel, some of it given back; another that waits for its customer."""
    sale = await a_sale(person.id, side.location_id, 50_00, actor=seller.actor, now=START)
    refund = await refund_receipt(sale.receipt_id, 10_00, key=f"back-{sale.receipt_id}", actor=seller.actor, now=START)
    key = f"wait-{side.location_id}-{seller.id}"
    waits = await keep_waiting_sale(side.location_id, key, 20_00, phone=None, actor=seller.actor, now=START)
    made: dict[str, Any] = {
        "/cashier/receipts": sale.receipt_id,
        "/cashier/refund": sale.receipt_id,
        "refund": refund.receipt_id,
        "/cashier/join": waits.id,
    }
    side.own |= {(seller.id, section): number for section, number in made.items()}
    side.ids |= made
