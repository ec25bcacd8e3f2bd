"""`netral verify`: an independent checker. It reads streams and databases by itself and proves what Netral promises.

Nothing here imports what it checks (`services.routing.core`, the casebook, the read model's code): the tables of law and the
counting of days are written a second time, from the sources. Four modules are exceptions, and say why: `decision_checks`
and `step_checks` decide again, `vault_checks` opens what was sealed, `readable` reads as all others read.
"""
