"""All operations, and the addresses they are served at."""

from admin_web.api import appointments, bonuses, customers, fiscal, holds, locations, receipts, team
from admin_web.api.operations import Operation

OPERATIONS: tuple[Operation, ...] = (
    *customers.OPERATIONS,
    *bonuses.OPERATIONS,
    *receipts.OPERATIONS,
    *fiscal.OPERATIONS,
    *holds.OPERATIONS,
    *locations.OPERATIONS,
    *appointments.OPERATIONS,
    *team.OPERATIONS,
)
"""In the order of the documents."""

ROUTES = tuple(operation.route() for operation in OPERATIONS)
