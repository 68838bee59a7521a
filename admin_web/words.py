"""Reason codes of the house as sentences, in the reader's language."""

from collections.abc import Callable
from typing import Any

from admin_web.formats import bonuses, countdown, money
from admin_web.i18n import gettext, mark
from loyalty.errors import LoyaltyError, NotFound
from loyalty.staff.rules import Role, Scope

NOUNS = {
    "account": mark("There is no such account in a messenger."),
    "api_key": mark("There is no such key."),
    "appointment": mark("There is no such appointment."),
    "canned_reply": mark("There is no such answer. Somebody may have deleted it."),
    "credit_request": mark("There is no such request."),
    "category": mark("There is no such category."),
    "claim": mark("There is no such receipt from the chat."),
    "consent_text": mark("There is no such text."),
    "customer": mark("There is no such customer."),
    "delivery": mark("There is no such message. It may be too old."),
    "entry": mark("There is no such operation."),
    "entry_link": mark("There is no such entry link."),
    "hold": mark("There is no such hold."),
    "importance": mark("There is no such class of importance."),
    "invitation": mark("This link does not work: it was used already, or it is too old. Ask for a new one."),
    "link_request": mark("There is no such question about an account."),
    "location": mark("There is no such location."),
    "mass_action": mark("There is no such act on many customers."),
    "media": mark("This picture or file is not here."),
    "merge": mark("These cards were not merged."),
    "message": mark("There is no such message."),
    "message_template": mark("There is no such template. Somebody may have deleted it."),
    "message_type": mark("There is no such type of message."),
    "note": mark("There is no such note."),
    "programme": mark("The programme has no settings for this moment."),
    "question": mark("There is no such question. Somebody may have deleted it."),
    "receipt": mark("There is no such receipt."),
    "rule": mark("There is no such rule. Somebody may have removed it."),
    "segment": mark("There is no such segment."),
    "service": mark("There is no such service."),
    "service_category": mark("There is no such category of services."),
    "staff": mark("There is no such account."),
    "team_member": mark("There is no such person in the team."),
    "template": mark("This template is not approved, or not any more."),
    "update": mark("Nothing failed under this number, or it was taken once more already."),
    "view": mark("There is no such view of yours."),
    "waiting_sale": mark("There is no such sale here that waits for its customer."),
    "webhook": mark("There is no such webhook. Somebody may have removed it."),
}

REASONS = {
    "account_blocked": mark("The customer has blocked us there: nothing can be sent."),
    "account_taken": mark("Another customer has this account."),
    "address_is_inside": mark("This address lies inside: on this machine or in its network. It is not called."),
    "already_refunded": mark("This receipt is refunded already."),
    "base_tier_is_zero": mark("The first level must stay the first."),
    "birthday_was_changed": mark("The customer has changed their birthday once already."),
    "burn_needs_presence": mark("Ask the customer for the code: without it bonuses cannot be used here."),
    "burn_not_a_step": mark("Bonuses are used in steps of %(step)s."),
    "burn_over_limit": mark("No more than %(limit)s bonuses can be used for this receipt."),
    "burns_of_day": mark("Bonuses were used %(limit)s times today already: that is all the programme allows."),
    "cannot_be_asked_there": mark("People cannot answer there, and this message asks something."),
    "card_is_deleted": mark("This card is deleted: restore it first, or keep the other one."),
    "card_was_erased": mark("One of the cards was erased: they cannot be taken apart any more."),
    "card_was_merged": mark("This card was merged into another one of the same person: use that one."),
    "cards_have_holds": mark("A sale is under way that has set bonuses aside: finish it or let it go, then try again."),
    "cards_must_be_merged": mark(
        "That account has a card with purchases of its own: the two cards must be merged first."
    ),
    "category_is_archived": mark("This category is archived: nobody is given it any more."),
    "category_is_by_rule": mark("A rule gives this category: it would give it again. Change the rule, or keep it."),
    "changed_meanwhile": mark(
        "Somebody changed this meanwhile. Nothing is saved: look at what is there now, then save again."
    ),
    "claim_in_future": mark("The time on this receipt has not come yet."),
    "claim_not_a_sale": mark("This is not the receipt of a purchase."),
    "claim_too_old": mark("Receipts are taken for %(days)s days; this one is older."),
    "claim_was_credited": mark("This receipt is credited already. To take it back, refund it."),
    "claimed_by_another": mark("Somebody else has sent this receipt."),
    "claims_not_taken": mark("The programme takes no receipts from the chat."),
    "claims_of_day": mark("The customer has sent %(limit)s receipts today: the programme takes no more."),
    "code_is_ambiguous": mark("Two cards show this code now. Scan the QR code, or ask for the phone."),
    "code_is_old": mark("This code is too old. Ask to open the card again."),
    "code_is_taken": mark("Another rule has this promo code."),
    "code_is_unknown": mark("No card shows this code now. Ask to open the card again."),
    "code_was_used": mark("Bonuses were used by this code already. Ask for the next one."),
    "consent_is_the_same": mark("These are the words in force: there is nothing to publish."),
    "conversation_taken": mark("Somebody else has taken this conversation meanwhile."),
    "currency_is_fixed": mark("The currency can no longer change: there are receipts in it."),
    "drive_taken": mark("Another location has this fiscal drive."),
    "email_taken": mark("Somebody has an account with this address already."),
    "ends_before_it_begins": mark("The end must be after the beginning."),
    "external_id_taken": mark("Something else has this number of the booking program."),
    "file_is_empty": mark("This file is empty."),
    "file_too_large": mark("This file is too large: at most %(limit)s MB."),
    "fiscal_code_unreadable": mark("A part of the receipt's code is missing or wrong."),
    "fiscal_receipt_was_credited": mark("This fiscal receipt was credited already."),
    "merge_too_old": mark("Cards can be taken apart for %(days)s days after they were merged; this was longer ago."),
    "moved_bonuses_spent": mark("The cards cannot be taken apart: %(amount)s bonuses that came over are spent."),
    "moved_receipt_was_refunded": mark("The cards cannot be taken apart: a receipt that came over was refunded since."),
    "same_card": mark("This is the same card."),
    "survivor_was_merged": mark("This card was merged into another one since: take those two apart first."),
    "update_is_empty": mark("Its text is gone: it is kept for a week."),
    "hold_is_over": mark(
        "This hold is over: it was used, taken back, or its time has passed. Set the bonuses aside anew."
    ),
    "hold_of_another": mark("This hold belongs to another customer or location."),
    "ids_must_differ": mark("Two levels have the same number."),
    "importance_in_use": mark("Customers are in this class (%(customers)s): put them into another one first."),
    "importance_is_archived": mark("This class of importance is archived: nobody comes into it any more."),
    "in_the_past": mark("This moment has passed."),
    "key_was_used": mark("This operation was made before with other figures. Begin it again."),
    "label_taken": mark("Another one in use has this name."),
    "last_owner": mark("There must be an owner who can sign in. Make somebody else an owner first."),
    "line_named_twice": mark("A line is named twice."),
    "lines_differ_from_total": mark("The lines do not add up to the total."),
    "location_is_closed": mark("This location is closed."),
    "must_be_https": mark("The address must begin with https://."),
    "manual_credits_of_day": mark("By hand you can add %(left)s more today: the programme allows %(limit)s a day."),
    "must_be_positive": mark("Must be above zero."),
    "must_not_be_negative": mark("Must not be below zero."),
    "name_taken": mark("Another segment in use has this name."),
    "named_twice": mark("This stands here twice."),
    "needs_second_person": mark("One person gives a customer at most %(limit)s a day. Ask a colleague to approve it."),
    "no_chat_to_ask": mark("The customer has no chat where they could be asked. Ask for the code of the card."),
    "nobody_named": mark("Say whose sale it is: by customer_id or by code."),
    "no_consent": mark("The customer has not agreed to such messages."),
    "no_guest": mark("Say whose appointment it is: by customer_id or by phone."),
    "no_files_there": mark("Only words can be sent there, no pictures and files."),
    "no_letters": mark("A name has letters."),
    "no_webp_there": mark("WhatsApp takes JPEG and PNG pictures, no WebP."),
    "no_such_line": mark("The receipt has no line %(position)s."),
    "filter_is_too_large": mark("It has too many conditions, or too many groups in one another."),
    "not_a_birthday": mark("This cannot be a birthday."),
    "not_a_boolean": mark("Must be true or false."),
    "not_a_cursor": mark("This is no place of ours: begin with the first page."),
    "not_a_date": mark("This is not a date."),
    "not_a_drive": mark("The number of a fiscal drive has 16 digits."),
    "not_a_filter": mark("It is cut off, or was not made by this panel."),
    "not_a_period": mark("Write a number of days, or choose dates."),
    "not_a_file_we_send": mark("Only pictures (JPEG, PNG, WebP), PDF, text and office files can be sent."),
    "not_a_key": mark("This number cannot be used: up to 64 letters, digits and signs."),
    "not_a_moment": mark("This is not a moment with its zone, like 2026-11-22T09:00:00Z."),
    "not_a_multiple": mark("It must be more than once the percent, and at most a hundred times."),
    "not_a_number": mark("Write a number."),
    "not_a_phone": mark("This is not a phone number."),
    "own_data_again_later": mark("The file was asked for less than an hour ago: it comes once an hour."),
    "not_a_sale": mark("Only a sale can be refunded."),
    "not_a_share": mark("Must be between 0 and 100 percent."),
    "not_a_step": mark("Must be a multiple of %(step)s."),
    "not_a_template_name": mark("Small Latin letters, digits and _ alone."),
    "not_a_time": mark("This is not a time of day."),
    "not_a_text": mark("Must be a text."),
    "not_a_url": mark("This is not an address like https://example.com/hook."),
    "not_a_variable_name": mark("Small Latin letters, digits and _, a letter first."),
    "not_a_whole_number": mark("Must be a whole number."),
    "not_lost": mark("This message is not lost: it was sent, or waits for its turn."),
    "not_taken": mark("The customer wants no such messages in this chat."),
    "not_a_whole_sum": mark("One step of bonuses must pay a whole sum of money."),
    "not_an_email": mark("This is not an e-mail address."),
    "not_by_hand": mark("WhatsApp decides this."),
    "not_enough_bonuses": mark("There are only %(available)s bonuses to use."),
    "not_in_range": mark("From %(low)s to %(high)s."),
    "not_the_word": mark("Type the word as it is written above."),
    "not_yet_begun": mark("This day has not begun: nobody can have come, or stayed away."),
    "not_your_note": mark("Only its author can change a note."),
    "not_your_receipt": mark("Only the cashier who made it can take a receipt back."),
    "notes_have_no_files": mark("A note for colleagues takes no file."),
    "nothing_to_pay": mark("After the discount nothing is left to pay: there is nothing to credit."),
    "odd_braces": mark("A brace stands alone here: variables look like %(example)s."),
    "odd_characters": mark("There are characters here that cannot be used."),
    "odd_template_braces": mark("Variables look like %(example)s; there can be no other braces."),
    "one_way_to_look": mark("Look by one thing at a time."),
    "own_account": mark("Nobody serves their own card. Ask a colleague."),
    "own_request": mark("Somebody else must approve what you asked for."),
    "own_account_stays": mark("You cannot disable your own account."),
    "passwords_differ": mark("The two passwords differ."),
    "phone_is_registered": mark("Somebody has registered with this phone meanwhile. Find them by it."),
    "phone_taken": mark("Another customer has this phone."),
    "programme_has_begun": mark("This version is in force already. Make a new one instead."),
    "programme_was_changed": mark(
        "Somebody changed the programme meanwhile. Nothing is saved; look at what is there now, then save again."
    ),
    "promo_code_is_over": mark("This promo code has been used as often as it may be."),
    "promo_code_not_now": mark("This promo code does not work today."),
    "promo_code_unknown": mark("There is no such promo code."),
    "promo_code_was_used": mark("The customer has used this promo code already."),
    "receipt_too_soon": mark("The last receipt was less than %(minutes)s minutes ago: wait a little."),
    "receipts_of_day": mark("The customer has %(limit)s receipts today: the programme credits no more."),
    "refund_over_original": mark("No more than %(left)s is left to refund."),
    "request_is_closed": mark("This request was answered already."),
    "required": mark("Fill this in."),
    "staff_not_there": mark("The staff do not write there: an owner can allow it under What is sent."),
    "sum_or_lines": mark("Name a sum or lines, not both."),
    "restore_is_over": mark("Deleted customers can be brought back for %(days)s days: that time is over."),
    "segment_is_archived": mark("This segment is archived: nobody is added or taken out."),
    "shift_is_over": mark("The day of this sale is over: ask a colleague with the panel."),
    "staff_is_disabled": mark("This account is disabled. Enable it first."),
    "template_is_fixed": mark("WhatsApp has this template already: its words cannot change. Make another one."),
    "template_name_taken": mark("There is a template with this name in this language already."),
    "templates_not_there": mark("This messenger needs no templates: write freely."),
    "thresholds_must_rise_from_zero": mark("Levels must begin at zero and rise."),
    "title_taken": mark("Another ready answer has this title."),
    "too_easy": mark("This password is too easy to guess."),
    "too_far_away": mark("This is too far away. Appointments are kept from the year 2000 on, two years ahead at most."),
    "too_few_choices": mark("Write at least %(limit)s answers to choose from."),
    "too_large": mark("This is too much."),
    "too_long": mark("At most %(limit)s characters."),
    "too_many": mark("At most %(limit)s of them."),
    "too_many_categories": mark("There are %(limit)s categories already: archive one first."),
    "too_many_classes": mark("There are %(limit)s classes already: archive one first."),
    "too_many_questions": mark("There are %(limit)s questions already: delete one first."),
    "too_many_codes": mark(
        "Too many wrong codes. They are taken again in %(wait)s; until then find the customer by phone."
    ),
    "too_precise": mark("Too many digits after the point."),
    "too_short": mark("At least %(limit)s characters."),
    "undo_is_over": mark("The time to take it back is over. Make a refund instead."),
    "unlinked": mark("This account in a messenger is not the customer's any more."),
    "dates_are_backwards": mark("The second date must not be before the first."),
    "range_is_backwards": mark("The second number must not be smaller than the first."),
    "discount_is_by_rule": mark(
        "A rule gives this discount, and would give it again. Change the rule, or write another one."
    ),
    "rule_asks_for_itself": mark("A rule cannot ask for what rules of its own kind give."),
    "rule_is_of_another_kind": mark("What a rule gives stays of one kind. Make another rule."),
    "too_many_rules": mark("There are %(limit)s rules already: archive one first."),
    "bonuses_are_over": mark("The bonuses that were taken have expired since."),
    "bonuses_used": mark("They have used these bonuses since, or a sale has set them aside."),
    "changed_since": mark("Somebody has changed this since."),
    "has_debt": mark("They owe bonuses since."),
    "has_it_already": mark("It was so already."),
    "has_it_not": mark("They have not got it, or a rule gives it."),
    "is_deleted_already": mark("Somebody has deleted them already."),
    "is_not_in_base": mark("They have left the client base since."),
    "mass_action_is_over": mark("This is over already."),
    "mass_action_runs": mark("This is still going on: end it first."),
    "nobody_is_found": mark("Nobody is found any more: there is nothing to do."),
    "not_done": mark("It did not work, and nothing has changed for them."),
    "nothing_to_undo": mark("There is nothing to undo."),
    "too_many_customers": mark("These are too many customers: at most %(limit)s at a time."),
    "undo_goes_on": mark("Undoing can stand still, but not end half-way."),
    "segment_has_conditions": mark("Its conditions decide who is in it."),
    "segment_in_itself": mark("The segment would ask for itself, maybe through others."),
    "segment_is_of_another_kind": mark("A segment filled by hand and one with conditions do not become each other."),
    "unknown_filter": mark("It asks for something that this version does not know."),
    "unknown_choice": mark("Choose one of the list."),
    "unknown_field": mark("There is no such field."),
    "unknown_variable": mark("There is no %(name)s in this message. Choose among its variables."),
    "variable_at_the_end": mark("A template neither begins nor ends with a variable: put words around it."),
    "variables_not_in_a_row": mark("Variables are numbered %(example)s and so on, none left out."),
    "waiting_sale_is_over": mark("This sale waits no longer: it was credited, or its time is over."),
    "webhook_is_off": mark("This webhook is off. Switch it on first."),
    "window_closed": mark("More than 24 hours have passed since the customer wrote: send a template."),
    "wrong_email_or_password": mark("The e-mail or the password is wrong."),
    "wrong_form": mark("This does not look as it should."),
    "wrong_password": mark("The password is wrong."),
    "wrong_type": mark("This is not what belongs here."),
}

# Details that are amounts: shown as such, not as stored units.
AMOUNTS: dict[str, dict[str, Callable[[int | None], str]]] = {
    "burn_not_a_step": {"step": bonuses},
    "burn_over_limit": {"limit": bonuses},
    "manual_credits_of_day": {"left": bonuses, "limit": bonuses},
    "moved_bonuses_spent": {"amount": bonuses},
    "needs_second_person": {"limit": bonuses},
    "not_a_step": {"step": bonuses},
    "not_enough_bonuses": {"available": bonuses},
    "refund_over_original": {"left": money},
    "too_many_codes": {"wait": countdown},
}

ROLE_NAMES = {
    Role.OWNER: mark("Owner"),
    Role.MARKETER: mark("Marketer"),
    Role.CASHIER: mark("Cashier"),
    Role.ANALYST: mark("Analyst"),
    Role.SUPPORT: mark("Support"),
}

ROLE_HINTS = {
    Role.OWNER: mark("May do everything, staff and settings included"),
    Role.MARKETER: mark("Customers, their phones, conversations and bonuses"),
    Role.CASHIER: mark("Only the cashier page"),
    Role.ANALYST: mark("Figures and customers without their phones"),
    Role.SUPPORT: mark("Customers, their phones and conversations, notes; no bonuses"),
}


SCOPE_NAMES = {
    Scope.CUSTOMERS_READ: mark("Find customers and read their profiles"),
    Scope.CUSTOMERS_WRITE: mark("Add customers and correct their profiles"),
    Scope.BONUSES_READ: mark("Read balances and their history"),
    Scope.RECEIPTS_READ: mark("Read receipts, quotes and holds"),
    Scope.RECEIPTS_WRITE: mark("Record and refund receipts, hold bonuses"),
    Scope.BOOKINGS_READ: mark("Read appointments, the team and services"),
    Scope.BOOKINGS_WRITE: mark("Record appointments, and with them customers; keep the team and services"),
}


def reason_text(error: LoyaltyError) -> str:
    """What went wrong, for the person in front of the page."""
    if isinstance(error, NotFound):
        return gettext(NOUNS.get(error.reason, mark("There is no such thing.")))
    sentence = gettext(REASONS.get(error.reason, mark("This cannot be done.")))
    return sentence % _shown(error) if "%(" in sentence else sentence


def role_name(role: Role) -> str:
    """The role in the reader's language."""
    return gettext(ROLE_NAMES[role])


def role_hint(role: Role) -> str:
    """What the role may do."""
    return gettext(ROLE_HINTS[role])


def _shown(error: LoyaltyError) -> dict[str, Any]:
    ways = AMOUNTS.get(error.reason, {})
    return {name: ways[name](value) if name in ways else value for name, value in error.details.items()}
