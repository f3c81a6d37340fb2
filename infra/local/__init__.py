"""The local cloud: the production template on this machine, and the few commands an operator needs.

Read in this order: `__main__` (the commands), `settings` (where and on which ports), `prepare` (what the machine must
have), `build`, `cloud` (MiniStack and the stand-ins as processes), `deploy`, `routes`, `demo`, `stack` (what every
tool and test reads), `operate` (the commands that also work against AWS).
"""
