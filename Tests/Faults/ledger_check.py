"""Whether the ledger finds what it is for: histories that cannot be, and those that can.

    python3 Tests/Faults/ledger_check.py
"""

import sys
import unittest

sys.dont_write_bytecode = True

from ledger import ABSENT, Ledger, Person, Read

EPOCHS = {10: 1, 11: 1, 20: 2}
OWNERS = {1: "one", 2: "two"}


class LedgerChecks(unittest.TestCase):
    def setUp(self):
        """Three writes, the last of them by another leader."""
        self.ledger = Ledger(staleness=1.0)
        self.person = Person("ana")
        for sent, acknowledged, node, lsn in ((0, 1, "one", 10), (2, 3, "one", 11), (4, 5, "two", 20)):
            self.write(sent, acknowledged, node, lsn)

    def write(self, sent, acknowledged=None, node=None, lsn=None):
        write = self.ledger.begin_write(self.person, sent)
        if acknowledged is not None:
            self.ledger.acknowledge(write, node, lsn, acknowledged)
        return write

    def found(self, role, began, value, at_least=ABSENT):
        self.ledger.note(Read("ana", "one", role, began, began + 0.1, value, at_least))
        return " ".join(self.ledger.check_reads())

    def acknowledgements(self, epochs=None):
        return " ".join(self.ledger.check_acknowledgements((epochs or EPOCHS).get, OWNERS))

    def test_a_leader_shows_what_is_acknowledged(self):
        self.assertEqual(self.found("leader", 3.5, 1), "")
        self.assertIn("with 1 although 2 was there", self.found("leader", 5.5, 1))

    def test_a_read_during_a_write_may_show_either(self):
        self.assertEqual(self.found("leader", 4.5, 1), "")
        self.assertEqual(self.found("leader", 4.5, 2), "")

    def test_what_was_shown_once_stays(self):
        self.write(6)
        self.assertEqual(self.found("leader", 7, 3), "")
        self.assertIn("with 2 although 3 was there", self.found("leader", 8, 2))

    def test_a_follower_is_behind_for_as_long_as_promised(self):
        self.assertEqual(self.found("follower", 5.9, 1), "")
        self.assertIn("with 1 although 2 was there 1.0 s before", self.found("follower", 6.1, 1))

    def test_a_follower_has_the_record_that_was_asked_for(self):
        self.assertIn("with 1 although 2 was there", self.found("follower", 5.1, 1, at_least=2))

    def test_nobody_shows_what_was_never_sent_or_refused(self):
        self.assertIn("nobody had sent", self.found("leader", 6, 7))
        self.ledger.refuse(self.write(6))
        self.assertIn("was refused", self.found("follower", 7, 3))

    def test_an_unknown_outcome_may_be_either(self):
        self.write(6)
        self.assertEqual(self.person.may_be(), {2, 3})
        self.assertTrue(self.person.is_doubtful())

    def test_acknowledged_records_are_in_the_log_once(self):
        self.assertEqual(self.acknowledgements(), "")
        self.assertIn("record 11 (ana, 1) was acknowledged by one, and is in no log", self.acknowledgements({10: 1, 20: 2}))
        self.write(6, 7, "two", 20)
        self.assertIn("record 20 was acknowledged twice", self.acknowledgements())

    def test_no_node_acknowledges_in_anothers_epoch(self):
        self.assertIn("epoch 2 there, in which two led", self.acknowledgements(EPOCHS | {11: 2}))

    def test_no_old_epoch_acknowledges_after_a_newer_one(self):
        self.write(6, 7, "one", 12)
        self.assertIn("epoch 1 acknowledged a write that was sent 1.000 s after epoch 2", self.acknowledgements(EPOCHS | {12: 1}))


if __name__ == "__main__":
    unittest.main()
