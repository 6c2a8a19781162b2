"""Every sealed column of the service: what `rotate-keys` goes through."""

from chassis.vault import Sealed

SEALED = [
    Sealed("visits", "arrival_place"),
    Sealed("visits", "preparation_sealed"),
    Sealed("visits", "reason_sealed"),
    Sealed("visit_hand_overs", "reason_sealed"),
    Sealed("staff_hand_overs", "reason_sealed"),
    Sealed("attachments", "name_sealed"),
    Sealed("attachments", "reason_sealed"),
    Sealed("appeals", "words_sealed"),
    Sealed("steps", "words_sealed"),
    Sealed("checklist_answers", "words_sealed"),
    Sealed("appointments", "words_sealed"),
    Sealed("obligations", "phone_sealed"),
    Sealed("obligations", "note_sealed"),
    Sealed("obligations", "words_sealed"),
    Sealed("online_inquiries", "question_sealed"),
    Sealed("online_inquiries", "answer_sealed"),
    Sealed("archive_entries", "sealed"),
    Sealed("archive_gap_reasons", "reason_sealed"),
    Sealed("archive_holds", "reason_sealed"),
    Sealed("customers", "name_sealed"),
    Sealed("customers", "phone_sealed"),
    Sealed("customers", "particulars_sealed"),
    Sealed("customers", "address_sealed"),
    Sealed("customer_said", "said_sealed"),
    Sealed("contacts", "person_sealed"),
    Sealed("staff", "reach_sealed"),
    Sealed("sync_conflicts", "device_sealed"),
    Sealed("sync_conflicts", "server_sealed"),
]
