"""What happens after the door: job families on RQ, the schedule, and the feeds that read providers' bytes.

May import cdn, notify and db. `queues` names the jobs and is all that the web process needs; `boot` builds the
services a working process uses; `ingest` is where an update becomes the present. Start there.
"""
