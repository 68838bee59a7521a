"""One module per noun. Order here is the order in the navigation."""

from types import ModuleType

from admin_web.api import docs as api_docs
from admin_web.api import openapi, routes
from admin_web.pages import (
    account,
    api_keys,
    books,
    cashier,
    cashier_ask,
    cashier_refund,
    cashier_shift,
    conversations,
    customer_bonuses,
    customer_card,
    customer_messengers,
    customer_standing,
    customers,
    health,
    journal,
    locations,
    login,
    overview,
    programme,
    programme_rules,
    programme_what_if,
    shop,
    staff,
    webhooks,
)

PAGES: tuple[ModuleType, ...] = (
    overview,
    customers,
    customer_card,
    customer_bonuses,
    customer_messengers,
    customer_standing,
    conversations,
    cashier,
    cashier_ask,
    cashier_refund,
    cashier_shift,
    locations,
    staff,
    programme,
    programme_rules,
    programme_what_if,
    shop,
    api_keys,
    webhooks,
    books,
    journal,
    account,
    login,
    health,
    routes,
    openapi,
    api_docs,
)
"""Each has ROUTES, and NAV if it stands in the navigation."""
