"""What runs on the worker and clock dynos: RQ jobs, the schedule and their housekeeping.

May import feeds, cdn, notify and db. `queues` has the job names and is all that the web process needs. `boot` builds
the services of a process. `ingest` applies updates to the live state: start there.
"""
