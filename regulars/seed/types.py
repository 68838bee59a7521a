"""How the demo shop writes: which messages also go by SMS and e-mail, in whose words, at what hours, how often."""

from datetime import datetime

from loyalty.conversations.actions.messaging import set_manners
from loyalty.conversations.actions.types import MessageTypeDraft, set_message_type
from loyalty.conversations.channels import EMAIL, SMS, TELEGRAM, WHATSAPP
from loyalty.conversations.rules import Cap, Manners, Quiet
from loyalty.staff.rules import Actor, ActorKind
from regulars.seed.places import EMAIL_SINCE, SMS_SINCE

MESSENGERS = (TELEGRAM, WHATSAPP)
GIFT = (
    "{first_name}, с днём рождения! Дарим {amount}: потратьте до {until}, с десертом за наш счёт.\n"
    "Теперь на карте {balance}."
)
QUIET = Quiet(22, 9)
CAP = Cap(2, 7)


async def write_types(owner_id: int, now: datetime) -> None:
    """Decide it all through the panel's own actions."""
    owner = Actor(ActorKind.STAFF, owner_id)
    by_sms, by_email = now - SMS_SINCE, now - EMAIL_SINCE
    await set_message_type("receipt", MessageTypeDraft((*MESSENGERS, SMS)), seen=None, actor=owner, now=by_sms)
    texts = {"ru": {"text": GIFT, "subject": "{first_name}, подарок ко дню рождения"}}
    birthday = MessageTypeDraft((*MESSENGERS, EMAIL), texts=texts)
    await set_message_type("birthday", birthday, seen=None, actor=owner, now=by_email)
    for name in ("expiring", "referral", "invited"):
        draft = MessageTypeDraft((*MESSENGERS, EMAIL))
        await set_message_type(name, draft, seen=None, actor=owner, now=by_email)
    await set_manners(Manners(QUIET, CAP), now=by_email)
