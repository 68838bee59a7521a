"""Who and what served whom, in SQL: of appointments that came."""

from collections.abc import Callable


def by_team_member(whose: str = "true") -> str:
    """Appointments that came, with whom; of all customers, or of those that `whose` tells."""
    return f"""
        SELECT customer_id, team_member_id, starts_at AS at FROM appointment
        WHERE {whose} AND state = 'came' AND team_member_id IS NOT NULL
    """


def by_service(whose: str = "true") -> str:
    """Appointments that came, once for each service."""
    return f"""
        SELECT customer_id, service_id, starts_at AS at
        FROM appointment JOIN appointment_service ON appointment_id = appointment.id
        WHERE {whose} AND state = 'came'
    """


def by_service_category(whose: str = "true") -> str:
    """Appointments that came, once for each category, however many of its services they were for."""
    return f"""
        SELECT customer_id, category_id AS service_category_id, starts_at AS at
        FROM appointment JOIN appointment_service ON appointment_id = appointment.id
            JOIN service ON service.id = service_id
        WHERE {whose} AND state = 'came' AND category_id IS NOT NULL
        GROUP BY appointment.id, category_id
    """


SERVED: dict[str, Callable[..., str]] = {
    "team_member": by_team_member,
    "service": by_service,
    "service_category": by_service_category,
}
"""Noun -> what makes its pairs. The pairs are kept in customer_<noun>, by <noun>_id."""
