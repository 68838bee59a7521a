"""Codes of the journal as sentences, in the reader's language."""

from typing import Any

from admin_web.formats import bonuses, num, percent
from admin_web.i18n import gettext, mark, ngettext
from admin_web.words import REASONS, ROLE_NAMES, reason_text
from loyalty.errors import Refused
from loyalty.staff.rules import ActorKind, Role

ACTS = {
    "account.default": mark("Messenger to write to chosen"),
    "account.linked": mark("Messenger linked"),
    "account.moved": mark("Messenger has a new number"),
    "account.topics": mark("What may be written to a messenger changed"),
    "account.unlinked": mark("Messenger removed"),
    "appointment.added": mark("Appointment added"),
    "appointment.came": mark("Appointment: the customer came"),
    "appointment.cancelled": mark("Appointment cancelled"),
    "appointment.changed": mark("Appointment changed"),
    "appointment.no_show": mark("Appointment: the customer did not come"),
    "appointment.planned": mark("Appointment planned again"),
    "bonuses.credited": mark("Bonuses added by hand"),
    "bonuses.debited": mark("Bonuses taken off by hand"),
    "bonuses.undone": mark("Bonuses by hand taken back"),
    "canned_reply.added": mark("Ready answer added"),
    "canned_reply.changed": mark("Ready answer changed"),
    "canned_reply.deleted": mark("Ready answer deleted"),
    "canned_reply.restored": mark("Ready answer brought back"),
    "category.added": mark("Category made"),
    "category.archived": mark("Category archived"),
    "category.changed": mark("Category changed"),
    "category.given": mark("Category given"),
    "category.restored": mark("Category used again"),
    "category.taken": mark("Category taken off"),
    "claim.approved": mark("Receipt from the chat credited"),
    "claim.made": mark("Receipt sent in the chat"),
    "claim.matched": mark("Receipt from the chat found at the till"),
    "claim.refused": mark("Receipt from the chat refused"),
    "consent.granted": mark("Consent given"),
    "consent.withdrawn": mark("Consent withdrawn"),
    "consent_text.published": mark("New version of a consent text published"),
    "update.replayed": mark("Update taken once more"),
    "update.dismissed": mark("Failed update put away"),
    "conversation.answered": mark("Conversation marked as answered"),
    "conversation.assigned": mark("Conversation given to a colleague"),
    "conversation.closed": mark("Conversation closed"),
    "conversation.handed_back": mark("Conversation handed back to the bot"),
    "conversation.noted": mark("Note written in a conversation"),
    "conversation.released": mark("Conversation given to nobody"),
    "conversation.reopened": mark("Conversation opened again"),
    "credit.approved": mark("Credit by hand approved"),
    "credit.asked": mark("Credit by hand asked for"),
    "credit.declined": mark("Credit by hand declined"),
    "credit.refused": mark("Credit by hand refused by a limit"),
    "credit.withdrawn": mark("Credit by hand no longer asked for"),
    "customer.added": mark("Customer added"),
    "customer.answered": mark("Answers to the questionnaire changed"),
    "customer.changed": mark("Customer's profile changed"),
    "customer.deleted": mark("Customer deleted"),
    "customer.restored": mark("Deleted customer brought back"),
    "dialog_text.changed": mark("Greeting changed"),
    "customer.entered": mark("Came by an entry link"),
    "customer.erased": mark("Person erased for good"),
    "customer.exported": mark("Own data taken out as a file"),
    "customer.merged": mark("Cards merged"),
    "customer.unmerged": mark("Merged cards taken apart"),
    "entry_link.added": mark("Entry link made"),
    "entry_link.changed": mark("Entry link changed"),
    "entry_link.deleted": mark("Entry link deleted"),
    "entry_link.restored": mark("Entry link brought back"),
    "hold.agreed": mark("Customer agreed to use bonuses"),
    "hold.asked": mark("Customer asked to use bonuses"),
    "hold.declined": mark("Customer declined to use bonuses"),
    "hold.placed": mark("Bonuses set aside for a sale"),
    "hold.voided": mark("Bonuses set aside let go"),
    "importance.added": mark("Class of importance made"),
    "importance.archived": mark("Class of importance archived"),
    "importance.changed": mark("Class of importance renamed"),
    "importance.moved": mark("Class of importance moved"),
    "importance.restored": mark("Class of importance used again"),
    "importance.set": mark("Importance set"),
    "key.added": mark("API key made"),
    "key.revoked": mark("API key revoked"),
    "discount.set": mark("Personal discount set"),
    "link.accepted": mark("Messenger found to be the customer's"),
    "link.asked": mark("Messenger may be the customer's"),
    "link.refused": mark("Messenger found to be somebody else's"),
    "location.added": mark("Location added"),
    "location.burns_freely": mark("Using bonuses without a code allowed"),
    "location.burns_with_code": mark("Using bonuses without a code forbidden"),
    "location.changed": mark("Location changed"),
    "location.closed": mark("Location closed"),
    "location.reopened": mark("Location opened again"),
    "file_import.cancelled": mark("Import of a file ended before its time"),
    "file_import.checked": mark("File tried out"),
    "file_import.finished": mark("File brought in"),
    "file_import.paused": mark("Import of a file paused"),
    "file_import.resumed": mark("Import of a file goes on"),
    "file_import.sent": mark("File sent to be brought in"),
    "file_import.started": mark("Import of a file begun"),
    "file_import.undo_started": mark("Taking back a file begun"),
    "file_import.undone": mark("File taken back"),
    "mass_action.cancelled": mark("Act on many customers ended before its time"),
    "mass_action.finished": mark("Act on many customers done"),
    "mass_action.paused": mark("Act on many customers paused"),
    "mass_action.resumed": mark("Act on many customers goes on"),
    "mass_action.started": mark("Act on many customers begun"),
    "message.sent_again": mark("Message that was lost sent again"),
    "message.written": mark("Message written"),
    "message_type.changed": mark("Message type changed"),
    "message_type.reset": mark("Message type as it comes with the house again"),
    "messaging.changed": mark("Quiet hours or limits of advertising changed"),
    "template.added": mark("Template written"),
    "template.changed": mark("Template changed"),
    "template.deleted": mark("Template deleted"),
    "template.marked": mark("Status of a template noted by hand"),
    "note.added": mark("Note added"),
    "note.deleted": mark("Note deleted"),
    "note.edited": mark("Note changed"),
    "note.restored": mark("Note restored"),
    "phone.changed": mark("Phone changed by its owner"),
    "phone.released": mark("Phone taken off: somebody else has proven it"),
    "phone.verified": mark("Phone verified"),
    "programme.cancelled": mark("Programme version to come taken back"),
    "programme.set": mark("Programme settings changed"),
    "question.added": mark("Question added"),
    "question.asked": mark("Question asked from now on"),
    "question.changed": mark("Question changed"),
    "question.deleted": mark("Question deleted"),
    "question.moved": mark("Question moved"),
    "question.not_asked": mark("Question asked no more"),
    "question.restored": mark("Question brought back"),
    "receipt.recorded": mark("Receipt recorded"),
    "receipt.refunded": mark("Receipt refunded"),
    "sale.refused": mark("Refused at the till"),
    "label_rule.added": mark("Label rule made"),
    "label_rule.archived": mark("Label rule archived"),
    "label_rule.changed": mark("Label rule changed"),
    "label_rule.moved": mark("Label rule moved"),
    "label_rule.restored": mark("Label rule used again"),
    "segment.added": mark("Segment made"),
    "segment.archived": mark("Segment archived"),
    "segment.changed": mark("Segment changed"),
    "segment.member_added": mark("Customer put into a segment"),
    "segment.member_removed": mark("Customer taken out of a segment"),
    "segment.restored": mark("Segment used again"),
    "service.added": mark("Service added"),
    "service.archived": mark("Service archived"),
    "service.changed": mark("Service changed"),
    "service.restored": mark("Service used again"),
    "service_category.added": mark("Category of services added"),
    "service_category.archived": mark("Category of services archived"),
    "service_category.changed": mark("Category of services changed"),
    "service_category.restored": mark("Category of services used again"),
    "shop.changed": mark("Shop settings changed"),
    "staff.changed": mark("Account changed"),
    "staff.disabled": mark("Account disabled"),
    "staff.enabled": mark("Account enabled"),
    "staff.invited": mark("Colleague invited"),
    "staff.joined": mark("Password set by a link"),
    "staff.password_changed": mark("Password changed"),
    "staff.reset": mark("New sign-in link made"),
    "staff.sessions_ended": mark("Signed out everywhere"),
    "staff.signed_in": mark("Signed in"),
    "team_member.added": mark("Person added to the team"),
    "team_member.archived": mark("Person of the team archived"),
    "team_member.changed": mark("Person of the team changed"),
    "team_member.restored": mark("Person of the team brought back"),
    "tier.cleared": mark("Level by hand taken back"),
    "tier.set": mark("Level set by hand"),
    "waiting_sale.kept": mark("Sale kept for somebody not registered"),
    "waiting_sale.withdrawn": mark("Kept sale taken back"),
    "webhook.added": mark("Webhook added"),
    "webhook.removed": mark("Webhook removed"),
    "webhook.secret_renewed": mark("Secret of a webhook renewed"),
    "webhook.sent_again": mark("Failed messages of a webhook sent again"),
    "webhook.stopped": mark("Webhook switched off: too many messages were given up"),
    "webhook.switched_off": mark("Webhook switched off"),
    "webhook.switched_on": mark("Webhook switched on"),
}

KINDS = {
    ActorKind.STAFF: mark("Staff"),
    ActorKind.CUSTOMER: mark("Customer"),
    ActorKind.JOB: mark("Schedule"),
    ActorKind.COMMAND: mark("Command line"),
    ActorKind.API: mark("Another program"),
}


def act_text(action: str, details: dict[str, Any] | None = None) -> str:
    """What was done; an act this version does not know yet is named by its code."""
    text = gettext(ACTS[action]) if action in ACTS else action
    more = _more(details or {})
    return f"{text}: {more}" if more else text


def actor_text(kind: ActorKind, name: str | None) -> str:
    """Who did it."""
    return name or gettext(KINDS[kind])


def _more(details: dict[str, Any]) -> str:
    """The part of the details that people can read."""
    if isinstance(reason := details.get("reason"), str) and reason in REASONS:
        return reason_text(Refused(**details))
    role, before, amount = (details.get(name) for name in ("role", "role_before", "amount"))
    if isinstance(people := details.get("customers"), int):
        return ngettext("%(num)s customer", "%(num)s customers", people) % {"num": num(people)}
    if isinstance(discount := details.get("discount_bp"), int):
        return percent(discount)
    if role in list(Role) and before in list(Role):
        return f"{gettext(ROLE_NAMES[Role(before)])} → {gettext(ROLE_NAMES[Role(role)])}"
    if role in list(Role):
        return gettext(ROLE_NAMES[Role(role)])
    return bonuses(abs(amount)) if isinstance(amount, int) else ""
