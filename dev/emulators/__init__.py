"""Apple and Google on this machine: APNs and FCM v1 over TLS and HTTP/2, strict about the rules of the real ones.

`python -m dev.emulators --var DIR` starts both, makes the keys they accept and prints the settings that point at
them. `wire` the connections and how they break, `apns` and `fcm` the rules, `ledger` what was accepted, on disk, and
`phone` what somebody sees of it. Not a part of a deployment: real credentials leave it out.
"""
