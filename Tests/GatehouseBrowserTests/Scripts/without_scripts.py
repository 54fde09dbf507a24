"""The same walk as a new administrator's, in a browser without JavaScript."""

import sys

import new_administrator

new_administrator.main(sys.argv[1], sys.argv[2], scripts=False)
