"""One module per noun. Order here is the order in the navigation."""

from types import ModuleType

from admin_web.pages import health, login

PAGES: tuple[ModuleType, ...] = (
    login,
    health,
)
"""Each has ROUTES, and NAV if it stands in the navigation."""
