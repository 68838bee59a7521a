"""What an erasure does with each table of the base. Whoever adds one decides; a test holds the base against this."""

KEEPS = "keeps"
"""Holds nothing about who a customer is: figures, times, codes and numbers of ours, or the shop's own words."""
EMPTIES = "empties"
"""Its rows stay, without what tells of the person."""
DELETES = "deletes"
"""The person's rows go."""

TABLES = {
    "answer": DELETES,  # to the questionnaire
    "api_key": KEEPS,
    "appointment": KEEPS,
    "appointment_service": KEEPS,
    "attachment": DELETES,  # files that were sent to this person alone
    "automation": KEEPS,  # the shop's own words and a filter of no one person
    "automation_run": KEEPS,  # ids, codes and times
    "bonus_allocation": KEEPS,
    "bonus_entry": KEEPS,  # the ledger: sums unchanged
    "bonus_entry_comment": DELETES,
    "bonus_lot": KEEPS,
    "campaign": EMPTIES,  # what was searched for, where it found them alone
    "campaign_click": KEEPS,  # ids and times
    "canned_reply": KEEPS,
    "card_code_use": KEEPS,
    "category": KEEPS,
    "channel_link": KEEPS,
    "channel_pause": KEEPS,
    "consent": KEEPS,  # that somebody agreed, and to which words
    "consent_text": KEEPS,
    "conversation": EMPTIES,  # the session holds what was typed
    "credit_request": EMPTIES,  # the comment
    "customer": EMPTIES,  # name, phone, e-mail, gender, birthday, card number, code of invitations
    "customer_category": DELETES,
    "customer_facts": EMPTIES,  # birthday, labels, reach
    "customer_location": KEEPS,
    "customer_service": KEEPS,
    "customer_service_category": KEEPS,
    "customer_team_member": KEEPS,
    "dashboard_look": KEEPS,
    "dialog_text": KEEPS,
    "duplicate_look": KEEPS,  # ids
    "entry_link": KEEPS,
    "entry_visit": DELETES,
    "file_download": KEEPS,
    "file_export": EMPTIES,  # what was searched for, where it found them alone
    "file_export_piece": DELETES,  # files that hold them
    "file_import": EMPTIES,  # a file that was not read yet
    "file_import_row": EMPTIES,  # the cells
    "fiscal_claim": EMPTIES,  # the photo
    "fiscal_drive": KEEPS,
    "fiscal_report": KEEPS,
    "hold": KEEPS,
    "hold_lot": KEEPS,
    "importance_class": KEEPS,
    "incoming_update": EMPTIES,  # what the messenger sent, and its names for chat and message
    "journal_entry": KEEPS,  # ids, codes and numbers only, by its own promise
    "label_rule": KEEPS,
    "link_request": KEEPS,
    "location": KEEPS,
    "mass_action": EMPTIES,  # what was searched for, and the words about bonuses of theirs alone
    "mass_action_row": KEEPS,
    "media": DELETES,
    "merge": EMPTIES,  # the profile that it remembers
    "message": EMPTIES,  # the words, the customer, the messenger's name for it
    "message_price": KEEPS,
    "message_template": KEEPS,
    "message_type": KEEPS,
    "messaging": KEEPS,
    "messenger_account": EMPTIES,  # address, other names, phone
    "note": DELETES,
    "once_only_bonus": KEEPS,  # a keyed hash of the phone: whoever comes back gets no second gift
    "programme": KEEPS,
    "proof": KEEPS,
    "question": KEEPS,
    "receipt": KEEPS,
    "receipt_line": KEEPS,  # what was bought, as the till calls it
    "recipient": KEEPS,
    "referral": KEEPS,
    "registration_step": KEEPS,
    "saved_view": KEEPS,
    "segment": KEEPS,
    "segment_member": DELETES,
    "segment_size": KEEPS,
    "sender_pulse": KEEPS,
    "service": KEEPS,
    "service_category": KEEPS,
    "shop": KEEPS,
    "shown_card": DELETES,
    "staff_chat": KEEPS,
    "staff_invitation": KEEPS,
    "staff_letter": KEEPS,  # words of ours to colleagues
    "staff_location": KEEPS,
    "staff_member": KEEPS,  # colleagues are no customers of this act
    "survey_answer": EMPTIES,  # the comment
    "survey_invitation": KEEPS,
    "survey_programme": KEEPS,
    "survey_run": EMPTIES,  # what was searched for, where it found them alone
    "table_layout": KEEPS,
    "task": EMPTIES,  # the words of theirs
    "team_member": KEEPS,
    "tier_change": KEEPS,
    "waiting_sale": EMPTIES,  # the phone that was named at the till
    "webhook_delivery": KEEPS,
    "webhook_endpoint": KEEPS,
    "webhook_event": KEEPS,  # ids, codes and numbers only
}
