"""Every sealed column of the service: what `rotate-keys` goes through."""

from chassis.vault import Sealed

SEALED = [
    Sealed("visits", "arrival_place"),
    Sealed("appeals", "words_sealed"),
    Sealed("archive_entries", "sealed"),
    Sealed("customers", "phone_sealed"),
    Sealed("customers", "particulars_sealed"),
    Sealed("customers", "address_sealed"),
    Sealed("customer_said", "said_sealed"),
    Sealed("contacts", "person_sealed"),
    Sealed("staff", "reach_sealed"),
    Sealed("sync_conflicts", "device_sealed"),
    Sealed("sync_conflicts", "server_sealed"),
]
