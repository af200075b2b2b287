"""What artifacts may cost and how good they must be, wherever that is said.

Of several that say something the first counts: an option, the project's file for the target, the
project's file in general, the target's profile. docs/decisions/0035 tells why.
"""
