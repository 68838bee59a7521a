"""Who serves customers, with what: kept by the program that books."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from admin_web.api.fields import LOCATION_LIMIT, STORABLE, In, LocationId, Out
from admin_web.api.operations import Answer, Call, Operation
from admin_web.api.receipts import REPLAY
from loyalty.bookings.actions import team
from loyalty.bookings.queries import (
    CategoryView,
    ServiceView,
    TeamMemberView,
    service,
    service_categories,
    service_category,
    services,
    team_member,
    team_members,
)
from loyalty.bookings.rules import (
    KEY_LENGTH,
    NAME_LENGTH,
    POSITION_LENGTH,
    SERVICE_NAME_LENGTH,
    CategoryDraft,
    ServiceDraft,
    TeamMemberDraft,
)
from loyalty.errors import NotFound
from loyalty.staff.rules import Scope

SmallId = Annotated[int, Field(ge=1, le=LOCATION_LIMIT)]
OwnId = Annotated[
    str,
    Field(min_length=1, max_length=KEY_LENGTH, description="Its name in the program that books.", examples=["m-17"]),
    STORABLE,
]
Archived = Annotated[bool, Field(description="true: offered no more; false: again.")]
MemberName = Annotated[str, Field(min_length=1, max_length=NAME_LENGTH, examples=["Lev Orlov"]), STORABLE]
Position = Annotated[
    str, Field(max_length=POSITION_LENGTH, description="What they are.", examples=["Barista"]), STORABLE
]
ServiceName = Annotated[str, Field(min_length=1, max_length=SERVICE_NAME_LENGTH, examples=["Cupping"]), STORABLE]
CategoryName = Annotated[str, Field(min_length=1, max_length=NAME_LENGTH, examples=["Tastings"]), STORABLE]


class TeamMember(Out):
    """Somebody who serves customers."""

    id: int
    name: str
    position: str
    location_id: int | None = Field(description="null: at every location.")
    external_id: str | None
    archived_at: datetime | None = Field(description="Since when they serve no more.")


class TeamMemberList(Out):
    """All of them, archived ones last."""

    team_members: list[TeamMember]


class NewTeamMember(In):
    """Who is to be added."""

    name: MemberName
    position: Position = ""
    location_id: LocationId | None = None
    external_id: OwnId | None = None


class TeamMemberChanges(In):
    """What is to be changed: only the fields that are sent. null empties a field that may be empty."""

    name: MemberName = "-"
    position: Position = ""
    location_id: LocationId | None = None
    external_id: OwnId | None = None
    archived: Archived = False


class ServiceCategory(Out):
    """A group of services."""

    id: int
    name: str
    external_id: str | None
    archived_at: datetime | None


class ServiceCategoryList(Out):
    """All of them, archived ones last."""

    service_categories: list[ServiceCategory]


class NewServiceCategory(In):
    """What is to be added."""

    name: CategoryName
    external_id: OwnId | None = None


class ServiceCategoryChanges(In):
    """What is to be changed: only the fields that are sent."""

    name: CategoryName = "-"
    external_id: OwnId | None = None
    archived: Archived = False


class Service(Out):
    """Something that is done for customers at a time."""

    id: int
    name: str
    category_id: int | None
    external_id: str | None
    archived_at: datetime | None


class ServiceList(Out):
    """All of them, archived ones last."""

    services: list[Service]


class NewService(In):
    """What is to be added."""

    name: ServiceName
    category_id: SmallId | None = None
    external_id: OwnId | None = None


class ServiceChanges(In):
    """What is to be changed: only the fields that are sent. null empties a field that may be empty."""

    name: ServiceName = "-"
    category_id: SmallId | None = None
    external_id: OwnId | None = None
    archived: Archived = False


class ByOwnId(In):
    """Without `external_id` all of them."""

    external_id: OwnId | None = None


async def list_team_members(call: Call) -> Answer:
    """Those who serve where the key speaks for."""
    found = [one for one in await team_members() if _is_seen(call, one) and _is_asked(call, one)]
    return Answer(TeamMemberList(team_members=[member_of(one) for one in found]))


async def create_team_member(call: Call) -> Answer:
    """Somebody who serves, once for each external id."""
    body: NewTeamMember = call.body
    if body.location_id is not None:
        call.check_location(body.location_id)
    draft = TeamMemberDraft(**body.model_dump())
    member_id, is_new = await team.add_team_member(draft, actor=call.key.actor, now=call.now)
    return _added(member_of(await team_member(member_id)), is_new=is_new)


async def change_team_member(call: Call) -> Answer:
    """Some fields of somebody who serves."""
    member_id, changes = _id(call, "team_member"), _changes(call)
    if not _is_seen(call, await team_member(member_id)):
        raise NotFound("team_member")
    if changes.get("location_id") is not None:
        call.check_location(changes["location_id"])
    await _archive(call, "team_member", member_id, changes)
    await team.change_team_member(member_id, actor=call.key.actor, now=call.now, **changes)
    return Answer(member_of(await team_member(member_id)))


async def list_services(call: Call) -> Answer:
    """Of the whole chain."""
    return Answer(ServiceList(services=[service_of(one) for one in await services() if _is_asked(call, one)]))


async def create_service(call: Call) -> Answer:
    """A service, once for each external id."""
    draft = ServiceDraft(**call.body.model_dump())
    service_id, is_new = await team.add_service(draft, actor=call.key.actor, now=call.now)
    return _added(service_of(await service(service_id)), is_new=is_new)


async def change_service(call: Call) -> Answer:
    """Some fields of a service."""
    service_id, changes = _id(call, "service"), _changes(call)
    await _archive(call, "service", service_id, changes)
    await team.change_service(service_id, actor=call.key.actor, now=call.now, **changes)
    return Answer(service_of(await service(service_id)))


async def list_service_categories(call: Call) -> Answer:
    """Of the whole chain."""
    found = [category_of(one) for one in await service_categories() if _is_asked(call, one)]
    return Answer(ServiceCategoryList(service_categories=found))


async def create_service_category(call: Call) -> Answer:
    """A group of services, once for each external id."""
    draft = CategoryDraft(**call.body.model_dump())
    category_id, is_new = await team.add_service_category(draft, actor=call.key.actor, now=call.now)
    return _added(category_of(await service_category(category_id)), is_new=is_new)


async def change_service_category(call: Call) -> Answer:
    """Some fields of a group of services."""
    category_id, changes = _id(call, "service_category"), _changes(call)
    await _archive(call, "service_category", category_id, changes)
    await team.change_service_category(category_id, actor=call.key.actor, now=call.now, **changes)
    return Answer(category_of(await service_category(category_id)))


def member_of(one: TeamMemberView) -> TeamMember:
    """As programs see them."""
    return TeamMember(**{name: getattr(one, name) for name in TeamMember.model_fields})


def service_of(one: ServiceView) -> Service:
    """As programs see it."""
    return Service(**{name: getattr(one, name) for name in Service.model_fields})


def category_of(one: CategoryView) -> ServiceCategory:
    """As programs see it."""
    return ServiceCategory(**{name: getattr(one, name) for name in ServiceCategory.model_fields})


def _is_seen(call: Call, one: TeamMemberView) -> bool:
    return one.location_id is None or call.key.reaches(one.location_id)


def _is_asked(call: Call, one: TeamMemberView | ServiceView | CategoryView) -> bool:
    return call.query.external_id is None or one.external_id == call.query.external_id


def _id(call: Call, noun: str) -> int:
    found = call.id_in_path(noun)
    if found > LOCATION_LIMIT:
        raise NotFound(noun)
    return found


def _changes(call: Call) -> dict[str, Any]:
    changes: dict[str, Any] = call.body.model_dump(include=call.body.model_fields_set)
    return changes


async def _archive(call: Call, noun: str, id_: int, changes: dict[str, Any]) -> None:
    """Archive or restore what the path names, when the changes say so."""
    if (archived := changes.pop("archived", None)) is not None:
        await (team.archive if archived else team.restore)(noun, id_, actor=call.key.actor, now=call.now)


def _added(body: Out, *, is_new: bool) -> Answer:
    return Answer(body, status=201) if is_new else Answer(body, headers=REPLAY)


TAG = "Team and services"
ONCE = (
    " With an `external_id` that is known already nothing is added: the answer is what there is, as it is by now, with"
    " 200 and `Idempotent-Replay: true`."
)
PARTLY = "Changes the fields that are sent and leaves the others. `archived` puts it away, or takes it back."
OPERATIONS = (
    Operation(
        "GET",
        "/team-members",
        "list_team_members",
        "List the team",
        "Those who serve customers, at locations that this key speaks for or at all of them.",
        list_team_members,
        {200: TeamMemberList},
        TAG,
        scope=Scope.BOOKINGS_READ,
        query=ByOwnId,
    ),
    Operation(
        "POST",
        "/team-members",
        "create_team_member",
        "Add somebody to the team",
        "Somebody who serves customers; not an account of the panel." + ONCE,
        create_team_member,
        {201: TeamMember, 200: TeamMember},
        TAG,
        scope=Scope.BOOKINGS_WRITE,
        body=NewTeamMember,
        refusals={403: ("location_is_not_yours",)},
        example={"name": "Lev Orlov", "position": "Barista", "location_id": 1, "external_id": "m-17"},
    ),
    Operation(
        "PATCH",
        "/team-members/{id}",
        "change_team_member",
        "Correct somebody of the team",
        PARTLY,
        change_team_member,
        {200: TeamMember},
        TAG,
        scope=Scope.BOOKINGS_WRITE,
        body=TeamMemberChanges,
        refusals={403: ("location_is_not_yours",), 404: ("team_member",)},
        example={"position": "Head barista"},
    ),
    Operation(
        "GET",
        "/services",
        "list_services",
        "List the services",
        "Of the whole chain.",
        list_services,
        {200: ServiceList},
        TAG,
        scope=Scope.BOOKINGS_READ,
        query=ByOwnId,
    ),
    Operation(
        "POST",
        "/services",
        "create_service",
        "Add a service",
        "Something that is done for customers at a time." + ONCE,
        create_service,
        {201: Service, 200: Service},
        TAG,
        scope=Scope.BOOKINGS_WRITE,
        body=NewService,
        example={"name": "Cupping", "external_id": "s-3"},
    ),
    Operation(
        "PATCH",
        "/services/{id}",
        "change_service",
        "Correct a service",
        PARTLY,
        change_service,
        {200: Service},
        TAG,
        scope=Scope.BOOKINGS_WRITE,
        body=ServiceChanges,
        refusals={404: ("service",)},
        example={"name": "Cupping for two"},
    ),
    Operation(
        "GET",
        "/service-categories",
        "list_service_categories",
        "List the categories of services",
        "Of the whole chain.",
        list_service_categories,
        {200: ServiceCategoryList},
        TAG,
        scope=Scope.BOOKINGS_READ,
        query=ByOwnId,
    ),
    Operation(
        "POST",
        "/service-categories",
        "create_service_category",
        "Add a category of services",
        "A group that services belong to." + ONCE,
        create_service_category,
        {201: ServiceCategory, 200: ServiceCategory},
        TAG,
        scope=Scope.BOOKINGS_WRITE,
        body=NewServiceCategory,
        example={"name": "Tastings", "external_id": "c-1"},
    ),
    Operation(
        "PATCH",
        "/service-categories/{id}",
        "change_service_category",
        "Correct a category of services",
        PARTLY,
        change_service_category,
        {200: ServiceCategory},
        TAG,
        scope=Scope.BOOKINGS_WRITE,
        body=ServiceCategoryChanges,
        refusals={404: ("service_category",)},
        example={"name": "Tastings and classes"},
    ),
)
