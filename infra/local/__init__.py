"""The local cloud: the production template on this machine, and the few commands an operator needs.

Read in this order: `__main__` (the commands), `settings` (where and on which ports), `bootstrap` and `prepare` (what the
machine must have), `build`, `cloud` (MiniStack and the stand-ins as processes), `deploy` and `routes`, `demo` and
`outcome`, `stack` (what every tool and test reads). Then `operate` and `release`, the commands that also work against
AWS, and `verify`, the checks. What MiniStack lacks is in `ministack`.
"""
