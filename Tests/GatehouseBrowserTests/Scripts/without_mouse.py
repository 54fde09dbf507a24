"""A new administrator's walk, and three of the guides, with the keyboard alone."""

import sys

import guide_accounts_tab
import guide_joint_accounts
import guide_system_users
import new_administrator

WALKS = {
    "new_administrator": new_administrator.main, "guide_joint_accounts": guide_joint_accounts.main,
    "guide_accounts_tab": guide_accounts_tab.main, "guide_system_users": guide_system_users.main,
}

if __name__ == "__main__":
    WALKS[sys.argv[3]](sys.argv[1], sys.argv[2], keyboard=True)
