"""Customers: finding, adding, correcting, and keeping a copy of the base."""

from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import Field

from admin_web.api.fields import (
    STORABLE,
    Code,
    CursorText,
    In,
    Language,
    LocationId,
    Moment,
    NextCursor,
    Out,
    cursor_of,
    micros_of,
    numbers_of,
)
from admin_web.api.operations import Answer, Call, Operation
from admin_web.card_codes import held_card
from loyalty.clock import business_date
from loyalty.customers.actions.profile import add_customer, change_profile
from loyalty.customers.queries import CustomerView, customer, customers_updated, find_by_card_number, find_by_phone
from loyalty.customers.rules import NEVER, Profile, Via, normalise_phone, profile_from
from loyalty.errors import Invalid, NotFound, Refused
from loyalty.shop.queries import location, shop
from loyalty.shop.rules import ShopView
from loyalty.staff.rules import Scope

LOOKUPS = ("phone", "card_number", "code")
PhoneText = Annotated[
    str,
    Field(max_length=40, description="A phone in any spelling.", examples=["+7 916 555-01-02", "89165550102"]),
    STORABLE,
]
EmailText = Annotated[str, Field(max_length=254), STORABLE]
NameText = Annotated[str, Field(min_length=1, max_length=100, description="As the person is called."), STORABLE]
Gender = Literal["f", "m"]


class Customer(Out):
    """A customer. Money in minor units; the figures count receipts less their refunds."""

    id: int = Field(description="Never changes.", examples=[4711])
    name: str = Field(description="Empty once the person was erased.", examples=["Maria Sokolova"])
    phone: str | None = Field(description="International form (E.164).", examples=["+79165550102"])
    phone_verified: bool = Field(description="Its owner has shown that it is theirs.")
    email: str | None
    card_number: str = Field(examples=["12345674"])
    gender: str | None = Field(description="f, m, or null: not known.")
    birthday: date | None
    language: str
    home_location_id: int | None
    tier_id: int = Field(description="The level of the programme; `balance` names it.")
    discount_bp: int = Field(description="Personal discount in hundredths of a percent: 500 is 5 %.")
    sold: int = Field(description="Minor units sold, after discounts, before bonuses.")
    paid: int = Field(description="The money part of it, in minor units.")
    receipts: int
    visits: int
    last_visit_at: datetime | None
    created_at: datetime
    created_via: str
    updated_at: datetime = Field(description="When the profile was changed last; sales do not move it.")
    deleted_at: datetime | None = Field(
        description="When staff took them out of the base; null for whoever is in it. Tills still serve them."
    )
    merged_into_id: int | None = Field(
        description="The card that this one was merged into; asked for by its id, that one is answered."
    )
    erased_at: datetime | None = Field(
        description="When the person was erased: forget them in your copy, too. Asked for by id they are not found."
    )


class CustomerPage(Out):
    """Some customers, and where the next ones begin."""

    customers: list[Customer]
    next_cursor: NextCursor = None


class CustomersQuery(In):
    """One of phone, card_number, code looks for one person; without them the base is read in pages."""

    phone: PhoneText | None = None
    card_number: Annotated[str, Field(max_length=20), STORABLE] | None = None
    code: Code | None = None
    updated_since: Annotated[
        Moment | None,
        Field(
            description="Profiles changed from this moment on, in the order of their changes. Begin each round a minute"
            " before the last one began: a change may be saved some seconds after its moment.",
            examples=["2026-11-22T09:00:00Z"],
        ),
    ] = None
    cursor: CursorText | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 100


class NewCustomer(In):
    """Who is to be added. The phone is the natural key: it belongs to one customer at most."""

    name: NameText
    phone: PhoneText
    email: EmailText | None = None
    gender: Gender | None = None
    birthday: date | None = None
    language: Annotated[Language | None, Field(description="What messages are written in; the shop's by default.")] = (
        None
    )
    home_location_id: LocationId | None = None


class ProfileChanges(In):
    """What is to be changed: only the fields that are sent. null empties a field that may be empty."""

    name: NameText = ""
    phone: PhoneText | None = None
    email: EmailText | None = None
    gender: Gender | None = None
    birthday: date | None = None
    language: Language = "en"
    home_location_id: LocationId | None = None


async def list_customers(call: Call) -> Answer:
    """One person by what they show or say, or a page of all."""
    query: CustomersQuery = call.query
    asked = [name for name in LOOKUPS if getattr(query, name) is not None]
    if len(asked) > 1 or (asked and (query.updated_since or query.cursor)):
        raise Invalid(asked[0], "one_way_to_look")
    if not asked:
        return await _page(query)
    owner = await _looked_up(call, query)
    found = [view_of(await customer(owner))] if owner is not None else []
    return Answer(CustomerPage(customers=found))


async def read_customer(call: Call) -> Answer:
    """One person by id."""
    return Answer(view_of(await customer(await call.customer_in_path())))


async def create_customer(call: Call) -> Answer:
    """A person with a new card; or one who was deleted, in the base again."""
    chain = await shop()
    values = call.body.model_dump()
    profile = await _profile(values | {"language": values["language"] or chain.language}, chain, call.now)
    was_deleted = profile.phone is not None and await find_by_phone(profile.phone) is not None
    person = await add_customer(profile, via=Via.API, actor=call.key.actor, now=call.now)
    return Answer(
        view_of(person), status=200 if was_deleted else 201, headers={"Location": f"/api/v1/customers/{person.id}"}
    )


async def change_customer(call: Call) -> Answer:
    """Some fields of a profile."""
    customer_id, chain = await call.customer_in_path(), await shop()
    changes = call.body.model_dump(include=call.body.model_fields_set)
    await _check_home(changes)

    def changed(known: CustomerView) -> Profile:
        before = {name: getattr(known, name) for name in ProfileChanges.model_fields}
        return _checked(before | changes, chain, call.now)

    return Answer(view_of(await change_profile(customer_id, changed, actor=call.key.actor, now=call.now)))


def view_of(person: CustomerView) -> Customer:
    """The person as programs see them."""
    same = {name: getattr(person, name) for name in Customer.model_fields if hasattr(person, name)}
    visited = person.last_visit_at if person.last_visit_at != NEVER else None
    same["name"] = "" if person.erased_at else person.name
    return Customer(**{**same, "phone_verified": person.phone_verified_at is not None, "last_visit_at": visited})


async def _looked_up(call: Call, query: CustomersQuery) -> int | None:
    if query.phone is not None:
        return await find_by_phone(normalise_phone(query.phone, (await shop()).region))
    if query.card_number is not None:
        return await find_by_card_number(query.card_number)
    assert query.code is not None
    try:
        card = await held_card(call.request, query.code, guesser=guesser_of(call))
    except Refused as refused:
        if refused.reason == "code_is_unknown":
            return None
        raise
    return card.customer_id if card else None


def guesser_of(call: Call) -> str:
    """By whom wrong codes of cards are counted."""
    return f"key:{call.key.id}"


async def _page(query: CustomersQuery) -> Answer:
    since, after_id = query.updated_since or NEVER, 0
    if query.cursor is not None:
        micros, after_id = numbers_of(query.cursor, 2)
        since = NEVER + timedelta(microseconds=micros)
    rows, more = await customers_updated(since, after_id, limit=query.limit)
    following = cursor_of(micros_of(rows[-1].updated_at), rows[-1].id) if more else None
    return Answer(CustomerPage(customers=[view_of(row) for row in rows], next_cursor=following))


async def _profile(values: dict[str, Any], chain: ShopView, now: datetime) -> Profile:
    await _check_home(values)
    return _checked(values, chain, now)


async def _check_home(values: dict[str, Any]) -> None:
    """Raise Invalid unless the home location is one of the chain's."""
    home = values.get("home_location_id")
    if home is not None:
        try:
            await location(home)
        except NotFound:
            raise Invalid("home_location_id", "unknown_choice") from None


def _checked(values: dict[str, Any], chain: ShopView, now: datetime) -> Profile:
    texts = {name: values[name] or "" for name in ("name", "phone", "email", "gender")}
    return profile_from(
        **texts,
        birthday=values["birthday"],
        language=values["language"],
        home_location_id=values["home_location_id"],
        region=chain.region,
        today=business_date(now, chain.time_zone),
    )


TAG = "Customers"
OPERATIONS = (
    Operation(
        "GET",
        "/customers",
        "list_customers",
        "Find a customer, or read the base",
        "With `phone`, `card_number` or `code` the answer holds the one person they belong to, or nobody. Without them"
        " it holds a page of the base in the order of the profiles' changes. Wrong codes are counted by key: after ten"
        " within five minutes codes are refused for a while.",
        list_customers,
        {200: CustomerPage},
        TAG,
        scope=Scope.CUSTOMERS_READ,
        query=CustomersQuery,
        refusals={409: ("code_is_ambiguous",), 429: ("too_many_codes",)},
        example="phone=%2B79165550102",
    ),
    Operation(
        "POST",
        "/customers",
        "create_customer",
        "Add a customer",
        "The phone is the natural key: a phone that is taken is refused, and `details.customer_id` says whose it is, so"
        " a repeated request adds nobody twice. If its owner was deleted in the panel, they are in the base again: the"
        " answer is 200 with their old card, and what was not known of them is what you sent.",
        create_customer,
        {201: Customer, 200: Customer},
        TAG,
        scope=Scope.CUSTOMERS_WRITE,
        body=NewCustomer,
        refusals={409: ("phone_taken",)},
        example={"name": "Maria Sokolova", "phone": "+7 916 555-01-02", "birthday": "1990-05-14", "language": "ru"},
    ),
    Operation(
        "GET",
        "/customers/{id}",
        "read_customer",
        "Read a customer",
        "The profile and the figures of one customer.",
        read_customer,
        {200: Customer},
        TAG,
        scope=Scope.CUSTOMERS_READ,
        refusals={404: ("customer",)},
    ),
    Operation(
        "PATCH",
        "/customers/{id}",
        "change_customer",
        "Correct a profile",
        "Changes the fields that are sent and leaves the others. A changed phone is no longer verified.",
        change_customer,
        {200: Customer},
        TAG,
        scope=Scope.CUSTOMERS_WRITE,
        body=ProfileChanges,
        refusals={404: ("customer",), 409: ("phone_taken",)},
        example={"email": "maria@example.com"},
    ),
)
